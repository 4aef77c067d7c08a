package bound

import (
	"cmp"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// node is a node of the graph as the bounds see it: its costed tiles and what they read.
type node struct {
	tiles   [plan.Rows + 2][]*candidate.Tile // by dimension + 1, in the order of their ranges
	dims    []int                            // of the graphs
	graphs  []cutGraph                       // by dimension that tiles are cut along
	least   float64                          // the time of the shortest tile
	worksOn [candidate.Lanes]bool            // by device: whether some tile takes time there
	reads   []dependence
}

// cutGraph is a directed graph of a dimension: vertices are split points, edges are tiles
// from one split point to another. A path from end to end is a partition of the node.
type cutGraph struct {
	points int    // vertices
	at     []int  // where they are along the dimension
	edges  []edge // by where they end
}

// edge is a tile.
type edge struct {
	from, to int // vertices
	lane     int
	time     float64
	blocks   bool // the other device has nothing to do meanwhile
	tile     *candidate.Tile
}

// dependence says how the tiles of a node read another node.
type dependence struct {
	on   int  // the other's position
	all  bool // every tile reads all of it
	some bool // every tile reads some of it
	ends bool // the tiles of every partition together read all of it
}

// node collects the tiles of the i-th node, those of serial segments too.
func (s *instance) node(i int, serial []*candidate.Tile) node {
	g := node{least: math.Inf(1)}
	tiles := slices.Concat(s.tiles[i], serial)
	for _, p := range tiles {
		g.tiles[p.Dim+1] = append(g.tiles[p.Dim+1], p)
		g.least = min(g.least, s.least(p))
		g.worksOn[p.Lane] = g.worksOn[p.Lane] || s.least(p) > 0
	}
	if len(tiles) == 0 {
		return node{}
	}
	for dim := candidate.Uncut; dim <= plan.Rows; dim++ {
		ps := g.tiles[dim+1]
		if len(ps) == 0 {
			continue
		}
		slices.SortFunc(ps, func(a, b *candidate.Tile) int {
			return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lane, b.Lane))
		})
		if dim != candidate.Uncut {
			ps = append(ps[:len(ps):len(ps)], g.tiles[candidate.Uncut+1]...)
		}
		g.dims, g.graphs = append(g.dims, dim), append(g.graphs, s.cutGraph(i, dim, ps))
	}
	in := s.Node(i).In
	all := s.Graph.Need(s.Graph.Whole(s.Order[i]))
	for k, x := range in {
		if s.Pos[x] < 0 {
			continue
		}
		full := tensor.Full(s.Graph.Nodes[x].Shape)
		r := dependence{on: s.Pos[x], all: true, some: true, ends: all[k].Contains(full) && s.gapless(i, k, full)}
		for _, p := range s.tiles[i] {
			r.all = r.all && p.Need(k) != nil && p.Need(k).Contains(full)
			r.some = r.some && p.Need(k) != nil
		}
		g.reads = append(g.reads, r)
	}
	return g
}

// gapless reports whether the tiles of every partition together read all of an input. That
// is so if each tile reads all of the dimensions that are not cut, and at each split point
// every tile that ends there reads at least as far as any tile that begins there starts to
// read.
func (s *instance) gapless(i, k int, full tensor.Box) bool {
	var to, from [plan.Rows + 1][]int // by split point: how far tiles that end there read at least; where tiles that begin there start at most
	for _, p := range s.tiles[i] {
		if p.Dim == candidate.Uncut {
			continue
		}
		if p.Need(k) == nil {
			return false
		}
		for d, r := range p.Need(k) {
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
		r := p.Need(k)[p.Dim]
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

// maxGapless is the longest dimension that gapless looks at (estimated: 1 MiB of memory). Of
// longer ones it is not certain, and the bound lower.
const maxGapless = 1 << 16

// cutGraph makes the graph of the tiles of one dimension; whole tiles go from end to end.
func (s *instance) cutGraph(i, dim int, ps []*candidate.Tile) cutGraph {
	bounds := func(p *candidate.Tile) (lo, hi int) {
		switch {
		case dim == candidate.Uncut:
			return 0, 1
		case p.Dim == candidate.Uncut:
			return 0, s.Node(i).Shape[dim]
		}
		return p.Lo, p.Hi
	}
	var points []int
	for _, p := range ps {
		lo, hi := bounds(p)
		points = append(points, lo, hi)
	}
	slices.Sort(points)
	points = slices.Compact(points)
	w := cutGraph{points: len(points), at: points}
	for _, p := range ps {
		lo, hi := bounds(p)
		a, _ := slices.BinarySearch(points, lo)
		b, _ := slices.BinarySearch(points, hi)
		w.edges = append(w.edges, edge{a, b, p.Lane, s.least(p), false, p})
	}
	slices.SortFunc(w.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from), cmp.Compare(a.lane, b.lane))
	})
	return w
}

// lagrangian is the bound by work of nodes at the best λ, to a millionth. Each device also
// waits for a time; blocking says whether whole nodes that block both devices count for both.
//
// In the literature: the Lagrangian dual, by bisection on the sign of a subgradient.
func lagrangian(nodes []node, wait [candidate.Lanes]float64, blocking bool) (most float64) {
	at := func(l float64) (subgradient float64) {
		busy, sum := wait, l*wait[0]+(1-l)*wait[1]
		for i := range nodes {
			v, b := nodes[i].shortestPath([candidate.Lanes]float64{l, 1 - l}, blocking)
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

// shortestPath is the least weighted time of any partition of the node, and how busy it
// keeps the devices. A device of infinite weight executes nothing that takes time.
func (g *node) shortestPath(weight [candidate.Lanes]float64, blocking bool) (least float64, busy [candidate.Lanes]float64) {
	least = math.Inf(1)
	for _, w := range g.graphs {
		cost, last := make([]float64, w.points), make([]int, w.points)
		for k := 1; k < w.points; k++ {
			cost[k] = math.Inf(1)
		}
		for k, e := range w.edges {
			if e.time > 0 && math.IsInf(weight[e.lane], 1) {
				continue
			}
			length := 0.0
			for dev, w := range weight {
				if (e.blocks && blocking || dev == e.lane) && e.time > 0 && !math.IsInf(w, 1) {
					length += w * e.time
				}
			}
			if c := cost[e.from] + length; c < cost[e.to] {
				cost[e.to], last[e.to] = c, k
			}
		}
		if end := w.points - 1; cost[end] < least {
			least, busy = cost[end], [candidate.Lanes]float64{}
			for k := end; k > 0; k = w.edges[last[k]].from {
				e := w.edges[last[k]]
				for dev := range busy {
					if e.blocks && blocking || dev == e.lane {
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
