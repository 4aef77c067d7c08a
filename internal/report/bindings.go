package report

import (
	"cmp"
	"fmt"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
)

// bindings is a line that says what the open dimensions of a model are bound to, input by input; "" where it has none.
func bindings(list []pimflow.Binding) string {
	if len(list) == 0 {
		return ""
	}
	return "open      " + boundTo(list) + "\n"
}

// boundTo says what open dimensions are bound to.
func boundTo(list []pimflow.Binding) string {
	var b strings.Builder
	for i, d := range list {
		switch {
		case i == 0:
			b.WriteString(fault.Name(d.Input) + ": ")
		case d.Input != list[i-1].Input:
			b.WriteString("; " + fault.Name(d.Input) + ": ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%d", cmp.Or(fault.Name(d.Name), fmt.Sprintf("[%d]", d.Dimension)), d.Extent)
	}
	return b.String()
}
