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
		{Name: "nearest_mode", Kind: String, Default: "round_prefer_floor", OneOf: []string{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}},
		{Name: "cubic_coeff_a", Kind: Float, Default: float32(-0.75)}, {Name: "exclude_outside", Kind: Int, Default: int64(0)},
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
var coordinates = map[string]func(o, scale float32, in, out int) float32{
	"half_pixel": halfPixel,
	"half_pixel_symmetric": func(o, scale float32, in, out int) float32 {
		part := float32(out) / (scale * float32(in))
		return float32(float32(in)/2*(1-part)) + halfPixel(o, scale, in, out) // rounded: not fused
	},
	"pytorch_half_pixel": func(o, scale float32, in, out int) float32 {
		if out == 1 {
			return 0
		}
		return halfPixel(o, scale, in, out)
	},
	"align_corners": func(o, _ float32, in, out int) float32 {
		if out == 1 {
			return 0
		}
		return o * float32(in-1) / float32(out-1)
	},
	"asymmetric":           func(o, scale float32, _, _ int) float32 { return o / scale },
	"tf_half_pixel_for_nn": func(o, scale float32, _, _ int) float32 { return (o + 0.5) / scale },
}

func halfPixel(o, scale float32, _, _ int) float32 { return (o+0.5)/scale - 0.5 }

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
	for d, n := range sizes {
		if n < 0 || n > 0 && x[d] == 0 {
			return nil, fmt.Errorf("sizes %v of %v", sizes, x)
		}
		if len(scales) > 0 && !(scales[d] > 0 && !math.IsInf(float64(scales[d]), 1)) {
			return nil, fmt.Errorf("scales %v: finite and more than 0 wanted", scales)
		}
	}
	return tensor.Shape(sizes), nil
}

// resized is one dimension of a resize: index o of the value is at place(o) of the input.
type resized struct {
	a       Attrs
	place   func(o, scale float32, in, out int) float32
	scale   float32
	in, out int
}

func resizedAlong(a Attrs, x tensor.Shape, d int) resized {
	sizes, scales := a.Ints("sizes"), a["scales"].([]float32)
	r := resized{a: a, place: coordinates[a.String("coordinate_transformation_mode")], in: x[d], out: sizes[d]}
	if r.scale = float32(r.out) / float32(r.in); len(scales) > 0 {
		r.scale = scales[d]
	}
	return r
}

// same reports whether the values of the dimension stay where they are.
func (r resized) same() bool { return r.scale == 1 && r.in == r.out }

// at is the place in the input, within what an int holds on every processor.
func (r resized) at(o int) float64 {
	v := float64(r.place(float32(o), r.scale, r.in, r.out))
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, -0x1p40), 0x1p40)
}

// need is the range of the inputs behind the values of a range, which is not empty. Places ascend with the index, so that
// the first and the last decide; for cubic, all inputs around them count, also those of weight 0.
func (r resized) need(o tensor.Range) tensor.Range {
	if r.same() {
		return o
	}
	first, last := r.at(o.Lo), r.at(o.Hi-1)
	var lo, hi int
	switch r.a.String("mode") {
	case "nearest":
		mode := r.a.String("nearest_mode")
		lo, hi = nearestTo(mode, first), nearestTo(mode, last)
	case "linear":
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
			list[d] = append(list[d], tapOf(a, axis.at(o), x[d]))
		}
	}
	return list
}

// tapOf is the tap for a place in n values.
func tapOf(a Attrs, place float64, n int) tap {
	base := math.Floor(place)
	frac := place - base
	var weight []float64
	first := int(base)
	switch a.String("mode") {
	case "nearest":
		i := nearestTo(a.String("nearest_mode"), place)
		return tap{[]int{min(max(i, 0), n-1)}, []float64{1}}
	case "linear":
		weight = []float64{1 - frac, frac}
	case "cubic":
		// Keys, Cubic convolution interpolation for digital image processing, 1981.
		k := float64(a.Float("cubic_coeff_a"))
		near := func(t float64) float64 { return ((k+2)*t-(k+3))*t*t + 1 }
		far := func(t float64) float64 { return ((k*t-5*k)*t+8*k)*t - 4*k }
		weight = []float64{far(1 + frac), near(frac), near(1 - frac), far(2 - frac)}
		first--
	}
	var t tap
	total := 0.0
	for j, w := range weight {
		i := first + j
		if inside := i >= 0 && i < n; !inside && a.Int("exclude_outside") != 0 || w == 0 {
			continue
		}
		t.at, t.weight = append(t.at, min(max(i, 0), n-1)), append(t.weight, w)
		total += w
	}
	if a.Int("exclude_outside") != 0 {
		for j := range t.weight {
			t.weight[j] /= total
		}
	}
	return t
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
				from[d] = append(from[d], t.at[0])
			}
		}
		take(dst, out, in[0], from, 0)
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
			var l []int
			var w []float64
			for i := range lines {
				for j := range t.at {
					l, w = append(l, lines[i]+t.at[j]*st[d]), append(w, weights[i]*t.weight[j])
				}
			}
			lines, weights = l, w
		}
		for i, t := range taps[last] {
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
