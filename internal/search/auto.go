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
		if c.plan != nil && (res.Plan == nil || s.value(c.timeline) < s.value(res.Timeline)) {
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
		res.Bound, res.BoundTwo = s.bound(ctx, o)
		if res.Exact && s.t.Objective == Latency && !s.fasterAlone() {
			res.BoundTwo = max(res.BoundTwo, res.Timeline.Total)
		}
		if ctx.Err() != nil {
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
		if _, err = s.fitted(ctx, c, p, s.iterate(ctx, c, p, list, o), o); err != nil {
			return false, err
		}
	}
	return s.decide(ctx, c, p, o)
}

// fitted makes the plan of windows the solution's, if it is better. If memory has no room for it, nodes are kept from the PIM and
// the rest is improved again: several sets of nodes, of which the best is kept. It returns the windows that memory has room for.
//
// No set depends on how many rows the banks have, but which of them are tried. So the plan is no slower with more rows, as long
// as memory is too small for the plan of all nodes.
func (s *search) fitted(ctx context.Context, c *solution, p Policy, list []*candidate.Window, o candidate.Linear) ([]*candidate.Window, error) {
	full, err := s.adopt(c, p, list)
	if err != nil || full == nil {
		return list, err
	}
	best := c
	for _, ids := range c.drops(full, list) {
		x := *c
		x.choices, x.gone = slices.Clone(c.choices), slices.Concat(c.gone, ids)
		x.leave()
		fewer := slices.Clone(list)
		if !x.evict(ids, fewer) {
			continue
		}
		fewer = s.local.Improve(ctx, x.store, x.choices, fewer, o)
		if full, err = s.adopt(&x, p, fewer); err != nil {
			return nil, err
		}
		if full == nil && x.plan != nil && (best.plan == nil || s.value(x.timeline) < s.value(best.timeline)) {
			best = &x
		}
	}
	*c = *best
	c.leave()
	if c.plan != nil {
		return c.windows, nil
	}
	for full, err = s.adopt(c, p, list); full != nil && c.evict(full.Nodes, list); full, err = s.adopt(c, p, list) {
	}
	return list, err
}

// adopt makes the plan of windows the solution's, if it is better and memory has room for it.
func (s *search) adopt(c *solution, p Policy, list []*candidate.Window) (full *memory.FullError, err error) {
	if err := c.store.Err(); err != nil {
		return nil, err
	}
	pl := s.planOf(p, list)
	tl, err := s.time(pl)
	if errors.As(err, &full) {
		return full, nil
	}
	if err == nil && (c.plan == nil || s.value(tl) < s.value(c.timeline)) {
		c.plan, c.timeline, c.windows = pl, tl, list
	}
	return nil, err
}

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
		c.choices[at] = slices.DeleteFunc(slices.Clone(c.choices[at]), (*candidate.Partition).OnPIM)
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

// fasterAlone reports whether a layer may be faster where one device works at a time, of which the exact mode knows nothing.
func (s *search) fasterAlone() bool {
	for _, alone := range s.stores {
		for _, st := range s.stores {
			if !alone.Serial || st.Serial || len(st.Devices) < candidate.Lanes || len(alone.Devices) < candidate.Lanes {
				continue
			}
			for i := range s.order {
				for lane := range st.Devices {
					if a, b := alone.Whole(i, lane), st.Whole(i, lane); a != nil && (b == nil || a.Least() < b.Least()) {
						return true
					}
				}
			}
		}
	}
	return false
}

// serialStore is the store of the tiles of layers that one device executes at a time; nil if there is none.
func (s *search) serialStore() *candidate.Store {
	if k := slices.IndexFunc(s.stores, func(o *candidate.Store) bool { return o.Serial }); k >= 0 {
		return s.stores[k]
	}
	return nil
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
		if !st.Serial && len(st.Devices) > 1 {
			serial = s.serialStore()
		}
		a, t := bound.Of(ctx, st, serial, o)
		all, two = min(all, a), min(two, t)
	}
	return all, two
}
