package onnx

import (
	"math"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// resize lowers Resize. Opset 10 has no coordinate attributes: positions are
// asymmetric, as for Upsample, and the nearest value lies below for enlarging
// and above for reducing, which is what ONNX's tests of opset 10 contain.
func resize(n *node) []*value {
	x := n.opt(0)
	if n.opset == 10 {
		n.arity(2, 2)
		scales := n.constFloats(1, "scales")
		a := op.Attrs{"mode": n.str("mode", "nearest"), "coordinate_transformation_mode": "asymmetric"}
		if a.String("mode") == "nearest" {
			a["nearest_mode"] = n.simpleNearest(scales)
		}
		return n.resizeBy(scales, nil, a)
	}
	n.arity(1, 4)
	rank := len(x.shape)
	mode := n.str("coordinate_transformation_mode", "half_pixel")
	n.ignore("extrapolation_value") // of tf_crop_and_resize alone
	a := op.Attrs{
		"mode": n.str("mode", "nearest"), "coordinate_transformation_mode": mode,
		"nearest_mode": n.str("nearest_mode", "round_prefer_floor"),
	}
	a["cubic_coeff_a"], a["exclude_outside"] = n.float("cubic_coeff_a", -0.75), n.int("exclude_outside", 0)
	if n.opset >= 18 {
		a["antialias"] = n.int("antialias", 0)
	}

	axes := make([]int, rank)
	for i := range axes {
		axes[i] = i
	}
	if v := n.resizeAxes(); v != nil {
		axes = axes[:0]
		for _, k := range v {
			axes = append(axes, n.axis(k, rank, 0))
		}
	}
	if mode == "tf_crop_and_resize" {
		n.cropped(a, axes)
	}
	var scales []float32
	var sizes []int64
	if v := n.opt(2); v != nil && v.shape.Size() > 0 {
		scales = n.constFloats(2, "scales")
	}
	if v := n.opt(3); v != nil && v.shape.Size() > 0 {
		sizes = n.largest(3, "sizes")
	}
	if (scales == nil) == (sizes == nil) {
		n.fail("scales and sizes: one of them wanted")
	}
	if len(scales)+len(sizes) != len(axes) {
		n.fail("%d scales or sizes for %d axes", len(scales)+len(sizes), len(axes))
	}
	if scales != nil {
		all := make([]float32, rank)
		for i := range all {
			all[i] = 1
		}
		for i, k := range axes {
			all[k] = scales[i]
		}
		return n.resizeBy(all, nil, a)
	}
	all := int64s(x.shape)
	for i, k := range axes {
		all[k] = sizes[i]
	}
	return n.resizeTo(all, axes, sizes, a)
}

func (n *node) resizeAxes() []int64 {
	if n.opset < 18 {
		return nil
	}
	return n.ints("axes")
}

// resizeTo resizes to sizes, of all dimensions; under a keep_aspect_ratio_policy
// one scale for the named axes is the least or greatest that sizes ask for.
func (n *node) resizeTo(all []int64, axes []int, sizes []int64, a op.Attrs) []*value {
	policy := "stretch"
	if n.opset >= 18 {
		policy = n.str("keep_aspect_ratio_policy", policy)
	}
	x := n.in[0].shape
	if policy == "stretch" {
		return n.resizeBy(nil, all, a)
	}
	scale := math.Inf(1)
	pick := math.Min
	switch policy {
	case "not_larger":
	case "not_smaller":
		scale, pick = 0, math.Max
	default:
		n.fail("keep_aspect_ratio_policy %.80q: stretch, not_larger or not_smaller wanted", policy)
	}
	for i, k := range axes {
		scale = pick(scale, float64(sizes[i])/float64(x[k]))
	}
	scales := make([]float32, len(x))
	for i := range scales {
		scales[i] = 1
	}
	for _, k := range axes {
		scales[k] = float32(scale)
		// Halves round up: ONNX, Resize-18, keep_aspect_ratio_policy.
		all[k] = int64(math.Floor(scale*float64(x[k]) + 0.5))
	}
	return n.resizeBy(scales, all, a)
}

// resizeBy makes the node's value; sizes that are nil follow from the scales,
// scales that are nil from the sizes.
func (n *node) resizeBy(scales []float32, sizes []int64, a op.Attrs) []*value {
	x := n.in[0]
	if sizes == nil {
		if len(scales) != len(x.shape) {
			n.fail("%d scales for %v", len(scales), x.shape)
		}
		for i, d := range x.shape {
			v := resized(d, scales[i])
			if !(scales[i] > 0) || v > math.MaxInt32 {
				n.fail("scales %v of %v: positive ones that give extents below 2^31 wanted", scales, x.shape)
			}
			sizes = append(sizes, int64(v))
		}
	}
	n.shapeFrom(sizes)
	a["sizes"], a["scales"] = sizes, append([]float32{}, scales...)
	return one(n.op("Resize", a, x))
}

// resized is the extent that a scale gives. The product is one of float32, as
// exporters mean it: 3 times float32(10/3) is 10, which in float64 lies below.
func resized(extent int, scale float32) float64 {
	return math.Floor(float64(float32(extent) * scale))
}

// simpleNearest is the nearest_mode that opset 10 and Upsample mean.
func (n *node) simpleNearest(scales []float32) string {
	up, down := false, false
	for _, s := range scales {
		up = up || s > 1
		down = down || s < 1
	}
	if up && down {
		n.fail("scales %v enlarge and reduce: opset 11 or later wanted, which says what that means", scales)
	}
	if down {
		return "ceil"
	}
	return "floor"
}

// upsample lowers Upsample, of opsets 1 to 9.
func upsample(n *node) []*value {
	var scales []float32
	if n.opset < 7 {
		n.arity(1, 1)
		scales = []float32{1, 1, n.float("height_scale", 0), n.float("width_scale", 0)}
	} else if n.opset < 9 {
		n.arity(1, 1)
		scales = n.floats("scales")
	} else {
		n.arity(2, 2)
		scales = n.constFloats(1, "scales")
	}
	for _, s := range scales {
		if s < 1 {
			n.fail("scales %v: 1 or more wanted", scales)
		}
	}
	mode := n.str("mode", "nearest")
	if mode == "bilinear" {
		mode = "linear"
	}
	if n.in[0].typ == tensor.Bool {
		n.fail("input of bool")
	}
	return n.resizeBy(scales, nil, op.Attrs{"mode": mode, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})
}
