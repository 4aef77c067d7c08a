package ortcheck

import (
	"os"
	"testing"

	"pimflow/internal/onnx"
	"pimflow/internal/tensor"
)

// TestQuantizedNetwork compares a quantised network, as read and on integers.
func TestQuantizedNetwork(t *testing.T) {
	const path = "../docs/quantized.onnx"
	f, err := onnx.Read(t.Context(), path, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	model, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compareNetwork(t, f.Graph, random(f.Graph), model)
}

// quantized are the operators on integers of 8 bits. ONNX fixes their bits, but for a rounding of the real numbers in between that
// those of com.microsoft leave open: a step. DynamicQuantizeLinear is not here: the binding returns no scalars.
var quantized = []generator{
	{"ConvInteger", convInteger},
	{"DequantizeLinear", dequantizeLinear},
	{"MatMulInteger", matMulInteger},
	{"com.microsoft.QGemm", qGemm},
	{"com.microsoft.QLinearAdd", qLinear(2)},
	{"com.microsoft.QLinearAveragePool", qLinearAveragePool},
	{"com.microsoft.QLinearConcat", qLinearConcat},
	{"QLinearConv", qLinearConv},
	{"com.microsoft.QLinearGlobalAveragePool", qLinear(1)},
	{"com.microsoft.QLinearLeakyRelu", qLinear(1)},
	{"QLinearMatMul", qLinearMatMul},
	{"com.microsoft.QLinearMul", qLinear(2)},
	{"com.microsoft.QLinearSigmoid", qLinear(1)},
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

// qLinear draws so many values of one shape.
func qLinear(values int) func(m *model) {
	return func(m *model) {
		m.steps = 1
		m.since(13)
		t := m.eight()
		for range values {
			m.input(m.codes(t, 2, 3, 4, 5))
			m.coding(2, t)
		}
		m.coding(3, t)
		if m.op == "com.microsoft.QLinearLeakyRelu" {
			m.attr("alpha", float32(0.1))
		}
	}
}

func qLinearAveragePool(m *model) {
	m.steps = 1
	m.since(13)
	t := m.eight()
	w := m.window(2, false)
	m.attr("kernel_shape", w.kernel)
	m.input(m.codes(t, append(tensor.Shape{1, 3}, w.extents...)...))
	m.coding(2, t)
	m.coding(2, t)
}

func qLinearConcat(m *model) {
	m.steps = 1
	m.since(13)
	t := m.eight()
	m.attr("axis", 1)
	m.coding(2, t)
	for range m.between(1, 3) {
		m.input(m.codes(t, 2, m.between(1, 4), 3))
		m.coding(2, t)
	}
}

// within is got with integers that are no more than the steps of the model from those wanted replaced by these.
func (m *model) within(got, want []*tensor.Tensor) []*tensor.Tensor {
	for k := range min(len(got), len(want)) {
		if m.steps == 0 || want[k].Type.Float() || !got[k].Shape.Equal(want[k].Shape) {
			continue
		}
		for i, w := range want[k].Ints() {
			if d := got[k].Ints()[i] - w; -m.steps <= d && d <= m.steps {
				got[k].Ints()[i] = w
			}
		}
	}
	return got
}
