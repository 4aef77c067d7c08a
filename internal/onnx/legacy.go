package onnx

import (
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// What opsets 1 to 6 spell otherwise (onnx/onnx, docs/Changelog.md).

// elementwise lowers an operator of two inputs. Up to opset 6 the second one is stretched only where broadcast is set: its
// dimensions are the last of the first one's, or those from axis on.
func elementwise(n *node) []*value {
	if n.opset >= 7 || len(n.in) != 2 {
		return same(n)
	}
	in := n.all()
	return one(n.op(n.p.opType, nil, in[0], n.legacyOperand(in[0], in[1])))
}

func (n *node) legacyOperand(a, b *value) *value {
	at, stretch := n.attr("axis", attrInt), n.int("broadcast", 0) != 0
	switch {
	case a.shape.Equal(b.shape):
		return b
	case !stretch:
		n.fail("inputs of %v and %v: one shape, or broadcast = 1, wanted up to opset 6", a.shape, b.shape)
	case b.shape.Size() == 1:
		return n.toScalar(b)
	}
	from := len(a.shape) - len(b.shape)
	if at != nil {
		from = n.axis(at.i, len(a.shape), 0)
	}
	if from < 0 || from+len(b.shape) > len(a.shape) {
		n.fail("input of %v at axis %d of %v", b.shape, from, a.shape)
	}
	for i, d := range b.shape {
		if d != a.shape[from+i] && d != 1 {
			n.fail("input of %v at axis %d of %v: equal extents wanted", b.shape, from, a.shape)
		}
	}
	if from+len(b.shape) == len(a.shape) {
		return b
	}
	return n.via(b, append(slices.Clone(b.shape), slices.Repeat(tensor.Shape{1}, len(a.shape)-from-len(b.shape))...))
}

// prelu lowers PRelu, whose slope is up to opset 6 one number, or one a channel.
func prelu(n *node) []*value {
	if n.opset >= 7 {
		return same(n)
	}
	n.arity(2, 2)
	x, slope := n.in[0], n.in[1]
	switch {
	case slope.shape.Size() == 1:
		slope = n.toScalar(slope)
	case len(x.shape) > 2 && len(slope.shape) == 1 && slope.shape[0] == x.shape[1]:
		slope = n.channels(slope, x)
	}
	return one(n.op("PRelu", nil, x, slope))
}

// channels is v, of one value a channel of x, in a shape that stretches to x's.
func (n *node) channels(v, x *value) *value {
	s := slices.Repeat(tensor.Shape{1}, len(x.shape)-1)
	s[0] = v.shape.Size()
	return n.via(v, s)
}

// gemm lowers Gemm, whose third input is up to opset 6 there and stretched only where broadcast is set.
func gemm(n *node) []*value {
	if n.opset >= 7 {
		return same(n)
	}
	n.arity(3, 3)
	a := n.attrs("Gemm")
	rows, cols := n.in[0].shape, n.in[1].shape
	if len(rows) != 2 || len(cols) != 2 {
		n.fail("inputs of %v and %v: matrices wanted", rows, cols)
	}
	m, k := rows[0], cols[1]
	if n.int("transA", 0) != 0 {
		m = rows[1]
	}
	if n.int("transB", 0) != 0 {
		k = cols[0]
	}
	if n.int("broadcast", 0) == 0 && !n.in[2].shape.Equal(tensor.Shape{m, k}) {
		n.fail("input 2 of %v: %dx%d, or broadcast = 1, wanted up to opset 6", n.in[2].shape, m, k)
	}
	return one(n.op("Gemm", a, n.in...))
}

// normEach is a BatchNormalization whose statistics are of each value of an image: spatial = 0.
func (n *node) normEach() []*value {
	x := n.in[0]
	each := func(v *value) *value {
		if len(x.shape) < 2 || v.shape.Size() != x.shape[1:].Size() {
			n.fail("statistics of %v for %v: one a value of an image wanted where spatial is 0", v.shape, x.shape)
		}
		return n.via(v, x.shape[1:])
	}
	scale, bias, mean, variance := each(n.in[1]), each(n.in[2]), each(n.in[3]), each(n.in[4])
	eps := n.scalar("epsilon", x.typ, float64(n.float("epsilon", 1e-5)))
	deviation := n.sub("Sqrt", nil, n.sub("Add", nil, variance, eps))
	y := n.sub("Mul", nil, n.sub("Sub", nil, x, mean), n.sub("Div", nil, scale, deviation))
	return one(n.op("Add", nil, y, bias))
}

// selu lowers Selu, whose constants have fewer digits before opset 6.
func selu(n *node) []*value {
	if n.opset >= 6 {
		return same(n)
	}
	n.arity(1, 1)
	return one(n.op("Selu", op.Attrs{"alpha": n.float("alpha", 1.6732), "gamma": n.float("gamma", 1.0507)}, n.in[0]))
}

// power is the p of a norm, which opset 1 has as a float.
func (n *node) power() int64 {
	if n.opset >= 2 {
		return n.int("p", 2)
	}
	p := n.float("p", 2)
	if p != float32(int32(p)) {
		n.fail("p %v: a whole number wanted", p)
	}
	return int64(p)
}

// concat lowers Concat, whose axis is 1 before opset 4 where it is left out.
func concat(n *node) []*value {
	if n.opset < 4 && !n.has("axis") {
		return one(n.op("Concat", op.Attrs{"axis": int64(1)}, n.all()...))
	}
	return same(n)
}

// castNames are the types that Cast names before opset 6, in upper case.
var castNames = map[string]int64{
	"FLOAT": 1, "UINT8": 2, "INT8": 3, "UINT16": 4, "INT16": 5, "INT32": 6, "INT64": 7, "STRING": 8, "BOOL": 9, "FLOAT16": 10,
	"DOUBLE": 11, "UINT32": 12, "UINT64": 13, "COMPLEX64": 14, "COMPLEX128": 15,
}

// tileAlong lowers Tile before opset 6: so many copies along one axis.
func tileAlong(n *node) []*value {
	n.arity(3, 3)
	tiles, axis := n.wholeNumber(1, "tiles"), n.wholeNumber(2, "axis")
	repeats := slices.Repeat([]int64{1}, len(n.in[0].shape))
	repeats[n.axis(axis, len(repeats), 0)] = tiles
	return one(n.op("Tile", op.Attrs{"repeats": repeats}, n.in[0]))
}

// wholeNumber is the value of an input of one whole number, of any type.
func (n *node) wholeNumber(i int, what string) int64 {
	t := n.constant(i, what)
	if t.Shape.Size() != 1 {
		n.fail("%s (input %d) has shape %v: one value wanted", what, i, t.Shape)
	}
	return t.Convert(tensor.Int64).Ints()[0]
}

// The experimental operators of opsets 1 to 9 (onnx/onnx v1.4, docs/Operators.md), which converters of that time wrote.

func affine(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	y := n.sub("Mul", nil, x, n.scalar("alpha", x.typ, float64(n.float("alpha", 1))))
	return one(n.op("Add", nil, y, n.scalar("beta", x.typ, float64(n.float("beta", 0)))))
}

func scaleBy(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	return one(n.op("Mul", nil, x, n.scalar("scale", x.typ, float64(n.float("scale", 1)))))
}

func imageScaler(n *node) []*value {
	n.arity(1, 1)
	x, bias := n.in[0], n.floats("bias")
	if len(x.shape) != 4 || len(bias) != x.shape[1] {
		n.fail("bias of %d values for %v: one a channel wanted", len(bias), x.shape)
	}
	y := n.sub("Mul", nil, x, n.scalar("scale", x.typ, float64(n.float("scale", 1))))
	b := known(n.name+"/bias", tensor.Floats32(tensor.Shape{len(bias), 1, 1}, bias))
	return one(n.op("Add", nil, y, n.cast(b, x.typ)))
}

func scaledTanh(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	y := n.sub("Tanh", nil, n.sub("Mul", nil, x, n.scalar("beta", x.typ, float64(n.float("beta", 1)))))
	return one(n.op("Mul", nil, y, n.scalar("alpha", x.typ, float64(n.float("alpha", 1)))))
}

func parametricSoftplus(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	y := n.sub("Softplus", nil, n.sub("Mul", nil, x, n.scalar("beta", x.typ, float64(n.float("beta", 1)))))
	return one(n.op("Mul", nil, y, n.scalar("alpha", x.typ, float64(n.float("alpha", 1)))))
}
