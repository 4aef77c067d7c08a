package ortcheck

import "pimflow/internal/tensor"

var convolutions = []generator{
	{"AveragePool", averagePool},
	{"Conv", conv},
	{"ConvTranspose", convTranspose},
	{"GlobalAveragePool", globalPool},
	{"GlobalMaxPool", globalPool},
	{"MaxPool", maxPool},
}

// window is a sliding window over the spatial dimensions, while it is drawn.
type window struct {
	extents                  tensor.Shape
	kernel, strides, dilated []int64
	pads                     []int64
	auto                     string
}

// window draws a window and sets its attributes, in any of the spellings. Pads
// are below the kernel, as pooling wants.
func (m *model) window(rank int, dilate bool) window {
	w := window{auto: "NOTSET"}
	w.pads = make([]int64, 2*rank)
	for i := range rank {
		k, d := m.between(1, 4), 1
		if dilate {
			d = m.between(1, 3)
		}
		w.kernel = append(w.kernel, int64(k))
		w.dilated = append(w.dilated, int64(d))
		w.strides = append(w.strides, int64(m.between(1, 3)))
		w.pads[i], w.pads[rank+i] = int64(m.IntN(k)), int64(m.IntN(k))
		w.extents = append(w.extents, m.between((k-1)*d+1, (k-1)*d+7))
	}
	m.maybeOnes("strides", w.strides)
	if dilate {
		m.maybeOnes("dilations", w.dilated)
	}
	switch m.IntN(5) {
	case 0:
		w.auto = pick(m, "VALID", "SAME_UPPER", "SAME_LOWER")
		m.attr("auto_pad", w.auto)
	case 1:
		clear(w.pads)
	case 2: // what most exporters write
		copy(w.pads[rank:], w.pads[:rank])
		m.attr("pads", w.pads)
	default:
		m.attr("pads", w.pads)
	}
	return w
}

// maybeOnes states v, or makes it the default of ones.
func (m *model) maybeOnes(name string, v []int64) {
	if m.coin() {
		m.attr(name, v)
		return
	}
	for i := range v {
		v[i] = 1
	}
}

func ints(s []int64) tensor.Shape {
	var out tensor.Shape
	for _, v := range s {
		out = append(out, int(v))
	}
	return out
}

func conv(m *model) {
	rank := m.between(1, 3)
	w := m.window(rank, true)
	group := pick(m, 1, 1, 2, 4)
	in, out := group*m.between(1, 3), group*m.between(1, 3)
	if group > 1 || m.coin() {
		m.attr("group", group)
	}
	m.maybe("kernel_shape", w.kernel)
	m.input(m.floats(append(tensor.Shape{m.between(1, 2), in}, w.extents...)...))
	m.operand(m.floats(append(tensor.Shape{out, in / group}, ints(w.kernel)...)...))
	if m.coin() {
		m.operand(m.floats(out))
	}
}

func convTranspose(m *model) {
	rank := m.between(1, 2)
	w := m.window(rank, true)
	group := pick(m, 1, 1, 2, 3)
	in, out := group*m.between(1, 3), m.between(1, 3)
	if group > 1 || m.coin() {
		m.attr("group", group)
	}
	m.maybe("kernel_shape", w.kernel)
	if m.IntN(5) == 0 { // the pads follow from the output's shape
		shape := make([]int64, rank)
		for i, n := range w.extents {
			full := w.strides[i]*int64(n-1) + (w.kernel[i]-1)*w.dilated[i] + 1
			shape[i] = full - m.Int64N(min(full, 4))
		}
		m.attr("output_shape", shape)
	} else if m.coin() {
		extra := make([]int64, rank)
		for i := range extra {
			extra[i] = int64(m.IntN(int(max(w.strides[i], w.dilated[i]))))
		}
		m.attr("output_padding", extra)
	}
	m.input(m.floats(append(tensor.Shape{m.between(1, 2), in}, w.extents...)...))
	m.operand(m.floats(append(tensor.Shape{in, out}, ints(w.kernel)...)...))
	if m.coin() {
		m.operand(m.floats(group * out))
	}
}

func maxPool(m *model) {
	w := m.window(m.between(1, 3), m.opset >= 10)
	m.attr("kernel_shape", w.kernel)
	if m.opset >= 10 {
		m.maybe("ceil_mode", 1)
	}
	if m.opset >= 8 && m.coin() {
		m.outputs = []string{"y", "at"}
		m.maybe("storage_order", 1)
	}
	m.input(m.floats(append(m.shape(2, 3), w.extents...)...))
}

func averagePool(m *model) {
	w := m.window(m.between(1, 3), m.opset >= 19)
	m.attr("kernel_shape", w.kernel)
	m.maybe("count_include_pad", m.IntN(2))
	if m.opset >= 10 {
		m.maybe("ceil_mode", 1)
	}
	m.input(m.floats(append(m.shape(2, 3), w.extents...)...))
}

func globalPool(m *model) {
	m.input(m.floats(m.shape(m.between(3, 5), 6)...))
}
