package simplify

import (
	"slices"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// The scales of these tests are powers of two, so that real numbers are exact and no rounding is close.

func (m maker) whole(t tensor.Type, v int64) graph.ID {
	x := tensor.New(t, tensor.Shape{})
	x.Ints()[0] = v
	return m.Const("z", x)
}

// wholes are integers from -7 to 7 in turn.
func (m maker) wholes(t tensor.Type, dims ...int) graph.ID {
	x := tensor.New(t, dims)
	for i := range x.Ints() {
		x.Ints()[i] = int64(i*7%15 - 7)
		if t == tensor.Uint8 {
			x.Ints()[i] += 7
		}
	}
	return m.Const("w", x)
}

func (m maker) q(name string, x graph.ID, scale float64, t tensor.Type, zero int64) graph.ID {
	return m.op(name, "QuantizeLinear", nil, x, m.scalar(scale), m.whole(t, zero))
}

func (m maker) dq(name string, x graph.ID, scale float64, zero int64) graph.ID {
	return m.op(name, "DequantizeLinear", nil, x, m.scalar(scale), m.whole(m.Peek().Nodes[x].Type, zero))
}

// qdq quantises and dequantises.
func (m maker) qdq(name string, x graph.ID, scale float64, zero int64) graph.ID {
	return m.dq(name+"d", m.q(name, x, scale, tensor.Uint8, zero), scale, zero)
}

var integerCases = []struct {
	name  string
	build func(m maker, x graph.ID) graph.ID
	want  string
}{
	{"convolution with a bias and a clip", func(m maker, x graph.ID) graph.ID {
		w := m.dq("wd", m.wholes(tensor.Int8, 6, 4, 3, 3), 0.25, 0)
		b := m.dq("bd", m.wholes(tensor.Int32, 6), 0.125, 0)
		y := m.op("conv", "Conv", convAttrs(3, 1, 1, 1), m.qdq("a", x, 0.5, 10), w, b)
		return m.qdq("y", m.op("clip", "Clip", op.Attrs{"min": float32(-2), "max": float32(9)}, m.op("relu", "Relu", nil, y)), 0.25, 4)
	}, "a = QuantizeLinear x\ny = QLinearConv a\nyd = DequantizeLinear y"},
	{"scales of outputs, and a bias of real numbers", func(m maker, x graph.ID) graph.ID {
		scales := m.Const("s", tensor.Floats32(tensor.Shape{4}, []float32{0.25, 0.5, 1, 2}))
		w := m.op("wd", "DequantizeLinear", op.Attrs{"axis": int64(0)}, m.wholes(tensor.Int8, 4, 1, 3, 3), scales, m.Const("z", tensor.New(tensor.Int8, tensor.Shape{4})))
		return m.qdq("y", m.op("conv", "Conv", convAttrs(3, 2, 1, 4), m.qdq("a", x, 0.5, 10), w, m.ramp(4)), 1, 100)
	}, "a = QuantizeLinear x\ny = QLinearConv a\nyd = DequantizeLinear y"},
	{"product of real value", func(m maker, x graph.ID) graph.ID {
		w := m.dq("wd", m.wholes(tensor.Int8, 6, 4, 3, 3), 0.25, 0)
		return m.op("relu", "Relu", nil, m.op("conv", "Conv", convAttrs(3, 1, 1, 1), m.qdq("a", x, 0.5, 10), w, m.ramp(6)))
	}, "a = QuantizeLinear x\nconv = ConvIntegerToFloat+Relu a"},
	{"operand that is no integer", func(m maker, x graph.ID) graph.ID {
		return m.op("conv", "Conv", convAttrs(1, 1, 0, 1), m.qdq("a", x, 0.5, 10), m.ramp(6, 4, 1, 1))
	}, "a = QuantizeLinear x\nad = DequantizeLinear a\nconv = Conv ad"},
	{"matrix products", func(m maker, x graph.ID) graph.ID {
		flat := m.op("flat", "Reshape", op.Attrs{"shape": []int64{1, 100}}, m.qdq("a", x, 0.5, 10))
		w := m.dq("wd", m.wholes(tensor.Int8, 12, 100), 0.25, 0)
		y := m.qdq("b", m.op("gemm", "Gemm", op.Attrs{"transB": int64(1)}, flat, w, m.ramp(12)), 4, 90)
		v := m.dq("vd", m.wholes(tensor.Uint8, 12, 7), 0.5, 3)
		return m.qdq("y", m.op("product", "MatMul", nil, y, v), 2, 128)
	}, "a = QuantizeLinear x\nflat/integers = Reshape a\nb = QGemm flat/integers\ny = QLinearMatMul b\nyd = DequantizeLinear y"},
	{"matrix product and a constant", func(m maker, x graph.ID) graph.ID {
		flat := m.op("flat", "Reshape", op.Attrs{"shape": []int64{1, 100}}, m.qdq("a", x, 0.5, 10))
		w := m.dq("wd", m.wholes(tensor.Int8, 100, 12), 0.25, 0)
		return m.qdq("y", m.op("relu", "Relu", nil, m.op("sum", "Add", nil, m.ramp(1, 12), m.op("product", "MatMul", nil, flat, w))), 0.25, 8)
	}, "a = QuantizeLinear x\nflat/integers = Reshape a\ny = QGemm flat/integers\nyd = DequantizeLinear y"},
	{"element-wise operators, pooling and moves", func(m maker, x graph.ID) graph.ID {
		a := m.qdq("a", x, 0.5, 10)
		window := op.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{1, 1}, "pads": make([]int64, 4), "dilations": []int64{1, 1}}
		b := m.qdq("b", m.op("max", "MaxPool", window, a), 0.5, 10)
		c := m.qdq("c", m.op("average", "AveragePool", window, a), 0.25, 4) // even: halves are rounded alike before and behind its addition
		sum := m.qdq("sum", m.op("relu", "Relu", nil, m.op("add", "Add", nil, b, c)), 0.5, 2)
		both := m.qdq("both", m.op("concat", "Concat", op.Attrs{"axis": int64(1)}, sum, b), 1, 3)
		return m.op("turned", "Transpose", op.Attrs{"perm": []int64{0, 2, 3, 1}}, both)
	}, `a = QuantizeLinear x
max/integers = MaxPool a
c = QLinearAveragePool a
sum = QLinearAdd max/integers c
both = QLinearConcat sum max/integers
turned/integers = Transpose both
turned = DequantizeLinear turned/integers`},
	{"the same scales again, and others", func(m maker, x graph.ID) graph.ID {
		a := m.qdq("a", x, 0.5, 10)
		return m.qdq("c", m.qdq("b", a, 0.5, 10), 0.25, 10)
	}, "a = QuantizeLinear x\nc = QLinearIdentity a\ncd = DequantizeLinear c"},
	{"sums that are cast and scaled", func(m maker, x graph.ID) graph.ID {
		scale, zero := m.op("scale", "DynamicQuantizeScale", nil, x), m.op("zero", "DynamicQuantizeZeroPoint", nil, x)
		q := m.op("q", "QuantizeLinear", nil, x, scale, zero)
		sums := m.op("sums", "ConvInteger", convAttrs(3, 1, 1, 1), q, m.wholes(tensor.Int8, 6, 4, 3, 3), zero, m.whole(tensor.Int8, 1))
		both := m.op("both", "Mul", nil, scale, m.Const("k", tensor.Floats32(tensor.Shape{1}, []float32{0.5})))
		y := m.op("y", "Mul", nil, m.op("cast", "Cast", op.Attrs{"to": "float32"}, sums), both)
		return m.op("clip", "Relu", nil, m.op("biased", "Add", nil, m.ramp(6, 1, 1), y))
	}, "zero = DynamicQuantizeZeroPoint x\nscale = DynamicQuantizeScale x\nboth = Mul scale\nq = QuantizeLinear x scale zero\nbiased = ConvIntegerToFloat+Relu q both zero"},
}

// TestIntegers: what is left of graphs between dequantising and quantising has the same values.
func TestIntegers(t *testing.T) {
	s := tensor.Shape{1, 4, 5, 5}
	in := tensor.New(tensor.Float32, s)
	for i := range in.Floats() {
		in.Floats()[i] = float32((i*7+i/5)%23-11) / 2
	}
	inputs := map[string]*tensor.Tensor{"x": in}
	for _, c := range integerCases {
		t.Run(c.name, func(t *testing.T) {
			m := newMaker()
			g := m.graph(c.build(m, m.input("x", s...)))
			after := run(t, g)
			if got := list(after); got != c.want {
				t.Errorf("left is\n%s\nwanted\n%s", got, c.want)
			}
			want, got := outputs(g, inputs), outputs(after, inputs)
			if err := differ(want, got, 0); err != nil {
				t.Error(err)
			}
			v := slices.Clone(want[0].Floats())
			slices.Sort(v)
			if n := len(slices.Compact(v)); n < 4 {
				t.Errorf("the output has %d different values: %v", n, want[0].Floats())
			}
			if again := list(run(t, after)); again != list(after) {
				t.Errorf("a second run leaves\n%s", again)
			}
		})
	}
}
