package onnx

import (
	"fmt"

	"pimflow/internal/interval"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Sizes that values tell: a Resize to the height of a box, a Slice from a place that was found, the steps of a loop over
// detections. They are asked of Options.Values; without them they are the largest that the values may be, by their intervals.
// In the graph they are numbers, and an operation Sized waits for the values.

// told is the value of v if it is a constant or Options.Values has it; nil otherwise.
func (n *node) told(v *value) *tensor.Tensor {
	if t := n.fixed(v); t != nil || n.tell == nil {
		return t
	}
	t, err := n.tell(n.b.Peek(), n.id(v))
	n.check(err)
	return t
}

// awaited is told of an input that is a size: what is made next waits for it.
func (n *node) awaited(v *value) *tensor.Tensor {
	if n.fixed(v) == nil {
		n.wait = append(n.wait, v)
	}
	return n.told(v)
}

// sized is v once the values are there that tell a size of what is made of it: the steps made by a loop, or what op says of others.
func (n *node) sized(name string, v *value, steps int64) *value {
	in := append([]*value{v}, n.wait...)
	n.wait = nil
	y, err := n.emit(name, "Sized", op.Attrs{"steps": steps}, in...)
	n.check(err)
	return y
}

// bounds are the least and the largest of each integer of input i, which are the same if it is known.
func (n *node) bounds(i int, what string) (lo, hi []int64) {
	n.integers(i, what)
	v := n.in[i]
	if v.shape.Size() > foldSize {
		n.fail("%s (input %d, %.80q) has %d values: at most %d wanted", what, i, v.name, v.shape.Size(), foldSize)
	}
	if t := n.awaited(v); t != nil {
		return append([]int64{}, t.Ints()...), append([]int64{}, t.Ints()...)
	}
	return n.intervals.Bounds(n.id(v))
}

// largest are the largest integers that input i may be. An error names one without a bound.
func (n *node) largest(i int, what string) []int64 {
	_, hi := n.bounds(i, what)
	for _, k := range hi {
		n.bound(i, what, k)
	}
	return hi
}

// bound refuses a bound of input i that is not known.
func (n *node) bound(i int, what string, k int64) int64 {
	if n.fixed(n.in[i]) == nil && (k <= -interval.Unbounded || k >= interval.Unbounded) {
		panic(stop{varying(fmt.Sprintf("%s (input %d, %.80q)", what, i, n.in[i].name))})
	}
	return k
}

// most is the largest that the integer of input i may be.
func (n *node) most(i int, what string) int64 {
	n.single(i, what)
	return n.largest(i, what)[0]
}

// upTo is most of a number of entries, of which there are so many.
func (n *node) upTo(i int, what string, entries int) int64 {
	n.single(i, what)
	lo, hi := n.bounds(i, what)
	if lo[0] != hi[0] {
		return min(hi[0], int64(entries))
	}
	return hi[0]
}

// single refuses an input that is not one value.
func (n *node) single(i int, what string) {
	if v := n.in[i]; v.shape.Size() != 1 {
		n.fail("%s (input %d, %.80q) has %d values: one wanted", what, i, v.name, v.shape.Size())
	}
}

// distance are the bounds of the integer k of input j less that of input i.
func (n *node) distance(i, j, k int) (lo, hi int64) {
	return n.intervals.Distance(n.id(n.in[i]), k, n.id(n.in[j]), k)
}

// longest is the part of an extent from a start to an end, both of which are in intervals and at some distance, that is as
// long as theirs may be. Numbers below 0 count from the end.
func longest(extent int64, start, end, distance [2]int64) (from, to int64) {
	clamp := func(k int64) int64 { return min(max(k, 0), extent) }
	first, last := int64(0), max(clamp(end[1]), extent-1)
	switch {
	case start[0] >= 0:
		first = clamp(start[0])
	case start[1] < 0:
		first = clamp(start[0] + extent)
	}
	switch {
	case end[0] >= 0:
		last = clamp(end[1])
	case end[1] < 0:
		last = clamp(end[1] + extent)
	}
	long := max(distance[1], 0)
	if distance[0] < 0 && end[0] < 0 && start[1] >= 0 { // the end may be behind the start, counted from the other side
		long = max(long, extent-1)
	}
	long = min(long, max(last-first, 0))
	return first, first + long
}

// cut is from where to where Slice takes extent number i, by the bounds of the starts and the ends.
func (n *node) cut(i int, extent int64, edges [2][2][]int64, step int64) (from, to int64) {
	start, end := [2]int64{edges[0][0][i], edges[0][1][i]}, [2]int64{edges[1][0][i], edges[1][1][i]}
	if start[0] == start[1] && end[0] == end[1] {
		return start[0], end[0]
	}
	if step < 0 { // at most all of it
		return extent - 1, -extent - 1
	}
	lo, hi := n.distance(1, 2, i)
	return longest(extent, start, end, [2]int64{lo, hi})
}

// longestParts are the parts of x along an axis whose sizes are at most these, each by itself.
func (n *node) longestParts(x *value, axis int, sizes []int64) (out []*value) {
	if len(sizes) != len(n.p.out) {
		n.fail("%d sizes for %d outputs", len(sizes), len(n.p.out))
	}
	x = n.sized(n.name+"/Sized", x, op.Extents)
	for _, s := range sizes {
		out = append(out, n.piece(x, axis, 0, min(max(s, 0), int64(x.shape[axis]))))
	}
	return out
}

// span is from where to where Range goes in whole numbers, as far as their bounds allow.
func (n *node) span() (start, limit, delta int64) {
	var lo, hi [3]int64
	for i, name := range []string{"start", "limit", "delta"} {
		l, h := n.bounds(i, name)
		lo[i], hi[i] = l[0], h[0]
	}
	if lo == hi {
		return lo[0], lo[1], lo[2]
	}
	if lo[2] != hi[2] {
		n.bound(2, "delta", interval.Unbounded)
	}
	least, most := n.distance(0, 1, 0)
	if hi[2] < 0 {
		most = least
	}
	if most > maxRange || most < -maxRange {
		most = interval.Unbounded
	}
	n.bound(0, "start", most)
	return 0, n.bound(1, "limit", most), hi[2]
}
