package onnx

import (
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// reduce lowers a reduction whose axes are an input from opset axesInput on.
func reduce(opName string, axesInput int) func(*node) []*value {
	return func(n *node) []*value {
		x, a := n.reduction(axesInput)
		if a == nil {
			if opName == "ReduceL2" {
				return one(n.op("Abs", nil, x))
			}
			return one(x)
		}
		return one(n.op(opName, a, x))
	}
}

// reduction reads axes and keepdims; nil attributes mean that nothing is
// reduced.
func (n *node) reduction(axesInput int) (*value, op.Attrs) {
	if n.opset < axesInput {
		n.arity(1, 1)
	} else {
		n.arity(1, 2)
	}
	x := n.in[0]
	axes := n.intsOrInput("axes", 1, axesInput)
	noop := n.opset >= axesInput && n.int("noop_with_empty_axes", 0) != 0
	keep := n.int("keepdims", 1)
	if len(axes) == 0 {
		if noop {
			return x, nil
		}
		axes = []int64{}
		for i := range x.shape {
			axes = append(axes, int64(i))
		}
	}
	seen := make([]bool, len(x.shape))
	for _, v := range axes {
		k := n.axis(v, len(x.shape), 0)
		if seen[k] {
			n.fail("axes %v of %v: each axis once wanted", axes, x.shape)
		}
		seen[k] = true
	}
	sorted := []int64{}
	for k, s := range seen {
		if s {
			sorted = append(sorted, int64(k))
		}
	}
	return x, op.Attrs{"axes": sorted, "keepdims": keep}
}

func reduceL1(n *node) []*value {
	x, a := n.reduction(18)
	if a == nil {
		return one(n.op("Abs", nil, x))
	}
	return one(n.op("ReduceSum", a, n.sub("Abs", nil, x)))
}

func reduceSumSquare(n *node) []*value {
	x, a := n.reduction(18)
	if a == nil {
		return one(n.op("Mul", nil, x, x))
	}
	return one(n.op("ReduceSum", a, n.sub("Mul", nil, x, x)))
}

func reduceLogSum(n *node) []*value {
	x, a := n.reduction(18)
	if a != nil {
		x = n.sub("ReduceSum", a, x)
	}
	return one(n.op("Log", nil, x))
}

// reduceLogSumExp takes the greatest value out, as any runtime must: exp
// overflows above 88.
func reduceLogSumExp(n *node) []*value {
	x, a := n.reduction(18)
	if a == nil {
		return one(x)
	}
	wide := op.Attrs{"axes": a["axes"], "keepdims": int64(1)}
	top := n.sub("ReduceMax", wide, x)
	y := n.sub("Log", nil, n.sub("ReduceSum", wide, n.sub("Exp", nil, n.sub("Sub", nil, x, top))))
	if a.Int("keepdims") != 0 {
		return one(n.op("Add", nil, y, top))
	}
	s := tensor.Shape{}
	axes := a.Ints("axes")
	for i, d := range x.shape {
		if len(axes) > 0 && axes[0] == i {
			axes = axes[1:]
		} else {
			s = append(s, d)
		}
	}
	return n.to(n.sub("Add", nil, y, top), s)
}

func argExtreme(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	axis := n.axis(n.int("axis", 0), len(x.shape), 0)
	a := op.Attrs{"axis": int64(axis), "keepdims": n.int("keepdims", 1)}
	if n.opset >= 12 {
		a["select_last_index"] = n.int("select_last_index", 0)
	}
	return one(n.op(n.p.opType, a, x))
}

// softmax lowers Softmax, LogSoftmax and Hardmax. Before opset 13 they flatten the
// dimensions from axis on, and those before it.
func softmax(n *node) []*value {
	n.arity(1, 1)
	x, name := n.in[0], n.p.opType
	if n.opset >= 13 {
		axis := n.axis(n.int("axis", -1), len(x.shape), 0)
		return one(n.op(name, op.Attrs{"axis": int64(axis)}, x))
	}
	axis := n.axis(n.int("axis", 1), len(x.shape), 0)
	if x.shape[axis:].Size() == x.shape[axis] {
		return one(n.op(name, op.Attrs{"axis": int64(axis)}, x))
	}
	flat := n.via(x, tensor.Shape{x.shape[:axis].Size(), x.shape[axis:].Size()})
	return n.to(n.sub(name, op.Attrs{"axis": int64(1)}, flat), x.shape)
}
