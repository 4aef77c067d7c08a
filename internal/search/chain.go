package search

import (
	"cmp"
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

// chained is the plan of a policy that has the best sum of candidates.
type chained struct {
	store    *candidate.Store
	from     [][]segment              // that begin at each node
	choices  [][]*candidate.Partition // of each node, where the policy makes moves
	list     []*candidate.Window
	plan     *plan.Plan
	timeline *run.Timeline
	options  [][]Option
}

// segment is a window under a policy.
type segment struct {
	kind string // gpu, pim, split or pipe
	*candidate.Window
}

// chained finds the best plan of one policy. A plan that memory has no room for is
// found again without the candidates that have a node without room on the PIM.
func (s *search) chained(ctx context.Context, p Policy) (*chained, error) {
	st, err := s.store(p)
	if err != nil {
		return nil, err
	}
	o, err := s.linear()
	if err != nil {
		return nil, err
	}
	n := len(s.order)
	c := &chained{store: st, from: make([][]segment, n), choices: make([][]*candidate.Partition, n), options: make([][]Option, n)}
	gen := &generator{st, p, o}
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i := range s.order {
		eg.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				if p.All {
					c.choices[i] = st.Choices(i, o)
				}
				c.from[i] = gen.candidates(i, c.choices[i])
				s.progress()
			}
			return err
		})
	}
	if err := cmpErr(eg.Wait(), c.store.Err()); err != nil {
		return nil, err
	}
	for i, list := range c.from {
		for _, x := range list {
			if len(x.Partitions) == 1 {
				c.options[i] = append(c.options[i], Option{x.kind, x.Partitions[0].String(), x.Time})
			}
		}
		for _, d := range c.choices[i] {
			c.options[i] = append(c.options[i], Option{d.Kind(), d.String(), max(d.Busy[0], d.Busy[1])})
		}
	}
	for {
		if c.list, err = s.dynamic(st, p, c.from, o); err != nil {
			return nil, err
		}
		c.plan = s.planOf(p, c.list)
		c.timeline, err = s.time(c.plan)
		var full *memory.FullError
		if !errors.As(err, &full) {
			return c, err
		}
		for _, id := range full.Nodes {
			at := st.Pos[id]
			st.Evict(at)
			for i := max(0, at-longest+1); i <= at; i++ {
				c.from[i] = slices.DeleteFunc(c.from[i], func(x segment) bool { return x.onPIM(at) })
			}
			c.choices[at] = slices.DeleteFunc(c.choices[at], (*candidate.Partition).OnPIM)
			if len(c.from[at]) == 0 {
				return nil, fmt.Errorf("%w: %w", full, s.noDevice(at, p))
			}
		}
	}
}

// store returns the pieces of a policy's devices, of which none is without room yet.
func (s *search) store(p Policy) (*candidate.Store, error) {
	all, err := s.devices(s.blank(p))
	if err != nil {
		return nil, err
	}
	ds := devicesOf(all, p.Exclusive)
	for _, st := range s.stores {
		if st.Serial == p.Exclusive && slices.Equal(st.Devices, ds) {
			st.Readmit()
			st.Launch = candidate.LaunchOf(p.Launch)
			return st, nil
		}
	}
	st := candidate.NewStore(s.g, ds)
	st.Serial, st.Launch = p.Exclusive, candidate.LaunchOf(p.Launch)
	s.stores = append(s.stores, st)
	return st, nil
}

// longest is the most nodes of a candidate.
const longest = 3

func cmpErr(a, b error) error {
	if b != nil {
		return b // of a device: the same whatever else ended
	}
	return a
}

// linear is the objective near the GPU alone.
func (s *search) linear() (candidate.Linear, error) {
	if s.t.Objective == Latency {
		return s.t.Objective.around(0, 0, 0), nil
	}
	tl, err := s.baseline()
	if err != nil {
		return candidate.Linear{}, err
	}
	return s.t.Objective.around(tl.Total, work(tl), s.standby), nil
}

// onPIM reports whether the candidate has any of a node on the PIM.
func (c *segment) onPIM(at int) bool {
	return slices.ContainsFunc(c.Tiles, func(p *candidate.Tile) bool { return p.Pos == at && p.Device == plan.PIM })
}

// generator makes the candidates of a policy.
type generator struct {
	*candidate.Store
	p Policy
	o candidate.Linear
}

// candidates returns the best candidate of each kind and length that begins at the
// i-th node; the first of them on a tie.
func (s *generator) candidates(i int, choices []*candidate.Partition) (list []segment) {
	p, o := s.p, s.o
	if len(choices) > 0 {
		list = append(list, segment{choices[0].Kind(), s.NewWindow(i, choices[:1:1], choices[0].Tiles)})
	}
	if s.Launch.Fuses && len(choices) > 0 {
		if d := slices.MinFunc(choices, func(a, b *candidate.Partition) int {
			return cmp.Compare(o.Of(s.Launch.Alone(a), a.Energy), o.Of(s.Launch.Alone(b), b.Energy))
		}); d != choices[0] {
			list = append(list, segment{"joint", s.NewWindow(i, []*candidate.Partition{d}, d.Tiles)})
		}
	}
	try := func(kind string, seg plan.Segment) {
		t := s.WindowOf(i, seg)
		if t == nil {
			return
		}
		for k := range list {
			if list[k].kind == kind && len(list[k].Partitions) == len(t.Partitions) {
				if o.Of(t.Time, t.Energy) < o.Of(list[k].Time, list[k].Energy) {
					list[k].Window = t
				}
				return
			}
		}
		list = append(list, segment{kind, t})
	}
	id, nd := s.Order[i], s.Node(i)
	onPIM := s.executes(i, plan.PIM) && (p.Only == nil || p.Only(s.Graph, nd))
	offload := p.Offload != nil && onPIM && p.Offload(s.Graph, nd)
	for _, d := range s.Devices {
		if d.Name() == plan.PIM && onPIM || d.Name() != plan.PIM && !offload {
			try(d.Name(), plan.Whole(s.Graph, id, d.Name()))
		}
	}
	if offload {
		return list
	}
	if p.Splits != nil && onPIM && hasRows(nd) && s.executes(i, plan.GPU) {
		for _, at := range p.Splits(s.Graph, nd) {
			if seg, ok := plan.Split(s.Graph, id, plan.Rows, at, plan.GPU, plan.PIM); ok {
				try("split", seg)
			}
		}
	}
	for _, ch := range p.Chains {
		if ids, ok := s.chain(i, ch); ok {
			for _, seg := range ch.Pipe(s.Graph, ids, ch.Devices) {
				try("pipe", seg)
			}
		}
	}
	return list
}

// executes reports whether a device executes a node whole, which decides for its
// parts too.
func (s *generator) executes(i int, dev string) bool {
	k := slices.IndexFunc(s.Devices, func(d device.Device) bool { return d.Name() == dev })
	return k >= 0 && s.Whole(i, k) != nil
}

// chain returns the nodes from the i-th on that a kind of pipeline would cover.
func (s *generator) chain(i int, ch Chain) ([]graph.ID, bool) {
	if i+len(ch.Nodes) > len(s.Order) {
		return nil, false
	}
	ids := s.Order[i : i+len(ch.Nodes)]
	for k, id := range ids {
		if k > 0 && !slices.Contains(s.Graph.Nodes[id].In, ids[k-1]) {
			return nil, false
		}
		if !ch.Nodes[k](s.Graph, &s.Graph.Nodes[id]) || !s.executes(i+k, ch.Devices[k]) {
			return nil, false
		}
	}
	return ids, true
}
