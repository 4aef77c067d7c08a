package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// variant is a way to cut a gate: whole, in two tiles at a split point, each on its device, or along a dimension in more tiles.
// More tiles are one variant, with one piece that stands for any of them.
//
// In the literature: a state of a dynamic programme.
type variant struct {
	dim    int // candidate.Uncut: whole
	at     int // the split point; 0: whole, or more tiles than two
	pieces []piece
	busy   [candidate.Lanes]float64 // what the tiles take
	add    sums                     // added to the sums by all tiles
	work   sums                     // the same without F
	zones  *zones                   // of more tiles than two
}

// piece is a tile of a variant.
type piece struct {
	lane  int            // anyLane: one of many tiles
	time  float64        // in a fused launch; the least of many
	reads []tensor.Range // what it reads of the gate before
}

// maxPieces is how many tiles a variant has at most.
const maxPieces = 2

// anyLane is the lane of a piece on any device.
const anyLane = -1

// The lanes of the devices.
var gpuLane, pimLane = program.Lane(plan.GPU), program.Lane(plan.PIM)

// stage is a gate with its variants.
type stage struct {
	at       int // the node's position in the store
	closed   bool
	loose    bool // loose nodes follow before the next gate
	shape    tensor.Shape
	add      sums    // the weighted work of these
	rest     sums    // the weighted work of all nodes that follow
	suffix   float64 // the least time of all that follows, from idle devices; 0: not computed
	variants []variant
	before   *stage       // nil: the first
	waits    [][]wait     // by variant and variant of the gate before
	zoned    [][]zoneWait // likewise, of variants in more tiles than two
	follows  [][]bool     // likewise: whether the tracks continue (label.go)
}

// wait says for each piece of a variant what it waits for of a variant of the gate before: bits of its pieces, waitsForAll, or
// 0, some piece.
type wait [maxPieces]uint8

const waitsForAll = 1<<maxPieces - 1

// variants are the ways to cut a gate, in more tiles than two only if many is set, with zones if zoned is. reads is what a tile reads of the gate before.
func (s *instance) variants(g *node, t *track, many, zoned bool, extents []int, reads func(*candidate.Tile) []tensor.Range) (list []variant) {
	of := func(p *candidate.Tile) piece { return piece{p.Lane, s.least(p), reads(p)} }
	for d, ps := range g.tiles {
		dim := d - 1
		if dim == candidate.Uncut {
			for _, p := range ps {
				v := s.variant(dim, 0, t, of(p))
				k := slices.IndexFunc(list, func(o variant) bool { return o.pieces[0].lane == p.Lane })
				switch {
				case k < 0:
					list = append(list, v)
				case v.pieces[0].time < list[k].pieces[0].time: // a tile of a serial segment
					list[k] = v
				}
			}
			continue
		}
		tail := map[int][]*candidate.Tile{}
		for _, p := range ps {
			if p.Hi == extents[dim] {
				tail[p.Lo] = append(tail[p.Lo], p)
			}
		}
		for _, p := range ps {
			if p.Lo > 0 {
				break
			}
			for _, q := range tail[p.Hi] {
				list = append(list, s.variant(dim, p.Hi, t, of(p), of(q)))
			}
		}
		if !many || len(ps) == 0 {
			continue
		}
		if a, ok := s.manyTiles(dim, g, *t); ok {
			all := reads(ps[0])
			for _, p := range ps {
				all = intersect(all, reads(p))
			}
			v := variant{dim: dim, pieces: []piece{{anyLane, a.time[0], all}}, busy: [candidate.Lanes]float64{a.alone, a.alone}, add: *a.cost}
			if v.work = s.multipliers.worked(&v.add); zoned {
				list = append(list, s.fronted(v, &g.graphs[slices.Index(g.dims, dim)], t, s.zones(g, dim, extents[dim], reads))...)
			} else {
				list = append(list, v)
			}
		}
	}
	return list
}

// fronted are variants in more tiles than two, one for each point of the front of what the tiles take of the devices, in place of one for
// all.
func (s *instance) fronted(of variant, w *cutGraph, t *track, z *zones) (list []variant) {
	rest := s.leastChain(w, of.dim, t)
	for _, p := range thin(w.fronts(of.dim, 3, false, s.Serial)[w.points-1][3], manyVariants) {
		v := of
		v.busy, v.zones = p, z
		for k := range v.add {
			b := s.multipliers.of[k]
			v.work[k] = b[0]*p[0] + b[1]*p[1]
			v.add[k] = max(v.add[k], v.work[k]+(1-b[0]-b[1])*rest)
		}
		list = append(list, v)
	}
	return list
}

// leastChain is the least that tiles along a dimension add to F.
func (s *instance) leastChain(w *cutGraph, dim int, t *track) float64 {
	least := math.Inf(1)
	for k := range w.edges {
		least = min(least, w.edges[k].time)
	}
	if dim != plan.Rows || len(t.rows) == 0 {
		return least
	}
	return w.threeOrMore(make([][3]float64, w.points), func(_ int, e *edge) float64 { return t.share(w.at[e.from], w.at[e.to]) * e.time })
}

// variant is the variant of given pieces.
func (s *instance) variant(dim, at int, t *track, ps ...piece) variant {
	v := variant{dim: dim, at: at, pieces: ps}
	for _, p := range ps {
		v.busy[p.lane] += p.time
	}
	if s.Serial { // each device occupies both
		v.busy = [candidate.Lanes]float64{v.busy[0] + v.busy[1], v.busy[0] + v.busy[1]}
	}
	first, last := ps[0].time, ps[len(ps)-1].time
	chain := min(first, last)
	if dim == plan.Rows && len(t.rows) > 0 {
		share := t.share(0, at)
		chain = share*first + (1-share)*last
	}
	for k := range v.add {
		b := s.multipliers.of[k]
		v.work[k] = b[0]*v.busy[0] + b[1]*v.busy[1]
		v.add[k] = v.work[k] + (1-b[0]-b[1])*chain
	}
	return v
}

// many reports whether the gate is in more tiles than two.
func (v *variant) many() bool { return v.pieces[0].lane == anyLane }

// waitsFor says what a piece that reads ranges of a gate of a shape waits for of a variant of it.
func (v *variant) waitsFor(needs []tensor.Range, shape tensor.Shape) uint8 {
	switch {
	case v.dim == candidate.Uncut:
		return waitsForAll
	case needs == nil || needs[v.dim].Lo >= needs[v.dim].Hi:
		return 0
	case v.many() && needs[v.dim].Len() < shape[v.dim]:
		return 0
	case v.many():
		return waitsForAll
	case needs[v.dim].Hi <= v.at:
		return 1
	case needs[v.dim].Lo >= v.at:
		return 2
	}
	return waitsForAll
}

// stages lists the gates with their variants (many and zoned are those of variants), and the weighted work of loose nodes before the first,
// if there are any.
func (s *instance) stages(nodes []node, gate, closed []bool, many, zoned bool) (list []*stage, first sums, loose bool) {
	at, tracks := -1, s.tracks(gate)
	for i := range nodes {
		g := &nodes[i]
		switch {
		case len(g.graphs) == 0:
		case gate[i]:
			input := slices.IndexFunc(s.Reads[i], func(in candidate.Input) bool { return in.Pos == at })
			if input >= 0 {
				input = s.Reads[i][input].Index
			}
			l := &stage{at: s.Store.Pos[s.Order[i]], closed: closed[i], shape: s.Node(i).Shape}
			l.variants = s.variants(g, &tracks[i], many, zoned, l.shape, func(p *candidate.Tile) []tensor.Range { return reads(p, input) })
			l.wait(list)
			if l.before != nil {
				l.follow(&transition{s: s, linked: tracks[i].linked, track: tracks[at].span()})
			}
			list, at = append(list, l), i
		default:
			add, is := &first, &loose
			if len(list) > 0 {
				l := list[len(list)-1]
				add, is = &l.add, &l.loose
			}
			*is = true
			for k := range add {
				v, _ := g.shortestPath(s.weights(k), false)
				add[k] += v
			}
		}
	}
	var rest sums
	for i := len(list) - 1; i >= 0; i-- {
		l := list[i]
		for k := range rest {
			rest[k] += l.add[k]
		}
		l.rest = rest
		for k := range rest {
			least := math.Inf(1)
			for v := range l.variants {
				least = min(least, l.variants[v].work[k])
			}
			rest[k] += least
		}
	}
	return list, first, loose
}

// wait fills what the variants wait for of those of the last gate in a list.
func (l *stage) wait(list []*stage) {
	l.waits, l.zoned = make([][]wait, len(l.variants)), make([][]zoneWait, len(l.variants))
	if len(list) == 0 {
		for w := range l.waits {
			l.waits[w] = []wait{{waitsForAll, waitsForAll}}
		}
		return
	}
	l.before = list[len(list)-1]
	for w := range l.variants {
		l.waits[w] = make([]wait, len(l.before.variants))
		for v := range l.before.variants {
			for j, p := range l.variants[w].pieces {
				l.waits[w][v][j] = l.before.variants[v].waitsFor(p.reads, l.before.shape)
			}
			if z := l.variants[w].zones; z != nil {
				l.zoned[w] = append(l.zoned[w], z.waits(&l.before.variants[v], l.before.shape))
			}
		}
	}
}

// follow fills whether the tracks of the variants of the gate before continue.
func (l *stage) follow(e *transition) {
	l.follows = make([][]bool, len(l.variants))
	for w := range l.variants {
		to := split{dim: l.variants[w].dim}
		for j := range to.reads {
			to.reads[j] = l.variants[w].pieces[min(j, len(l.variants[w].pieces)-1)].reads
		}
		l.follows[w] = make([]bool, len(l.before.variants))
		for v := range l.before.variants {
			l.follows[w][v] = e.follows(&split{dim: l.before.variants[v].dim}, &to)
		}
	}
}
