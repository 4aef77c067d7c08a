package onnx

import (
	"math"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// wants reports whether something reads output i.
func (n *node) wants(i int) bool {
	return i < len(n.p.out) && n.p.out[i] != "" && n.read[n.p.out[i]]
}

// topK lowers TopK to the indices, and to what they gather. k is an attribute
// before opset 10.
func topK(n *node) []*value {
	var k int64
	if n.opset < 10 {
		n.arity(1, 1)
		k = n.int("k", -1)
	} else {
		n.arity(2, 2)
		k = n.upTo(1, "k", n.in[0].shape[n.axis(n.int("axis", -1), len(n.in[0].shape), 0)])
	}
	x := n.in[0]
	axis := int64(n.axis(n.int("axis", -1), len(x.shape), 0))
	a := op.Attrs{"k": k, "axis": axis, "largest": n.int("largest", 1)}
	n.ignore("sorted") // unsorted is any order, and sorted is one
	if !n.wants(0) {
		return []*value{nil, n.op("TopK", a, x)}
	}
	at := n.sub("TopK", a, x)
	return []*value{n.op("GatherElements", op.Attrs{"axis": axis}, x, at), at}
}

func cumSum(n *node) []*value {
	n.arity(2, 2)
	axis := n.axis(n.whole(1, "axis"), len(n.in[0].shape), 0)
	return one(n.op("CumSum", op.Attrs{"axis": int64(axis), "exclusive": n.int("exclusive", 0), "reverse": n.int("reverse", 0)}, n.in[0]))
}

// whole returns the constant integer of input i.
func (n *node) whole(i int, what string) int64 {
	v := n.constInts(i, what)
	if len(v) != 1 {
		n.fail("%s (input %d, %.80q) has %d values: one wanted", what, i, n.in[i].name, len(v))
	}
	return v[0]
}

func trilu(n *node) []*value {
	n.arity(1, 2)
	k := int64(0)
	if n.opt(1) != nil {
		k = min(max(n.whole(1, "k"), math.MinInt32), math.MaxInt32) // beyond every diagonal
	}
	return one(n.op("Trilu", op.Attrs{"upper": n.int("upper", 1), "k": k}, n.in[0]))
}

// eyeLike lowers EyeLike to a triangle of a triangle of ones, which leaves the k-th
// diagonal.
func eyeLike(n *node) []*value {
	n.arity(1, 1)
	x, k := n.in[0], n.int("k", 0)
	if len(x.shape) != 2 {
		n.fail("input of %v: two dimensions wanted", x.shape)
	}
	typ := x.typ
	if n.has("dtype") {
		t, err := elemType(n.int("dtype", 0))
		n.check(in(`attribute "dtype"`, err))
		typ = t
	}
	ones := n.sub("Expand", op.Attrs{"shape": int64s(x.shape)}, n.scalar("one", typ, 1))
	upper := n.sub("Trilu", op.Attrs{"k": k}, ones)
	return one(n.op("Trilu", op.Attrs{"k": k, "upper": int64(0)}, upper))
}

func oneHot(n *node) []*value {
	n.arity(3, 3)
	d := n.constant(1, "depth")
	if d.Shape.Size() != 1 {
		n.fail("depth (input 1, %.80q) has %d values: one wanted", n.in[1].name, d.Shape.Size())
	}
	depth := d.Convert(tensor.Int64).Ints()[0]
	axis := n.axis(n.int("axis", -1), len(n.in[0].shape)+1, 0)
	return one(n.op("OneHot", op.Attrs{"depth": depth, "axis": int64(axis)}, n.in[0], n.in[2]))
}

// scatter lowers Scatter, which ScatterElements replaced in opset 11.
func scatter(n *node) []*value {
	n.arity(3, 3)
	axis := n.axis(n.int("axis", 0), len(n.in[0].shape), 0)
	return one(n.op("ScatterElements", op.Attrs{"axis": int64(axis)}, n.in...))
}
