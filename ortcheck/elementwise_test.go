package ortcheck

import "pimflow/internal/tensor"

// groups lists every operator compared. Sliding windows and interpolation have
// more attributes that meet than the others, and are drawn more often.
var groups = []struct {
	generators []generator
	times      int
}{
	{unary, 1}, {binary, 1}, {logic, 1}, {convolutions, 6}, {products, 2}, {norms, 1}, {reductions, 1}, {layout, 1}, {resizes, 6},
	{indices, 1}, {samples, 3}, {counted, 1}, {einsums, 3}, {expanded, 1}, {recurrents, 2}, {contributed, 1}, {quantized, 2},
}

var unary = []generator{
	{"Abs", one(-3, 3)},
	{"Acos", one(-1, 1)},
	{"Acosh", one(1, 9, newer(9))},
	{"Asin", one(-1, 1)},
	{"Asinh", one(-9, 9, newer(9))},
	{"Atan", one(-9, 9)},
	{"Atanh", one(-0.99, 0.99, newer(9))},
	{"Ceil", one(-3, 3)},
	{"Celu", one(-3, 3, newer(12), floatAttr("alpha", 0.5, 3))},
	{"Clip", clip},
	{"Cos", one(-9, 9)},
	{"Cosh", one(-5, 5, newer(9))},
	{"Dropout", one(-3, 3)},
	{"Elu", one(-3, 3, floatAttr("alpha", 0, 3))},
	{"Erf", one(-3, 3, newer(9))},
	{"Exp", one(-3, 3)},
	{"Floor", one(-3, 3)},
	{"Gelu", one(-4, 4, newer(20), oneOf("approximate", "none", "tanh"))},
	{"HardSigmoid", one(-5, 5, floatAttr("alpha", 0, 1), floatAttr("beta", 0, 1))},
	{"HardSwish", one(-5, 5, newer(14))},
	{"Identity", one(-3, 3)},
	{"IsInf", special(10)},
	{"IsNaN", special(9)},
	{"LeakyRelu", one(-3, 3, floatAttr("alpha", 0, 1))},
	{"Log", one(0.01, 9)},
	{"Mish", one(-5, 5, newer(18))},
	{"Neg", one(-3, 3)},
	{"Reciprocal", one(0.1, 9)},
	{"Relu", one(-3, 3)},
	{"Round", halves},
	{"Selu", one(-3, 3, floatAttr("alpha", 0, 3), floatAttr("gamma", 0, 3))},
	{"Shrink", one(-3, 3, newer(9), floatAttr("bias", 0, 2), floatAttr("lambd", 0, 2))},
	{"Sigmoid", one(-12, 12)},
	{"Sign", one(-3, 3, newer(9))},
	{"Sin", one(-9, 9)},
	{"Sinh", one(-5, 5, newer(9))},
	{"Softplus", one(-12, 12)},
	{"Softsign", one(-3, 3)},
	{"Sqrt", one(0, 9)},
	{"Tan", one(-1.5, 1.5)},
	{"Tanh", one(-9, 9)},
	{"ThresholdedRelu", one(-3, 3, newer(10), floatAttr("alpha", 0, 2))},
}

var binary = []generator{
	{"Add", two(-3, 3, 7)},
	{"Div", two(0.5, 3, 7)},
	{"Max", many(8)},
	{"Mean", many(8)},
	{"Min", many(8)},
	{"Mod", mod},
	{"Mul", two(-3, 3, 7)},
	{"PRelu", prelu},
	{"Pow", pow},
	{"Sub", two(-3, 3, 7)},
	{"Sum", many(8)},
}

var logic = []generator{
	{"And", compares(tensor.Bool, 7)},
	{"BitShift", bitShift},
	{"BitwiseAnd", compares(tensor.Int64, 18)},
	{"BitwiseNot", func(m *model) { m.since(18); m.input(m.whole(tensor.Int64, -99, 99, m.shape(m.between(1, 4), 5)...)) }},
	{"BitwiseOr", compares(tensor.Int64, 18)},
	{"BitwiseXor", compares(tensor.Int64, 18)},
	{"Cast", cast},
	{"CastLike", castLike},
	{"Equal", compares(tensor.Int64, 7)},
	{"Greater", compares(tensor.Float32, 7)},
	{"GreaterOrEqual", compares(tensor.Float32, 12)},
	{"Less", compares(tensor.Float32, 7)},
	{"LessOrEqual", compares(tensor.Float32, 12)},
	{"Not", func(m *model) { m.input(m.whole(tensor.Bool, 0, 1, m.shape(m.between(1, 4), 5)...)) }},
	{"Or", compares(tensor.Bool, 7)},
	{"Where", where},
	{"Xor", compares(tensor.Bool, 7)},
}

// one draws an input of values from lo to hi, and attributes.
func one(lo, hi float64, attrs ...func(*model)) func(*model) {
	return func(m *model) {
		for _, a := range attrs {
			a(m)
		}
		m.input(m.uniform(lo, hi, m.shape(m.between(1, 5), 6)...))
	}
}

func newer(opset int) func(*model) { return func(m *model) { m.since(opset) } }

func floatAttr(name string, lo, hi float64) func(*model) {
	return func(m *model) { m.maybe(name, float32(lo+(hi-lo)*m.Float64())) }
}

func oneOf(name string, v ...string) func(*model) {
	return func(m *model) { m.maybe(name, pick(m, v...)) }
}

// halves draws multiples of one half, which Round ties on.
func halves(m *model) {
	m.since(11)
	x := m.whole(tensor.Float32, -9, 9, m.shape(m.between(1, 4), 6)...)
	for i := range x.Floats() {
		x.Floats()[i] /= 2
	}
	m.input(x)
}

// clip draws bounds as attributes, constants or inputs, crossed ones too.
func clip(m *model) {
	m.input(m.floats(m.shape(m.between(1, 4), 6)...))
	if m.opset < 11 {
		m.maybe("min", float32(-m.Float64()))
		m.maybe("max", float32(m.Float64()))
		return
	}
	switch m.IntN(4) {
	case 0:
		m.operand(m.floats())
	case 1:
		m.leave()
		m.operand(m.floats())
	case 2:
		m.operand(m.floats())
		m.operand(m.floats())
	}
}

// broadcastable draws a shape that broadcasts with s.
func (m *model) broadcastable(s tensor.Shape) tensor.Shape {
	b := s.Clone()
	for i := range b {
		if m.IntN(3) == 0 {
			b[i] = 1
		}
	}
	return b[m.IntN(len(b)):]
}

// pair draws two shapes that broadcast, either of which may be the smaller.
func (m *model) pair() (a, b tensor.Shape) {
	s := m.shape(m.between(1, 5), 5)
	a, b = s, m.broadcastable(s)
	if m.coin() {
		a = m.broadcastable(s)
		if len(a) < len(b) {
			b = b[len(b)-len(a):]
		}
	}
	if m.coin() {
		a, b = b, a
	}
	return a, b
}

func two(lo, hi float64, since int) func(*model) {
	return func(m *model) {
		m.since(since)
		a, b := m.pair()
		m.input(m.uniform(lo, hi, a...))
		m.operand(m.uniform(lo, hi, b...))
	}
}

// many draws one to four operands.
func many(since int) func(*model) {
	return func(m *model) {
		m.since(since)
		s := m.shape(m.between(1, 4), 5)
		m.input(m.floats(s...))
		for range m.IntN(4) {
			m.operand(m.floats(m.broadcastable(s)...))
		}
	}
}

// mod draws signed integers, and floats of fmod 1.
func mod(m *model) {
	m.since(13)
	a, b := m.pair()
	typ := pick(m, tensor.Int64, tensor.Int32, tensor.Float32)
	if typ == tensor.Float32 {
		m.attr("fmod", 1)
	} else {
		m.maybe("fmod", m.IntN(2))
	}
	d := m.whole(typ, 1, 5, b...)
	if m.coin() {
		d = m.whole(typ, -5, -1, b...)
	}
	m.input(m.whole(typ, -9, 9, a...))
	m.operand(d)
}

// prelu draws slopes that broadcast to the input, not the other way.
func prelu(m *model) {
	s := m.shape(m.between(1, 4), 5)
	m.input(m.floats(s...))
	m.operand(m.uniform(-1, 1, m.broadcastable(s)...))
}

// pow draws exponents that keep the values real.
func pow(m *model) {
	a, b := m.pair()
	if m.coin() {
		m.input(m.uniform(0.1, 3, a...))
		m.operand(m.uniform(-2, 2, b...))
		return
	}
	typ := tensor.Float32
	if m.opset >= 12 {
		typ = pick(m, tensor.Float32, tensor.Int64, tensor.Int32)
	}
	m.input(m.floats(a...))
	m.operand(m.whole(typ, 0, 3, b...))
}

func compares(typ tensor.Type, since int) func(*model) {
	return func(m *model) {
		m.since(since)
		a, b := m.pair()
		t := typ
		if t == tensor.Float32 && m.opset >= 9 {
			t = pick(m, tensor.Float32, tensor.Int64, tensor.Int32)
		}
		lo, hi := -2, 2
		if t == tensor.Bool {
			lo, hi = 0, 1
		}
		m.input(m.whole(t, lo, hi, a...))
		m.operand(m.whole(t, lo, hi, b...))
	}
}

func where(m *model) {
	m.since(9)
	s := m.shape(m.between(1, 4), 5)
	m.operand(m.whole(tensor.Bool, 0, 1, m.broadcastable(s)...))
	m.input(m.floats(s...))
	m.operand(m.floats(m.broadcastable(s)...))
}

// cast draws conversions of values that both types hold exactly.
func cast(m *model) {
	m.since(9)
	m.input(m.castable())
	m.attr("to", int(pick(m, castTypes...)))
}

func castLike(m *model) {
	m.since(15)
	m.input(m.castable())
	m.operand(tensor.New(pick(m, castTypes...), m.shape(m.between(1, 3), 4)))
}

var castTypes = []tensor.Type{tensor.Float32, tensor.Int64, tensor.Int32, tensor.Uint8, tensor.Int8, tensor.Bool}

func (m *model) castable() *tensor.Tensor {
	s := m.shape(m.between(1, 4), 5)
	switch from := pick(m, castTypes...); from {
	case tensor.Bool:
		return m.whole(from, 0, 1, s...)
	case tensor.Float32:
		return m.uniform(0, 9, s...)
	default:
		return m.whole(from, 0, 9, s...)
	}
}
