package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pimflow/internal/fault"
)

// Gaps writes how far the best plan of each model is below that of policy pimflow, how much lower
// bounds still allow, and what the search took. The last column is wall clock: the only number that
// is not reproducible.
func (c *Comparison) Gaps(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "machine %s; latency in us\n", c.Machine)
	b.WriteString("below pimflow: how much less the plan of auto takes than that of policy pimflow\n")
	b.WriteString("gap: how much more auto takes than the lower bound; no plan of at most two costed tiles a layer is below the first, none of any number of costed tiles below the second;\nboth fall where more tiles are costed, as with more effort\n\n")
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("network", "batch", "pimflow", "auto", "below pimflow", "two tiles", "gap", "any", "gap", "effort", "search s")
	for k := range c.Models {
		m := &c.Models[k]
		if m.Error != "" {
			t.open(fault.Name(m.Model), strconv.Itoa(m.Batch), m.Error)
			continue
		}
		from, best := &m.Results[0], &m.Results[1]
		cells := []string{fault.Name(m.Model), strconv.Itoa(m.Batch), us(&from.Total), us(&best.Total), fmt.Sprintf("%.2f %%", 100*(1-best.Total/from.Total))}
		cells = append(cells, us(m.BoundTwo), gap(best.Total, m.BoundTwo), us(m.Bound), gap(best.Total, m.Bound), best.Effort, fmt.Sprintf("%.1f", best.Search))
		t.row(cells...)
	}
	t.write(b)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// us is a time in microseconds; "" without one.
func us(ns *float64) string {
	if ns == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", *ns/1e3)
}
