package search

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// solution is the best plan of a policy: the sequence of segments of the least sum.
type solution struct {
	store    *candidate.Store
	segments [][]segment              // by the node that they begin with
	choices  [][]*candidate.Partition // by node, for the local search; nil: the policy makes no moves
	windows  []*candidate.Window
	plan     *plan.Plan
	timeline *run.Timeline
	options  [][]Option
	gone     []graph.ID // nodes that memory has no room for on the PIM
}

// solve finds the best plan of one policy. If memory has no room for it, nodes are kept from the PIM and the plan is found
// again; the local search does that itself.
func (s *search) solve(ctx context.Context, p Policy) (*solution, error) {
	st, err := s.store(p)
	if err != nil {
		return nil, err
	}
	o, err := s.linearize()
	if err != nil {
		return nil, err
	}
	if p.Vectors {
		p.Offload, p.Only = s.fills, s.fills
	}
	n := len(s.order)
	c := &solution{store: st, segments: make([][]segment, n), choices: make([][]*candidate.Partition, n), options: make([][]Option, n)}
	gen := &generator{st, p, o}
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i := range s.order {
		eg.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				if p.All {
					c.choices[i] = st.Choices(i, o)
				}
				c.segments[i] = gen.segments(i, c.choices[i])
				s.progress()
			}
			return err
		})
	}
	if err := firstErr(eg.Wait(), c.store.Err()); err != nil {
		return nil, err
	}
	for i, list := range c.segments {
		for _, x := range list {
			if len(x.Partitions) == 1 {
				c.options[i] = append(c.options[i], Option{x.kind, x.Partitions[0].String(), x.Time})
			}
		}
		for _, d := range c.choices[i] {
			c.options[i] = append(c.options[i], Option{d.Kind(), d.String(), max(d.Busy[0], d.Busy[1])})
		}
	}
	err = s.sequence(c, p, o)
	var full *memory.FullError
	if !errors.As(err, &full) {
		return c, err
	}
	if p.All {
		c.timeline, err = s.unlimited(c.plan)
		c.plan = nil
		return c, err
	}
	if p.Offload == nil { // elsewhere nodes are on the PIM at any cost
		if best := s.fewer(c, p, o, full); best != nil {
			return best, nil
		}
	}
	for ; errors.As(err, &full); err = s.sequence(c, p, o) {
		for _, id := range full.Nodes {
			if !c.exclude(id) {
				return nil, fmt.Errorf("%w: %w", full, s.noDevice(st.Pos[id], p))
			}
		}
	}
	return c, err
}

// sequence finds the best sequence of a solution's segments, and its plan.
func (s *search) sequence(c *solution, p Policy, o candidate.Linear) (err error) {
	if c.windows, err = s.dynamic(c.store, p, c.segments, o); err != nil {
		return err
	}
	c.plan = s.planOf(p, c.windows)
	c.timeline, err = s.time(c.plan)
	return err
}

// fewer is the best solution of those with fewer nodes on the PIM that memory has room for; nil if there is none.
func (s *search) fewer(c *solution, p Policy, o candidate.Linear, full *memory.FullError) (best *solution) {
	for _, ids := range c.drops(full, c.windows) {
		x := *c
		x.segments, x.gone = slices.Clone(c.segments), ids
		c.store.Readmit()
		if !slices.ContainsFunc(ids, func(id graph.ID) bool { return !x.exclude(id) }) && s.sequence(&x, p, o) == nil && (best == nil || s.value(x.timeline) < s.value(best.timeline)) {
			best = &x
		}
	}
	c.store.Readmit()
	if best != nil {
		best.leave()
	}
	return best
}

// exclude takes a node from the PIM, and reports whether another device executes it.
func (c *solution) exclude(id graph.ID) bool {
	at := c.store.Pos[id]
	c.store.Evict(at)
	for i := max(0, at-longestSegment+1); i <= at; i++ {
		c.segments[i] = slices.DeleteFunc(slices.Clone(c.segments[i]), func(x segment) bool { return x.onPIM(at) })
	}
	return len(c.segments[at]) > 0
}

// leave keeps the nodes that are gone, and no others, from the PIM.
func (c *solution) leave() {
	c.store.Readmit()
	for _, id := range c.gone {
		c.store.Evict(c.store.Pos[id])
	}
}

// store returns the store of a policy's devices. No node is evicted yet.
func (s *search) store(p Policy) (*candidate.Store, error) {
	all, err := s.devices(s.blank(p))
	if err != nil {
		return nil, err
	}
	ds := s.pin(devicesOf(all, p.Exclusive))
	for _, st := range s.stores {
		if st.Serial == p.Exclusive && slices.Equal(st.Devices, ds) {
			st.Readmit()
			st.Launch = candidate.LaunchOf(p.launch)
			return st, nil
		}
	}
	st := candidate.NewStore(s.g, ds)
	st.Serial, st.Launch, st.Points = p.Exclusive, candidate.LaunchOf(p.launch), s.points
	s.stores = append(s.stores, st)
	return st, nil
}

// pin keeps nodes off the devices that they are not pinned to.
func (s *search) pin(ds []device.Device) []device.Device {
	if len(s.t.Pins) == 0 {
		return ds
	}
	for i, d := range ds {
		if s.pinned[d] == nil {
			elsewhere := map[graph.ID]bool{}
			for id, dev := range s.t.Pins {
				elsewhere[id] = dev != d.Name()
			}
			s.pinned[d] = device.Without(d, elsewhere)
		}
		ds[i] = s.pinned[d]
	}
	return ds
}

// firstErr prefers the error of a device to that of a context, which depends on timing.
func firstErr(stopped, failed error) error {
	if failed != nil {
		return failed
	}
	return stopped
}

// linearize is the objective, made linear near the plan on the GPU alone.
func (s *search) linearize() (candidate.Linear, error) {
	if s.t.Objective == Latency {
		return s.t.Objective.around(0, 0, 0), nil
	}
	tl, err := s.baseline()
	if err != nil {
		return candidate.Linear{}, err
	}
	return s.t.Objective.around(tl.Total, energyOf(tl), s.standby), nil
}

func (s *search) fills(g *graph.Graph, nd *graph.Node) bool {
	return s.t.Fills != nil && s.t.Fills(g, nd)
}
