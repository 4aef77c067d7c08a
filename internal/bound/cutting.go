package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// cuttings lists the ways to cut the i-th node, by dimension and where it is cut;
// more pieces than two come last.
func (s *instance) cuttings(i, at int, g *ground, t track) (list []cutting) {
	input := -1
	for _, in := range s.Reads[i] {
		if in.Pos == at {
			input = in.Index
			break
		}
	}
	for d, ps := range g.by {
		dim := d - 1
		if dim == candidate.Uncut {
			c := cutting{dim: candidate.Uncut}
			for _, p := range ps {
				c.ways = append(c.ways, s.variant(1, p))
				c.takes = [2][]tensor.Range{taken(p, input), taken(p, input)}
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
					list = append(list, cutting{dim: dim, at: p.Hi, takes: [2][]tensor.Range{taken(p, input), taken(q, input)}, ways: make([]variant, 0, keys)})
				}
				c := &list[len(list)-1]
				share := -1.0
				if dim == plan.Rows && len(t.rows) > 0 {
					share = t.share(0, p.Hi)
				}
				c.ways = append(c.ways, s.variant(share, p, q))
			}
		}
		if v, ok := s.many(dim, g, t); ok {
			takes := taken(ps[0], input)
			for _, p := range ps {
				takes = meet(takes, taken(p, input))
			}
			list = append(list, cutting{dim: dim, takes: [2][]tensor.Range{takes, takes}, ways: []variant{v}})
		}
	}
	return list
}

// taken is what a piece reads by an input.
func taken(p *candidate.Tile, input int) []tensor.Range {
	if input < 0 {
		return nil
	}
	return p.Need[input]
}

// meet is what is in both.
func meet(a, b []tensor.Range) []tensor.Range {
	if a == nil || b == nil {
		return nil
	}
	out := make([]tensor.Range, len(a))
	for d := range out {
		out[d] = tensor.Range{Lo: max(a[d].Lo, b[d].Lo), Hi: min(a[d].Hi, b[d].Hi)}
	}
	return out
}

// variant is one piece or two, the first of which has a share of the tracks; negative:
// that is not known.
func (s *instance) variant(share float64, ps ...*candidate.Tile) (v variant) {
	v.time = [2]float64{s.timeOf(ps[0]), s.timeOf(ps[len(ps)-1])}
	if v.follow = share*v.time[0] + (1-share)*v.time[1]; share < 0 {
		v.follow = min(v.time[0], v.time[1])
	}
	for k, p := range ps {
		v.key = v.key*candidate.Lanes + p.Lane
		v.busy[p.Lane] += v.time[k]
		if p.Device != plan.GPU {
			v.launch[p.Lane] = 1
		}
	}
	v.gpu = v.launch == [candidate.Lanes]float64{}
	v.mixed = slices.ContainsFunc(ps, func(p *candidate.Tile) bool { return p.Device == plan.GPU })
	if s.Serial { // both devices are kept
		v.busy = [candidate.Lanes]float64{v.busy[0] + v.busy[1], v.busy[0] + v.busy[1]}
		v.launch = [candidate.Lanes]float64{max(v.launch[0], v.launch[1]), max(v.launch[0], v.launch[1])}
	}
	v.alone = max(v.busy[0], v.busy[1])
	return v
}

// many is what three pieces or more along a dimension take.
func (s *instance) many(dim int, g *ground, t track) (v variant, ok bool) {
	w := &g.ways[slices.Index(g.dims, dim)]
	least := math.Inf(1)
	share := make([]float64, len(w.edges))
	for k, e := range w.edges {
		least = min(least, e.time)
		if dim == plan.Rows && len(t.rows) > 0 {
			share[k] = t.share(w.cuts[e.from], w.cuts[e.to])
		}
	}
	v.cost = new(sums)
	cost := make([][3]float64, w.lines)
	for k := range blends {
		b := s.weights(k)
		rest := 1 - blends[k][0] - blends[k][1]
		v.cost[k] = w.three(cost, func(k int, e *edge) float64 { return (b[e.dev] + rest*share[k]) * e.time })
		if dim != plan.Rows || len(t.rows) == 0 {
			v.cost[k] += rest * least
		}
	}
	v.alone = v.cost.most()
	v.time = [2]float64{least, least}
	return v, !math.IsInf(v.alone, 1)
}

// three is the least length of at least three edges from end to end.
// cost is by line and by how many edges there are, three standing for all more.
func (w *way) three(cost [][3]float64, length func(int, *edge) float64) float64 {
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
	return cost[w.lines-1][2]
}

// track is rows of a node's value, each of which is read for that of the next gate.
type track struct {
	rows   []int
	linked bool // they are read for those of this one from those of the gate before
}

// trackCount is how many rows are followed.
const trackCount = 8

// tracks follows rows from the last gate to the first.
func (s *instance) tracks(gate []bool) []track {
	out := make([]track, len(s.Order))
	next := -1
	for i := len(out) - 1; i >= 0; i-- {
		if !gate[i] || len(s.pieces[i]) == 0 {
			continue
		}
		nd := s.Node(i)
		if len(nd.Shape) > plan.Rows {
			if next >= 0 && len(out[next].rows) > 0 {
				out[i].rows = s.before(next, i, out[next].rows)
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

// before is a row of what node i reads of node x for each of the rows given; nil where
// there is none that every piece with the row reads.
func (s *instance) before(i, x int, rows []int) (list []int) {
	k := slices.IndexFunc(s.Reads[i], func(in candidate.Input) bool { return in.Pos == x })
	if k < 0 || len(s.Node(x).Shape) <= plan.Rows {
		return nil
	}
	input := s.Reads[i][k].Index
	read := make([]tensor.Range, len(rows)) // by each piece with the row
	for r := range read {
		read[r].Hi = candidate.MaxExtent
	}
	for _, p := range s.pieces[i] {
		if p.Dim != plan.Rows {
			continue
		}
		for r, row := range rows {
			if p.Lo > row || row >= p.Hi {
				continue
			}
			if p.Need[input] == nil {
				return nil
			}
			n := p.Need[input][plan.Rows]
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

// share is the part of the tracks in [lo, hi).
func (t *track) share(lo, hi int) float64 {
	n := 0
	for _, r := range t.rows {
		if lo <= r && r < hi {
			n++
		}
	}
	return float64(n) / float64(len(t.rows))
}
