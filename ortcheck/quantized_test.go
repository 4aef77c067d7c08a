package ortcheck

import (
	"testing"

	"pimflow/internal/tensor"
)

// TestQuantizedNetwork compares a quantised network, as read and on integers.
func TestQuantizedNetwork(t *testing.T) {
	if saturates {
		t.Skip(saturation)
	}
	const path = "../docs/quantized.onnx"
	f, model := opened(t, path)
	compareNetwork(t, f.Graph, random(f.Graph), model)
}

// quantized are the operators on integers of 8 bits. ONNX fixes their bits, but for those of
// com.microsoft: these are ONNX Runtime's on x86-64 with AVX2, and a step from that elsewhere. DynamicQuantizeLinear is not here: the binding returns no scalars.
var quantized = []generator{
	{"ConvInteger", convInteger},
	{"DequantizeLinear", dequantizeLinear},
	{"MatMulInteger", matMulInteger},
	{"com.microsoft.QGemm", qGemm},
	{"com.microsoft.QLinearAdd", qLinear(2)},
	{"com.microsoft.QLinearAveragePool", qLinearAveragePool},
	{"com.microsoft.QLinearConcat", qLinearConcat},
	{"QLinearConv", qLinearConv},
	{"com.microsoft.QLinearConv", qLinearConv},
	{"com.microsoft.QLinearGlobalAveragePool", qLinearGlobalAveragePool},
	{"com.microsoft.QLinearLeakyRelu", qLinear(1)},
	{"QLinearMatMul", qLinearMatMul},
	{"com.microsoft.QLinearMul", qLinear(2)},
	{"com.microsoft.QLinearSigmoid", qLinear(1)}, // within a step
	{"com.microsoft.QLinearSoftmax", qLinearSoftmax},
	{"QuantizeLinear", quantizeLinear},
}

func (m *model) eight() tensor.Type { return pick(m, tensor.Int8, tensor.Uint8) }

// codes draws any integers of 8 bits.
func (m *model) codes(t tensor.Type, s ...int) *tensor.Tensor {
	if t == tensor.Int8 {
		return m.whole(t, -128, 127, s...)
	}
	return m.whole(t, 0, 255, s...)
}

// coding adds the scale of values up to about most, and a zero point.
func (m *model) coding(most float64, t tensor.Type, s ...int) {
	m.constant(m.uniform(most/512, most/128, s...))
	m.constant(m.codes(t, s...))
}

// scalar is the shape of a single number.
func (m *model) scalar() []int {
	if m.coin() {
		return []int{}
	}
	return []int{1}
}

func quantizeLinear(m *model) {
	m.since(13)
	m.input(m.floats(2, 3, 4))
	t := m.eight()
	if m.coin() {
		axis := m.IntN(3)
		m.attr("axis", axis)
		m.coding(4, t, 2+axis)
		return
	}
	m.coding(4, t)
}

func dequantizeLinear(m *model) {
	m.since(13)
	t := m.eight()
	m.input(m.codes(t, 2, 3, 4))
	if m.coin() {
		axis := m.IntN(3)
		m.attr("axis", axis)
		m.coding(4, t, 2+axis)
		return
	}
	m.coding(4, t)
}

// integerConv draws the operands of a convolution.
func (m *model) integerConv() (x, w tensor.Shape) {
	g, cg, mg := m.between(1, 3), m.between(1, 40), m.between(1, 8)
	if g > 1 {
		m.attr("group", g)
	}
	win := m.window(2, true)
	x = append(tensor.Shape{m.between(1, 2), g * cg}, win.extents...)
	w = tensor.Shape{g * mg, cg}
	for _, k := range win.kernel {
		w = append(w, int(k))
	}
	return x, w
}

func convInteger(m *model) {
	m.since(10)
	x, w := m.integerConv()
	m.input(m.codes(tensor.Uint8, x...))
	m.constant(m.codes(tensor.Uint8, w...))
	m.constant(m.codes(tensor.Uint8))
	if m.coin() {
		m.constant(m.codes(tensor.Uint8))
	}
}

func matMulInteger(m *model) {
	m.since(10)
	r, k, c := m.between(1, 6), m.between(1, 600), m.between(1, 6)
	a, b := m.eight(), m.eight()
	m.input(m.codes(a, r, k))
	m.constant(m.codes(b, k, c))
	m.constant(m.codes(a))
	if m.coin() {
		m.constant(m.codes(b, pick(m, []int{}, []int{c})...))
	}
}

// sized is a scale of values that sums of so many products reach.
func (m *model) sized(k int, t tensor.Type) { m.coding(0.02*float64(k)+0.5, t) }

func qLinearConv(m *model) {
	m.since(10)
	x, w := m.integerConv()
	t := m.eight()
	wt := t
	if t == tensor.Uint8 {
		wt = m.eight()
	}
	if m.op == "com.microsoft.QLinearConv" {
		x = m.last(x)
	}
	m.input(m.codes(t, x...))
	m.coding(1, t, m.scalar()...)
	m.constant(m.codes(wt, w...))
	of := pick(m, []int{}, []int{w[0]})
	m.constant(m.uniform(0.002, 0.01, of...))
	if wt == tensor.Int8 {
		m.constant(m.whole(wt, 0, 0, of...))
	} else {
		m.constant(m.codes(wt))
	}
	m.sized(w[1:].Size(), t)
	if m.coin() {
		m.constant(m.whole(tensor.Int32, -9999, 9999, w[0]))
	}
}

func qLinearMatMul(m *model) {
	m.since(10)
	r, k, c := m.between(1, 6), m.between(1, 600), m.between(1, 6)
	a := m.eight()
	b := a
	if a == tensor.Uint8 {
		b = m.eight()
	}
	m.input(m.codes(a, r, k))
	m.coding(1, a, m.scalar()...)
	m.constant(m.codes(b, k, c))
	m.coding(1, b, pick(m, []int{}, []int{c})...)
	m.sized(k, a)
}

func qGemm(m *model) {
	m.since(13)
	r, k, c := m.between(1, 6), m.between(1, 300), m.between(1, 6)
	t := m.eight()
	b := tensor.Shape{k, c}
	if m.coin() {
		m.attr("transB", 1)
		b = tensor.Shape{c, k}
	}
	m.input(m.codes(t, r, k))
	m.coding(1, t)
	m.constant(m.codes(t, b...))
	m.constant(m.uniform(0.002, 0.01, pick(m, []int{}, []int{c})...))
	m.constant(m.whole(t, 0, 0, m.consts[len(m.consts)-1].t.Shape...))
	if m.coin() {
		m.constant(m.whole(tensor.Int32, -9999, 9999, c))
	} else {
		m.leave()
	}
	m.sized(k, t)
}

// qLinear draws so many values, of shapes that are repeated along each other.
func qLinear(values int) func(m *model) {
	return func(m *model) {
		m.since(13)
		t := m.eight()
		s := tensor.Shape{m.between(1, 3), m.between(1, 40), m.between(1, 8), m.between(1, 40)}
		for range values {
			x := s.Clone()
			for d := range x {
				if values > 1 && m.IntN(4) == 0 {
					x[d] = 1
				}
			}
			m.input(m.codes(t, x...))
			m.coding(2, t)
		}
		m.coding(3, t)
		if m.op == "com.microsoft.QLinearLeakyRelu" {
			m.attr("alpha", float32(0.1))
		}
	}
}

// qLinearSoftmax has the scale of 256 steps up to 1: ONNX Runtime rounds the steps in 1 down to a whole number, and wraps beyond the last.
func qLinearSoftmax(m *model) {
	m.since(13)
	t := m.eight()
	m.attr("opset", 13)
	m.attr("axis", pick(m, -1, 1, 2))
	m.input(m.codes(t, 2, m.between(2, 9), m.between(2, 40)))
	m.coding(2, t)
	m.constant(m.uniform(1./256, 1./256))
	least := 0
	if t == tensor.Int8 {
		least = -128
	}
	m.constant(m.whole(t, least, least))
}

// last moves the channels of a shape behind the positions, or leaves them.
func (m *model) last(x tensor.Shape) tensor.Shape {
	if m.coin() {
		return x
	}
	m.attr("channels_last", 1)
	return append(append(x[:1].Clone(), x[2:]...), x[1])
}

func qLinearGlobalAveragePool(m *model) {
	m.since(13)
	t := m.eight()
	m.input(m.codes(t, m.last(tensor.Shape{m.between(1, 2), m.between(1, 20), m.between(1, 9), m.between(1, 9)})...))
	m.coding(2, t)
	m.coding(3, t)
}

func qLinearAveragePool(m *model) {
	m.since(13)
	t := m.eight()
	w := m.window(2, false)
	m.attr("kernel_shape", w.kernel)
	m.maybe("count_include_pad", 1)
	m.input(m.codes(t, m.last(append(tensor.Shape{m.between(1, 2), m.between(1, 9)}, w.extents...))...))
	m.coding(2, t)
	m.coding(2, t)
}

func qLinearConcat(m *model) {
	m.since(13)
	t := m.eight()
	m.attr("axis", 1)
	m.coding(2, t)
	for range m.between(1, 3) {
		m.input(m.codes(t, 2, m.between(1, 4), 3))
		m.coding(2, t)
	}
}

// within is got with a step put right where ONNX Runtime approximates the function of real numbers in between.
func (m *model) within(got, want []*tensor.Tensor) []*tensor.Tensor {
	if m.op != "com.microsoft.QLinearSigmoid" || len(got) != len(want) || !got[0].Shape.Equal(want[0].Shape) {
		return got
	}
	for i, w := range want[0].Ints() {
		if d := got[0].Ints()[i] - w; -1 <= d && d <= 1 {
			got[0].Ints()[i] = w
		}
	}
	return got
}
