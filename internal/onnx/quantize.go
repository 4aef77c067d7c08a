package onnx

import (
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// zero is input i, or zero points of 0 for the scales s where it is left out.
func (n *node) zero(i int, t tensor.Type, s tensor.Shape) *value {
	if v := n.opt(i); v != nil {
		return v
	}
	return known("zero", tensor.New(t, s))
}

// scaled reads what QuantizeLinear and DequantizeLinear have in common.
func (n *node) scaled() op.Attrs {
	n.arity(2, 3)
	a := op.Attrs{"axis": int64(1), "block_size": n.int("block_size", 0)}
	if axis := n.int("axis", 1); n.in[1].shape.Size() != 1 || n.int("block_size", 0) != 0 {
		a["axis"] = axis // of a single scale it says nothing
	}
	return a
}

func quantizeLinear(n *node) []*value {
	a := n.scaled()
	n.ignore("saturate") // of types of 8 bits that are floating ones
	to := tensor.Uint8
	if t := n.int("output_dtype", 0); t != 0 {
		var err error
		to, err = elemType(t)
		n.check(err)
	}
	if p := n.int("precision", 0); p != 0 && p != int64(tensor.Float32) {
		n.fail("precision %d: that of float32 wanted", p)
	}
	return one(n.op("QuantizeLinear", a, n.in[0], n.in[1], n.zero(2, to, n.in[1].shape)))
}

func dequantizeLinear(n *node) []*value {
	a := n.scaled()
	if t := n.int("output_dtype", 0); t != 0 && t != int64(n.in[1].typ) {
		n.fail("output_dtype %d: that of the scale, %v, wanted", t, n.in[1].typ)
	}
	return one(n.op("DequantizeLinear", a, n.in[0], n.in[1], n.zero(2, n.in[0].typ, n.in[1].shape)))
}

// dynamicQuantizeLinear makes what is read of the value, its scale and its zero point.
func dynamicQuantizeLinear(n *node) []*value {
	n.arity(1, 1)
	x, reads := n.in[0], make([]bool, 3)
	made := 0
	for i, name := range n.p.out[:min(3, len(n.p.out))] {
		if reads[i] = n.read[name]; reads[i] {
			made++
		}
	}
	part := n.sub
	if made == 1 && !reads[0] {
		part = n.op
	}
	out := make([]*value, 3)
	if reads[0] || reads[1] {
		out[1] = part("DynamicQuantizeScale", nil, x)
	}
	if reads[0] || reads[2] {
		out[2] = part("DynamicQuantizeZeroPoint", nil, x)
	}
	if reads[0] {
		out[0] = n.op("QuantizeLinear", nil, x, out[1], out[2])
	}
	return out
}

func convInteger(n *node) []*value {
	n.arity(2, 4)
	return one(n.op("ConvInteger", n.convolution(n.in[0], n.in[1]),
		n.in[0], n.in[1], n.zero(2, n.in[0].typ, tensor.Shape{}), n.zero(3, n.in[1].typ, tensor.Shape{})))
}

func matMulInteger(n *node) []*value {
	n.arity(2, 4)
	return one(n.op("MatMulInteger", nil,
		n.in[0], n.in[1], n.zero(2, n.in[0].typ, tensor.Shape{}), n.zero(3, n.in[1].typ, tensor.Shape{})))
}

// qLinear are the operands of a product on integers, in the order of the canonical form: what is multiplied comes first.
func (n *node) qLinear() []*value {
	in := n.all()
	return append([]*value{in[0], in[3], in[1], in[2], in[4], in[5]}, in[6:]...)
}

func qLinearConv(n *node) []*value {
	n.arity(8, 9)
	return one(n.op("QLinearConv", n.convolution(n.in[0], n.in[3]), n.qLinear()...))
}

// qLinearConvLast is com.microsoft's, whose channels may be behind the positions.
func qLinearConvLast(n *node) []*value {
	n.arity(8, 9)
	return n.channelsFirst(n.qLinear(), func(put func(string, op.Attrs, ...*value) *value, in []*value) *value {
		return put("QLinearConv", n.convolution(in[0], in[1]), in...)
	})
}

func qLinearMatMul(n *node) []*value {
	n.arity(8, 8)
	return one(n.op("QLinearMatMul", nil, n.qLinear()...))
}

// coded are input i and the scale and the zero point that follow it.
func (n *node) coded(i int) (x, scale, zero *value) {
	if n.opt(i) == nil || n.opt(i+1) == nil {
		n.fail("input %d and its scale: both wanted", i)
	}
	x, scale = n.in[i], n.in[i+1]
	return x, scale, n.zero(i+2, x.typ, scale.shape)
}

// scaleOf are the scale of the value, input i, and its zero point, which follows it.
func (n *node) scaleOf(i int, t tensor.Type) []*value {
	if n.opt(i) == nil {
		n.fail("input %d, the scale of the value, is left out", i)
	}
	return []*value{n.in[i], n.zero(i+1, t, n.in[i].shape)}
}

// onIntegers are the operands of a row on integers: so many values from input first on, each followed by scale and zero point, and
// scale and zero point of the value, which begin at input out.
func (n *node) onIntegers(values, first, out int) []*value {
	var in, scales []*value
	for i := range values {
		x, scale, zero := n.coded(first + 3*i)
		in, scales = append(in, x), append(scales, scale, zero)
	}
	return slices.Concat(in, scales, n.scaleOf(out, in[0].typ))
}

// channelsFirst makes the value, by f, of the first operand with its channels before the positions. With the attribute channels_last
// they are behind them in the node's input and in its value.
func (n *node) channelsFirst(in []*value, f func(put func(string, op.Attrs, ...*value) *value, in []*value) *value) []*value {
	if n.int("channels_last", 0) == 0 {
		return one(f(n.op, in))
	}
	n.spatial(in[0])
	to, back := channelsLast(len(in[0].shape))
	in = slices.Clone(in)
	in[0] = n.sub("Transpose", op.Attrs{"perm": to}, in[0])
	return one(n.op("Transpose", op.Attrs{"perm": back}, f(n.sub, in)))
}

// channelsLast are the orders of dimensions that move channels from the last place to the second, and back.
func channelsLast(rank int) (to, back []int64) {
	to, back = []int64{0, int64(rank - 1)}, []int64{0}
	for k := 1; k < rank-1; k++ {
		to, back = append(to, int64(k)), append(back, int64(k+1))
	}
	return to, append(back, 1)
}

// qLinearOf lowers an operator of so many values that are integers: each is followed by scale and zero point, and
// those of the value are last.
func qLinearOf(opName string, values int) func(n *node) []*value {
	return func(n *node) []*value {
		n.arity(3*values+1, 3*values+2)
		return n.qLinearAs(opName, nil, values)
	}
}

func (n *node) qLinearAs(opName string, a op.Attrs, values int) []*value {
	return one(n.op(op.QLinear(opName), a, n.onIntegers(values, 0, 3*values)...))
}

func qLinearLeakyRelu(n *node) []*value {
	n.arity(4, 5)
	return n.qLinearAs("LeakyRelu", op.Attrs{"alpha": n.float("alpha", 0.01)}, 1)
}

func qLinearSoftmax(n *node) []*value {
	n.arity(4, 5)
	opset := n.int("opset", 13)
	if axis := n.axis(n.int("axis", -1), len(n.in[0].shape), 0); opset < 13 && axis != len(n.in[0].shape)-1 {
		n.fail("axis %d as of opset %d: the last, or that of opset 13, wanted", axis, opset)
	}
	return n.qLinearAs("Softmax", op.Attrs{"axis": n.int("axis", -1)}, 1)
}

func qLinearReduceMean(n *node) []*value {
	n.arity(4, 5)
	axes := n.ints("axes")
	if axes == nil {
		for d := range n.in[0].shape {
			axes = append(axes, int64(d))
		}
	}
	return n.qLinearAs("ReduceMean", op.Attrs{"axes": axes, "keepdims": n.int("keepdims", 1)}, 1)
}

func qLinearGlobalAveragePool(n *node) []*value {
	n.arity(4, 5)
	return n.channelsFirst(n.onIntegers(1, 0, 3), func(put func(string, op.Attrs, ...*value) *value, in []*value) *value {
		return put(op.QLinear("GlobalAveragePool"), nil, in...)
	})
}

func qLinearAveragePool(n *node) []*value {
	n.arity(4, 5)
	return n.channelsFirst(n.onIntegers(1, 0, 3), func(put func(string, op.Attrs, ...*value) *value, in []*value) *value {
		x := *n
		x.in = in
		return x.pool("AveragePool", func(_ string, a op.Attrs, _ ...*value) *value {
			return put(op.QLinear("AveragePool"), a, in...)
		}, op.Attrs{"count_include_pad": n.int("count_include_pad", 0)})
	})
}

// qLinearConcat has the scale and the zero point of the value first, then each operand with its own.
func qLinearConcat(n *node) []*value {
	n.arity(5, len(n.in))
	if len(n.in)%3 != 2 {
		n.fail("%d inputs: scale and zero point, and three for each value, wanted", len(n.in))
	}
	if !n.has("axis") {
		n.fail("axis is missing")
	}
	return one(n.op(op.QLinear("Concat"), op.Attrs{"axis": n.int("axis", 0)}, n.onIntegers(len(n.in)/3, 2, 0)...))
}

// qGemm has integers or, without scale and zero point of the value, real numbers as its value.
func qGemm(n *node) []*value {
	n.arity(6, 9)
	a := op.Attrs{"alpha": n.float("alpha", 1), "transA": n.int("transA", 0), "transB": n.int("transB", 0)}
	in := n.in
	x := []*value{in[0], in[3], in[1], in[2], in[4], in[5]}
	bias, scale := n.opt(6), n.opt(7)
	if scale != nil {
		x = append(x, scale, n.zero(8, in[0].typ, scale.shape))
		if bias != nil {
			x = append(x, bias)
		}
		return one(n.op("QGemm", a, x...))
	}
	if bias == nil {
		return one(n.op("GemmIntegerToFloat", a, x...))
	}
	// The bias counts in units of both scales.
	unit := n.sub("Mul", nil, in[1], in[4])
	if alpha := n.float("alpha", 1); alpha != 1 {
		unit = n.sub("Mul", nil, unit, known("alpha", filled(tensor.Float32, tensor.Shape{}, float64(alpha))))
	}
	if unit.shape.Size() == 1 && len(unit.shape) > 1 {
		n.fail("scales %v and %v: one number, or one an output, wanted", in[1].shape, in[4].shape)
	}
	axis := int64(len(bias.shape) - 1)
	real := n.sub("DequantizeLinear", op.Attrs{"axis": max(axis, 0)}, bias, unit, known("zero", tensor.New(tensor.Int32, unit.shape)))
	return one(n.op("GemmIntegerToFloat", a, append(x, real)...))
}

func matMulIntegerToFloat(n *node) []*value {
	n.arity(4, 7)
	x := []*value{n.in[0], n.in[1], n.in[2], n.zero(4, n.in[0].typ, n.in[2].shape), n.in[3], n.zero(5, n.in[1].typ, n.in[3].shape)}
	return n.biased(6, x...)
}

// biased is a product on integers with a bias that is input i, if that is there.
func (n *node) biased(i int, x ...*value) []*value {
	b := n.opt(i)
	if b == nil {
		return one(n.op("MatMulIntegerToFloat", nil, x...))
	}
	return one(n.op("Add", nil, n.sub("MatMulIntegerToFloat", nil, x...), b))
}

func dynamicQuantizeMatMul(n *node) []*value {
	n.arity(3, 5)
	scale, zero := n.sub("DynamicQuantizeScale", nil, n.in[0]), n.sub("DynamicQuantizeZeroPoint", nil, n.in[0])
	x := n.sub("QuantizeLinear", nil, n.in[0], scale, zero)
	return n.biased(4, x, n.in[1], scale, zero, n.in[2], n.zero(3, n.in[1].typ, n.in[2].shape))
}

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"

// notesOfIntegers are notes of operators on integers.
var notesOfIntegers = map[string]note{
	"DynamicQuantizeMatMul":    {becomes: "DynamicQuantizeScale DynamicQuantizeZeroPoint QuantizeLinear MatMulIntegerToFloat Add"},
	"DequantizeLinear":         {limits: "as QuantizeLinear"},
	"MatMulIntegerToFloat":     {becomes: "MatMulIntegerToFloat Add", limits: "as QLinearMatMul"},
	"MatMulInteger":            {limits: "a zero point a row"},
	"QGemm":                    {becomes: "QGemm GemmIntegerToFloat DequantizeLinear Mul"},
	"QLinearMatMul":            {limits: "a scale a row"},
	"QuantizeLinear":           {limits: "types but int8 and uint8"},
	"QLinearAveragePool":       {becomes: "QLinearAveragePool Transpose"},
	"QLinearGlobalAveragePool": {becomes: "QLinearGlobalAveragePool Transpose"},
	"QLinearSoftmax":           {limits: "an axis but the last, before opset 13"},
}

// notesOfMicrosoft are notes of operators of com.microsoft that are in ONNX too, where they do not hold.
var notesOfMicrosoft = map[string]note{
	"QLinearConv": {becomes: "QLinearConv Transpose"},
}

// noteOf is the note of an operator of a domain.
func noteOf(domain, name string) (note, bool) {
	if n, ok := notesOfMicrosoft[name]; ok && domain == microsoft {
		return n, true
	}
	if n, ok := notesOfIntegers[name]; ok {
		return n, true
	}
	n, ok := notes[name]
	return n, ok
}
