package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// chained is the plan of a policy that has the best sum of candidates.
type chained struct {
	store    *store
	from     [][]candidate // that begin at each node
	choices  [][]*division // of each node, where the policy makes moves
	list     []*stretch
	plan     *plan.Plan
	timeline *run.Timeline
	options  [][]Option
}

// candidate is a stretch under a policy.
type candidate struct {
	kind string // gpu, pim, split or pipe
	*stretch
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
	c := &chained{store: st, from: make([][]candidate, n), choices: make([][]*division, n), options: make([][]Option, n)}
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i := range s.order {
		eg.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				if p.All {
					c.choices[i] = st.choices(i, o)
				}
				c.from[i] = st.candidates(i, p, o, c.choices[i])
				s.progress()
			}
			return err
		})
	}
	if err := cmpErr(eg.Wait(), c.store.err()); err != nil {
		return nil, err
	}
	for i, list := range c.from {
		for _, x := range list {
			if len(x.divs) == 1 {
				c.options[i] = append(c.options[i], Option{x.kind, x.divs[0].String(), x.time})
			}
		}
		for _, d := range c.choices[i] {
			c.options[i] = append(c.options[i], Option{d.kind(), d.String(), max(d.busy[0], d.busy[1])})
		}
	}
	for {
		if c.list, err = s.dynamic(p, c.from, o); err != nil {
			return nil, err
		}
		c.plan = s.planOf(p, c.list)
		c.timeline, err = s.time(c.plan)
		var full *memory.FullError
		if !errors.As(err, &full) {
			return c, err
		}
		for _, id := range full.Nodes {
			at := st.pos[id]
			st.nodes[at].full = true
			for i := max(0, at-longest+1); i <= at; i++ {
				c.from[i] = slices.DeleteFunc(c.from[i], func(x candidate) bool { return x.onPIM(at) })
			}
			c.choices[at] = slices.DeleteFunc(c.choices[at], (*division).onPIM)
			if len(c.from[at]) == 0 {
				return nil, fmt.Errorf("%w: %w", full, s.noDevice(at, p))
			}
		}
	}
}

// store returns the pieces of a policy's devices, of which none is without room yet.
func (s *search) store(p Policy) (*store, error) {
	all, err := s.devices(s.blank(p))
	if err != nil {
		return nil, err
	}
	ds := segment(all, p.Exclusive)
	for _, st := range s.stores {
		if st.serial == p.Exclusive && slices.Equal(st.ds, ds) {
			for i := range st.nodes {
				st.nodes[i].full = false
			}
			st.joint = p.Launch == plan.Joint
			return st, nil
		}
	}
	st := newStore(s.g, s.order, ds)
	st.serial, st.joint = p.Exclusive, p.Launch == plan.Joint
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
func (s *search) linear() (objective, error) {
	if s.t.Objective == Latency {
		return s.t.Objective.around(0, 0, 0), nil
	}
	tl, err := s.baseline()
	if err != nil {
		return objective{}, err
	}
	return s.t.Objective.around(tl.Total, work(tl), s.standby), nil
}

// onPIM reports whether the candidate has any of a node on the PIM.
func (c *candidate) onPIM(at int) bool {
	return slices.ContainsFunc(c.list, func(p *piece) bool { return p.at == at && p.Device == plan.PIM })
}

// candidates returns the best candidate of each kind and length that begins at the
// i-th node; the first of them on a tie.
func (s *store) candidates(i int, p Policy, o objective, choices []*division) (list []candidate) {
	if len(choices) > 0 {
		list = append(list, candidate{choices[0].kind(), s.newStretch(i, choices[:1:1], choices[0].pieces)})
	}
	if s.joint && len(choices) > 0 {
		if d := slices.MinFunc(choices, func(a, b *division) int {
			return cmp.Compare(o.of(max(a.least[0], a.least[1]), a.work), o.of(max(b.least[0], b.least[1]), b.work))
		}); d != choices[0] {
			list = append(list, candidate{"joint", s.newStretch(i, []*division{d}, d.pieces)})
		}
	}
	try := func(kind string, seg plan.Segment) {
		t := s.stretch(i, seg)
		if t == nil {
			return
		}
		for k := range list {
			if list[k].kind == kind && len(list[k].divs) == len(t.divs) {
				if o.of(t.time, t.work) < o.of(list[k].time, list[k].work) {
					list[k].stretch = t
				}
				return
			}
		}
		list = append(list, candidate{kind, t})
	}
	id, nd := s.order[i], s.node(i)
	onPIM := s.executes(i, plan.PIM) && (p.Only == nil || p.Only(s.g, nd))
	offload := p.Offload != nil && onPIM && p.Offload(s.g, nd)
	for _, d := range s.ds {
		if d.Name() == plan.PIM && onPIM || d.Name() != plan.PIM && !offload {
			try(d.Name(), plan.Whole(s.g, id, d.Name()))
		}
	}
	if offload {
		return list
	}
	if p.Splits != nil && onPIM && hasRows(nd) && s.executes(i, plan.GPU) {
		for _, at := range p.Splits(s.g, nd) {
			if seg, ok := plan.Split(s.g, id, plan.Rows, at, plan.GPU, plan.PIM); ok {
				try("split", seg)
			}
		}
	}
	for _, ch := range p.Chains {
		if ids, ok := s.chain(i, ch); ok {
			for _, seg := range ch.Pipe(s.g, ids, ch.Devices) {
				try("pipe", seg)
			}
		}
	}
	return list
}

// stretch takes the time of a segment whose first node is the i-th; nil where a
// device does not execute a tile.
func (s *store) stretch(i int, seg plan.Segment) *stretch {
	var list []*piece
	var by [longest][]*piece
	n := 0
	for _, t := range seg.Tiles {
		p := s.tile(t)
		if p == nil {
			return nil
		}
		list = append(list, p)
		by[p.at-i] = append(by[p.at-i], p)
		n = max(n, p.at-i+1)
	}
	divs := make([]*division, n)
	for k := range divs {
		slices.SortFunc(by[k], func(a, b *piece) int { return a.Lo - b.Lo })
		divs[k] = newDivision(by[k]...)
	}
	return s.newStretch(i, divs, list)
}

// executes reports whether a device executes a node whole, which decides for its
// parts too.
func (s *store) executes(i int, dev string) bool {
	k := slices.IndexFunc(s.ds, func(d device.Device) bool { return d.Name() == dev })
	return k >= 0 && s.whole(i, k) != nil
}

// chain returns the nodes from the i-th on that a kind of pipeline would cover.
func (s *store) chain(i int, ch Chain) ([]graph.ID, bool) {
	if i+len(ch.Nodes) > len(s.order) {
		return nil, false
	}
	ids := s.order[i : i+len(ch.Nodes)]
	for k, id := range ids {
		if k > 0 && !slices.Contains(s.g.Nodes[id].In, ids[k-1]) {
			return nil, false
		}
		if !ch.Nodes[k](s.g, &s.g.Nodes[id]) || !s.executes(i+k, ch.Devices[k]) {
			return nil, false
		}
	}
	return ids, true
}
