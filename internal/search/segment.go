package search

import (
	"cmp"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// segment is a window that a policy may use as a segment of its plan.
type segment struct {
	kind string // gpu, pim, split, joint or pipe
	*candidate.Window
}

// longestSegment is the most nodes of a segment: of a published pipeline.
const longestSegment = 3

// onPIM reports whether the segment has a tile of a node on the PIM.
func (s *segment) onPIM(at int) bool {
	return slices.ContainsFunc(s.Tiles, func(p *candidate.Tile) bool { return p.Pos == at && p.Device == plan.PIM })
}

// generator makes the segments of a policy.
type generator struct {
	*candidate.Store
	p Policy
	o candidate.Linear
}

// segments returns the best segment of each kind and length that begins at the i-th node, the
// first on a tie.
func (s *generator) segments(i int, choices []*candidate.Partition) (list []segment) {
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

// executes reports whether a device executes a whole node. It then executes its tiles, too.
func (s *generator) executes(i int, dev string) bool {
	k := slices.IndexFunc(s.Devices, func(d device.Device) bool { return d.Name() == dev })
	return k >= 0 && s.Whole(i, k) != nil
}

// chain returns the nodes from the i-th on that a kind of pipeline covers.
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
