package bound

import (
	"cmp"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// ground is what a bound needs of a node: its costed pieces and what they read.
type ground struct {
	by    [plan.Rows + 2][]*candidate.Tile // by dimension + 1, in order
	dims  []int                            // of the ways
	ways  []way
	least float64               // time of the shortest piece
	works [candidate.Lanes]bool // whether a piece on the device takes any time
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
func (s *instance) ground(i int, sole []*candidate.Tile) ground {
	g := ground{least: math.Inf(1)}
	pieces := slices.Concat(s.pieces[i], sole)
	for _, p := range pieces {
		g.by[p.Dim+1] = append(g.by[p.Dim+1], p)
		g.least = min(g.least, s.timeOf(p))
		g.works[p.Lane] = g.works[p.Lane] || s.timeOf(p) > 0
	}
	if len(pieces) == 0 {
		return ground{}
	}
	for dim := candidate.Uncut; dim <= plan.Rows; dim++ {
		ps := g.by[dim+1]
		if len(ps) == 0 {
			continue
		}
		slices.SortFunc(ps, func(a, b *candidate.Tile) int {
			return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lane, b.Lane))
		})
		if dim != candidate.Uncut {
			ps = append(ps[:len(ps):len(ps)], g.by[candidate.Uncut+1]...)
		}
		g.dims, g.ways = append(g.dims, dim), append(g.ways, s.way(i, dim, ps))
	}
	in := s.Node(i).In
	all := s.Graph.Need(s.Graph.Whole(s.Order[i]))
	for k, x := range in {
		if s.Pos[x] < 0 {
			continue
		}
		full := tensor.Full(s.Graph.Nodes[x].Shape)
		r := read{at: s.Pos[x], all: true, some: true, ends: all[k].Contains(full) && s.gapless(i, k, full)}
		for _, p := range s.pieces[i] {
			r.all = r.all && p.Need[k] != nil && p.Need[k].Contains(full)
			r.some = r.some && p.Need[k] != nil
		}
		g.reads = append(g.reads, r)
	}
	return g
}

// gapless reports whether the pieces of every division read all of an input together,
// as they do where each reads all of every other dimension, and none that ends at a cut
// reads less far than any begins to read that begins there.
func (s *instance) gapless(i, k int, full tensor.Box) bool {
	var to, from [plan.Rows + 1][]int // by cut: how far pieces before it read at least, where those after begin at most
	for _, p := range s.pieces[i] {
		if p.Dim == candidate.Uncut {
			continue
		}
		if p.Need[k] == nil {
			return false
		}
		for d, r := range p.Need[k] {
			if d != p.Dim && r != full[d] {
				return false
			}
		}
		if p.Dim >= len(full) {
			continue
		}
		if to[p.Dim] == nil {
			n := s.Node(i).Shape[p.Dim] + 1
			if n > maxGapless {
				return false
			}
			to[p.Dim], from[p.Dim] = make([]int, n), make([]int, n)
			for c := range to[p.Dim] {
				to[p.Dim][c] = full[p.Dim].Hi
			}
		}
		r := p.Need[k][p.Dim]
		to[p.Dim][p.Hi] = min(to[p.Dim][p.Hi], r.Hi)
		from[p.Dim][p.Lo] = max(from[p.Dim][p.Lo], r.Lo)
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
func (s *instance) way(i, dim int, ps []*candidate.Tile) way {
	bounds := func(p *candidate.Tile) (lo, hi int) {
		switch {
		case dim == candidate.Uncut:
			return 0, 1
		case p.Dim == candidate.Uncut:
			return 0, s.Node(i).Shape[dim]
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
		w.edges = append(w.edges, edge{a, b, p.Lane, s.timeOf(p), false})
	}
	slices.SortFunc(w.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from), cmp.Compare(a.dev, b.dev))
	})
	return w
}

// busiest is the largest work bound of nodes over all λ, to a millionth, where each
// device also waits for a time, or nodes in one piece stand alone.
func busiest(grounds []ground, wait [candidate.Lanes]float64, alone bool) (most float64) {
	at := func(l float64) (slope float64) {
		busy, sum := wait, l*wait[0]+(1-l)*wait[1]
		for i := range grounds {
			v, b := grounds[i].shortest([candidate.Lanes]float64{l, 1 - l}, alone)
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
func (g *ground) shortest(weight [candidate.Lanes]float64, alone bool) (least float64, busy [candidate.Lanes]float64) {
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
			least, busy = cost[end], [candidate.Lanes]float64{}
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
