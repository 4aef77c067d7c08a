package op

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/tensor"
)

// poolOps are the operators that summarise windows, or all, of each channel of
// X[N,C,spatial…].
var poolOps = []Op{
	{
		Name: "MaxPool", MinIn: 1, MaxIn: 1, Type: numeric,
		Attrs: slices.Concat(spatialAttrs, []Attr{{Name: "dilations", Kind: Ints}, {Name: "ceil_mode", Kind: Int, Default: int64(0)}}),
		Shape: poolShape, Need: poolNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				maxPool(a, in[0].Floats(), in[0].Shape, dst.Floats(), out, float32(math.Inf(-1)))
			} else {
				maxPool(a, in[0].Ints(), in[0].Shape, dst.Ints(), out, math.MinInt64)
			}
		},
	},
	{
		Name: "AveragePool", MinIn: 1, MaxIn: 1, Type: floating,
		Attrs: slices.Concat(spatialAttrs, []Attr{
			{Name: "dilations", Kind: Ints}, {Name: "ceil_mode", Kind: Int, Default: int64(0)},
			{Name: "count_include_pad", Kind: Int, Default: int64(0)},
		}),
		Shape: poolShape, Need: poolNeed, Eval: averagePool,
	},
	global("GlobalAveragePool", "ReduceMean"),
	global("GlobalMaxPool", "ReduceMax"),
}

func poolShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if err := rank(0, x, 3, 5); err != nil {
		return nil, err
	}
	w, err := windows(a, x[2:], a.Int("ceil_mode") != 0)
	if err != nil {
		return nil, err
	}
	for _, v := range w {
		if v.begin >= v.extent() || v.end >= v.extent() {
			return nil, fmt.Errorf("pads %v: less than the kernel, which covers %d values, wanted", a["pads"], v.extent())
		}
	}
	return append(x[:2:2].Clone(), outs(w)...), nil
}

func poolWindows(a Attrs, x tensor.Shape) []window {
	return windowsOf(a, x[2:], a.Int("ceil_mode") != 0)
}

func poolNeed(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	return []tensor.Box{append(out[:2].Clone(), needAll(poolWindows(a, in[0]), out[2:])...)}
}

// strip is one row of a pooled box: outputs o at offset off+o, w the windows
// along the row, and the lines of the input, by offset, under the rows of the
// kernel that are not padding. padded is the number of rows with padding.
type strip struct {
	off    int
	o      tensor.Range
	w      window
	lines  []int
	padded int
}

// strips calls f, from several goroutines, for each row of the box out.
func strips(a Attrs, xs tensor.Shape, out tensor.Box, f func(strip)) {
	v, o := cube(poolWindows(a, xs), out[2:])
	d, h, w := v[0], v[1], v[2]
	nc := out[1].Len()
	parallel(out[0].Len()*nc, func(i int) {
		c := (out[0].Lo+i/nc)*xs[1] + out[1].Lo + i%nc
		var lines []int
		for od := o[0].Lo; od < o[0].Hi; od++ {
			for oh := o[1].Lo; oh < o[1].Hi; oh++ {
				dt, ht := d.taps(od), h.taps(oh)
				lines = lines[:0]
				for jd := dt.Lo; jd < dt.Hi; jd++ {
					for jh := ht.Lo; jh < ht.Hi; jh++ {
						lines = append(lines, ((c*d.in+d.index(od, jd))*h.in+h.index(oh, jh))*w.in)
					}
				}
				f(strip{((c*d.out+od)*h.out + oh) * w.out, o[2], w, lines, d.padded(od) * h.padded(oh)})
			}
		}
	})
}

// runs calls f for runs of inputs, one under each of n outputs from the strip's i-th on: the first at an
// offset, a step apart.
func (s strip) runs(f func(i, n, at, step int)) {
	for _, line := range s.lines {
		for j := range s.w.kernel {
			if r := s.w.valid(s.o, j); r.Len() > 0 {
				f(r.Lo-s.o.Lo, r.Len(), line+s.w.index(r.Lo, j), s.w.stride)
			}
		}
	}
}

// each calls f for every input of the strip's outputs: the i-th output and the
// input's offset.
func (s strip) each(f func(i, at int)) {
	s.runs(func(i, n, at, step int) {
		for k := range n {
			f(i+k, at+k*step)
		}
	})
}

// padded is the number of the kernel's values at output o that are in the input
// or its padding, rather than beyond it as rounding up may have it.
func (w *window) padded(o int) int {
	return min(w.kernel, ceilDiv(w.in+w.end-w.index(o, 0), w.dilation))
}

func maxPool[T float32 | int64](a Attrs, x []T, xs tensor.Shape, y []T, out tensor.Box, least T) {
	strips(a, xs, out, func(s strip) {
		row := y[s.off+s.o.Lo : s.off+s.o.Hi]
		for i := range row {
			row[i] = least
		}
		s.runs(func(i, n, at, step int) {
			if step == 1 {
				for k, v := range x[at : at+n] {
					row[i+k] = max(row[i+k], v)
				}
				return
			}
			for k := range row[i : i+n] {
				row[i+k] = max(row[i+k], x[at])
				at += step
			}
		})
	})
}

func averagePool(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	y := dst.Floats()
	averages(a, in[0].Floats(), in[0].Shape, out, func(i int, sum, n float64) { y[i] = float32(sum / n) })
}

// averages adds the inputs under each output, row by row, and finishes output i with their number.
func averages[T float32 | float64](a Attrs, x []float32, xs tensor.Shape, out tensor.Box, finish func(i int, sum, n T)) {
	include := a.Int("count_include_pad") != 0
	strips(a, xs, out, func(s strip) {
		sum := make([]T, s.o.Len())
		s.runs(func(i, n, at, step int) {
			for k := range sum[i : i+n] {
				sum[i+k] += T(x[at])
				at += step
			}
		})
		for i, v := range sum {
			o := s.o.Lo + i
			n := len(s.lines) * s.w.taps(o).Len()
			if include {
				n = s.padded * s.w.padded(o)
			}
			finish(s.off+o, v, T(n))
		}
	})
}

// global makes the row of an operator that reduces the spatial dimensions.
func global(name, reduction string) Op {
	r := reduceRow(reduction)
	with := func(rank int) Attrs {
		axes := make([]int64, rank-2)
		for d := range axes {
			axes[d] = int64(d + 2)
		}
		return Attrs{"axes": axes, "keepdims": int64(1)}
	}
	return Op{
		Name: name, MinIn: 1, MaxIn: 1, Type: floating,
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if len(in[0]) < 3 {
				return nil, fmt.Errorf("input 0 is %v: rank 3 or more wanted", in[0])
			}
			return r.Shape(with(len(in[0])), in)
		},
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return r.Need(with(len(in[0])), in, out)
		},
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			r.Eval(with(len(in[0].Shape)), in, dst, out)
		},
	}
}
