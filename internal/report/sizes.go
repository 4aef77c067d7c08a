package report

import (
	"fmt"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/tensor"
)

// sizes says what extents that depend on data the plan is made with, and what they are for the inputs; "" where there
// are none.
func sizes(list []pimflow.Size, verbose bool) string {
	if len(list) == 0 {
		return ""
	}
	b := &strings.Builder{}
	b.WriteString("sizes     depend on data: planned with the largest\n")
	for _, z := range some(list, verbose) {
		fmt.Fprintf(b, "  %s (%s) at most ", fault.Name(z.Layer), z.Op)
		if z.LargestShape != nil {
			fmt.Fprint(b, tensor.Shape(z.LargestShape))
		} else {
			fmt.Fprint(b, z.Largest)
		}
		if z.InputsShape != nil {
			fmt.Fprintf(b, ", %v for these inputs", tensor.Shape(z.InputsShape))
		}
		if z.Inputs != nil {
			fmt.Fprintf(b, ", %d for these inputs", *z.Inputs)
		}
		if z.Plan != nil {
			fmt.Fprintf(b, "; %d by the plan's own values, cut off or filled with 0 to as many", *z.Plan)
		}
		b.WriteString("\n")
	}
	more(b, len(list), verbose)
	return b.String()
}
