package search

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"pimflow/internal/bound"
	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
)

// auto is the best plan of every policy and of the local search.
func (s *search) auto(ctx context.Context, auto Policy) (*Result, error) {
	s.total = len(s.policies) * len(s.order)
	if s.reached = s.t.Effort; s.reached > 0 {
		s.total += len(s.order)
	}
	res := &Result{}
	var none error
	offer := func(c *solution) {
		if res.Plan == nil || s.value(c.timeline) < s.value(res.Timeline) {
			res.Plan, res.Timeline = c.plan, c.timeline
		}
	}
	var serial *solution // of one device at a time, with fused launches
	auto.launch = s.t.Launch
	for i, p := range s.policies {
		if p.All {
			p.launch = s.t.Launch
		}
		until := ctx
		if i == 0 { // the GPU alone, which takes little time: there is always a plan
			until = context.WithoutCancel(ctx)
		}
		c, err := s.solve(until, p)
		switch {
		case err != nil && ctx.Err() != nil && res.Plan != nil:
			res.Stopped = true
			return res, nil
		case errors.Is(err, ErrNoDevice): // another policy may have a device for every node
			none = cmp.Or(none, err)
			continue
		case err != nil:
			return nil, err
		}
		offer(c)
		if !p.All {
			anew := c
			if s.t.Launch == plan.Fused {
				if anew, err = s.fuse(ctx, c, p); err != nil && ctx.Err() == nil {
					return nil, err
				}
				offer(c)
			}
			if p.Exclusive && anew != nil {
				serial = anew
			}
			continue
		}
		s.options = c.options
		if res.Exact, err = s.improve(ctx, c, auto); err != nil {
			return nil, err
		}
		offer(c)
		if serial != nil && ctx.Err() == nil {
			if err := s.addSerialRuns(c, serial.store, auto); err != nil {
				return nil, err
			}
			offer(c)
		}
	}
	if res.Plan == nil {
		return nil, none
	}
	if res.Stopped = ctx.Err() != nil; !res.Stopped && !s.t.Unbounded { // the bound needs all tiles costed
		o := bound.Options{Below: res.Timeline.Total, Histories: s.histories()}
		if res.Exact {
			o.Histories = bound.High // the graph is small
		}
		if res.Bound, res.BoundTwo = s.bound(ctx, o); ctx.Err() != nil {
			res.Bound, res.BoundTwo = 0, 0
		}
	}
	return res, nil
}

// fuse fuses the PIM launches of a policy's plan (plan.Fused) if that is better. For a serial
// policy, whose devices the local search does not have, it also solves again with fused
// launches and returns that solution.
func (s *search) fuse(ctx context.Context, c *solution, p Policy) (anew *solution, err error) {
	pl := *c.plan
	pl.Launch = plan.Fused
	tl, err := s.time(&pl)
	if err == nil && s.value(tl) < s.value(c.timeline) {
		c.plan, c.timeline = &pl, tl
	}
	if p.launch = plan.Fused; err != nil || !p.Exclusive {
		return nil, err
	}
	if anew, err = s.solve(ctx, p); err == nil && s.value(anew.timeline) < s.value(c.timeline) {
		c.plan, c.timeline = anew.plan, anew.timeline
	}
	return anew, err
}

// improve improves a policy's plan by local search, then goes on from there for as long as the effort says, and, if the
// graph is small, replaces it by the exact optimum, which it reports. More effort makes no plan worse.
func (s *search) improve(ctx context.Context, c *solution, p Policy) (exact bool, err error) {
	o := s.t.Objective.around(c.timeline.Total, energyOf(c.timeline), s.standby)
	list, err := s.fitted(ctx, c, p, s.local.Improve(ctx, c.store, c.choices, c.windows, o), o)
	if err != nil {
		return false, err
	}
	if s.t.Effort > 0 {
		if _, err = s.fitted(ctx, c, p, s.iterate(ctx, c, list, o), o); err != nil {
			return false, err
		}
	}
	return s.decide(ctx, c, p, o)
}

// fitted makes the plan of windows the solution's, if it is better. If memory has no room for it, nodes are kept from the PIM and
// the rest is improved again. It returns the windows that memory has room for.
func (s *search) fitted(ctx context.Context, c *solution, p Policy, list []*candidate.Window, o candidate.Linear) ([]*candidate.Window, error) {
	for round := 1; ; round++ {
		if err := c.store.Err(); err != nil {
			return nil, err
		}
		pl := s.planOf(p, list)
		tl, err := s.time(pl)
		var full *memory.FullError
		if errors.As(err, &full) && c.evict(c.drop(full, list), list) {
			if round < maxEvictions {
				list = s.local.Improve(ctx, c.store, c.choices, list, o)
			}
			continue
		}
		if err != nil && full == nil {
			return nil, err
		}
		if err == nil && s.value(tl) < s.value(c.timeline) {
			c.plan, c.timeline, c.windows = pl, tl, list
		}
		return list, nil
	}
}

// maxEvictions is how often the local search runs again after nodes without room in memory are
// evicted (estimated). After that they are only evicted.
const maxEvictions = 4

// evict takes nodes that memory has no room for from the PIM. It returns false if no other
// device executes one of them.
func (c *solution) evict(ids []graph.ID, list []*candidate.Window) bool {
	s, gone := c.store, map[int]*candidate.Partition{}
	for _, id := range ids {
		at := s.Pos[id]
		s.Evict(at)
		for dev := range s.Devices {
			if p := s.Whole(at, dev); p != nil {
				gone[at] = candidate.NewPartition(p)
			}
		}
		if gone[at] == nil {
			return false
		}
		c.choices[at] = slices.DeleteFunc(c.choices[at], (*candidate.Partition).OnPIM)
	}
	for k, t := range list {
		parts := slices.Clone(t.Partitions)
		for i := range parts {
			if d := gone[t.Lo+i]; d != nil {
				parts[i] = d
			}
		}
		if !slices.Equal(parts, t.Partitions) {
			list[k] = (&candidate.Scheduler{Store: s}).Schedule(t.Lo, parts)
		}
	}
	return true
}

// bound is the lower bound, as much work as o says, of all plans on the devices of any policy: of all, and of those that
// cut no node into more than two tiles. A plan with serial segments is no faster than one
// whose tiles are executed side by side.
func (s *search) bound(ctx context.Context, o bound.Options) (all, two device.Time) {
	all, two = math.MaxInt64, math.MaxInt64
	for _, st := range s.stores {
		if !st.Complete() {
			continue // it makes no plan
		}
		st.Launch = candidate.LaunchOf(s.t.Launch)
		var serial *candidate.Store
		if k := slices.IndexFunc(s.stores, func(o *candidate.Store) bool { return o.Serial }); k >= 0 && !st.Serial && len(st.Devices) > 1 {
			serial = s.stores[k]
		}
		a, t := bound.Of(ctx, st, serial, o)
		all, two = min(all, a), min(two, t)
	}
	return all, two
}
