package op

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/tensor"
)

// resizeOps interpolate.
var resizeOps = []Op{{
	Name: "Resize", MinIn: 1, MaxIn: 1,
	Attrs: []Attr{
		{Name: "sizes", Kind: Ints}, {Name: "scales", Kind: Floats, Default: []float32(nil)},
		{Name: "mode", Kind: String, Default: "nearest", OneOf: []string{"nearest", "linear", "cubic"}},
		{Name: "coordinate_transformation_mode", Kind: String, Default: "half_pixel", OneOf: coordinateNames()},
		{Name: "roi", Kind: Floats, Default: []float32(nil)}, {Name: "extrapolation_value", Kind: Float, Default: float32(0)}, // of tf_crop_and_resize
		{Name: "nearest_mode", Kind: String, Default: "round_prefer_floor", OneOf: []string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}},
		{Name: "cubic_coeff_a", Kind: Float, Default: float32(-0.75)}, {Name: "exclude_outside", Kind: Int, Default: int64(0)},
		{Name: "antialias", Kind: Int, Default: int64(0)},
	},
	Shape: resizeShape,
	Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
		if mode := a.String("mode"); mode != "nearest" && !in[0].Float() {
			return 0, fmt.Errorf("mode %.80q on %v: a floating type wanted", mode, in[0])
		}
		return in[0], nil
	},
	Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
		b := make(tensor.Box, len(out))
		for d, r := range out {
			b[d] = resizedAlong(a, in[0], d).need(r)
		}
		return []tensor.Box{b}
	},
	Eval: resize,
}}

// coordinates maps an index of the value to a place in the input, of extents out
// and in, as ONNX Resize-19 names and defines the modes. It is computed in float32
// as ONNX Runtime and PyTorch do: float32(7.0/6) is not 7/6, and only the rounding
// of the place puts it back on the half that the exporter meant.
var coordinates = map[string]func(r *resized, o float32) float32{
	"half_pixel": halfPixel,
	"half_pixel_symmetric": func(r *resized, o float32) float32 {
		part := float32(r.out) / (r.scale * float32(r.in))
		return float32(float32(r.in)/2*(1-part)) + halfPixel(r, o) // rounded: not fused
	},
	"pytorch_half_pixel": func(r *resized, o float32) float32 {
		if r.out == 1 {
			return 0
		}
		return halfPixel(r, o)
	},
	"align_corners": func(r *resized, o float32) float32 {
		if r.out == 1 {
			return 0
		}
		return o * float32(r.in-1) / float32(r.out-1)
	},
	"asymmetric":           func(r *resized, o float32) float32 { return o / r.scale },
	"tf_half_pixel_for_nn": func(r *resized, o float32) float32 { return (o + 0.5) / r.scale },
	"tf_crop_and_resize": func(r *resized, o float32) float32 {
		if r.out == 1 {
			return 0.5 * (r.start + r.end) * float32(r.in-1)
		}
		return r.start*float32(r.in-1) + o*(r.end-r.start)*float32(r.in-1)/float32(r.out-1)
	},
}

func halfPixel(r *resized, o float32) float32 { return (o+0.5)/r.scale - 0.5 }

func coordinateNames() []string {
	var names []string
	for n := range coordinates {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func resizeShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	x, sizes := in[0], a.Ints("sizes")
	scales := a["scales"].([]float32)
	if len(sizes) != len(x) || len(scales) != 0 && len(scales) != len(x) {
		return nil, fmt.Errorf("sizes %v, scales %v of %v: one value a dimension wanted", sizes, scales, x)
	}
	if roi := a["roi"].([]float32); a.String("coordinate_transformation_mode") == "tf_crop_and_resize" && len(roi) != 2*len(x) {
		return nil, fmt.Errorf("roi %v: two values a dimension of %v wanted", roi, x)
	}
	for d, n := range sizes {
		if n < 0 || n > 0 && x[d] == 0 {
			return nil, fmt.Errorf("sizes %v of %v", sizes, x)
		}
		if len(scales) > 0 && !(scales[d] > 0 && !math.IsInf(float64(scales[d]), 1)) {
			return nil, fmt.Errorf("scales %v: finite and more than 0 wanted", scales)
		}
		if len(scales) > 0 && a.Int("antialias") != 0 && n > 0 && 2*float64(scales[d])*float64(x[d]) < 1 {
			return nil, fmt.Errorf("scales %v of %v: half a value or more wanted", scales, x)
		}
	}
	return tensor.Shape(sizes), nil
}

// resized is one dimension of a resize: index o of the value is at place(o) of the input.
type resized struct {
	a          Attrs
	place      func(r *resized, o float32) float32
	crop       bool
	scale      float32
	start, end float32 // of the crop, in parts of the input
	in, out    int
}

func resizedAlong(a Attrs, x tensor.Shape, d int) resized {
	sizes, scales := a.Ints("sizes"), a["scales"].([]float32)
	mode := a.String("coordinate_transformation_mode")
	r := resized{a: a, place: coordinates[mode], crop: mode == "tf_crop_and_resize", in: x[d], out: sizes[d]}
	if r.scale = float32(r.out) / float32(r.in); len(scales) > 0 {
		r.scale = scales[d]
	}
	if roi := a["roi"].([]float32); r.crop {
		r.start, r.end = roi[d], roi[len(x)+d]
	}
	return r
}

// same reports whether the values of the dimension stay where they are.
func (r resized) same() bool { return r.scale == 1 && r.in == r.out && !r.crop }

// reach is how far from a place values count: those of a filter, which antialiasing
// stretches where the value is smaller (ONNX Resize-18).
func (r resized) reach() float64 {
	return map[string]float64{"linear": 1, "cubic": 2}[r.a.String("mode")] / min(float64(r.scale), 1)
}

// at is the place in the input, within what an int holds on every processor.
func (r resized) at(o int) float64 {
	v := float64(r.place(&r, float32(o)))
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, -0x1p40), 0x1p40)
}

// need is the range of the inputs behind the values of a range, which is not empty. Places ascend with the index, or descend
// in a crop, so that the first and the last decide; for cubic, all inputs around them count, also those of weight 0.
func (r resized) need(o tensor.Range) tensor.Range {
	if r.same() {
		return o
	}
	first, last := r.at(o.Lo), r.at(o.Hi-1)
	first, last = min(first, last), max(first, last)
	var lo, hi int
	switch mode := r.a.String("mode"); {
	case mode == "nearest":
		mode := r.a.String("nearest_mode")
		lo, hi = nearestTo(mode, first), nearestTo(mode, last)
	case r.a.Int("antialias") != 0:
		lo, hi = int(math.Ceil(first-r.reach())), int(math.Floor(last+r.reach()))
	case mode == "linear":
		lo, hi = int(math.Floor(first)), int(math.Ceil(last))
	default:
		lo, hi = int(math.Floor(first))-1, int(math.Floor(last))+2
	}
	return tensor.Range{Lo: min(max(lo, 0), r.in-1), Hi: min(max(hi, 0), r.in-1) + 1}
}

// tap lists the indices of one dimension of the input that are behind one index
// of the value, and their weights.
type tap struct {
	at     []int
	weight []float64
}

// resizeTaps are the taps of each dimension and index of the box out.
func resizeTaps(a Attrs, x tensor.Shape, out tensor.Box) [][]tap {
	list := make([][]tap, len(out))
	for d, r := range out {
		axis := resizedAlong(a, x, d)
		for o := r.Lo; o < r.Hi; o++ {
			if axis.same() {
				list[d] = append(list[d], tap{[]int{o}, []float64{1}})
				continue
			}
			list[d] = append(list[d], axis.tap(axis.at(o)))
		}
	}
	return list
}

// tap is the tap for a place. Beyond the ends of a crop it is empty.
func (r resized) tap(place float64) tap {
	if r.crop && (place < 0 || place > float64(r.in-1)) {
		return tap{}
	}
	base := math.Floor(place)
	frac := place - base
	var weight []float64
	first := int(base)
	k := float64(r.a.Float("cubic_coeff_a"))
	switch mode := r.a.String("mode"); {
	case mode == "nearest":
		i := nearestTo(r.a.String("nearest_mode"), place)
		return tap{[]int{min(max(i, 0), r.in-1)}, []float64{1}}
	case r.a.Int("antialias") != 0:
		reach, scale := r.reach(), min(float64(r.scale), 1)
		first = int(math.Ceil(place - reach))
		for i := first; float64(i) <= place+reach; i++ {
			t := math.Abs(float64(i)-place) * scale
			if mode == "linear" {
				weight = append(weight, max(1-t, 0))
			} else {
				weight = append(weight, cubic(k, t))
			}
		}
	case mode == "linear":
		weight = []float64{1 - frac, frac}
	case mode == "cubic":
		weight, first = cubicWeights(k, frac), first-1
	}
	exclude := r.a.Int("exclude_outside") != 0
	var t tap
	total := 0.0
	for j, w := range weight {
		i := first + j
		if inside := i >= 0 && i < r.in; !inside && exclude || w == 0 {
			continue
		}
		t.at, t.weight = append(t.at, min(max(i, 0), r.in-1)), append(t.weight, w)
		total += w
	}
	if exclude || r.a.Int("antialias") != 0 {
		for j := range t.weight {
			t.weight[j] /= total
		}
	}
	return t
}

// cubic is the weight of a value at the distance t from a place, of a filter with the
// coefficient k (Keys, Cubic convolution interpolation for digital image processing,
// 1981).
func cubic(k, t float64) float64 {
	switch {
	case t <= 1:
		return ((k+2)*t-(k+3))*t*t + 1
	case t < 2:
		return ((k*t-5*k)*t+8*k)*t - 4*k
	}
	return 0
}

// cubicWeights are those of the four values around a place, frac after the second.
func cubicWeights(k, frac float64) []float64 {
	return []float64{cubic(k, 1+frac), cubic(k, frac), cubic(k, 1-frac), cubic(k, 2-frac)}
}

// times lists the lines of values behind lines of dimensions before, and the products
// of their weights; stride is that of the dimension of t.
func (t tap) times(lines []int, weights []float64, stride int) (l []int, w []float64) {
	for i := range lines {
		for j := range t.at {
			l, w = append(l, lines[i]+t.at[j]*stride), append(w, weights[i]*t.weight[j])
		}
	}
	return l, w
}

func nearestTo(mode string, place float64) int {
	switch mode {
	case "round_prefer_floor":
		return int(math.Ceil(place - 0.5))
	case "round_prefer_ceil":
		return int(math.Floor(place + 0.5))
	case "floor":
		return int(math.Floor(place))
	}
	return int(math.Ceil(place))
}

func resize(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	x := in[0].Shape
	taps := resizeTaps(a, x, out)
	if a.String("mode") == "nearest" || len(x) == 0 {
		from := make([][]int, len(taps))
		for d, list := range taps {
			for _, t := range list {
				from[d] = append(from[d], append(t.at, -1)[0])
			}
		}
		take(dst, out, in[0], from, a.Float("extrapolation_value"))
		return
	}
	v, y, s := in[0].Floats(), dst.Floats(), dst.Shape
	st, last := x.Strides(), len(s)-1
	// Rows of the value are apart from each other.
	var rows []int
	walk(out, []view{of(s)}, func(off, _ []int, _ int) { rows = append(rows, off[0]) })
	parallel(len(rows), func(r int) {
		// The lines of the input behind the row, with the products of their weights.
		lines, weights := []int{0}, []float64{1}
		off := rows[r]
		for d, ost := range s.Strides()[:last] {
			t := taps[d][off/ost-out[d].Lo]
			off %= ost
			lines, weights = t.times(lines, weights, st[d])
		}
		for i, t := range taps[last] {
			if len(lines) == 0 || len(t.at) == 0 { // beyond a crop
				y[rows[r]+i] = a.Float("extrapolation_value")
				continue
			}
			sum := 0.0
			for l, base := range lines {
				part := 0.0
				for j, at := range t.at {
					part += t.weight[j] * float64(v[base+at])
				}
				sum += weights[l] * part
			}
			y[rows[r]+i] = float32(sum)
		}
	})
}
