package search

import (
	"context"

	"pimflow/internal/bound"
	"pimflow/internal/candidate"
)

// fromBound are windows that the local search makes from the divisions of the lower bound's own minimum (bound.Divisions): a second
// start, which may end in other local optima. It returns nil if there is none, or ctx ends. Nodes that the bound does not divide are as
// in list.
func (s *search) fromBound(ctx context.Context, c *solution, list []*candidate.Window, o candidate.Linear) []*candidate.Window {
	if len(list) == 0 || len(c.store.Devices) < candidate.Lanes || s.t.Objective != Latency {
		return nil
	}
	of := bound.Divisions(ctx, c.store, bound.Options{Histories: bound.Normal})
	if of == nil {
		return nil
	}
	var parts []*candidate.Partition
	for _, w := range list {
		parts = append(parts, w.Partitions...)
	}
	for i, p := range of {
		if p != nil {
			parts[i] = p
		}
	}
	from := (&candidate.Scheduler{Store: c.store}).Schedule(0, parts)
	better := s.local.Improve(ctx, c.store, c.choices, []*candidate.Window{from}, o)
	if ctx.Err() != nil {
		return nil
	}
	return better
}
