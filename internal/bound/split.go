package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// splits lists the splits of the i-th node by dimension and split point; more tiles than two
// come last. at is the gate before.
func (s *instance) splits(i, at int, g *node, t track) (list []split) {
	input := -1
	for _, in := range s.Reads[i] {
		if in.Pos == at {
			input = in.Index
			break
		}
	}
	for d, ps := range g.tiles {
		dim := d - 1
		if dim == candidate.Uncut {
			c := split{dim: candidate.Uncut}
			for _, p := range ps {
				c.assignments = append(c.assignments, s.assignment(1, p))
				c.reads = [2][]tensor.Range{reads(p, input), reads(p, input)}
			}
			if len(ps) > 0 {
				list = append(list, c)
			}
			continue
		}
		if len(ps) == 0 {
			continue
		}
		extent := s.Node(i).Shape[dim]
		tail := map[int][]*candidate.Tile{}
		for _, p := range ps {
			if p.Hi == extent {
				tail[p.Lo] = append(tail[p.Lo], p)
			}
		}
		for _, p := range ps {
			if p.Lo > 0 {
				break
			}
			for _, q := range tail[p.Hi] {
				if n := len(list); n == 0 || list[n-1].dim != dim || list[n-1].at != p.Hi {
					list = append(list, split{dim: dim, at: p.Hi, reads: [2][]tensor.Range{reads(p, input), reads(q, input)}, assignments: make([]assignment, 0, pairs)})
				}
				c := &list[len(list)-1]
				share := -1.0
				if dim == plan.Rows && len(t.rows) > 0 {
					share = t.share(0, p.Hi)
				}
				c.assignments = append(c.assignments, s.assignment(share, p, q))
			}
		}
		if v, ok := s.manyTiles(dim, g, t); ok {
			takes := reads(ps[0], input)
			for _, p := range ps {
				takes = intersect(takes, reads(p, input))
			}
			list = append(list, split{dim: dim, reads: [2][]tensor.Range{takes, takes}, assignments: []assignment{v}})
		}
	}
	return list
}

// reads is what a tile reads by an input.
func reads(p *candidate.Tile, input int) []tensor.Range {
	if input < 0 {
		return nil
	}
	return p.Need(input)
}

// intersect is what is in both.
func intersect(a, b []tensor.Range) []tensor.Range {
	if a == nil || b == nil {
		return nil
	}
	out := make([]tensor.Range, len(a))
	for d := range out {
		out[d] = tensor.Range{Lo: max(a[d].Lo, b[d].Lo), Hi: min(a[d].Hi, b[d].Hi)}
	}
	return out
}

// assignment is one tile or two, the first of which has a share of the tracks; negative:
// tracks are not followed.
func (s *instance) assignment(share float64, ps ...*candidate.Tile) (v assignment) {
	v.time = [2]float64{s.least(ps[0]), s.least(ps[len(ps)-1])}
	if v.chain = share*v.time[0] + (1-share)*v.time[1]; share < 0 {
		v.chain = min(v.time[0], v.time[1])
	}
	for k, p := range ps {
		v.pair = v.pair*candidate.Lanes + p.Lane
		v.busy[p.Lane] += v.time[k]
		if p.Device != plan.GPU {
			v.launch[p.Lane] = 1
		}
	}
	v.onGPU = v.launch == [candidate.Lanes]float64{}
	v.partlyGPU = slices.ContainsFunc(ps, func(p *candidate.Tile) bool { return p.Device == plan.GPU })
	if s.Serial { // each device occupies both
		v.busy = [candidate.Lanes]float64{v.busy[0] + v.busy[1], v.busy[0] + v.busy[1]}
		v.launch = [candidate.Lanes]float64{max(v.launch[0], v.launch[1]), max(v.launch[0], v.launch[1])}
	}
	v.alone = max(v.busy[0], v.busy[1])
	return v
}

// manyTiles is the assignment of three tiles or more along a dimension.
func (s *instance) manyTiles(dim int, g *node, t track) (v assignment, ok bool) {
	w := &g.graphs[slices.Index(g.dims, dim)]
	least := math.Inf(1)
	share := make([]float64, len(w.edges))
	for k, e := range w.edges {
		least = min(least, e.time)
		if dim == plan.Rows && len(t.rows) > 0 {
			share[k] = t.share(w.at[e.from], w.at[e.to])
		}
	}
	v.cost = new(sums)
	cost := make([][3]float64, w.points)
	for k := range v.cost {
		b := s.weights(k)
		rest := 1 - s.multipliers.of[k][0] - s.multipliers.of[k][1]
		v.cost[k] = w.threeOrMore(cost, func(k int, e *edge) float64 { return (b[e.lane] + rest*share[k]) * e.time })
		if dim != plan.Rows || len(t.rows) == 0 {
			v.cost[k] += rest * least
		}
	}
	v.alone = v.cost.most()
	v.time = [2]float64{least, least}
	return v, !math.IsInf(v.alone, 1)
}

// threeOrMore is the length of the shortest path of at least three edges. cost is scratch: by
// vertex and number of edges, where three stands for all more.
func (w *cutGraph) threeOrMore(cost [][3]float64, length func(int, *edge) float64) float64 {
	for k := range cost {
		cost[k] = [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
	}
	for k := range w.edges {
		e := &w.edges[k]
		l, to := length(k, e), &cost[e.to]
		if e.from == 0 {
			to[0] = min(to[0], l)
			continue
		}
		from := &cost[e.from]
		to[1] = min(to[1], from[0]+l)
		to[2] = min(to[2], min(from[1], from[2])+l)
	}
	return cost[w.points-1][2]
}

// track is rows of a gate's value; each is read for the row of the same index of the next gate.
type track struct {
	rows   []int
	linked bool // the rows of the gate before are read for these
}

// span is the rows from the first track to the last.
func (t *track) span() (r tensor.Range) {
	if len(t.rows) > 0 {
		r = tensor.Range{Lo: slices.Min(t.rows), Hi: slices.Max(t.rows) + 1}
	}
	return r
}

// trackCount is how many rows are followed (estimated).
const trackCount = 8

// tracks follows rows from the last gate to the first.
func (s *instance) tracks(gate []bool) []track {
	out := make([]track, len(s.Order))
	next := -1
	for i := len(out) - 1; i >= 0; i-- {
		if !gate[i] || len(s.tiles[i]) == 0 {
			continue
		}
		nd := s.Node(i)
		if len(nd.Shape) > plan.Rows {
			if next >= 0 && len(out[next].rows) > 0 {
				out[i].rows = s.rowsBefore(next, i, out[next].rows)
				out[next].linked = out[i].rows != nil
			}
			if out[i].rows == nil {
				for r := range trackCount {
					out[i].rows = append(out[i].rows, int((0.1+0.8*(float64(r)+0.5)/trackCount)*float64(nd.Shape[plan.Rows])))
				}
			}
		}
		next = i
	}
	return out
}

// rowsBefore is, for each row of node i, a row of node x that every tile with the row reads; nil
// if there is none.
func (s *instance) rowsBefore(i, x int, rows []int) (list []int) {
	k := slices.IndexFunc(s.Reads[i], func(in candidate.Input) bool { return in.Pos == x })
	if k < 0 || len(s.Node(x).Shape) <= plan.Rows {
		return nil
	}
	input := s.Reads[i][k].Index
	read := make([]tensor.Range, len(rows)) // by row: what every tile with it reads
	for r := range read {
		read[r].Hi = candidate.MaxExtent
	}
	for _, p := range s.tiles[i] {
		if p.Dim != plan.Rows {
			continue
		}
		for r, row := range rows {
			if p.Lo > row || row >= p.Hi {
				continue
			}
			if p.Need(input) == nil {
				return nil
			}
			n := p.Need(input)[plan.Rows]
			read[r] = tensor.Range{Lo: max(read[r].Lo, n.Lo), Hi: min(read[r].Hi, n.Hi)}
		}
	}
	extent := s.Graph.Nodes[s.Order[x]].Shape[plan.Rows]
	for _, r := range read {
		r.Hi = min(r.Hi, extent)
		if r.Lo >= r.Hi {
			return nil
		}
		list = append(list, (r.Lo+r.Hi-1)/2)
	}
	return list
}

// share is the part of the tracks that is in [lo, hi).
func (t *track) share(lo, hi int) float64 {
	n := 0
	for _, r := range t.rows {
		if lo <= r && r < hi {
			n++
		}
	}
	return float64(n) / float64(len(t.rows))
}
