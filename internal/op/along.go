package op

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
)

// alongOps work along one axis of a value, or on its last two.
var alongOps = []Op{
	{
		// Equal values come in the order of their indices (ONNX TopK-11); NaN comes last,
		// which ONNX leaves open.
		Name: "TopK", MinIn: 1, MaxIn: 1,
		Attrs: []Attr{{Name: "k", Kind: Int}, {Name: "axis", Kind: Int, Default: int64(-1)}, {Name: "largest", Kind: Int, Default: int64(1)}},
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			_, err := numeric(a, in)
			return tensor.Int64, err
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			d, err := axis(a, len(in[0]))
			if err != nil {
				return nil, err
			}
			k := a.Int("k")
			if k < 0 || k > in[0][d] {
				return nil, fmt.Errorf("k %d: 0 to the %d values along axis %d wanted", k, in[0][d], d)
			}
			s := in[0].Clone()
			s[d] = k
			return s, nil
		},
		Need: alongNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			d, largest := axisOf(a, len(out)), a.Int("largest") != 0
			if in[0].Type.Float() {
				topK(dst, out, in[0].Floats(), in[0].Shape, d, largest)
			} else {
				topK(dst, out, in[0].Ints(), in[0].Shape, d, largest)
			}
		},
	},
	{
		Name: "CumSum", MinIn: 1, MaxIn: 1, Type: numeric,
		Attrs: []Attr{{Name: "axis", Kind: Int}, {Name: "exclusive", Kind: Int, Default: int64(0)}, {Name: "reverse", Kind: Int, Default: int64(0)}},
		Shape: alongShape,
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			d := axisOf(a, len(out))
			r := tensor.Range{Lo: 0, Hi: out[d].Hi - int(truth(a.Int("exclusive") != 0))}
			if a.Int("reverse") != 0 {
				r = tensor.Range{Lo: min(out[d].Lo+int(truth(a.Int("exclusive") != 0)), in[0][d]), Hi: in[0][d]}
			}
			return []tensor.Box{nothing(out.With(d, r))}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				cumSum[float32, float64](a, dst.Floats(), in[0].Floats(), dst.Shape, out)
			} else {
				cumSum[int64, int64](a, dst.Ints(), in[0].Ints(), dst.Shape, out)
			}
		},
	},
	{
		Name: "ReverseSequence", MinIn: 2, MaxIn: 2, Type: indexed,
		Attrs: []Attr{{Name: "batch_axis", Kind: Int, Default: int64(1)}, {Name: "time_axis", Kind: Int, Default: int64(0)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			b, t, x := a.Int("batch_axis"), a.Int("time_axis"), in[0]
			if b < 0 || t < 0 || b >= len(x) || t >= len(x) || b == t {
				return nil, fmt.Errorf("batch_axis %d, time_axis %d: two dimensions of %v wanted", b, t, x)
			}
			return x.Clone(), line(in, 1, x[b])
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			t := a.Int("time_axis")
			return []tensor.Box{out.With(t, tensor.Range{Lo: 0, Hi: in[0][t]}), {out[a.Int("batch_axis")]}}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			b, t, s := a.Int("batch_axis"), a.Int("time_axis"), dst.Shape
			for i := out[b].Lo; i < out[b].Hi; i++ {
				n := min(max(int(in[1].Ints()[i]), 0), s[t])
				part := out.With(b, tensor.Range{Lo: i, Hi: i + 1})
				turned := of(s)
				turned.off = (n - 1) * turned.st[t]
				turned.st[t] = -turned.st[t]
				move(dst, part.With(t, tensor.Range{Lo: out[t].Lo, Hi: min(out[t].Hi, n)}), in[0], turned)
				move(dst, part.With(t, tensor.Range{Lo: max(out[t].Lo, n), Hi: out[t].Hi}), in[0], of(s))
			}
		},
	},
	{
		Name: "Trilu", MinIn: 1, MaxIn: 1,
		Attrs: []Attr{{Name: "upper", Kind: Int, Default: int64(1)}, {Name: "k", Kind: Int, Default: int64(0)}},
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if len(in[0]) < 2 {
				return nil, fmt.Errorf("input 0 is %v: rank 2 or more wanted", in[0])
			}
			return in[0].Clone(), nil
		},
		Need: sameBox,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				trilu(a, dst.Floats(), in[0].Floats(), dst.Shape, out)
			} else {
				trilu(a, dst.Ints(), in[0].Ints(), dst.Shape, out)
			}
		},
	},
}

// lines calls f, from several goroutines, for each line of the box out along
// dimension d, with the offsets of its index 0 in both shapes.
func lines(d int, xs, ys tensor.Shape, out tensor.Box, f func(x, y int)) {
	type line struct{ x, y int }
	var list []line
	walk(out.With(d, tensor.Range{Lo: 0, Hi: 1}), []view{of(xs), of(ys)}, func(off, step []int, n int) {
		for i := range n {
			list = append(list, line{off[0] + i*step[0], off[1] + i*step[1]})
		}
	})
	parallel(len(list), func(i int) { f(list[i].x, list[i].y) })
}

func topK[T int64 | float32](dst *tensor.Tensor, out tensor.Box, x []T, xs tensor.Shape, d int, largest bool) {
	y := dst.Ints()
	st, yst := xs.Strides()[d], dst.Shape.Strides()[d]
	lines(d, xs, dst.Shape, out, func(from, to int) {
		order := make([]int, xs[d])
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int {
			a, b := x[from+i*st], x[from+j*st]
			switch {
			case a == b || a != a && b != b:
				return i - j
			case a != a:
				return 1
			case b != b:
				return -1
			case (a > b) == largest:
				return -1
			}
			return 1
		})
		for k := out[d].Lo; k < out[d].Hi; k++ {
			y[to+k*yst] = int64(order[k])
		}
	})
}

// cumSum adds up in S, which is wider than T.
func cumSum[T, S int64 | float32 | float64](a Attrs, y, x []T, s tensor.Shape, out tensor.Box) {
	d := axisOf(a, len(s))
	st, exclusive, reverse := s.Strides()[d], a.Int("exclusive") != 0, a.Int("reverse") != 0
	lines(d, s, s, out, func(at, _ int) {
		var sum S
		first, last, step := 0, out[d].Hi-1, 1
		if reverse {
			first, last, step = s[d]-1, out[d].Lo, -1
		}
		for i := first; i*step <= last*step; i += step {
			inside := i >= out[d].Lo && i < out[d].Hi
			if exclusive && inside {
				y[at+i*st] = T(sum)
			}
			if exclusive && i == last {
				break // the value there is not needed
			}
			sum += S(x[at+i*st])
			if !exclusive && inside {
				y[at+i*st] = T(sum)
			}
		}
	})
}

// trilu keeps the values on or above the k-th diagonal, or on or below it.
func trilu[T any](a Attrs, y, x []T, s tensor.Shape, out tensor.Box) {
	upper, k, last := a.Int("upper") != 0, a.Int("k"), len(s)-1
	var zero T
	out.Runs(s, func(off, n int) {
		for o := off; o < off+n; o++ {
			i, j := o/s[last]%s[last-1], o%s[last]
			if upper && j-i >= k || !upper && j-i <= k {
				y[o] = x[o]
			} else {
				y[o] = zero
			}
		}
	})
}
