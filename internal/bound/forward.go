package bound

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/candidate"
)

// The label setting over histories. It goes from gate to gate, as the dynamic programme over split points (label.go), and is
// closer in four ways.
//
//   - A variant, a way to cut a gate, keeps several histories: what is certain of a set of plans so far. One history is exact;
//     of more than are kept the nearest meet, which then hold for both sets.
//   - Where all that follows waits for all before (a synchronization), one number goes on, the time, whatever was before.
//   - Two tiles on one device that do not wait for each other are executed in one of two orders; each is a history.
//   - Launches are charged along paths.
//
// Launches. Let a PIM tile P read what a GPU tile g makes. The first PIM tile that has seen g, in the GPU's order, is P or one
// before it; it starts after g ends and is launched. So P ends no sooner than g, a launch and P's marginal time. On a path g1,
// P1, g2, P2 the two launched tiles differ. Hence along any path each edge from the GPU to the PIM adds a launch to the path,
// and one to the PIM's work. The graph's inputs count as made by the GPU: the first PIM tile has a launch.
//
// Ends. A tile starts when all it certainly waits for has ended: of the gate before the tiles that its need box meets; if it
// waits for all of a closed gate, all before, thus at least the weighted work so far.
//
// Sums. λG + (1-λ)P, the weighted work of all tiles so far, for some λ, with the launches on a path to each tile of the gate.
// If nothing of a gate and of what follows starts before a time, they are at least that time.
//
// More tiles than two. A variant may also be all ways to cut a gate along a dimension in three tiles or more: then the bound holds
// for all plans. What any such tile reads is waited for, each takes at least the least time, and all of them at least what a shortest
// path adds to the sums. These have F, too, for which tracks are followed (label.go). Where several histories are kept, such a variant is
// several, by what the tiles take of each device, and it is known when parts of the gate are made (zone.go). What is made last is read
// by one of the tiles that follow.
//
// Known plan. A history whose sums, with the work still to come, are not below the time of a known plan is dropped.
//
// In the literature: label setting with dominance and state-space relaxation (Christofides, Mingozzi and Toth 1981); disjunctive
// arcs (Balas 1969).

// forward is the state of the label setting.
type forward struct {
	*instance
	ctx     context.Context
	stages  []*stage
	kept    int     // histories of a variant
	terms   int     // multipliers of the sums: those of work, or all
	launch  float64 // the least launch of PIM work that may be fused
	best    float64 // no plan so far is known to be below
	scratch history
	free    []*history
	back    bool   // trails are kept
	trail   *trail // of the best
}

// root is a synchronization: nothing that follows starts before it, and no PIM work before pim.
type root struct {
	time, pim float64
	trail     *trail
}

// run is the least makespan of all plans, or the known one if that is less. first is the weighted work of loose nodes before the
// first gate, if there are any.
func (x *forward) run(first sums, loose bool) float64 {
	if len(x.stages) == 0 {
		return 0
	}
	if kept, best := x.kept, x.best; kept >= suffixKept {
		x.kept = 1
		for g := len(x.stages) - 2; g >= 0; g-- {
			x.best = best
			x.stages[g].suffix = x.from(g+1, nil, nil, false, []root{{}})
		}
		x.kept, x.best, x.trail = kept, best, nil
	}
	h := new(history)
	h.sums[0], h.sums[1] = first, first
	x.sumUp(h, x.paths(1))
	return x.from(0, []variant{{dim: candidate.Uncut, pieces: []piece{{lane: gpuLane}}}}, [][]*history{{h}}, !loose, nil)
}

// suffixKept is from how many histories on suffixes are worth their time (measured: BenchmarkGaps of package search).
const suffixKept = 8

// zonesKept is from how many histories on zones (zone.go) are worth their time: with one, the bounds of five networks rise by 0 to 0.2 %
// but for EfficientNet-B0, with 40 by 0.7 to 1.7 % (measured on newton).
const zonesKept = 8

// from is the least makespan of plans from a gate on, after histories of variants of the gate before, or after synchronizations.
// sealed says that nothing is unfinished but the tiles of the gate before.
func (x *forward) from(at int, before []variant, labels [][]*history, sealed bool, roots []root) float64 {
	for g := at; g < len(x.stages); g++ {
		l := x.stages[g]
		next := make([][]*history, len(l.variants))
		for w := range next {
			of := &l.variants[w]
			for _, r := range roots {
				if r.time+l.before.suffix >= x.best {
					continue
				}
				for order := range x.orders(nil, of, wait{}) {
					if x.begin(r, of, l, order) {
						next[w] = x.insert(next[w], of, l)
					}
				}
			}
			for v := range before {
				waits := l.waits[w][v]
				if len(labels[v]) == 0 || g > 0 && l.before.synchronized(&before[v], of, waits) {
					continue
				}
				orders, last := x.orders(&before[v], of, waits), false
				if last = x.kept >= zonesKept && g > 0 && late(&before[v], of, l.before.shape); last {
					orders *= 2
				}
				zoned := new(zoneWait)
				if of.zones != nil && g > 0 {
					zoned = &l.zoned[w][v]
				}
				for _, from := range labels[v] {
					for order := range orders {
						if x.extend(from, &before[v], of, waits, l, sealed, order, g == 0 || l.follows[w][v], zoned, last) {
							next[w] = x.insert(next[w], of, l)
						}
					}
				}
			}
			if x.ctx.Err() != nil {
				return 0
			}
		}
		for _, list := range labels {
			x.free = append(x.free, list...)
		}
		before, labels, sealed, roots = l.variants, next, l.closed && !l.loose, roots[:0]
		for v := range before {
			for _, h := range labels[v] {
				roots = x.leave(roots, l, &before[v], h, g+1 == len(x.stages))
			}
		}
	}
	return x.best
}

// synchronized reports whether nothing after the gate starts before all up to it has ended, if it is cut in the variant v and
// the next gate in w.
func (l *stage) synchronized(v, w *variant, m wait) bool {
	switch {
	case !l.closed:
		return false
	case v.dim == candidate.Uncut:
		return true
	case l.loose:
		return false
	}
	for j := range w.pieces {
		if m[j] != waitsForAll {
			return false
		}
	}
	return true
}

// leave adds a history to the synchronizations if all after the gate may wait for all up to it. It adds the loose nodes that
// follow, and after the last gate takes the makespan.
func (x *forward) leave(roots []root, l *stage, v *variant, h *history, last bool) []root {
	n := x.paths(len(v.pieces))
	if l.closed && (v.dim == candidate.Uncut || !l.loose) {
		r := root{h.done, h.done, h.trail}
		for j, p := range v.pieces {
			if p.lane == gpuLane && x.launch > 0 {
				x.sumUp(h, n)
				r.pim = max(r.pim, h.ends[j]+x.launch, h.launched[j])
			}
		}
		if !slices.ContainsFunc(roots, func(o root) bool { return o.time <= r.time && o.pim <= r.pim }) {
			roots = append(slices.DeleteFunc(roots, func(o root) bool { return r.time <= o.time && r.pim <= o.pim }), r)
		}
	}
	if l.loose {
		for j := range n {
			for k := range x.terms {
				h.sums[j][k] += l.add[k]
			}
		}
	}
	x.sumUp(h, n)
	if v := max(h.done, slices.Max(h.top[:n])); last && v < x.best {
		x.best, x.trail = v, h.trail
	}
	return roots
}

// crossing is the piece of the variant v that shares a device with the p-th of w, which does not wait for it: either may be
// first. It is -1 if there is none.
func crossing(v, w *variant, p int, waits wait) int {
	switch {
	case v.at == 0:
	case waits[p] == 1 && v.pieces[1].lane == w.pieces[p].lane:
		return 1
	case waits[p] == 2 && v.pieces[0].lane == w.pieces[p].lane:
		return 0
	}
	return -1
}

// sharing reports whether a variant has two pieces, on one device.
func (x *forward) sharing(w *variant) bool {
	return w.at > 0 && (x.Serial || w.pieces[0].lane == w.pieces[1].lane)
}

// orders is how many orders of the tiles of a device are told apart: those of the pieces of w, and of one of these and a piece of
// the variant before. v is nil after a synchronization.
func (x *forward) orders(v, w *variant, waits wait) int {
	if x.kept == 1 || x.Serial {
		return 1
	}
	n := 1
	if v != nil && v.at > 0 {
		for p := range w.pieces {
			if crossing(v, w, p, waits) >= 0 {
				n *= 2
			}
		}
	}
	if x.sharing(w) {
		n *= 2
	}
	return n
}

// ordered delays the second of two pieces on one device, as the last bit of order says.
func (x *forward) ordered(w *variant, start *[maxPieces]float64, order int) {
	if x.kept > 1 && !x.Serial && x.sharing(w) {
		a := order & 1
		start[1-a] = max(start[1-a], start[a]+w.pieces[a].time)
	}
}

// begin sets the scratch history to that of plans that cut a gate in the variant w after a synchronization. It reports whether
// such plans matter.
func (x *forward) begin(r root, w *variant, l *stage, order int) bool {
	h := &x.scratch
	h.trail = r.trail
	var start [maxPieces]float64
	pim := r.time // when the PIM's work may start, if it has any
	floor := math.Inf(1)
	for p := range w.pieces {
		start[p] = r.time
		if w.pieces[p].lane == pimLane {
			start[p], pim = r.pim, r.pim
		}
		floor = min(floor, start[p])
	}
	x.ordered(w, &start, order)
	x.finish(w, floor, &start)
	if w.zones != nil {
		x.zone(w, floor, &zoneWait{}, floor, floor, nil, nil, func(int) float64 { return floor })
	}
	top := 0.0
	for p := range x.paths(len(w.pieces)) {
		for k := range x.terms {
			b := x.weights(k)
			v := max(floor, (1-b[pimLane])*floor+b[pimLane]*pim)
			if x.Serial {
				v = floor
			}
			if l.before.loose {
				v = max(v, r.time+l.before.add[k])
			}
			v += w.add[k]
			h.sums[p][k], top = v, max(top, v)
			if v+l.rest[k] >= x.best {
				return false
			}
		}
	}
	if l.closed {
		h.done = max(h.done, top)
	}
	return h.done < x.best
}

// finish sets when the pieces, the gate and any tile of it are made.
func (x *forward) finish(w *variant, floor float64, start *[maxPieces]float64) {
	h := &x.scratch
	h.done, h.some = max(floor+w.busy[0], floor+w.busy[1]), math.Inf(1)
	if w.zones == nil {
		h.zoned = zoned{} // of the scratch history's last variant
	}
	for p := range w.pieces {
		h.ends[p] = start[p] + w.pieces[p].time
		h.done, h.some = max(h.done, h.ends[p]), min(h.some, h.ends[p])
	}
	if x.sharing(w) { // one after the other
		a, b := &w.pieces[0], &w.pieces[1]
		h.done = max(h.done, min(max(start[0]+a.time, start[1])+b.time, max(start[1]+b.time, start[0])+a.time))
	}
}

// extend sets the scratch history to that of plans that come from a history of the variant v and cut the next gate in the
// variant w. It reports whether such plans matter.
func (x *forward) extend(from *history, v, w *variant, waits wait, l *stage, sealed bool, order int, follows bool, waitZ *zoneWait, last bool) bool {
	h := &x.scratch
	h.trail = from.trail
	start, ok := x.crossed(from, v, w, waits, l, sealed, order)
	if last { // the highest bit of order says which piece reads what is made last
		k := 0
		if order >= x.orders(v, w, waits) {
			k = 1
		}
		start[k] = max(start[k], from.done)
	}
	if !ok {
		return false
	}
	x.ordered(w, &start, order)
	floor := math.Inf(1)
	for p := range w.pieces {
		floor = min(floor, start[p])
	}
	x.finish(w, floor, &start)
	if w.zones != nil {
		x.zone(w, floor, waitZ, from.ends[0], from.ends[len(v.pieces)-1], v.zones, from, func(k int) float64 {
			return x.ready(from, v, waitZ.of[k], w.zones.reads[w.zones.at[k]], false, sealed, &from.ends, from.done)
		})
	}
	if l.closed && x.kept >= zonesKept { // a tile reads what is made last
		least := math.Inf(1)
		for p := range w.pieces {
			least = min(least, w.pieces[p].time)
		}
		h.done = max(h.done, from.done+least)
	}
	if h.done >= x.best || l.before != nil && !l.before.loose && floor+l.before.suffix >= x.best {
		return false
	}
	top := 0.0
	for p := range x.paths(len(w.pieces)) {
		to := &h.sums[p]
		*to = from.sums[x.paths(len(v.pieces))-1]
		for j := 0; j < len(v.pieces) && p < len(w.pieces) && x.launch > 0; j++ {
			if waits[p]>>j&1 == 0 {
				continue
			}
			edge := v.pieces[j].lane == gpuLane && w.pieces[p].lane == pimLane
			for k := range x.terms {
				if edge {
					to[k] = max(to[k], from.sums[j][k]+x.onPath(k))
				} else {
					to[k] = max(to[k], from.sums[j][k])
				}
			}
		}
		if !follows {
			*to = x.multipliers.worked(to)
		}
		for k := range x.terms {
			to[k] = max(to[k], floor) + w.add[k]
			if top = max(top, to[k]); to[k]+l.rest[k] >= x.best {
				return false
			}
		}
	}
	if l.closed {
		h.done = max(h.done, top)
	}
	return h.done < x.best
}
