package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/tensor"
)

// zoneCount is how many points of a dimension are followed where a gate is cut in more tiles than two (estimated).
const zoneCount = 8

// zones is what is known of a gate that is cut along a dimension in more tiles than two, whichever they are.
//
// Three times are followed for each of some points (zoned): when the tile with the point is made; when all tiles are made that meet the
// points up to it; and the same from it on. The tiles that meet a range take at least what a shortest path through the cut graph takes
// that covers the range, on both devices together.
type zones struct {
	at    [zoneCount]int     // the points, ascending
	least [zoneCount]float64 // the least time of a tile with the point
	// By position c along the dimension: the least time from the start of any tile to the end of all that meet [0, c), and [c, extent).
	head, tail []float64
	reads      [][]tensor.Range // by position: what every tile with it reads of the gate before; nil: nothing is certain
}

// zoned is when points of a gate in more tiles than two are made.
type zoned struct {
	begin            float64 // no tile starts before
	made, head, tail [zoneCount]float64
}

// zones returns those of the tiles of a node along a dimension of an extent.
func (s *instance) zones(g *node, dim, extent int, reads func(*candidate.Tile) []tensor.Range) *zones {
	z := &zones{reads: make([][]tensor.Range, extent)}
	least, seen := make([]float64, extent), make([]bool, extent)
	for c := range least {
		least[c] = math.Inf(1)
	}
	for _, p := range g.tiles[dim+1] {
		r := reads(p)
		for c := p.Lo; c < p.Hi; c++ {
			least[c] = min(least[c], s.least(p))
			if !seen[c] {
				z.reads[c], seen[c] = r, true
			} else {
				z.reads[c] = intersect(z.reads[c], r)
			}
		}
	}
	for k := range z.at {
		z.at[k] = k * (extent - 1) / (zoneCount - 1)
		z.least[k] = least[z.at[k]]
	}
	z.head, z.tail = s.covers(&g.graphs[slices.Index(g.dims, dim)], dim, extent)
	return z
}

// covers is, by position, the least time of all tiles of a node that meet what is before it along a dimension, or from it on.
func (s *instance) covers(w *cutGraph, dim, extent int) (head, tail []float64) {
	head, tail = make([]float64, extent+1), make([]float64, extent+1)
	from, to := w.fronts(dim, 0, false, s.Serial), w.fronts(dim, 0, true, s.Serial)
	least, k := math.Inf(1), w.points-1
	for c := extent; c > 0; c-- { // the tiles end at c or behind it
		for ; k >= 0 && w.at[k] >= c; k-- {
			least = min(least, alone(from[k][0]))
		}
		head[c] = least
	}
	least, k = math.Inf(1), 0
	for c := range extent { // the tiles begin at c or before it
		for ; k < w.points && w.at[k] <= c; k++ {
			least = min(least, alone(to[k][0]))
		}
		tail[c] = least
	}
	return head, tail
}

// start is when a tile may start that reads a range of a gate in more tiles than two, but not all of it.
func (z *zones) start(h *zoned, r tensor.Range) float64 {
	extent := len(z.reads)
	r.Lo, r.Hi = max(r.Lo, 0), min(r.Hi, extent)
	if r.Lo >= r.Hi {
		return 0
	}
	t := 0.0
	if r.Lo == 0 {
		t = h.begin + z.head[r.Hi]
	}
	if r.Hi == extent {
		t = max(t, h.begin+z.tail[r.Lo])
	}
	for k, c := range z.at {
		if c < r.Lo || c >= r.Hi {
			continue
		}
		if t = max(t, h.made[k]); r.Lo == 0 {
			t = max(t, h.head[k])
		}
		if r.Hi == extent {
			t = max(t, h.tail[k])
		}
	}
	return t
}

// zoneWait is what the tiles of a gate in more tiles than two wait for of a variant of the gate before.
type zoneWait struct {
	of     [zoneCount]uint8 // by point (wait)
	prefix int              // all tiles that meet [0, prefix) wait for the first piece
	suffix int              // all tiles that meet [suffix, extent) wait for the second
	// Of more tiles than two, by point: all tiles that meet what is up to it together read the first so many positions, and those
	// from it on all from so many on.
	upTo, onward [zoneCount]int
}

// waits is what zones wait for of a variant of a gate of a shape.
func (z *zones) waits(v *variant, shape tensor.Shape) (w zoneWait) {
	extent := len(z.reads)
	of := func(c int) uint8 { return v.waitsFor(z.reads[c], shape) }
	for k, c := range z.at {
		w.of[k] = of(c)
	}
	if v.at == 0 {
		w.suffix = extent
		if v.zones != nil {
			w.together(z, v.dim, shape[v.dim])
		}
		return w
	}
	for w.prefix < extent && of(w.prefix)&1 != 0 {
		w.prefix++
	}
	for w.suffix = extent; w.suffix > 0 && of(w.suffix-1)&2 != 0; w.suffix-- {
	}
	return w
}

// together sets upTo and onward, of a gate before of an extent along the dimension that it is cut along.
func (w *zoneWait) together(z *zones, dim, extent int) {
	last := len(z.reads) - 1
	hi, k := 0, 0
	for c := 0; c <= last && z.reads[c] != nil && z.reads[c][dim].Lo <= hi; c++ {
		for hi = max(hi, z.reads[c][dim].Hi); k < zoneCount && z.at[k] == c; k++ {
			w.upTo[k] = hi
		}
	}
	lo, k := extent, zoneCount-1
	for n := range w.onward {
		w.onward[n] = extent
	}
	for c := last; c >= 0 && z.reads[c] != nil && z.reads[c][dim].Hi >= lo; c-- {
		for lo = min(lo, z.reads[c][dim].Lo); k >= 0 && z.at[k] == c; k-- {
			w.onward[k] = lo
		}
	}
}

// zone sets when the points of the scratch history are made: none before floor, each tile when it may start (ready) and its least time.
// first and second are when the pieces of the variant before have ended; before and from are its zones, if it has any, and its history.
func (x *forward) zone(w *variant, floor float64, wait *zoneWait, first, second float64, before *zones, from *history, ready func(k int) float64) {
	z, h := w.zones, &x.scratch
	extent := len(z.reads)
	if wait.prefix == 0 {
		first = 0
	}
	if wait.suffix == extent {
		second = 0
	}
	h.begin = floor
	for k, c := range z.at {
		h.made[k] = max(floor, ready(k)) + z.least[k]
		h.head[k] = max(h.made[k], floor+z.head[c+1], first+z.head[min(c+1, wait.prefix)])
		if before != nil {
			h.head[k] = max(h.head[k], before.start(&from.zoned, tensor.Range{Hi: wait.upTo[k]})+w.pieces[0].time)
		}
		if k > 0 {
			h.head[k] = max(h.head[k], h.head[k-1])
		}
	}
	for k := zoneCount - 1; k >= 0; k-- {
		c := z.at[k]
		h.tail[k] = max(h.made[k], floor+z.tail[c], second+z.tail[max(c, wait.suffix)])
		if before != nil {
			h.tail[k] = max(h.tail[k], before.start(&from.zoned, tensor.Range{Lo: wait.onward[k], Hi: len(before.reads)})+w.pieces[0].time)
		}
		if k+1 < zoneCount {
			h.tail[k] = max(h.tail[k], h.tail[k+1])
		}
	}
	h.done = max(h.done, h.head[zoneCount-1], h.tail[0], first+z.head[wait.prefix], second+z.tail[min(wait.suffix, extent)])
}

// late reports whether the last tile of the variant v, in more tiles than two, is certainly read by one of two pieces of w: together
// they read all of v.
func late(v, w *variant, shape tensor.Shape) bool {
	if v.zones == nil || len(w.pieces) != 2 {
		return false
	}
	a, b := w.pieces[0].reads, w.pieces[1].reads
	if a == nil || b == nil {
		return false
	}
	p, q := a[v.dim], b[v.dim]
	return min(p.Lo, q.Lo) == 0 && max(p.Hi, q.Hi) == shape[v.dim] && max(p.Lo, q.Lo) <= min(p.Hi, q.Hi) && p.Len() > 0 && q.Len() > 0
}
