package pimflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

// tune searches the best number of PIM channels and its plan: first each eighth of the channels,
// then the neighbours of the best number, until none is better. It can miss a number between two
// worse ones. Every plan that is found is timed with every number that was tried. Numbers are compared
// at low effort; the best is searched again with the effort that was asked for.
//
// In the literature: hill climbing from the best point of a grid.
func (s *Session) tune(ctx context.Context, how Search) (*Plan, error) {
	all := s.machine.Memory.Channels
	var list []*Plan
	var best *Plan
	try := func(n int) error {
		if ctx.Err() != nil && best != nil { // the plan so far
			return nil
		}
		if n < 1 || n > all || slices.ContainsFunc(list, func(p *Plan) bool { return p.target.PIMChannels == n }) {
			return nil
		}
		on, err := s.withChannels(n)
		if err != nil {
			return err
		}
		t, err := on.aim(Search{Objective: how.Objective, Pins: how.Pins, Effort: search.Low.String()})
		if err != nil {
			return err
		}
		if report := t.Progress; report != nil {
			t.Progress = func(int, int) { report(len(list), len(list)+1) }
		}
		p, err := on.best(ctx, how, t)
		if errors.Is(err, ErrNoDevice) { // as where all channels compute and a layer cannot be on the PIM
			return nil
		}
		if err != nil {
			return err
		}
		list = append(list, p)
		if best == nil || p.result.Value < best.result.Value {
			best = p
		}
		return nil
	}
	for _, n := range platform.Eighths(all) {
		if err := try(n); err != nil {
			return nil, err
		}
	}
	for at := (*Plan)(nil); best != nil && at != best; {
		at = best
		for _, n := range []int{at.target.PIMChannels - 1, at.target.PIMChannels + 1} {
			if err := try(n); err != nil {
				return nil, err
			}
		}
	}
	if best == nil {
		return nil, fault.As(fault.Infeasible, fmt.Errorf("%s: no number of PIM channels of machine %s has a plan under policy %s", s.graph.Name, s.machine.Name, cmp.Or(how.Policy, DefaultPolicy)))
	}
	slices.SortFunc(list, func(a, b *Plan) int { return a.target.PIMChannels - b.target.PIMChannels })
	if err := swap(ctx, list); err != nil {
		return nil, err
	}
	best = slices.MinFunc(list, func(a, b *Plan) int { return cmp.Compare(a.result.Value, b.result.Value) })
	if err := best.again(ctx, how); err != nil {
		return nil, err
	}
	tuned := *best
	tuned.home = s
	if ctx.Err() != nil {
		r := *best.result
		r.Stopped = true
		tuned.result = &r
	}
	for _, p := range list {
		tuned.tried = append(tuned.tried, ChannelsTried{PIMChannels: p.target.PIMChannels, Total: p.result.Timeline.Total.NS()})
	}
	return &tuned, nil
}

// channels is the number of PIM channels of a plan: the machine's where nothing is on them.
func (p *Plan) channels() int { return cmp.Or(p.result.Plan.PIMChannels, p.target.PIMChannels) }

// withChannels is the session on its machine with n PIM channels.
func (s *Session) withChannels(n int) (*Session, error) {
	if n == s.machine.Memory.PIMChannels {
		return s, nil
	}
	m, err := platform.WithChannels(s.machine, n)
	if err != nil {
		return nil, err
	}
	return s.On(&Machine{m, s.on.from, s.on.changes})
}

// swap gives each plan's number of PIM channels the best plan of all. It stops at the end of ctx,
// with what it has.
func swap(ctx context.Context, list []*Plan) error {
	var found []*plan.Plan
	for _, p := range list {
		found = append(found, p.plan)
	}
	for _, p := range list {
		if err := p.swap(ctx, found); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// swap times plans on the plan's machine and becomes the best of them if that is better. The error is that of ctx, or of the best.
func (p *Plan) swap(ctx context.Context, found []*plan.Plan) error {
	list, err := search.Retime(ctx, p.home.graph, found, p.target)
	if err != nil {
		return err
	}
	least := search.Least(list)
	if least == nil || least.Value >= p.result.Value {
		return nil
	}
	r, err := least.Result(p.home.graph, p.target)
	if err != nil {
		return err
	}
	r.Bound, r.BoundTwo, r.Elapsed, r.Effort = p.result.Bound, p.result.BoundTwo, p.result.Elapsed, p.result.Effort
	p.plan, p.result = r.Plan, r
	return nil
}

// again searches the plan once more with an effort and becomes what is found, if that is better.
func (p *Plan) again(ctx context.Context, how Search) error {
	t, err := p.home.aim(Search{Objective: how.Objective, Pins: how.Pins, Effort: how.Effort, TimeLimit: how.TimeLimit})
	if err != nil || t.Effort == search.Low || ctx.Err() != nil {
		return err
	}
	more, err := p.home.best(ctx, p.how, t)
	if err != nil {
		return err
	}
	if more.result.Value < p.result.Value {
		p.plan, p.result = more.plan, more.result
	}
	r := *p.result
	r.Effort, r.Bound, r.BoundTwo = more.result.Effort, more.result.Bound, more.result.BoundTwo
	p.result = &r
	return nil
}
