package search

import (
	"cmp"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// bound is a time below which no plan of the costed pieces can come, whatever
// divisions it makes of them, on whatever devices and in whatever order.
//
// Work. Let a plan keep the devices busy for G and P. Neither works on two pieces at
// once, so it takes at least max(G, P) ≥ λG + (1-λ)P for any λ from 0 to 1. The right
// side is a sum over nodes, and each node's part is at least the least that any
// division of it into costed pieces has: a shortest way through its cuts, where a
// piece's length is its time, times λ or 1-λ. Every λ gives a bound; the best is
// where the shortest ways keep both devices equally busy.
//
// Waiting. A node starts no sooner than any piece of what each piece of it reads, or
// all of that where each piece reads all; it then takes at least its own bound of
// work, and ends no sooner than all it reads and its shortest piece after that.
//
// Barriers. Where all later pieces wait for all earlier ones, the bounds of both
// parts add up.
//
// Where one device works at a time, a plan takes the sum of its pieces.
//
// Times of link traffic and the like only make a plan later.
func (s *store) bound() device.Time {
	n := len(s.order)
	grounds := make([]ground, n)
	for i := range grounds {
		grounds[i] = s.ground(i)
	}
	start, first, end := make([]float64, n), make([]float64, n), make([]float64, n)
	base, from := 0.0, 0
	if s.serial {
		for i := range grounds {
			least, _ := grounds[i].shortest([devices]float64{1, 1})
			base += least
		}
		return device.Time(math.Floor(base * (1 - 1e-12)))
	}
	barrier := s.barriers(grounds)
	for i := range grounds {
		g := &grounds[i]
		start[i] = base
		for _, r := range g.reads {
			switch {
			case r.all:
				start[i] = max(start[i], end[r.at])
			case r.some:
				start[i] = max(start[i], first[r.at])
			}
		}
		first[i] = start[i] + g.least
		end[i] = start[i] + busiest(grounds[i:i+1])
		for _, r := range g.reads {
			if r.ends {
				end[i] = max(end[i], end[r.at]+g.least)
			}
		}
		if barrier[i] || i == n-1 {
			base = max(base+busiest(grounds[from:i+1]), end[i])
			from = i + 1
		}
	}
	for _, e := range end {
		base = max(base, e)
	}
	// Sums of products of whole picoseconds: far more exact than this.
	return device.Time(math.Floor(base * (1 - 1e-12)))
}

// bound is that of all plans on any of the devices that policies have.
func (s *search) bound() device.Time {
	least := device.Time(math.MaxInt64)
	for _, st := range s.stores {
		least = min(least, st.bound())
	}
	return least
}

// ground is what a bound needs of a node: its costed pieces and what they read.
type ground struct {
	ways  []way
	least float64 // time of the shortest piece
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
		w.edges = append(w.edges, edge{a, b, p.dev, float64(p.time)})
	}
	slices.SortFunc(w.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from), cmp.Compare(a.dev, b.dev))
	})
	return w
}

// busiest is the largest work bound of nodes over all λ, to a millionth.
func busiest(grounds []ground) (most float64) {
	lo, hi := 0.0, 1.0
	for range 24 {
		l := (lo + hi) / 2
		sum, busy := 0.0, [devices]float64{}
		for i := range grounds {
			v, b := grounds[i].shortest([devices]float64{l, 1 - l})
			sum += v
			for k := range busy {
				busy[k] += b[k]
			}
		}
		most = max(most, sum)
		if busy[0] > busy[1] { // the slope at λ
			lo = l
		} else {
			hi = l
		}
	}
	for _, l := range []float64{0, 1} {
		sum := 0.0
		for i := range grounds {
			v, _ := grounds[i].shortest([devices]float64{l, 1 - l})
			sum += v
		}
		most = max(most, sum)
	}
	return most
}

// shortest is the least weighted time of any division of a node, and how busy the
// devices are in it.
func (g *ground) shortest(weight [devices]float64) (least float64, busy [devices]float64) {
	least = math.Inf(1)
	for _, w := range g.ways {
		cost, last := make([]float64, w.lines), make([]int, w.lines)
		for k := 1; k < w.lines; k++ {
			cost[k] = math.Inf(1)
		}
		for k, e := range w.edges {
			if c := cost[e.from] + weight[e.dev]*e.time; c < cost[e.to] {
				cost[e.to], last[e.to] = c, k
			}
		}
		if end := w.lines - 1; cost[end] < least {
			least, busy = cost[end], [devices]float64{}
			for k := end; k > 0; k = w.edges[last[k]].from {
				busy[w.edges[last[k]].dev] += w.edges[last[k]].time
			}
		}
	}
	if math.IsInf(least, 1) {
		return 0, busy
	}
	return least, busy
}

// barriers says after which nodes every later piece waits for every earlier one: all
// nodes before are, through whole values, read by the last, and of the nodes after
// each reads some of another of these or all of the last.
func (s *store) barriers(grounds []ground) []bool {
	n := len(grounds)
	reader := make([]int, n)  // the first that reads all of a node's value when whole
	loose := make([]int, n+1) // how many nodes after do not wait, as differences
	for i := range reader {
		reader[i] = n
	}
	for b := range grounds {
		latest, all := -1, false
		for _, r := range grounds[b].reads {
			if r.ends {
				reader[r.at] = min(reader[r.at], b)
			}
			if r.some && r.at >= latest {
				latest, all = r.at, r.all
			}
		}
		if all {
			latest++
		}
		loose[max(latest, 0)]++
		loose[b]--
	}
	out := make([]bool, n)
	open, waits := 0, 0
	for i := range out {
		if waits += loose[i]; i > 0 {
			open = max(open, reader[i-1])
		}
		out[i] = waits == 0 && open <= i
	}
	return out
}
