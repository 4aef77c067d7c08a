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
	"pimflow/internal/search/local"
)

// all is the best plan of every policy, and of the moves that auto makes.
func (s *search) all(ctx context.Context, auto Policy) (*Result, error) {
	s.total = len(policies) * len(s.order)
	res := &Result{}
	var none error
	offer := func(c *chained) {
		if res.Plan == nil || s.value(c.timeline) < s.value(res.Timeline) {
			res.Plan, res.Timeline = c.plan, c.timeline
		}
	}
	var sole *chained // of one device at a time
	for i, p := range policies {
		until := ctx
		if i == 0 { // the GPU alone, which is soon done and always there
			until = context.WithoutCancel(ctx)
		}
		c, err := s.chained(until, p)
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
			anew, err := s.together(ctx, c, p)
			if err != nil && ctx.Err() == nil {
				return nil, err
			}
			if anew != nil {
				sole = anew
			}
			offer(c)
			continue
		}
		s.options = c.options
		if res.Exact, err = s.moved(ctx, c, auto); err != nil {
			return nil, err
		}
		offer(c)
		if sole != nil && ctx.Err() == nil {
			if err := s.spliced(c, sole.store, auto); err != nil {
				return nil, err
			}
			offer(c)
		}
	}
	if res.Plan == nil {
		return nil, none
	}
	if res.Stopped = ctx.Err() != nil; !res.Stopped { // the bound is one of all pieces that would be costed
		res.Bound, res.BoundTwo = s.bound()
	}
	return res, nil
}

// together launches the PIM work of a policy's plan together (plan.Joint) where that is
// better. Where one device works at a time, on other devices than those of auto's own
// moves, layers are also placed anew for such launches; that is returned.
func (s *search) together(ctx context.Context, c *chained, p Policy) (anew *chained, err error) {
	pl := *c.plan
	pl.Launch = plan.Joint
	tl, err := s.time(&pl)
	if err == nil && s.value(tl) < s.value(c.timeline) {
		c.plan, c.timeline = &pl, tl
	}
	if p.Launch = plan.Joint; err != nil || !p.Exclusive {
		return nil, err
	}
	if anew, err = s.chained(ctx, p); err == nil && s.value(anew.timeline) < s.value(c.timeline) {
		c.plan, c.timeline = anew.plan, anew.timeline
	}
	return anew, err
}

// moved changes a policy's plan by moves and, where the graph is small, decides it
// exactly, which it reports.
func (s *search) moved(ctx context.Context, c *chained, p Policy) (exact bool, err error) {
	o := s.t.Objective.around(c.timeline.Total, work(c.timeline), s.standby)
	list := c.list
	for round := 0; ; round++ {
		if round < maxEvictions {
			list = local.Default().Improve(ctx, c.store, c.choices, list, o)
		}
		if err := c.store.Err(); err != nil {
			return false, err
		}
		pl := s.planOf(p, list)
		tl, err := s.time(pl)
		var full *memory.FullError
		if errors.As(err, &full) && c.evict(full.Nodes, list) {
			continue
		}
		if err != nil && full == nil {
			return false, err
		}
		if err == nil && s.value(tl) < s.value(c.timeline) {
			c.plan, c.timeline, c.list = pl, tl, list
		}
		break
	}
	return s.decided(ctx, c, p, o)
}

// maxEvictions is how often moves are made again on the memory that nodes without room
// leave, before these only go.
const maxEvictions = 4

// evict takes nodes that memory has no room for from the PIM; false where another
// device does not execute one of them.
func (c *chained) evict(ids []graph.ID, list []*candidate.Window) bool {
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
		divs := slices.Clone(t.Partitions)
		for i := range divs {
			if d := gone[t.Lo+i]; d != nil {
				divs[i] = d
			}
		}
		if !slices.Equal(divs, t.Partitions) {
			list[k] = (&candidate.Scheduler{Store: s}).Schedule(t.Lo, divs)
		}
	}
	return true
}

// bound is that of all plans on any of the devices that policies have. A plan in which
// one device works at a time in some segments is not faster than one in which the same
// pieces are executed side by side.
func (s *search) bound() (any, two device.Time) {
	any, two = math.MaxInt64, math.MaxInt64
	for _, st := range s.stores {
		if !st.Complete() {
			continue // of no plan
		}
		st.Launch = candidate.LaunchOf(plan.Joint) // the least of all policies
		var sole *candidate.Store
		if k := slices.IndexFunc(s.stores, func(o *candidate.Store) bool { return o.Serial }); k >= 0 && !st.Serial && len(st.Devices) > 1 {
			sole = s.stores[k]
		}
		a, t := bound.Of(st, sole)
		any, two = min(any, a), min(two, t)
	}
	return any, two
}
