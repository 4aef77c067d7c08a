package search

import (
	"context"
	"time"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// Retimed is a plan that was made before, as it is on a target.
type Retimed struct {
	Plan     *plan.Plan
	Timeline *run.Timeline
	Value    float64 // of the target's objective
}

// Retime times plans that were made before, for other machines, with the number of PIM channels of a target and launches that it
// has. Of each it returns the better way to launch; nil where the target has no such device or no room. The error is that of ctx.
func Retime(ctx context.Context, g *graph.Graph, plans []*plan.Plan, t Target) ([]*Retimed, error) {
	list := make([]*Retimed, len(plans))
	s := newSearch(g, t)
	for i, p := range plans {
		for _, on := range t.ways(p) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			tl, err := s.time(on)
			if err != nil {
				continue
			}
			if v := s.value(tl); list[i] == nil || v < list[i].Value {
				list[i] = &Retimed{on, tl, v}
			}
		}
	}
	return list, nil
}

// Result is the result of a plan that was timed on a target.
func (r *Retimed) Result(g *graph.Graph, t Target) (*Result, error) {
	return newSearch(g, t).finish(&Result{Plan: r.Plan, Timeline: r.Timeline}, time.Now())
}

// On returns a plan that was made before as it is on the target: with its number of PIM channels, and with a launch that it has.
func (t *Target) On(p *plan.Plan) *plan.Plan {
	on := *p
	on.Machine, on.From, on.Set = t.Machine, "", nil
	if on.PIMChannels > 0 {
		on.PIMChannels = t.PIMChannels
	}
	if t.Launch != plan.Fused {
		on.Launch = plan.Each
	}
	return &on
}

// ways are a plan on the target in each way to launch that the target has, its own first.
func (t *Target) ways(p *plan.Plan) []*plan.Plan {
	on := t.On(p)
	if t.Launch != plan.Fused {
		return []*plan.Plan{on}
	}
	other := *on
	if other.Launch = plan.Each; on.Launch == plan.Each {
		other.Launch = plan.Fused
	}
	return []*plan.Plan{on, &other}
}

// Least is the first of those with the least value; nil where there is none.
func Least(list []*Retimed) (best *Retimed) {
	for _, r := range list {
		if r != nil && (best == nil || r.Value < best.Value) {
			best = r
		}
	}
	return best
}
