package onnx

import "pimflow/internal/op"

// gridSample lowers GridSample. Opset 20 renamed the modes, and has three dimensions.
func gridSample(n *node) []*value {
	n.arity(2, 2)
	mode := n.str("mode", "linear")
	if n.opset < 20 {
		mode = n.str("mode", "bilinear")
		old := map[string]string{"bilinear": "linear", "nearest": "nearest", "bicubic": "cubic"}
		if old[mode] == "" {
			n.fail("mode %.80q: bilinear, nearest or bicubic wanted in opset %d", mode, n.opset)
		}
		mode = old[mode]
	}
	a := op.Attrs{"mode": mode, "padding_mode": n.str("padding_mode", "zeros"), "align_corners": n.int("align_corners", 0)}
	return one(n.op("GridSample", a, n.all()...))
}

// roiAlign lowers RoiAlign; before opset 16 boxes are not moved by half a pixel.
func roiAlign(n *node) []*value {
	n.arity(3, 3)
	a := n.attrs("RoiAlign")
	if n.opset < 16 {
		a["coordinate_transformation_mode"] = "output_half_pixel"
	}
	return one(n.op("RoiAlign", a, n.all()...))
}

// maxUnpool lowers MaxUnpool. The indices are those of a value without the padding
// that output_shape adds at the ends.
func maxUnpool(n *node) []*value {
	n.arity(2, 3)
	x := n.in[0]
	ext := n.spatial(x)
	w := n.window(len(ext), nil)
	w.pads = n.list("pads", 2*len(ext), 0, 0)
	a := w.attrs()
	delete(a, "dilations")
	if n.opt(2) == nil {
		return one(n.op("MaxUnpool", a, n.in[:2]...))
	}
	want := n.shapeFrom(n.constInts(2, "output_shape"))
	y := n.sub("MaxUnpool", a, n.in[:2]...)
	pads := make([]int64, 2*len(y.shape))
	for i, d := range y.shape {
		if len(want) != len(y.shape) || want[i] < d {
			n.fail("output_shape %v: %v or more wanted", want, y.shape)
		}
		pads[len(want)+i] = int64(want[i] - d)
	}
	return one(n.op("Pad", op.Attrs{"pads": pads}, y))
}

func lpPool(n *node) []*value {
	n.arity(1, 1)
	return one(n.pool("LpPool", n.op, op.Attrs{"p": n.power()}))
}

// globalLpPool lowers GlobalLpPool to a reduction of the spatial dimensions: for p of
// 1 and 2 that of its name, else the p-th root of a sum of p-th powers.
func globalLpPool(n *node) []*value {
	n.arity(1, 1)
	x, p := n.in[0], n.power()
	if p < 1 {
		n.fail("p %d: 1 or more wanted", p)
	}
	axes := []int64{}
	for d := range n.spatial(x) {
		axes = append(axes, int64(d+2))
	}
	a := op.Attrs{"axes": axes, "keepdims": int64(1)}
	switch p {
	case 1:
		return one(n.op("ReduceSum", a, n.sub("Abs", nil, x)))
	case 2:
		return one(n.op("ReduceL2", a, x))
	}
	power := n.sub("Pow", nil, n.sub("Abs", nil, x), n.scalar("p", x.typ, float64(p)))
	return one(n.op("Pow", nil, n.sub("ReduceSum", a, power), n.scalar("root", x.typ, 1/float64(p))))
}

// maxPool lowers MaxPool to the maxima, and to where they are if that is read.
func maxPool(n *node) []*value {
	n.arity(1, 1)
	order := n.int("storage_order", 0)
	if !n.wants(1) {
		return one(n.pool("MaxPool", n.op, op.Attrs{}))
	}
	at := op.Attrs{"storage_order": order}
	if !n.wants(0) {
		return []*value{nil, n.pool("MaxPoolIndices", n.op, at)}
	}
	return []*value{n.pool("MaxPool", n.op, op.Attrs{}), n.pool("MaxPoolIndices", n.sub, at)}
}

// cropped reads the part of the input that tf_crop_and_resize takes, and what the
// value is beyond it: starts of all dimensions, then ends; all of those not named.
func (n *node) cropped(a op.Attrs, axes []int) {
	rank := len(n.in[0].shape)
	if n.opt(1) == nil {
		n.fail("roi is left out: what tf_crop_and_resize takes wanted")
	}
	roi := n.constFloats(1, "roi")
	if len(roi) != 2*len(axes) {
		n.fail("roi %v for %d axes: two for each wanted", roi, len(axes))
	}
	all := make([]float32, 2*rank)
	for d := range rank {
		all[rank+d] = 1
	}
	for i, d := range axes {
		all[d], all[rank+d] = roi[i], roi[len(axes)+i]
	}
	a["roi"], a["extrapolation_value"] = all, n.float("extrapolation_value", 0)
}
