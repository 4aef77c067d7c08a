package simplify

import (
	"math"
	"slices"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// cases are graphs over an input x of 1x4x5x5 and what is left of them. exact
// says that the values must be the same bit for bit; all inputs are small
// integers.
var cases = []struct {
	name  string
	build func(m maker, x graph.ID) []graph.ID
	want  string
	exact bool
}{
	{"fold", func(m maker, x graph.ID) []graph.ID {
		k := m.op("sum", "Add", nil, m.ramp(4, 1, 1), m.scalar(2))
		k = m.op("product", "Mul", nil, k, k)
		return []graph.ID{m.op("y", "Add", nil, x, k)}
	}, "y = Add x", true},
	{"a constant output", func(m maker, x graph.ID) []graph.ID {
		return []graph.ID{m.op("c", "Neg", nil, m.ramp(3)), m.op("y", "Relu", nil, x)}
	}, "y = Relu x", true},
	{"identities", func(m maker, x graph.ID) []graph.ID {
		x = m.op("identity", "Identity", nil, x)
		x = m.op("cast", "Cast", op.Attrs{"to": "float32"}, x)
		x = m.op("reshape", "Reshape", op.Attrs{"shape": []int64{1, 4, 5, 5}}, x)
		x = m.op("expand", "Expand", op.Attrs{"shape": []int64{1, 4, 5, 5}}, x)
		x = m.op("concat", "Concat", op.Attrs{"axis": int64(1)}, x)
		x = m.op("tile", "Tile", op.Attrs{"repeats": []int64{1, 1, 1, 1}}, x)
		x = m.op("pad", "Pad", op.Attrs{"pads": make([]int64, 8)}, x)
		x = m.op("slice", "Slice", op.Attrs{"starts": []int64{0}, "ends": []int64{9}, "axes": []int64{1}, "steps": []int64{1}}, x)
		x = m.op("transpose", "Transpose", op.Attrs{"perm": []int64{0, 1, 2, 3}}, x)
		window := op.Attrs{"kernel_shape": []int64{1, 1}, "strides": []int64{1, 1}, "pads": make([]int64, 4), "dilations": []int64{1, 1}}
		x = m.op("maxpool", "MaxPool", window, x)
		x = m.op("averagepool", "AveragePool", window, x)
		y := m.op("relu", "Relu", nil, x)
		return []graph.ID{m.op("last", "Identity", nil, y), y}
	}, "relu = Relu x", true},
	{"not identities", func(m maker, x graph.ID) []graph.ID {
		a := m.op("reverse", "Slice", op.Attrs{"starts": []int64{-1}, "ends": []int64{-100}, "axes": []int64{2}, "steps": []int64{-1}}, x)
		b := m.op("swap", "Transpose", op.Attrs{"perm": []int64{0, 1, 3, 2}}, x)
		c := m.op("crop", "Pad", op.Attrs{"pads": []int64{0, 0, 1, 0, 0, 0, -1, 0}}, x)
		return []graph.ID{a, b, c}
	}, "reverse = Slice x\nswap = Transpose x\ncrop = Pad x", true},
	{"reshape of reshape", func(m maker, x graph.ID) []graph.ID {
		y := m.op("a", "Reshape", op.Attrs{"shape": []int64{4, 25}}, x)
		z := m.op("b", "Reshape", op.Attrs{"shape": []int64{100}}, y)
		back := m.op("c", "Reshape", op.Attrs{"shape": []int64{1, 4, 5, 5}}, z)
		return []graph.ID{m.op("relu", "Relu", nil, back), z}
	}, "relu = Relu x\nb = Reshape x", true},
	{"batch norm", func(m maker, x graph.ID) []graph.ID {
		y := m.batchNorm("bn", m.conv("conv", x, 3))
		return []graph.ID{m.op("relu", "Relu", nil, y)}
	}, "conv = Conv+Relu x", false},
	{"batch norm of a value with another user", func(m maker, x graph.ID) []graph.ID {
		y := m.conv("conv", x, 3)
		return []graph.ID{m.batchNorm("bn", y), y}
	}, "conv = Conv x\nbn = BatchNormalization conv", true},
	{"activation of a batch norm that is left", func(m maker, x graph.ID) []graph.ID {
		y := m.op("relu", "Relu", nil, m.batchNorm("bn", x))
		return []graph.ID{m.op("sum", "Add", nil, y, x)}
	}, "bn = BatchNormalization+Relu x\nsum = Add bn x", true},
	{"batch norm before", func(m maker, x graph.ID) []graph.ID {
		return []graph.ID{m.conv("conv", m.batchNorm("bn", x), 3)}
	}, "bn = BatchNormalization x\nconv = Conv bn", true},
	{"channel arithmetic", func(m maker, x graph.ID) []graph.ID {
		attrs := convAttrs(3, 1, 1, 2)
		y := m.op("conv", "Conv", attrs, x, m.ramp(6, 2, 3, 3))
		y = m.op("mul", "Mul", nil, m.ramp(6, 1, 1), y)
		y = m.op("add", "Add", nil, y, m.ramp(1, 6, 1, 1))
		y = m.op("rsub", "Sub", nil, m.scalar(7), y)
		y = m.op("sub", "Sub", nil, y, m.ramp(6, 1, 1))
		y = m.op("div", "Div", nil, y, m.scalar(0.5))
		return []graph.ID{y}
	}, "conv = Conv x", true},
	{"not channel arithmetic", func(m maker, x graph.ID) []graph.ID {
		row := m.op("row", "Mul", nil, m.conv("a", x, 4), m.ramp(5))
		reciprocal := m.op("reciprocal", "Div", nil, m.scalar(2), m.conv("b", x, 4))
		wider := m.op("wider", "Add", nil, m.conv("c", x, 4), m.ramp(2, 1, 1, 1))
		return []graph.ID{row, reciprocal, wider}
	}, "a = Conv x\nrow = Mul a\nb = Conv x\nreciprocal = Div b\nc = Conv x\nwider = Add c", true},
	{"transposed convolution", func(m maker, x graph.ID) []graph.ID {
		attrs := convAttrs(2, 2, 0, 2)
		attrs["output_padding"] = []int64{0, 0}
		y := m.op("up", "ConvTranspose", attrs, x, m.ramp(4, 3, 2, 2), m.ramp(6))
		return []graph.ID{m.op("mul", "Mul", nil, y, m.ramp(6, 1, 1))}
	}, "up = ConvTranspose x", true},
	{"matrix product and bias", func(m maker, x graph.ID) []graph.ID {
		flat := m.op("flat", "Reshape", op.Attrs{"shape": []int64{4, 25}}, x)
		y := m.op("matmul", "MatMul", nil, flat, m.ramp(25, 3))
		y = m.op("add", "Add", nil, y, m.ramp(3))
		return []graph.ID{m.op("relu", "Relu", nil, y)}
	}, "flat = Reshape x\nmatmul = Gemm+Relu flat", true},
	{"gemm", func(m maker, x graph.ID) []graph.ID {
		flat := m.op("flat", "Reshape", op.Attrs{"shape": []int64{4, 25}}, x)
		a := m.op("a", "Gemm", op.Attrs{"transB": int64(1), "alpha": float32(2), "beta": float32(3)}, flat, m.ramp(3, 25), m.ramp(1, 3))
		b := m.op("b", "Gemm", nil, flat, m.ramp(25, 3), m.ramp(4, 3))
		return []graph.ID{
			m.op("scaled", "Mul", nil, a, m.ramp(3)), m.op("matrix", "Mul", nil, b, m.ramp(3)),
		}
	}, "flat = Reshape x\na = Gemm flat\nb = Gemm flat\nmatrix = Mul b", true},
	{"pad before conv", func(m maker, x graph.ID) []graph.ID {
		p := m.op("pad", "Pad", op.Attrs{"pads": []int64{0, 0, 1, 0, 0, 0, 2, 1}}, x)
		return []graph.ID{m.op("conv", "Conv", convAttrs(3, 2, 1, 1), p, m.ramp(2, 4, 3, 3))}
	}, "conv = Conv x", true},
	{"pad before pools", func(m maker, x graph.ID) []graph.ID {
		p := m.op("pad", "Pad", op.Attrs{"pads": []int64{0, 0, 1, 1, 0, 0, 1, 1}}, x)
		window := func(pad, include int64) op.Attrs {
			return op.Attrs{"kernel_shape": []int64{3, 3}, "strides": []int64{2, 2}, "dilations": []int64{1, 1},
				"pads": []int64{pad, 0, pad, 0}, "count_include_pad": include}
		}
		return []graph.ID{
			m.op("average", "AveragePool", window(0, 0), p),
			m.op("included", "AveragePool", window(1, 1), p),
			m.op("excluded", "AveragePool", window(1, 0), p),
			m.op("ceil", "AveragePool", op.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2},
				"dilations": []int64{1, 1}, "pads": make([]int64, 4), "ceil_mode": int64(1)}, p),
			m.op("large", "AveragePool", op.Attrs{"kernel_shape": []int64{1, 1}, "strides": []int64{2, 2},
				"dilations": []int64{1, 1}, "pads": make([]int64, 4)}, p),
		}
	}, "average = AveragePool x\nincluded = AveragePool x\npad = Pad x\nexcluded = AveragePool pad\n" +
		"ceil = AveragePool pad\nlarge = AveragePool pad", true},
	{"pad that stays", func(m maker, x graph.ID) []graph.ID {
		pads := []int64{0, 0, 1, 1, 0, 0, 1, 1}
		a := m.op("edge", "Pad", op.Attrs{"pads": pads, "mode": "edge"}, x)
		b := m.op("one", "Pad", op.Attrs{"pads": pads, "value": float32(1)}, x)
		c := m.op("channel", "Pad", op.Attrs{"pads": []int64{0, 1, 0, 0, 0, 0, 0, 0}}, x)
		d := m.op("image", "Pad", op.Attrs{"pads": []int64{0, 0, 0, 0, 1, 0, 0, 0}}, x)
		e := m.op("crop", "Pad", op.Attrs{"pads": []int64{0, 0, 1, 1, 0, 0, -1, 1}}, x)
		return []graph.ID{m.conv("a", a, 1), m.conv("b", b, 1), m.conv("c", c, 1), m.conv("d", d, 1), m.conv("e", e, 1)}
	}, "edge = Pad x\na = Conv edge\none = Pad x\nb = Conv one\nchannel = Pad x\nc = Conv channel\n" +
		"image = Pad x\nd = Conv image\ncrop = Pad x\ne = Conv crop", true},
	{"global mean", func(m maker, x graph.ID) []graph.ID {
		window := op.Attrs{"kernel_shape": []int64{5, 5}, "strides": []int64{1, 1}, "pads": make([]int64, 4), "dilations": []int64{1, 1}}
		return []graph.ID{
			m.op("kept", "ReduceMean", op.Attrs{"axes": []int64{2, 3}, "keepdims": int64(1)}, x),
			m.op("flat", "ReduceMean", op.Attrs{"axes": []int64{3, 2}, "keepdims": int64(0)}, x),
			m.op("pool", "AveragePool", window, x),
			m.op("rows", "ReduceMean", op.Attrs{"axes": []int64{2}, "keepdims": int64(1)}, x),
		}
	}, "kept = GlobalAveragePool x\nflat.mean = GlobalAveragePool x\nflat = Reshape flat.mean\npool = GlobalAveragePool x\nrows = ReduceMean x", false},
	{"layer normalisation", func(m maker, x graph.ID) []graph.ID {
		norm := func(name string, square func(d graph.ID) graph.ID, axes ...int64) graph.ID {
			a := op.Attrs{"axes": axes, "keepdims": int64(1)}
			s := m.Peek().Nodes[x].Shape[4-len(axes):]
			d := m.op("", "Sub", nil, x, m.op("", "ReduceMean", a, x))
			v := m.op("", "Add", nil, m.op("", "ReduceMean", a, square(d)), m.scalar(1e-3))
			y := m.op("", "Mul", nil, m.op("", "Div", nil, d, m.f("Sqrt", v)), m.ramp(s...))
			return m.op(name, "Add", nil, m.ramp(s...), y)
		}
		pow := func(d graph.ID) graph.ID { return m.op("", "Pow", nil, d, m.scalar(2)) }
		return []graph.ID{
			norm("row", pow, 3),
			norm("image", func(d graph.ID) graph.ID { return m.mul(d, d) }, -1, 1, 2),
		}
	}, "row = LayerNormalization x\nimage = LayerNormalization x", false},
	{"not layer normalisation", func(m maker, x graph.ID) []graph.ID {
		a := op.Attrs{"axes": []int64{3}, "keepdims": int64(1)}
		d := m.op("d", "Sub", nil, x, m.op("mean", "ReduceMean", a, x))
		v := m.op("v", "Add", nil, m.op("square", "ReduceMean", a, m.op("xx", "Mul", nil, x, x)), m.scalar(1e-3))
		y := m.op("product", "Mul", nil, m.op("quotient", "Div", nil, d, m.op("root", "Sqrt", nil, v)), m.ramp(5))
		return []graph.ID{m.op("sum", "Add", nil, y, m.ramp(5))}
	}, "xx = Mul x x\nsquare = ReduceMean xx\nv = Add square\nroot = Sqrt v\nmean = ReduceMean x\nd = Sub x mean\n" +
		"quotient = Div d root\nproduct = Mul quotient\nsum = Add product", true},
	{"clips", func(m maker, x graph.ID) []graph.ID {
		clip := func(name string, x graph.ID, lo, hi float32) graph.ID {
			return m.op(name, "Clip", op.Attrs{"min": lo, "max": hi}, x)
		}
		a := clip("a", m.op("", "Relu", nil, x), -1, 6)
		b := m.op("b", "Relu", nil, clip("", x, -3, 2))
		c := clip("c", clip("", x, -3, -1), 0, 2)
		c2 := clip("c2", clip("", x, 3, 5), 0, 2)
		d := m.op("d", "Min", nil, m.op("", "Max", nil, x, m.scalar(0)), m.scalar(6))
		e := clip("e", x, 0, math.MaxFloat32)
		f := m.op("f", "Max", nil, m.ramp(4, 1, 1), x)
		r := m.op("r", "Relu", nil, x)
		return []graph.ID{a, b, c, c2, d, e, f, r, clip("g", r, 0, 6)}
	}, "a = Clip x\nb = Clip x\nc = Clip x\nc2 = Clip x\nd = Clip x\ne = Relu x\nf = Max x\nr = Relu x\ng = Clip r", true},
	{"residual", func(m maker, x graph.ID) []graph.ID {
		y := m.conv("b", m.op("r", "Relu", nil, m.conv("a", x, 4)), 4)
		return []graph.ID{m.op("relu", "Relu", nil, m.op("add", "Add", nil, x, y))}
	}, "a = Conv+Relu x\nb = Conv+Add+Relu a x", true},
	{"residual of two convolutions", func(m maker, x graph.ID) []graph.ID {
		trunk := m.conv("trunk", x, 6)
		branch := m.conv("b2", m.conv("b1", x, 4), 6)
		return []graph.ID{m.op("add", "Add", nil, branch, trunk)}
	}, "trunk = Conv x\nb1 = Conv x\nb2 = Conv+Add b1 trunk", true},
	{"residual of two convolutions, trunk first", func(m maker, x graph.ID) []graph.ID {
		trunk := m.conv("trunk", x, 6)
		branch := m.conv("b2", m.conv("b1", x, 4), 6)
		return []graph.ID{m.op("add", "Add", nil, trunk, branch)}
	}, "b1 = Conv x\nb2 = Conv b1\ntrunk = Conv+Add x b2", true},
	{"residual made after the convolution", func(m maker, x graph.ID) []graph.ID {
		y := m.conv("conv", x, 4)
		return []graph.ID{m.op("sub", "Sub", nil, m.op("neg", "Neg", nil, x), y)}
	}, "neg = Neg x\nconv = Conv+Sub' x neg", true},
	{"only one residual", func(m maker, x graph.ID) []graph.ID {
		y := m.op("mul", "Mul", nil, m.conv("conv", x, 4), x)
		return []graph.ID{m.op("add", "Add", nil, y, x)}
	}, "conv = Conv+Mul x x\nadd = Add conv x", true},
	{"no epilogue of what others read", func(m maker, x graph.ID) []graph.ID {
		a := m.conv("a", x, 4)
		b := m.op("b", "Relu", nil, a)
		c := m.conv("c", b, 4)
		d := m.op("d", "Add", nil, c, c)
		return []graph.ID{d, a}
	}, "a = Conv x\nb = Relu a\nc = Conv b\nd = Add c c", true},
	{"no epilogue of another shape", func(m maker, x graph.ID) []graph.ID {
		gate := m.conv("gate", m.op("pool", "GlobalAveragePool", nil, x), 4)
		return []graph.ID{m.op("mul", "Mul", nil, gate, x)}
	}, "pool = GlobalAveragePool x\ngate = Conv pool\nmul = Mul gate x", true},
}

func (m maker) batchNorm(name string, x graph.ID) graph.ID {
	c := m.Peek().Nodes[x].Shape[1]
	return m.op(name, "BatchNormalization", nil, x, m.ramp(c), m.ramp(c), m.ramp(c), m.ramp(c))
}

func TestCases(t *testing.T) {
	s := tensor.Shape{1, 4, 5, 5}
	in := tensor.New(tensor.Float32, s)
	for i := range in.Floats() {
		in.Floats()[i] = float32((i*7+i/5)%11 - 5)
	}
	inputs := map[string]*tensor.Tensor{"x": in}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMaker()
			g := m.graph(c.build(m, m.input("x", s...))...)
			after := run(t, g)
			if got := list(after); got != c.want {
				t.Errorf("left is\n%s\nwanted\n%s", got, c.want)
			}
			tolerance := 1e-6
			if c.exact {
				tolerance = 0
			}
			if err := differ(outputs(g, inputs), outputs(after, inputs), tolerance); err != nil {
				t.Error(err)
			}
			for i, o := range after.Outputs {
				if o.Name != g.Outputs[i].Name {
					t.Errorf("output %q is called %q", g.Outputs[i].Name, o.Name)
				}
			}
		})
	}
}

// spellings are what exporters write for an activation of x.
var spellings = []struct {
	op    string
	build func(m maker, x graph.ID) graph.ID
}{
	{"Swish", func(m maker, x graph.ID) graph.ID { return m.mul(x, m.f("Sigmoid", x)) }},
	{"Swish", func(m maker, x graph.ID) graph.ID { return m.mul(m.f("Sigmoid", m.mul(m.scalar(1.5), x)), x) }},
	{"HardSwish", func(m maker, x graph.ID) graph.ID {
		return m.mul(x, m.op("", "HardSigmoid", op.Attrs{"alpha": float32(1. / 6), "beta": float32(0.5)}, x))
	}},
	{"HardSwish", func(m maker, x graph.ID) graph.ID { return m.div(m.mul(x, m.relu6(x)), 6) }},
	{"HardSwish", func(m maker, x graph.ID) graph.ID { return m.mul(m.div(m.relu6(x), 6), x) }},
	{"HardSwish", func(m maker, x graph.ID) graph.ID { return m.mul(m.div(x, 6), m.relu6(x)) }},
	{"HardSwish", func(m maker, x graph.ID) graph.ID { return m.mul(m.scalar(1./6), m.mul(m.relu6(x), x)) }},
	{"HardSigmoid", func(m maker, x graph.ID) graph.ID { return m.div(m.relu6(x), 6) }},
	{"HardSigmoid", func(m maker, x graph.ID) graph.ID { return m.mul(m.relu6(x), m.scalar(1./6)) }},
	{"Gelu", func(m maker, x graph.ID) graph.ID {
		return m.mul(m.mul(x, m.plus1(m.f("Erf", m.div(x, math.Sqrt2)))), m.scalar(0.5))
	}},
	{"Gelu", func(m maker, x graph.ID) graph.ID {
		return m.mul(m.mul(m.scalar(0.5), x), m.plus1(m.f("Erf", m.mul(x, m.scalar(math.Sqrt2/2)))))
	}},
	{"Gelu", func(m maker, x graph.ID) graph.ID {
		return m.mul(x, m.mul(m.scalar(0.5), m.plus1(m.f("Erf", m.div(x, math.Sqrt2)))))
	}},
	{"Gelu", func(m maker, x graph.ID) graph.ID { return m.tanhGelu(x, m.op("", "Pow", nil, x, m.scalar(3))) }},
	{"Gelu", func(m maker, x graph.ID) graph.ID { return m.tanhGelu(x, m.mul(m.mul(x, x), x)) }},
	{"Mish", func(m maker, x graph.ID) graph.ID { return m.mul(m.f("Tanh", m.f("Softplus", x)), x) }},
}

func (m maker) f(opName string, x graph.ID) graph.ID { return m.op("", opName, nil, x) }
func (m maker) mul(x, y graph.ID) graph.ID           { return m.op("", "Mul", nil, x, y) }
func (m maker) div(x graph.ID, k float64) graph.ID   { return m.op("", "Div", nil, x, m.scalar(k)) }
func (m maker) plus1(x graph.ID) graph.ID            { return m.op("", "Add", nil, x, m.scalar(1)) }
func (m maker) relu6(x graph.ID) graph.ID {
	return m.op("", "Clip", op.Attrs{"min": float32(0), "max": float32(6)}, m.op("", "Add", nil, m.scalar(3), x))
}
func (m maker) tanhGelu(x, cube graph.ID) graph.ID {
	sum := m.op("", "Add", nil, x, m.mul(m.scalar(0.044715), cube))
	return m.mul(m.mul(m.scalar(0.5), x), m.plus1(m.f("Tanh", m.mul(sum, m.scalar(math.Sqrt(2/math.Pi))))))
}

// Each spelling becomes its operator, on an input, on the tail of a convolution,
// and on a value that is itself a multiple of another.
func TestSpellings(t *testing.T) {
	in := tensor.New(tensor.Float32, tensor.Shape{1, 4, 5, 5})
	for i := range in.Floats() {
		in.Floats()[i] = float32(i%19)/2 - 4.5
	}
	inputs := map[string]*tensor.Tensor{"x": in}
	found := map[string]bool{}
	for i, s := range spellings {
		for j, before := range []func(m maker, x graph.ID) graph.ID{
			func(_ maker, x graph.ID) graph.ID { return x },
			func(m maker, x graph.ID) graph.ID { return m.conv("conv", x, 3) },
			func(m maker, x graph.ID) graph.ID { return m.op("half", "Div", nil, x, m.scalar(2)) },
		} {
			m := newMaker()
			x := before(m, m.input("x", 1, 4, 5, 5))
			y := s.build(m, x)
			name := m.Peek().Nodes[y].Name
			g := m.graph(y)
			after := run(t, g)
			want := []string{name + " = " + s.op + " x", "conv = Conv+" + s.op + " x", "half = Div x\n" + name + " = " + s.op + " half"}[j]
			if got := list(after); got != want {
				t.Errorf("spelling %d of %s: left is\n%s\nwanted\n%s", i, s.op, got, want)
			}
			if err := differ(outputs(g, inputs), outputs(after, inputs), 1e-5); err != nil {
				t.Errorf("spelling %d of %s: %v", i, s.op, err)
			}
		}
		found[s.op] = true
	}
	for _, g := range gates {
		if !found[g.op] {
			t.Errorf("no spelling of %s is tested", g.op)
		}
	}
}

// What only looks like an activation stays.
func TestNotSpellings(t *testing.T) {
	for i, build := range []func(m maker, x graph.ID) graph.ID{
		func(m maker, x graph.ID) graph.ID { return m.mul(x, m.f("Sigmoid", m.f("Neg", x))) },
		func(m maker, x graph.ID) graph.ID { return m.div(m.mul(x, m.relu6(x)), 5) },
		func(m maker, x graph.ID) graph.ID {
			return m.mul(x, m.plus1(m.f("Erf", m.div(x, math.Sqrt2)))) // twice Gelu
		},
		func(m maker, x graph.ID) graph.ID {
			return m.mul(m.mul(x, m.plus1(m.f("Erf", m.div(x, 1.4)))), m.scalar(0.5))
		},
		func(m maker, x graph.ID) graph.ID { return m.op("", "Div", nil, x, m.f("Sigmoid", x)) },
	} {
		m := newMaker()
		g := run(t, m.graph(build(m, m.input("x", 1, 4, 5, 5))))
		for j := range g.Nodes {
			nd := &g.Nodes[j]
			if nd.Op != nil && slices.Contains([]string{"Swish", "HardSwish", "Gelu", "Mish", "HardSigmoid"}, nd.Op.Name) {
				t.Errorf("case %d became %s", i, nd.Op.Name)
			}
		}
	}
}
