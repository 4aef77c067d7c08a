package ortcheck

import "pimflow/internal/tensor"

var expanded = []generator{
	{"AffineGrid", affineGrid},
	{"BlackmanWindow", taper},
	{"CenterCropPad", centerCropPad},
	{"Col2Im", col2Im},
	{"Det", func(m *model) {
		m.until(11, 21)
		n := m.between(1, 4)
		m.input(m.floats(append(m.shape(m.between(1, 2), 3), n, n)...))
	}},
	{"HammingWindow", taper},
	{"HannWindow", taper},
	{"MeanVarianceNormalization", func(m *model) {
		m.since(9)
		s := m.shape(4, 4)
		s[3]++ // ONNX Runtime divides by zero where there is one value
		m.input(m.floats(s...))
		if m.coin() {
			m.attr("axes", []int64{2, 3})
		}
	}},
	{"NegativeLogLikelihoodLoss", loss},
	{"RMSNormalization", rmsNorm},
	{"SoftmaxCrossEntropyLoss", loss},
}

// loss draws targets, some of which are ignored, but not all.
func loss(m *model) {
	m.until(13, 21)
	s := m.shape(m.between(2, 4), 4)
	m.maybe("reduction", pick(m, "none", "sum", "mean"))
	if m.stated("reduction") != "none" { // a scalar cannot be read through the binding
		m.attrs = nil
		m.attr("reduction", "none")
	}
	target := m.whole(pick(m, tensor.Int64, tensor.Int32), 0, s[1]-1, append(s[:1].Clone(), s[2:]...)...)
	if m.coin() {
		m.attr("ignore_index", -1)
		target.Ints()[0] = -1
	}
	m.input(m.floats(s...))
	m.input(target)
	if m.coin() {
		m.operand(m.uniform(0.1, 2, s[1]))
	}
	if m.op == "SoftmaxCrossEntropyLoss" && m.coin() {
		m.outputs = []string{"y", "log"}
	}
}

func rmsNorm(m *model) {
	m.opset = 23
	s := m.shape(m.between(2, 4), 4)
	k := m.IntN(len(s))
	m.attr("axis", int(m.signed(k, len(s))))
	m.maybe("epsilon", float32(0.01))
	m.input(m.floats(s...))
	m.operand(m.floats(s[k:]...))
}

func affineGrid(m *model) {
	m.opset = m.between(20, newest)
	d := m.between(2, 3)
	n := m.between(1, 3)
	m.maybe("align_corners", m.IntN(2))
	m.input(m.floats(n, d, d+1))
	size := []int64{int64(n), 2}
	for range d {
		size = append(size, int64(m.between(1, 5)))
	}
	m.constant(tensor.Ints64(tensor.Shape{len(size)}, size))
}

func centerCropPad(m *model) {
	m.since(18)
	s := m.shape(m.between(1, 4), 6)
	axes := m.axes(len(s), len(s))
	if m.coin() {
		axes = m.axes(len(s), m.between(1, len(s)))
		m.attr("axes", axes)
	}
	m.input(m.floats(s...))
	m.constant(m.whole(tensor.Int64, 1, 9, len(axes)))
}

func col2Im(m *model) {
	m.since(18)
	rank := m.between(1, 3)
	w := m.window(rank, true)
	for m.stated("auto_pad") != nil { // it has none
		m.attrs = nil
		w = m.window(rank, true)
	}
	columns, taps := 1, 1
	for i, n := range w.extents {
		span := n + int(w.pads[i]+w.pads[rank+i]) - (int(w.kernel[i])-1)*int(w.dilated[i]) - 1
		columns *= span/int(w.strides[i]) + 1
		taps *= int(w.kernel[i])
	}
	image := tensor.New(tensor.Int64, tensor.Shape{rank})
	for i, n := range w.extents {
		image.Ints()[i] = int64(n)
	}
	m.input(m.floats(m.between(1, 2), taps*m.between(1, 3), columns))
	m.constant(image)
	m.constant(tensor.Ints64(tensor.Shape{rank}, w.kernel))
}

// taper draws the size of a window.
func taper(m *model) {
	m.since(17)
	m.maybe("periodic", 0)
	n := m.between(2, 40)
	m.constant(m.whole(tensor.Int64, n, n))
}
