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
				maxPool(a, in[0].Floats(), in[0].Shape, dst.Floats(), dst.Shape, out, float32(math.Inf(-1)))
			} else {
				maxPool(a, in[0].Ints(), in[0].Shape, dst.Ints(), dst.Shape, out, math.MinInt64)
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

// slide calls row, from several goroutines, for each row of the box's outputs,
// with their offset; each gives the lines of the input under the kernel's rows
// that are not padding, and their number of outputs' kernel values a row.
func slide(a Attrs, xs, ys tensor.Shape, out tensor.Box, row func(off int, w window, o tensor.Range, planes int, taps [2]tensor.Range, each func(f func(line int)))) {
	v, o := cube(poolWindows(a, xs), out[2:])
	d, h, w := v[0], v[1], v[2]
	nc := out[1].Len()
	parallel(out[0].Len()*nc, func(i int) {
		c := (out[0].Lo+i/nc)*xs[1] + out[1].Lo + i%nc
		for od := o[0].Lo; od < o[0].Hi; od++ {
			for oh := o[1].Lo; oh < o[1].Hi; oh++ {
				dt, ht := d.taps(od), h.taps(oh)
				off := ((c*d.out+od)*h.out + oh) * w.out
				planes := d.padded(od) * h.padded(oh)
				row(off, w, o[2], planes, [2]tensor.Range{dt, ht}, func(f func(line int)) {
					for jd := dt.Lo; jd < dt.Hi; jd++ {
						for jh := ht.Lo; jh < ht.Hi; jh++ {
							f(((c*d.in+d.index(od, jd))*h.in + h.index(oh, jh)) * w.in)
						}
					}
				})
			}
		}
	})
}

// padded is the number of the kernel's values at output o that are in the input
// or its padding, rather than beyond it as rounding up may have it.
func (w window) padded(o int) int {
	return min(w.kernel, ceilDiv(w.in+w.end-w.index(o, 0), w.dilation))
}

func maxPool[T float32 | int64](a Attrs, x []T, xs tensor.Shape, y []T, ys tensor.Shape, out tensor.Box, least T) {
	slide(a, xs, ys, out, func(off int, w window, o tensor.Range, _ int, _ [2]tensor.Range, each func(func(int))) {
		row := y[off+o.Lo : off+o.Hi]
		for i := range row {
			row[i] = least
		}
		each(func(line int) {
			for j := range w.kernel {
				r := w.valid(o, j)
				at := line + w.index(r.Lo, j)
				for i := r.Lo - o.Lo; i < r.Hi-o.Lo; i++ {
					row[i] = max(row[i], x[at])
					at += w.stride
				}
			}
		})
	})
}

func averagePool(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	x, y := in[0].Floats(), dst.Floats()
	include := a.Int("count_include_pad") != 0
	slide(a, in[0].Shape, dst.Shape, out, func(off int, w window, o tensor.Range, planes int, taps [2]tensor.Range, each func(func(int))) {
		sum := make([]float64, o.Len())
		each(func(line int) {
			for j := range w.kernel {
				r := w.valid(o, j)
				at := line + w.index(r.Lo, j)
				for i := r.Lo - o.Lo; i < r.Hi-o.Lo; i++ {
					sum[i] += float64(x[at])
					at += w.stride
				}
			}
		})
		for i, s := range sum {
			n := taps[0].Len() * taps[1].Len() * w.taps(o.Lo+i).Len()
			if include {
				n = planes * w.padded(o.Lo+i)
			}
			y[off+o.Lo+i] = float32(s / float64(n))
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
