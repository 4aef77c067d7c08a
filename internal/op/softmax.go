package op

import (
	"math"

	"pimflow/internal/tensor"
)

// softmaxOps are Softmax and its kin of opset 13, on one axis.
var softmaxOps = []Op{
	softmaxRow("Softmax", func(x, peak, sum float64) float64 { return math.Exp(x-peak) / sum }),
	softmaxRow("LogSoftmax", func(x, peak, sum float64) float64 { return x - peak - math.Log(sum) }),
	{
		// 1 at the first of the greatest values along the axis, 0 elsewhere.
		Name: "Hardmax", MinIn: 1, MaxIn: 1, Type: floating,
		Attrs: []Attr{{Name: "axis", Kind: Int, Default: int64(-1)}},
		Shape: alongShape, Need: alongNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			along(a, in, dst, out, func(x []float64) {
				best := 0
				for i, v := range x {
					if v > x[best] {
						best = i
					}
				}
				clear(x)
				x[best] = 1
			})
		},
	},
}

// softmaxRow makes the row of an operator on each value, the greatest value along
// the axis and the sum of e^(value−greatest).
func softmaxRow(name string, f func(x, peak, sum float64) float64) Op {
	return Op{
		Name: name, MinIn: 1, MaxIn: 1, Type: floating,
		Attrs: []Attr{{Name: "axis", Kind: Int, Default: int64(-1)}},
		Shape: alongShape, Need: alongNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			along(a, in, dst, out, func(x []float64) {
				peak, sum := math.Inf(-1), 0.0
				for _, v := range x {
					peak = max(peak, v)
				}
				for _, v := range x {
					sum += math.Exp(v - peak)
				}
				for i, v := range x {
					x[i] = f(v, peak, sum)
				}
			})
		},
	}
}

func alongShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	if _, err := axis(a, len(in[0])); err != nil {
		return nil, err
	}
	return in[0].Clone(), nil
}

// alongNeed is everything along the axis.
func alongNeed(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	d := axisOf(a, len(in[0]))
	return []tensor.Box{out.With(d, tensor.Range{Lo: 0, Hi: in[0][d]})}
}

// along calls f, from several goroutines, with all values along the axis for each
// part of the box out; f replaces them by the results.
func along(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box, f func(x []float64)) {
	x, y, s := in[0].Floats(), dst.Floats(), dst.Shape
	d := axisOf(a, len(s))
	st := s.Strides()[d]
	flat := out.With(d, tensor.Range{Lo: 0, Hi: 1})
	type row struct{ off, step, n int }
	var rows []row
	walk(flat, []view{of(s)}, func(off, step []int, n int) { rows = append(rows, row{off[0], step[0], n}) })
	parallel(len(rows), func(i int) {
		r := rows[i]
		buf := make([]float64, s[d])
		for ; r.n > 0; r.n-- {
			for k := range buf {
				buf[k] = float64(x[r.off+k*st])
			}
			f(buf)
			for k := out[d].Lo; k < out[d].Hi; k++ {
				y[r.off+k*st] = float32(buf[k])
			}
			r.off += r.step
		}
	})
}
