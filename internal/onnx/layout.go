package onnx

import (
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// to makes the node's value a reshape of v.
func (n *node) to(v *value, s tensor.Shape) []*value {
	return one(n.op("Reshape", op.Attrs{"shape": int64s(s)}, v))
}

// via is a reshape of v on the way to the node's value.
func (n *node) via(v *value, s tensor.Shape) *value {
	return n.sub("Reshape", op.Attrs{"shape": int64s(s)}, v)
}

func reshape(n *node) []*value {
	if n.opset < 5 {
		n.arity(1, 1)
	} else {
		n.arity(2, 2)
	}
	x, stated := n.in[0], n.intsOrInput("shape", 1, 5)
	dims := slices.Clone(stated)
	keep := n.opset < 14 || n.int("allowzero", 0) == 0
	open := -1
	for i, d := range dims {
		if d == 0 && keep {
			if i >= len(x.shape) {
				n.fail("shape %v copies dimension %d of %v", stated, i, x.shape)
			}
			dims[i] = int64(x.shape[i])
		}
		if d == -1 {
			if open >= 0 {
				n.fail("shape %v: at most one -1 wanted", stated)
			}
			open, dims[i] = i, 1
		}
	}
	s := n.shapeFrom(dims)
	if open >= 0 {
		rest := s.Size()
		if rest == 0 || x.shape.Size()%rest != 0 {
			n.fail("%v does not divide into shape %v", x.shape, stated)
		}
		s[open] = x.shape.Size() / rest
	}
	return n.to(x, s)
}

func flatten(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	axis := n.int("axis", 1)
	if n.opset < 11 && axis < 0 {
		n.fail("axis %d: 0 or more wanted before opset 11", axis)
	}
	k := n.axis(axis, len(x.shape), 1)
	return n.to(x, tensor.Shape{x.shape[:k].Size(), x.shape[k:].Size()})
}

func squeeze(n *node) []*value {
	n.arity(1, 2)
	x := n.in[0]
	axes := n.intsOrInput("axes", 1, 13)
	drop := make([]bool, len(x.shape))
	for _, a := range axes {
		k := n.axis(a, len(x.shape), 0)
		if x.shape[k] != 1 {
			n.fail("axis %d of %v: an extent of 1 wanted", a, x.shape)
		}
		drop[k] = true
	}
	s := tensor.Shape{}
	for i, d := range x.shape {
		if !(drop[i] || axes == nil && d == 1) {
			s = append(s, d)
		}
	}
	return n.to(x, s)
}

func unsqueeze(n *node) []*value {
	n.arity(1, 2)
	x := n.in[0]
	axes := n.intsOrInput("axes", 1, 13)
	if axes == nil {
		n.fail("axes are missing")
	}
	rank := len(x.shape) + len(axes)
	added := make([]bool, rank)
	for _, a := range axes {
		k := n.axis(a, rank, 0)
		if added[k] {
			n.fail("axes %v: each axis once wanted", axes)
		}
		added[k] = true
	}
	s, rest := make(tensor.Shape, rank), x.shape
	for i := range s {
		if added[i] {
			s[i] = 1
		} else {
			s[i], rest = rest[0], rest[1:]
		}
	}
	return n.to(x, s)
}

func transpose(n *node) []*value {
	n.arity(1, 1)
	perm := n.ints("perm")
	if perm == nil {
		perm = []int64{}
		for i := range n.in[0].shape {
			perm = append(perm, int64(len(n.in[0].shape)-1-i))
		}
	}
	return one(n.op("Transpose", op.Attrs{"perm": perm}, n.in[0]))
}

func gather(n *node) []*value {
	n.arity(2, 2)
	axis := n.axis(n.int("axis", 0), len(n.in[0].shape), 0)
	if v := n.in[1].known; v != nil && !v.Type.Float() && v.Shape.Size() <= foldSize {
		rows := int64(n.in[0].shape[axis])
		for _, i := range v.Ints() {
			if i < -rows || i >= rows {
				n.fail("index %d of %v on axis %d: %d to %d wanted", i, n.in[0].shape, axis, -rows, rows-1)
			}
		}
	}
	return one(n.op("Gather", op.Attrs{"axis": int64(axis)}, n.in[0], n.in[1]))
}

// expand broadcasts the input and a shape against each other.
func expand(n *node) []*value {
	n.arity(2, 2)
	x, want := n.in[0].shape, n.shapeFrom(n.largest(1, "shape"))
	s := make(tensor.Shape, max(len(x), len(want)))
	for i := range s {
		a, b := 1, 1
		if k := i - len(s) + len(x); k >= 0 {
			a = x[k]
		}
		if k := i - len(s) + len(want); k >= 0 {
			b = want[k]
		}
		switch {
		case a == 1:
			s[i] = b
		case b == 1 || a == b:
			s[i] = a
		default:
			n.fail("shape %v does not broadcast with %v", want, x)
		}
	}
	return one(n.op("Expand", op.Attrs{"shape": int64s(s)}, n.in[0]))
}

func tile(n *node) []*value {
	if n.opset < 6 {
		return tileAlong(n)
	}
	n.arity(2, 2)
	return one(n.op("Tile", op.Attrs{"repeats": n.largest(1, "repeats")}, n.in[0]))
}

func slice(n *node) []*value {
	x := n.opt(0)
	var starts, ends, axes, steps []int64
	if n.opset < 10 {
		n.arity(1, 1)
		starts, ends, axes = n.ints("starts"), n.ints("ends"), n.ints("axes")
	} else {
		n.arity(3, 5)
		axes, steps = n.intsOrInput("axes", 3, 10), n.intsOrInput("steps", 4, 10)
	}
	var edges [2][2][]int64 // of starts and ends, the least and the largest
	if n.opset >= 10 {
		for i, name := range []string{"starts", "ends"} {
			edges[i][0], edges[i][1] = n.bounds(1+i, name)
		}
		starts, ends = edges[0][0], edges[1][1]
	}
	if axes == nil {
		for i := range starts {
			axes = append(axes, int64(i))
		}
	}
	if steps == nil {
		steps = slices.Repeat([]int64{1}, len(starts))
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		n.fail("%d starts, %d ends, %d axes, %d steps: as many of each wanted", len(starts), len(ends), len(axes), len(steps))
	}
	for i, a := range axes {
		axes[i] = int64(n.axis(a, len(x.shape), 0))
	}
	if n.opset >= 10 {
		for i, k := range axes {
			starts[i], ends[i] = n.cut(i, int64(x.shape[k]), edges, steps[i])
		}
	}
	return one(n.op("Slice", op.Attrs{"starts": orEmpty(starts), "ends": orEmpty(ends), "axes": orEmpty(axes), "steps": steps}, x))
}

// orEmpty is v, but not nil: attributes are lists, however short.
func orEmpty(v []int64) []int64 { return append([]int64{}, v...) }

// split lowers Split to a Slice for each output.
func split(n *node) []*value {
	n.arity(1, 2)
	x := n.in[0]
	axis := n.axis(n.int("axis", 0), len(x.shape), 0)
	extent := int64(x.shape[axis])
	var sizes, least []int64
	switch {
	case n.opt(1) != nil && (n.opset < 2 || n.opset >= 13):
		least, sizes = n.bounds(1, "split")
	case n.opset < 13:
		sizes = n.ints("split")
	}
	if !slices.Equal(sizes, least) && least != nil {
		return n.longestParts(x, axis, sizes)
	}
	parts := int64(len(n.p.out))
	if n.opset >= 18 {
		if k := n.int("num_outputs", parts); k != parts {
			n.fail("num_outputs %d with %d outputs", k, parts)
		}
	}
	if sizes == nil && parts > 0 {
		size := (extent + parts - 1) / parts
		if n.opset < 18 && extent%parts != 0 {
			n.fail("%d parts of dimension %d of %v: equal parts wanted", parts, axis, x.shape)
		}
		for i := range parts {
			sizes = append(sizes, max(min(size, extent-i*size), 0))
		}
	}
	if int64(len(sizes)) != parts {
		n.fail("%d sizes for %d outputs", len(sizes), parts)
	}
	var out []*value
	at := int64(0)
	for _, s := range sizes {
		if s < 0 || s > extent-at {
			n.fail("sizes %v do not fit dimension %d of %v", sizes, axis, x.shape)
		}
		out = append(out, n.piece(x, axis, at, at+s))
		at += s
	}
	if at != extent {
		n.fail("sizes %v do not fill dimension %d of %v", sizes, axis, x.shape)
	}
	return out
}

// piece is the part of x from one place to another along an axis.
func (n *node) piece(x *value, axis int, from, to int64) *value {
	return n.op("Slice", op.Attrs{"starts": []int64{from}, "ends": []int64{to}, "axes": []int64{int64(axis)}, "steps": []int64{1}}, x)
}

// pad lowers Pad; where opset 18 names axes, the others are not padded.
func pad(n *node) []*value {
	x := n.opt(0)
	var pads []int64
	fill := float32(0)
	if n.opset < 11 {
		n.arity(1, 1)
		name := "pads"
		if n.opset < 2 {
			name = "paddings"
		}
		pads, fill = orEmpty(n.ints(name)), n.float("value", 0)
	} else {
		n.arity(2, 4)
		pads = n.largest(1, "pads")
		if v := n.opt(2); v != nil {
			t := n.constant(2, "constant_value")
			if t.Type != x.typ || t.Shape.Size() != 1 {
				n.fail("constant_value (input 2, %.80q) is %v %v: one %v wanted", v.name, t.Type, t.Shape, x.typ)
			}
			fill = t.Convert(tensor.Float32).Floats()[0]
		}
		if axes := n.padAxes(); axes != nil {
			all := make([]int64, 2*len(x.shape))
			if len(pads) != 2*len(axes) {
				n.fail("pads %v for %d axes: two for each wanted", pads, len(axes))
			}
			for i, a := range axes {
				k := n.axis(a, len(x.shape), 0)
				all[k], all[len(x.shape)+k] = pads[i], pads[len(axes)+i]
			}
			pads = all
		}
	}
	return one(n.op("Pad", op.Attrs{"pads": pads, "mode": n.str("mode", "constant"), "value": fill}, x))
}

func (n *node) padAxes() []int64 {
	if n.opset < 18 && n.opt(3) != nil {
		n.fail("4 inputs: 2 to 3 wanted before opset 18")
	}
	return n.intsOrInput("axes", 3, 18)
}
