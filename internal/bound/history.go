package bound

import (
	"math"
	"slices"
)

// history is what any plan of a set has certainly reached when a gate is made, in a variant.
//
// In the literature: a label of label-setting algorithms (Desrochers & Soumis 1988).
type history struct {
	done  float64            // when the gate is made
	some  float64            // when any tile of it is made
	ends  [maxPieces]float64 // when its pieces are made
	zoned                    // of more tiles than two
	// The weighted work of all so far: by piece with the launches on the path to it, and then without launches on paths.
	sums [maxPieces + 1]sums
	// The largest of each, and with one launch more.
	top, launched [maxPieces + 1]float64
	trail         *trail // of the plans, if they are followed back
}

// paths is how many sums a history of so many pieces has: without certain launches one.
func (x *forward) paths(pieces int) int {
	if x.launch == 0 {
		return 1
	}
	return pieces + 1
}

// meet makes a history hold for plans of either.
func (h *history) meet(o *history, pieces, paths, terms int) {
	h.done, h.some = min(h.done, o.done), min(h.some, o.some)
	for j := range pieces {
		h.ends[j] = min(h.ends[j], o.ends[j])
	}
	for j := range paths {
		for k := range terms {
			h.sums[j][k] = min(h.sums[j][k], o.sums[j][k])
		}
	}
	h.begin = min(h.begin, o.begin)
	for k := range h.made {
		h.made[k], h.head[k], h.tail[k] = min(h.made[k], o.made[k]), min(h.head[k], o.head[k]), min(h.tail[k], o.tail[k])
	}
}

// within reports whether no number of a history is above that of another.
func (h *history) within(o *history, pieces, paths, terms int) bool {
	if h.done > o.done || h.some > o.some {
		return false
	}
	for j := range pieces {
		if h.ends[j] > o.ends[j] {
			return false
		}
	}
	for j := range paths {
		for k := range terms {
			if h.sums[j][k] > o.sums[j][k] {
				return false
			}
		}
	}
	for k := range h.made {
		if h.made[k] > o.made[k] || h.head[k] > o.head[k] || h.tail[k] > o.tail[k] {
			return false
		}
	}
	return h.begin <= o.begin
}

// apart is how far two histories are from each other.
func (h *history) apart(o *history, pieces, paths, terms int) (sum float64) {
	sum = math.Abs(h.done - o.done)
	for j := range pieces {
		sum += math.Abs(h.ends[j] - o.ends[j])
	}
	for j := range paths {
		for k := range terms {
			sum += math.Abs(h.sums[j][k]-o.sums[j][k]) / float64(terms)
		}
	}
	for k := range h.made {
		sum += (math.Abs(h.made[k]-o.made[k]) + math.Abs(h.head[k]-o.head[k]) + math.Abs(h.tail[k]-o.tail[k])) / zoneCount
	}
	return sum
}

// sumUp sets top and launched.
func (x *forward) sumUp(h *history, paths int) {
	for j := range paths {
		h.top[j], h.launched[j] = slices.Max(h.sums[j][:x.terms]), 0
		for k, v := range h.sums[j][:x.terms] {
			h.launched[j] = max(h.launched[j], v+x.onPath(k))
		}
	}
}

// onPath is what an edge from the GPU to the PIM adds to a sum: a launch of the PIM's work.
func (x *forward) onPath(k int) float64 { return x.weights(k)[pimLane] * x.launch }

// insert adds the scratch history to those of the variant w, which are in the order of their ends. Of more than are kept the nearest
// neighbours meet.
func (x *forward) insert(list []*history, w *variant, l *stage) []*history {
	pieces := len(w.pieces)
	paths := x.paths(pieces)
	if x.kept == 1 && len(list) == 1 {
		list[0].meet(&x.scratch, pieces, paths, x.terms)
		return list
	}
	for _, o := range list {
		if o.within(&x.scratch, pieces, paths, x.terms) {
			return list
		}
	}
	list = slices.DeleteFunc(list, func(o *history) bool { return x.scratch.within(o, pieces, paths, x.terms) })
	var h *history
	if n := len(x.free); n > 0 {
		h, x.free = x.free[n-1], x.free[:n-1]
	} else {
		h = new(history)
	}
	*h = x.scratch
	if x.back {
		h.trail = &trail{l, w, x.scratch.trail}
	}
	at, _ := slices.BinarySearchFunc(list, h, func(a, b *history) int {
		if a.done < b.done {
			return -1
		}
		return 1
	})
	if list = slices.Insert(list, at, h); len(list) <= x.kept {
		return list
	}
	a, least := 0, math.Inf(1)
	for i := range len(list) - 1 {
		if d := list[i].apart(list[i+1], pieces, paths, x.terms); d < least {
			a, least = i, d
		}
	}
	list[a].meet(list[a+1], pieces, paths, x.terms)
	return slices.Delete(list, a+1, a+2)
}
