package onnx

import (
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

func qLinearMatMul(n *node) []*value {
	n.arity(8, 8)
	return one(n.op("QLinearMatMul", nil, n.qLinear()...))
}

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"
