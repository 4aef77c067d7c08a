package ortcheck

import (
	"strings"

	"pimflow/internal/tensor"
)

var samples = []generator{
	{"GridSample", gridSample},
	{"MaxRoiPool", maxRoiPool},
	{"MaxUnpool", maxUnpool},
	{"LpPool", lpPool},
	{"GlobalLpPool", func(m *model) {
		m.until(7, 21)
		m.input(m.floats(m.shape(m.between(3, 5), 5)...))
		m.maybe("p", m.between(1, 4))
	}},
	{"RoiAlign", roiAlign},
}

var einsums = []generator{{"Einsum", einsum}}

// until draws an opset of those for which ONNX Runtime has an implementation.
func (m *model) until(oldest, newest int) { m.opset = m.between(oldest, newest) }

func gridSample(m *model) {
	m.since(16)
	n := 2
	modes := []string{"bilinear", "nearest", "bicubic"}
	if m.opset >= 20 {
		modes = []string{"linear", "nearest", "cubic"}
		if n = m.between(2, 3); n == 3 {
			modes = modes[:2]
		}
	}
	m.maybe("mode", pick(m, modes...))
	m.maybe("padding_mode", pick(m, "zeros", "border", "reflection"))
	m.maybe("align_corners", m.IntN(2))
	s := m.shape(n+2, 5)
	for d := range s[2:] {
		s[2+d]++ // ONNX Runtime divides by zero to mirror one pixel
	}
	m.input(m.floats(s...))
	m.operand(m.uniform(-1.5, 1.5, append(append(tensor.Shape{s[0]}, m.shape(n, 4)...), n)...))
}

func roiAlign(m *model) {
	m.until(10, 21)
	m.maybe("mode", pick(m, "avg", "max"))
	m.maybe("output_height", m.between(1, 3))
	m.maybe("output_width", m.between(1, 3))
	m.maybe("sampling_ratio", m.IntN(3))
	m.maybe("spatial_scale", pick(m, float32(0.5), 1))
	if m.opset >= 16 {
		m.maybe("coordinate_transformation_mode", pick(m, "half_pixel", "output_half_pixel"))
	}
	s, n := m.shape(4, 7), m.between(1, 3)
	m.input(m.floats(s...))
	rois := m.uniform(-1, 8, n, 4)
	for i := range n {
		rois.Floats()[4*i+2] = rois.Floats()[4*i] + max(0, float32(10*m.Float64()-2)) // some without area
		rois.Floats()[4*i+3] = rois.Floats()[4*i+1] + max(0, float32(10*m.Float64()-2))
	}
	m.operand(rois)
	m.operand(m.whole(tensor.Int64, 0, s[0]-1, n))
}

func maxRoiPool(m *model) {
	m.until(7, 21)
	m.attr("pooled_shape", []int64{int64(m.between(1, 3)), int64(m.between(1, 3))})
	m.maybe("spatial_scale", pick(m, float32(0.5), 1))
	s, n := m.shape(4, 7), m.between(1, 3)
	m.input(m.floats(s...))
	rois := m.uniform(-1, 8, n, 5)
	for i := range n {
		rois.Floats()[5*i] = float32(m.IntN(s[0]))
		rois.Floats()[5*i+3] = rois.Floats()[5*i+1] + float32(8*m.Float64())
		rois.Floats()[5*i+4] = rois.Floats()[5*i+2] + float32(8*m.Float64())
	}
	m.operand(rois)
}

func lpPool(m *model) {
	rank := m.between(1, 3)
	w := m.window(rank, m.opset >= 18)
	m.attr("kernel_shape", w.kernel)
	m.maybe("p", m.between(1, 4))
	if m.opset >= 18 {
		m.maybe("ceil_mode", m.IntN(2))
	}
	m.input(m.floats(append(m.shape(2, 3), w.extents...)...))
}

// maxUnpool draws a place for each value.
func maxUnpool(m *model) {
	m.since(9)
	rank := m.between(1, 3)
	var kernel, strides []int64
	s, size := m.shape(rank+2, 3), 1
	for d := range rank {
		k, st := m.between(1, 3), m.between(1, 3)
		kernel, strides = append(kernel, int64(k)), append(strides, int64(st))
		size *= (s[2+d]-1)*st + k
	}
	m.attr("kernel_shape", kernel)
	m.attr("strides", strides)
	m.input(m.floats(s...))
	m.input(m.whole(tensor.Int64, 0, s[0]*s[1]*size-1, s...))
}

// einsum draws terms of labels whose extents differ, and some labels of them as the
// result's.
func einsum(m *model) {
	m.since(12)
	const letters = "abcdEF"
	extent := map[byte]int{}
	for i := range letters {
		extent[letters[i]] = m.between(1, 4)
	}
	hidden := m.shape(m.IntN(3), 3) // behind an ellipsis
	open := m.IntN(3) == 0
	var terms []string
	var there string
	for range m.between(1, 3) {
		var s tensor.Shape
		term := ""
		if open {
			term, s = "...", append(s, hidden...)
		}
		for range m.between(1, 3) {
			l := letters[m.IntN(len(letters))]
			if strings.IndexByte(term, l) >= 0 && m.IntN(3) > 0 {
				continue
			}
			term += string(l)
			s = append(s, extent[l])
		}
		there += strings.ReplaceAll(term, ".", "")
		terms = append(terms, term)
		m.input(m.floats(s...))
	}
	equation := strings.Join(terms, ",")
	result := ""
	for _, k := range m.Perm(len(letters)) {
		if l := letters[k]; strings.IndexByte(there, l) >= 0 && (result == "" || m.coin()) {
			result += string(l) // a scalar cannot be read through the binding
		}
	}
	if open {
		result = "..." + result
	}
	m.attr("equation", equation+pick(m, "->", " -> ")+result)
}
