package pimflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/platform"
)

// tune searches the best number of PIM channels and its plan: first each eighth of the channels,
// then the neighbours of the best number, until none is better. It can miss a number between two
// worse ones.
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
		t, err := on.aim(Search{Objective: how.Objective, Pins: how.Pins})
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
