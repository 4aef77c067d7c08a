package report

import (
	"fmt"
	"io"
	"strings"
)

// gapColumns are the columns of Gaps after those that rows begin with.
var gapColumns = []struct {
	head  string
	right bool
	cell  func(m *ModelResult, from, best *PolicyResult) string
	timed bool // not reproducible: only if asked for
}{
	{"pimflow", true, func(_ *ModelResult, from, _ *PolicyResult) string { return us(&from.Total) }, false},
	{"auto", true, func(_ *ModelResult, _, best *PolicyResult) string { return us(&best.Total) }, false},
	{"below", true, func(_ *ModelResult, from, best *PolicyResult) string {
		return fmt.Sprintf("%.1f %%", 100*(1-best.Total/from.Total))
	}, false},
	{"two tiles", true, func(m *ModelResult, _, _ *PolicyResult) string { return us(m.BoundTwo) }, false},
	{"gap", true, func(m *ModelResult, _, best *PolicyResult) string { return gap(best.Total, m.BoundTwo) }, false},
	{"any", true, func(m *ModelResult, _, _ *PolicyResult) string { return us(m.Bound) }, false},
	{"gap", true, func(m *ModelResult, _, best *PolicyResult) string { return gap(best.Total, m.Bound) }, false},
	{"effort", true, func(_ *ModelResult, _, best *PolicyResult) string { return best.Effort }, false},
	{"time s", true, func(_ *ModelResult, _, best *PolicyResult) string { return fmt.Sprintf("%.1f", best.Search) }, true},
}

// Gaps writes how far the best plan of each model is below that of policy pimflow, and how much lower bounds still allow. timed adds what
// the search took, wall clock: the only number that is not reproducible.
func (c *Comparison) Gaps(w io.Writer, timed bool) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s; latency in us; launches under both policies: %s\n", c.names(), strings.Join(c.Launches, "; "))
	b.WriteString(`below: how much less the plan of auto takes than that of policy pimflow
gap: how much more auto takes than the lower bound before it. No plan that cuts a layer into at
most two costed tiles takes less than the first bound, and none of costed tiles, however many,
less than the second. A plan with other tiles may be below them; more effort proves higher bounds.

`)
	t, head := c.leading()
	for _, x := range gapColumns {
		if !x.timed || timed {
			t, head = append(t, column{right: x.right}), append(head, x.head)
		}
	}
	t.row(head...)
	c.rows(&t, func(m *ModelResult) (cells []string) {
		for _, x := range gapColumns {
			if !x.timed || timed {
				cells = append(cells, x.cell(m, &m.Results[0], &m.Results[1]))
			}
		}
		return cells
	})
	t.write(b)
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// rows adds a row a model, after the cells that it begins with; that of a model without a result has its error.
func (c *Comparison) rows(t *table, cells func(m *ModelResult) []string) {
	for k := range c.Models {
		if m := &c.Models[k]; m.Error != "" {
			t.open(append(lead(c, m), m.Error)...)
		} else {
			t.row(append(lead(c, m), cells(m)...)...)
		}
	}
}

// us is a time in microseconds; "" without one.
func us(ns *float64) string {
	if ns == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", *ns/1e3)
}
