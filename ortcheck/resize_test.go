package ortcheck

import "pimflow/internal/tensor"

var resizes = []generator{
	{"Resize", resize},
	{"Upsample", upsample},
}

// resize draws images: batch and channels are kept.
func resize(m *model) {
	m.since(10)
	s := m.shape(4, 6)
	scales := tensor.Floats32(tensor.Shape{4}, []float32{1, 1, m.scale(s[2]), m.scale(s[3])})
	mode := pick(m, "nearest", "linear", "cubic")
	if m.opset == 10 {
		mode = pick(m, "nearest", "linear")
	}
	if mode != "nearest" || m.coin() {
		m.attr("mode", mode)
	}
	m.input(m.floats(s...))
	if m.opset == 10 {
		m.constant(scales)
		return
	}
	crop := m.IntN(6) == 0
	if crop {
		m.attr("coordinate_transformation_mode", "tf_crop_and_resize")
		m.maybe("extrapolation_value", float32(7))
	} else if m.coin() {
		modes := []string{"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}
		if m.opset < 13 {
			modes = append(modes, "tf_half_pixel_for_nn")
		}
		if m.opset >= 19 {
			modes = append(modes, "half_pixel_symmetric")
		}
		m.attr("coordinate_transformation_mode", pick(m, modes...))
	}
	if m.opset >= 18 && mode != "nearest" && !crop {
		m.maybe("antialias", 1)
	}
	switch mode {
	case "nearest":
		m.maybe("nearest_mode", pick(m, "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))
	case "cubic":
		m.maybe("cubic_coeff_a", pick(m, float32(-0.5), -0.75))
		m.maybe("exclude_outside", m.IntN(2))
	}
	switch {
	case crop:
		roi := tensor.Floats32(tensor.Shape{8}, []float32{0, 0, 0, 0, 1, 1, 1, 1})
		for _, i := range []int{2, 3, 6, 7} {
			roi.Floats()[i] += float32(m.between(-2, 4)) / 8
		}
		m.constant(roi)
	case m.opset < 13:
		m.constant(m.floats(0))
	default:
		m.leave()
	}
	if m.coin() {
		m.constant(scales)
		return
	}
	if m.opset < 13 {
		m.constant(m.floats(0))
	} else {
		m.leave()
	}
	m.constant(tensor.Ints64(tensor.Shape{4}, []int64{int64(s[0]), int64(s[1]), int64(m.between(1, 12)), int64(m.between(1, 12))}))
}

// scale draws a scale that gives an extent of 1 or more.
func (m *model) scale(extent int) float32 {
	if m.coin() {
		return float32(m.between(1, 3))
	}
	return float32(m.between(1, 12)) / float32(extent)
}

func upsample(m *model) {
	m.opset = m.between(7, 9)
	m.maybe("mode", pick(m, "nearest", "linear"))
	m.input(m.floats(m.shape(4, 5)...))
	scales := []float32{1, 1, float32(m.between(1, 3)), float32(m.between(1, 3))}
	if m.opset < 9 {
		m.attr("scales", scales)
	} else {
		m.constant(tensor.Floats32(tensor.Shape{4}, scales))
	}
}
