package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// sampleOps read a picture X[N,C,spatial…] at places that are values themselves.
var sampleOps = []Op{
	{
		Name: "GridSample", MinIn: 2, MaxIn: 2, Type: floating,
		Attrs: []Attr{
			{Name: "mode", Kind: String, Default: "linear", OneOf: []string{"linear", "nearest", "cubic"}},
			{Name: "padding_mode", Kind: String, Default: "zeros", OneOf: []string{"zeros", "border", "reflection"}},
			{Name: "align_corners", Kind: Int, Default: int64(0)},
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			x, grid := in[0], in[1]
			if err := rank(0, x, 3, 5); err != nil {
				return nil, err
			}
			n := len(x) - 2
			if len(grid) != len(x) || grid[0] != x[0] || grid[n+1] != n {
				return nil, fmt.Errorf("input 1 is %v: rank %d, batch %d and %d coordinates a place wanted", grid, len(x), x[0], n)
			}
			if a.String("mode") == "cubic" && n != 2 {
				return nil, fmt.Errorf("mode cubic in %d dimensions: 2 wanted", n)
			}
			if x[2:].Size() == 0 {
				return nil, fmt.Errorf("input 0 is %v: pixels wanted", x)
			}
			return append(x[:2].Clone(), grid[1:n+1]...), nil
		},
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			x := tensor.Full(in[0])
			copy(x, out[:2])
			grid := append(tensor.Box{out[0]}, out[2:]...)
			return []tensor.Box{x, append(grid, tensor.Range{Lo: 0, Hi: len(out) - 2})}
		},
		Eval: gridSample,
	},
	{
		// The rules of torchvision's roi_align: half_pixel is aligned, output_half_pixel is not,
		// and a box is then a pixel wide at least.
		Name: "RoiAlign", MinIn: 3, MaxIn: 3, Type: roiType,
		Attrs: []Attr{
			{Name: "mode", Kind: String, Default: "avg", OneOf: []string{"avg", "max"}},
			{Name: "output_height", Kind: Int, Default: int64(1)}, {Name: "output_width", Kind: Int, Default: int64(1)},
			{Name: "sampling_ratio", Kind: Int, Default: int64(0)}, {Name: "spatial_scale", Kind: Float, Default: float32(1)},
			{Name: "coordinate_transformation_mode", Kind: String, Default: "half_pixel", OneOf: []string{"half_pixel", "output_half_pixel"}},
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			x, rois := in[0], in[1]
			if err := rank(0, x, 4, 4); err != nil {
				return nil, err
			}
			if x[2:].Size() == 0 {
				return nil, fmt.Errorf("input 0 is %v: pixels wanted", x)
			}
			if len(rois) != 2 || rois[1] != 4 {
				return nil, fmt.Errorf("input 1 is %v: 4 corners a box wanted", rois)
			}
			if err := line(in, 2, rois[0]); err != nil {
				return nil, err
			}
			if r := a.Int("sampling_ratio"); r < 0 || r > maxSamples {
				return nil, fmt.Errorf("sampling_ratio %d: 0 to %d wanted", r, maxSamples)
			}
			return tensor.Shape{rois[0], x[1], a.Int("output_height"), a.Int("output_width")}, nil
		},
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return []tensor.Box{tensor.Full(in[0]).With(1, out[1]), {out[0], {Lo: 0, Hi: 4}}, {out[0]}}
		},
		Eval: roiAlign,
	},
	{
		Name: "MaxRoiPool", MinIn: 2, MaxIn: 2, Type: floating,
		Attrs: []Attr{{Name: "pooled_shape", Kind: Ints}, {Name: "spatial_scale", Kind: Float, Default: float32(1)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			x, rois := in[0], in[1]
			if err := rank(0, x, 4, 4); err != nil {
				return nil, err
			}
			if len(rois) != 2 || rois[1] != 5 {
				return nil, fmt.Errorf("input 1 is %v: an image and 4 corners a box wanted", rois)
			}
			if err := lengths(a, 2, "pooled_shape"); err != nil {
				return nil, err
			}
			return append(tensor.Shape{rois[0], x[1]}, a.Ints("pooled_shape")...), nil
		},
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return []tensor.Box{tensor.Full(in[0]).With(1, out[1]), {out[0], {Lo: 0, Hi: 5}}}
		},
		Eval: maxRoiPool,
	},
}

// maxSamples bounds the samples of a bin in a dimension. Estimated: detectors have 2.
const maxSamples = 1 << 10

func roiType(a Attrs, in []tensor.Type) (tensor.Type, error) {
	if in[2] != tensor.Int64 && in[2] != tensor.Int32 {
		return 0, fmt.Errorf("input 2 is %v: int64 or int32 wanted", in[2])
	}
	return floating(a, in[:2])
}

// gridAxis is how one dimension of n pixels is sampled.
type gridAxis struct {
	n        int
	mode     string
	padding  string
	corners  bool
	min, max float32 // of places, which reflection mirrors at
}

// at is the place that a coordinate from -1 to 1 means, in pixels. As in Resize it
// is computed in float32, with the padding applied to it (ONNX GridSample-20). NaN is
// before all pixels.
func (g gridAxis) at(coordinate float32) float64 {
	x := ((coordinate+1)*float32(g.n) - 1) / 2
	if g.corners {
		x = (coordinate + 1) / 2 * float32(g.n-1)
	}
	if g.mode == "nearest" {
		x = float32(math.RoundToEven(float64(x)))
	}
	switch outside := !(x >= g.min && x <= g.max); {
	case g.mode == "cubic": // each pixel around the place is padded instead
	case outside && g.padding == "border":
		x = min(max(x, 0), float32(g.n-1))
	case outside && g.padding == "reflection":
		x = g.reflect(x)
	}
	if x != x {
		return -0x1p40
	}
	return min(max(float64(x), -0x1p40), 0x1p40)
}

// reflect mirrors a place at both ends until it is within them.
func (g gridAxis) reflect(x float32) float32 {
	span := g.max - g.min
	if !(span > 0) || math.IsInf(float64(x), 0) {
		return g.min
	}
	beyond, near, far := g.min-x, g.min, g.max
	if x > g.max {
		beyond, near, far = x-g.max, g.max, g.min
	}
	times := math.Floor(float64(beyond / span))
	rest := beyond - float32(times)*span
	if math.Mod(times, 2) != 0 {
		near, far = far, near
	}
	if near < far {
		return near + rest
	}
	return near - rest
}

// pixel is the pixel that is read for i, or -1 for a zero.
func (g gridAxis) pixel(i int) int {
	switch {
	case i >= 0 && i < g.n:
		return i
	case g.padding == "border":
		return min(max(i, 0), g.n-1)
	case g.padding == "reflection":
		return min(max(int(g.reflect(float32(i))), 0), g.n-1)
	}
	return -1
}

// tap is the pixels around a place and their weights; a zero is left out.
func (g gridAxis) tap(place float64) (t tap) {
	base := math.Floor(place)
	frac, first := place-base, int(base)
	weight := []float64{1 - frac, frac}
	switch g.mode {
	case "nearest":
		weight = []float64{1}
	case "cubic":
		weight, first = cubicWeights(-0.75, frac), first-1
	}
	for j, w := range weight {
		if i := g.pixel(first + j); i >= 0 && w != 0 {
			t.at, t.weight = append(t.at, i), append(t.weight, w)
		}
	}
	return t
}

func gridAxes(a Attrs, spatial tensor.Shape) []gridAxis {
	axes := make([]gridAxis, len(spatial))
	for d, n := range spatial {
		g := gridAxis{n: n, mode: a.String("mode"), padding: a.String("padding_mode"), corners: a.Int("align_corners") != 0}
		g.min, g.max = -0.5, float32(n)-0.5
		if g.corners {
			g.min, g.max = 0, float32(n-1)
		}
		axes[d] = g
	}
	return axes
}

func gridSample(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	x, y, xs, ys := in[0].Floats(), dst.Floats(), in[0].Shape, dst.Shape
	axes := gridAxes(a, xs[2:])
	n := len(axes)
	xst, yst := xs.Strides(), ys.Strides()
	grid, gst := in[1].Floats(), in[1].Shape.Strides()
	parallel(out[0].Len(), func(i int) {
		image := out[0].Lo + i
		views := []view{{image * gst[0], gst[1 : n+1]}, {image * yst[0], yst[2:]}}
		walk(out[2:], views, func(off, step []int, m int) {
			for k := range m {
				lines, weights := []int{image * xst[0]}, []float64{1}
				for d, g := range axes {
					// Coordinates are in the order of the last dimension first.
					t := g.tap(g.at(grid[off[0]+k*step[0]+n-1-d]))
					lines, weights = t.times(lines, weights, xst[2+d])
				}
				for c := out[1].Lo; c < out[1].Hi; c++ {
					sum := 0.0
					for j, line := range lines {
						sum += weights[j] * float64(x[line+c*xst[1]])
					}
					y[off[1]+k*step[1]+c*yst[1]] = float32(sum)
				}
			}
		})
	})
}
