package search

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/run"
	"pimflow/internal/search/local"
)

// base is the policy whose plan is tried beside plans of other machines: each node whole where it takes less, which costs few tiles. serial is
// the policy whose nodes run alone.
const (
	base   = "newton++"
	serial = "exclusive"
)

// Refine goes on from plans that were timed on a target, and from the best plan of whole nodes there, by a short local search (local.Brief):
// nodes are whole, or cut as one of the plans cuts them, or near that; serial runs take the place of windows where that pays. The result is no worse than the best of the plans, of which there
// may be none. It is a plan of a policy with All, p. Unlike Best it tries no table of cuts.
func Refine(ctx context.Context, g *graph.Graph, p Policy, list []*Retimed, t Target) (*Retimed, error) {
	best, s := Least(list), newSearch(g, t)
	whole, err := Lookup(base)
	if err != nil {
		return nil, err
	}
	c, err := s.solve(ctx, whole)
	if errors.Is(err, ErrNoDevice) {
		return best, nil
	}
	if err != nil {
		return nil, err
	}
	p.launch = t.Launch
	st, from := c.store, c.windows
	st.Launch = candidate.LaunchOf(p.launch)
	take := func(on *plan.Plan, tl *run.Timeline) bool {
		if best != nil && s.value(tl) >= best.Value {
			return false
		}
		on.Policy = p.Name
		best = &Retimed{on, tl, s.value(tl)}
		return true
	}
	if !take(c.plan, c.timeline) {
		if w := windowsOf(st, best.Plan); w != nil {
			from = w
		}
	}
	o := s.t.Objective.around(best.Timeline.Total, energyOf(best.Timeline), s.standby)
	better := local.Brief().Improve(ctx, st, choicesOf(st, append(list, &Retimed{Plan: c.plan}), o), from, o)
	if err := cmp.Or(st.Err(), ctx.Err()); err != nil {
		return nil, err
	}
	c.windows, c.plan = better, s.planOf(p, better)
	if c.timeline, err = s.time(c.plan); err != nil { // no room
		return best, nil
	}
	take(c.plan, c.timeline)
	alone, err := Lookup(serial)
	if err != nil {
		return nil, err
	}
	alone.launch = p.launch
	runs, err := s.solve(ctx, alone)
	if errors.Is(err, ErrNoDevice) {
		return best, nil
	}
	if err == nil {
		err = s.addSerialRuns(c, runs.store, p)
	}
	if err != nil {
		return nil, err
	}
	take(c.plan, c.timeline)
	return best, nil
}

// choicesOf are the partitions of each node that plans have, and those that leave it whole, the best alone first.
func choicesOf(st *candidate.Store, list []*Retimed, o candidate.Linear) [][]*candidate.Partition {
	choices := make([][]*candidate.Partition, len(st.Order))
	for i := range choices {
		choices[i] = st.Wholes(i)
	}
	for _, r := range list {
		if r == nil {
			continue
		}
		for _, w := range windowsOf(st, r.Plan) {
			for k, d := range w.Partitions {
				if at := w.Lo + k; !slices.ContainsFunc(choices[at], d.Equal) {
					choices[at] = append(choices[at], d)
				}
			}
		}
	}
	for _, of := range choices {
		slices.SortStableFunc(of, func(a, b *candidate.Partition) int { return cmp.Compare(o.Alone(a), o.Alone(b)) })
	}
	return choices
}

// windowsOf are the segments of a plan as windows of a store, exclusive ones as others; nil if it has some that the devices do not execute.
func windowsOf(st *candidate.Store, p *plan.Plan) (list []*candidate.Window) {
	at := 0
	for i := range p.Segments {
		seg := &p.Segments[i]
		w := st.WindowOf(at, *seg)
		if w == nil {
			return nil
		}
		list, at = append(list, w), w.Hi()
	}
	return list
}
