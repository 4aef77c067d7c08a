package pimflow

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// Within checks a plan and, as long as the relative error of some output is above a limit, searches again
// with the layers off the PIM whose own error there is largest, a quarter of them each time. It returns the
// last plan and its check, which is not OK if the limit is not met or some plan was wrong. Where the simplified graph alone
// is beyond the limit, no plan meets it, and none is searched. Inputs are those of Run; the search is that of the plan.
func (s *Session) Within(ctx context.Context, p *Plan, limit float64, inputs ...Tensor) (*Plan, *Check, error) {
	var off []string
	for {
		c, err := s.Check(ctx, p, inputs...)
		if err != nil || !c.OK {
			return p, c, err
		}
		c.Limit(limit)
		c.GPUOnly = slices.Sorted(slices.Values(off))
		worst := s.worst(p, c)
		if c.OK || len(worst) == 0 || c.unmet(limit) {
			return p, c, nil
		}
		off = append(off, worst...)
		how := p.how
		for _, name := range worst {
			how.Pins = append(slices.Clip(how.Pins), name+"="+plan.GPU)
		}
		next, err := s.Plan(ctx, how)
		if err != nil {
			return p, c, err
		}
		p = next
	}
}

// Limit makes a check not OK if an output's relative error is above a limit, or values of it are not finite
// that the model's are.
func (c *Check) Limit(limit float64) {
	c.MaxError = limit
	for i, o := range c.Outputs {
		if !c.OK || !o.beyond(limit) {
			continue
		}
		var s OutputCheck
		if i < len(c.simplified) {
			s = c.simplified[i]
		}
		from := "the PIM's number format makes it"
		switch {
		case s.beyond(limit):
			from = fmt.Sprintf("simplification alone makes %g, and %d not finite: no plan is below", s.MaxRel, s.Lost)
		case s.MaxRel > 0:
			from = fmt.Sprintf("simplification makes %g of it, the PIM's number format the rest", s.MaxRel)
		}
		c.refuse("the error of output %.80q is above --max-error %g: %g of the largest value, %d values not finite; %s", o.Name, limit, o.MaxRel, o.Lost, from)
	}
}

// beyond reports whether a difference is above a limit, or loses values.
func (d *OutputCheck) beyond(limit float64) bool { return d.MaxRel > limit || d.Lost > 0 }

// unmet reports whether the simplified graph's own difference from the model is beyond a limit.
func (c *Check) unmet(limit float64) bool {
	return slices.ContainsFunc(c.simplified, func(d OutputCheck) bool { return d.beyond(limit) })
}

// worst is the quarter of a plan's PIM layers with the largest own errors, by name.
func (s *Session) worst(p *Plan, c *Check) (names []string) {
	on := map[graph.ID]bool{}
	for _, st := range p.result.Timeline.Program.Steps {
		on[st.Node] = on[st.Node] || st.Device == plan.PIM
	}
	type layer struct {
		name  string
		error float64
	}
	var list []layer
	for i, id := range candidate.Operations(s.graph) {
		e := &c.Layers[i]
		if !on[id] {
			continue
		}
		list = append(list, layer{s.graph.Nodes[id].Name, e.OwnRel})
		if e.ownLost > 0 {
			list[len(list)-1].error = math.Inf(1)
		}
	}
	slices.SortStableFunc(list, func(a, b layer) int { return cmp.Compare(b.error, a.error) })
	for _, l := range list[:(len(list)+3)/4] {
		names = append(names, l.name)
	}
	return names
}
