package search

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// ground is what a bound needs of a node: its costed pieces and what they read.
type ground struct {
	by    [plan.Rows + 2][]*piece // by dimension + 1, in order
	dims  []int                   // of the ways
	ways  []way
	least float64       // time of the shortest piece
	works [devices]bool // whether a piece on the device takes any time
	reads []read
}

// way is the cuts of one dimension and the pieces between them, by where they end.
type way struct {
	lines int
	cuts  []int // where they are
	edges []edge
}

type edge struct {
	from, to int // of the lines
	dev      int
	time     float64
	alone    bool // the other device has nothing to do meanwhile
}

// read is how the pieces of a node read another.
type read struct {
	at   int  // position of what is read
	all  bool // every piece reads all of it
	some bool // every piece reads some of it
	ends bool // the whole node reads all of it
}

// ground collects a node's pieces, and those that other devices have in segments in which
// one works at a time, if there are such.
func (s *store) ground(i int, sole []*costed) ground {
	n := s.nodes[i]
	g := ground{least: math.Inf(1)}
	var any *piece
	pieces := slices.Collect(maps.Values(n.pieces))
	if sole != nil {
		pieces = slices.AppendSeq(pieces, maps.Values(sole[i].pieces))
	}
	for _, p := range pieces {
		if p == nil {
			continue
		}
		g.by[p.dim+1] = append(g.by[p.dim+1], p)
		g.least = min(g.least, s.timeOf(p))
		g.works[p.dev] = g.works[p.dev] || s.timeOf(p) > 0
		any = p
	}
	if any == nil {
		return ground{}
	}
	for dim := whole; dim <= plan.Rows; dim++ {
		ps := g.by[dim+1]
		if len(ps) == 0 {
			continue
		}
		slices.SortFunc(ps, func(a, b *piece) int {
			return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.dev, b.dev))
		})
		if dim != whole {
			ps = append(ps[:len(ps):len(ps)], g.by[whole+1]...)
		}
		g.dims, g.ways = append(g.dims, dim), append(g.ways, s.way(i, dim, ps))
	}
	in := s.node(i).In
	all := s.g.Need(s.g.Whole(s.order[i]))
	for k, x := range in {
		if s.pos[x] < 0 {
			continue
		}
		full := tensor.Full(s.g.Nodes[x].Shape)
		r := read{at: s.pos[x], all: true, some: true, ends: all[k].Contains(full) && s.gapless(i, k, full)}
		for _, p := range n.pieces {
			if p != nil {
				r.all = r.all && p.need[k] != nil && p.need[k].Contains(full)
				r.some = r.some && p.need[k] != nil
			}
		}
		g.reads = append(g.reads, r)
	}
	return g
}

// gapless reports whether the pieces of every division read all of an input together,
// as they do where each reads all of every other dimension, and none that ends at a cut
// reads less far than any begins to read that begins there.
func (s *store) gapless(i, k int, full tensor.Box) bool {
	var to, from [plan.Rows + 1][]int // by cut: how far pieces before it read at least, where those after begin at most
	for _, p := range s.nodes[i].pieces {
		if p == nil || p.dim == whole {
			continue
		}
		if p.need[k] == nil {
			return false
		}
		for d, r := range p.need[k] {
			if d != p.dim && r != full[d] {
				return false
			}
		}
		if p.dim >= len(full) {
			continue
		}
		if to[p.dim] == nil {
			n := s.node(i).Shape[p.dim] + 1
			if n > maxGapless {
				return false
			}
			to[p.dim], from[p.dim] = make([]int, n), make([]int, n)
			for c := range to[p.dim] {
				to[p.dim][c] = full[p.dim].Hi
			}
		}
		r := p.need[k][p.dim]
		to[p.dim][p.Hi] = min(to[p.dim][p.Hi], r.Hi)
		from[p.dim][p.Lo] = max(from[p.dim][p.Lo], r.Lo)
	}
	for d := range to {
		if n := len(to[d]); n > 0 && (from[d][0] > 0 || to[d][n-1] < full[d].Hi) {
			return false
		}
		for c := range to[d] {
			if to[d][c] < from[d][c] {
				return false
			}
		}
	}
	return true
}

// maxGapless bounds what gapless looks at: of longer dimensions it is not known.
const maxGapless = 1 << 16

// way numbers the cuts of the pieces of one dimension.
func (s *store) way(i, dim int, ps []*piece) way {
	bounds := func(p *piece) (lo, hi int) {
		switch {
		case dim == whole:
			return 0, 1
		case p.dim == whole:
			return 0, s.node(i).Shape[dim]
		}
		return p.Lo, p.Hi
	}
	var lines []int
	for _, p := range ps {
		lo, hi := bounds(p)
		lines = append(lines, lo, hi)
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	w := way{lines: len(lines), cuts: lines}
	for _, p := range ps {
		lo, hi := bounds(p)
		a, _ := slices.BinarySearch(lines, lo)
		b, _ := slices.BinarySearch(lines, hi)
		w.edges = append(w.edges, edge{a, b, p.dev, s.timeOf(p), false})
	}
	slices.SortFunc(w.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from), cmp.Compare(a.dev, b.dev))
	})
	return w
}

// busiest is the largest work bound of nodes over all λ, to a millionth, where each
// device also waits for a time, or nodes in one piece stand alone.
func busiest(grounds []ground, wait [devices]float64, alone bool) (most float64) {
	at := func(l float64) (slope float64) {
		busy, sum := wait, l*wait[0]+(1-l)*wait[1]
		for i := range grounds {
			v, b := grounds[i].shortest([devices]float64{l, 1 - l}, alone)
			sum += v
			for k := range busy {
				busy[k] += b[k]
			}
		}
		most = max(most, sum)
		return busy[0] - busy[1]
	}
	at(0)
	at(1)
	lo, hi := 0.0, 1.0
	for range 20 {
		if l := (lo + hi) / 2; at(l) > 0 {
			lo = l
		} else {
			hi = l
		}
	}
	return most
}

// shortest is the least weighted time of any division of a node, and how busy the
// devices are in it.
func (g *ground) shortest(weight [devices]float64, alone bool) (least float64, busy [devices]float64) {
	least = math.Inf(1)
	for _, w := range g.ways {
		cost, last := make([]float64, w.lines), make([]int, w.lines)
		for k := 1; k < w.lines; k++ {
			cost[k] = math.Inf(1)
		}
		for k, e := range w.edges {
			if e.time > 0 && math.IsInf(weight[e.dev], 1) {
				continue
			}
			length := 0.0
			for dev, w := range weight {
				if (e.alone && alone || dev == e.dev) && e.time > 0 && !math.IsInf(w, 1) {
					length += w * e.time
				}
			}
			if c := cost[e.from] + length; c < cost[e.to] {
				cost[e.to], last[e.to] = c, k
			}
		}
		if end := w.lines - 1; cost[end] < least {
			least, busy = cost[end], [devices]float64{}
			for k := end; k > 0; k = w.edges[last[k]].from {
				e := w.edges[last[k]]
				for dev := range busy {
					if e.alone && alone || dev == e.dev {
						busy[dev] += e.time
					}
				}
			}
		}
	}
	if math.IsInf(least, 1) {
		return 0, busy
	}
	return least, busy
}
