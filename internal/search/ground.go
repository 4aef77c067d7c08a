package search

import (
	"cmp"
	"math"
	"slices"

	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// ground is what a bound needs of a node: its costed pieces and what they read.
type ground struct {
	ways  []way
	least float64       // time of the shortest piece
	works [devices]bool // whether a piece on the device takes any time
	reads []read
}

// way is the cuts of one dimension and the pieces between them, by where they end.
type way struct {
	lines int
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

// ground collects a node's pieces.
func (s *store) ground(i int) ground {
	n := s.nodes[i]
	by := map[int][]*piece{}
	g := ground{least: math.Inf(1)}
	var any *piece
	for _, p := range n.pieces {
		if p == nil {
			continue
		}
		by[p.dim] = append(by[p.dim], p)
		g.least = min(g.least, float64(p.time))
		g.works[p.dev] = g.works[p.dev] || p.time > 0
		any = p
	}
	if any == nil {
		return ground{}
	}
	for dim := whole; dim <= plan.Rows; dim++ {
		ps := by[dim]
		if len(ps) == 0 {
			continue
		}
		if dim != whole {
			ps = append(ps, by[whole]...)
		}
		g.ways = append(g.ways, s.way(i, dim, ps))
	}
	in := s.node(i).In
	all := s.g.Need(s.g.Whole(s.order[i]))
	for k, x := range in {
		if s.pos[x] < 0 {
			continue
		}
		full := tensor.Full(s.g.Nodes[x].Shape)
		r := read{at: s.pos[x], all: true, some: true, ends: all[k].Contains(full)}
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
	w := way{lines: len(lines)}
	for _, p := range ps {
		lo, hi := bounds(p)
		a, _ := slices.BinarySearch(lines, lo)
		b, _ := slices.BinarySearch(lines, hi)
		w.edges = append(w.edges, edge{a, b, p.dev, float64(p.time), false})
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
