package onnx

import (
	"fmt"
	"math"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// integers writes an operator on integers, or one that makes them, if ONNX spells it otherwise than its row does; t
// is the type of its value.
func (e *encoder) integers(name string, o *op.Op, a op.Attrs, t tensor.Type, in []string, out string) (done bool, err error) {
	switch {
	case o.Name == "QuantizeLinear" || o.Name == "DequantizeLinear":
		a = a.Clone()
		if a.Int("block_size") == 0 {
			delete(a, "block_size")
		}
		e.node(name, o.Name, attributes(a), in, out)
	case o.Name == "DynamicQuantizeScale":
		e.nodeOf("", name, "DynamicQuantizeLinear", nil, in, []string{e.unique(name + "/value"), out, e.unique(name + "/zero_point")})
	case o.Name == "DynamicQuantizeZeroPoint":
		e.nodeOf("", name, "DynamicQuantizeLinear", nil, in, []string{e.unique(name + "/value"), e.unique(name + "/scale"), out})
	case o.Name == "QGemm":
		a = a.Clone()
		delete(a, "beta")
		in = []string{in[0], in[2], in[3], in[1], in[4], in[5], at(in, 8), in[6], in[7]}
		e.clamped(name, microsoft, o, a, t, in, out)
	case o.Name == "QLinearConv" || o.Name == "QLinearMatMul":
		in = append([]string{in[0], in[2], in[3], in[1]}, in[4:]...)
		e.clamped(name, "", o, a, t, in, out)
	case o.ToFloat():
		axis := int64(1)
		if o.Real == "Conv" || o.Real == "Gemm" && a.Int("transB") != 0 {
			axis = 0
		}
		if o.Real == "MatMul" {
			axis = -1
		}
		x, w := e.dequantized(name, 0, 1, in[0], in[2], in[3]), e.dequantized(name, 1, axis, in[1], in[4], in[5])
		return true, e.callReal(name, o, a, append([]string{x, w}, in[6:]...), out)
	case o.Real != "" && o.MACs == nil:
		n := o.Values(len(in))
		var x []string
		for i := range n {
			x = append(x, e.dequantized(name, i, 1, in[i], in[n+2*i], in[n+2*i+1]))
		}
		y := e.unique(name + "/" + o.Real)
		a, clamped, clip := e.clamp(name, a, t, out)
		if err := e.callReal(y, o, a, x, y); err != nil {
			return true, err
		}
		e.node(name, "QuantizeLinear", attributes(op.Attrs{"axis": int64(1)}), []string{y, in[3*n], in[3*n+1]}, clamped)
		clip()
	default:
		return false, nil
	}
	return true, nil
}

func at(in []string, i int) string {
	if i < len(in) {
		return in[i]
	}
	return ""
}

// callReal adds the node of an operator on real numbers that a row is the form of.
func (e *encoder) callReal(name string, o *op.Op, a op.Attrs, in []string, out string) error {
	real, err := op.Lookup(o.Real)
	if err != nil {
		return err
	}
	return e.call(name, real, a, tensor.Float32, in, out)
}

// dequantized adds the node that turns operand i of another into real numbers.
func (e *encoder) dequantized(name string, i int, axis int64, x, scale, zero string) string {
	y := e.unique(fmt.Sprintf("%s/DequantizeLinear_%d", name, i))
	e.node(y, "DequantizeLinear", attributes(op.Attrs{"axis": axis}), []string{x, scale, zero}, y)
	return y
}

// clamped adds a product on integers, and a Clip where its value is clamped.
func (e *encoder) clamped(name, domain string, o *op.Op, a op.Attrs, t tensor.Type, in []string, out string) {
	a, y, clip := e.clamp(name, a, t, out)
	e.nodeOf(domain, name, o.Name, attributes(a), in, []string{y})
	clip()
}

// clamp returns the attributes of an operator on integers without their bounds, the name of its value, and what
// adds the Clip after it; without bounds the name is out.
func (e *encoder) clamp(name string, a op.Attrs, t tensor.Type, out string) (op.Attrs, string, func()) {
	a = a.Clone()
	low, high := a.Int("low"), a.Int("high")
	delete(a, "low")
	delete(a, "high")
	least, most := math.MinInt8, math.MaxInt8
	if t == tensor.Uint8 {
		least, most = 0, math.MaxUint8
	}
	if low <= least && high >= most {
		return a, out, func() {}
	}
	y := e.unique(name + "/clipped")
	bound := func(what string, v int) string {
		return e.helper(name+what, filled(t, tensor.Shape{}, float64(min(max(v, least), most))))
	}
	return a, y, func() {
		e.node(e.unique(name+"/Clip"), "Clip", nil, []string{y, bound("/min", low), bound("/max", high)}, out)
	}
}

// attributes are all attributes as AttributeProto fields.
func attributes(a op.Attrs) (b []byte) {
	for _, n := range a.Names() {
		b = appendMessage(b, 5, attribute(n, a[n]))
	}
	return b
}
