package op

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/tensor"
)

// unpoolOps are what pooling has beside its values.
var unpoolOps = []Op{
	{
		// The second output of ONNX's MaxPool: where in the input, counted from its first
		// value, each maximum is; the first of equal ones.
		Name: "MaxPoolIndices", MinIn: 1, MaxIn: 1,
		Attrs: slices.Concat(spatialAttrs, []Attr{
			{Name: "dilations", Kind: Ints}, {Name: "ceil_mode", Kind: Int, Default: int64(0)},
			{Name: "storage_order", Kind: Int, Default: int64(0)}, // 1: the first spatial dimension is the innermost
		}),
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			_, err := numeric(a, in)
			return tensor.Int64, err
		},
		Shape: poolShape, Need: poolNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if in[0].Type.Float() {
				maxPoolIndices(a, in[0].Floats(), in[0].Shape, dst.Ints(), out)
			} else {
				maxPoolIndices(a, in[0].Ints(), in[0].Shape, dst.Ints(), out)
			}
		},
	},
	{
		// Any index may be of any place of the value, so that it cannot be cut.
		Name: "MaxUnpool", MinIn: 2, MaxIn: 2, Type: indexed, Attrs: spatialAttrs,
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			x := in[0]
			if err := rank(0, x, 3, 5); err != nil {
				return nil, err
			}
			if !in[1].Equal(x) {
				return nil, fmt.Errorf("input 1 is %v: %v as input 0 wanted", in[1], x)
			}
			if _, err := rawWindows(a, x[2:]); err != nil {
				return nil, err
			}
			return unpooled(a, x), nil
		},
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				unpool(dst.Floats(), dst.Shape, out, in[0].Floats(), in[1].Ints())
			} else {
				unpool(dst.Ints(), dst.Shape, out, in[0].Ints(), in[1].Ints())
			}
		},
	},
	{
		Name: "LpPool", MinIn: 1, MaxIn: 1, Type: floating,
		Attrs: slices.Concat(spatialAttrs, []Attr{
			{Name: "dilations", Kind: Ints}, {Name: "ceil_mode", Kind: Int, Default: int64(0)}, {Name: "p", Kind: Int, Default: int64(2)},
		}),
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if p := a.Int("p"); p < 1 {
				return nil, fmt.Errorf("p %d: 1 or more wanted", p)
			}
			return poolShape(a, in)
		},
		Need: poolNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			x, y, p := in[0].Floats(), dst.Floats(), float64(a.Int("p"))
			strips(a, in[0].Shape, out, func(s strip) {
				sum := make([]float64, s.o.Len())
				s.each(func(i, at int) { sum[i] += math.Pow(math.Abs(float64(x[at])), p) })
				for i, v := range sum {
					y[s.off+s.o.Lo+i] = float32(math.Pow(v, 1/p))
				}
			})
		},
	},
}

func maxPoolIndices[T float32 | int64](a Attrs, x []T, xs tensor.Shape, y []int64, out tensor.Box) {
	number := func(at int) int64 { return int64(at) }
	if a.Int("storage_order") != 0 {
		number = func(at int) int64 {
			plane := xs[2:].Size()
			i, n, rest := at/plane*plane, 1, at%plane
			for d, st := range xs[2:].Strides() {
				i += rest / st * n
				rest %= st
				n *= xs[2+d]
			}
			return int64(i)
		}
	}
	strips(a, xs, out, func(s strip) {
		best := make([]int, s.o.Len())
		for i := range best {
			best[i] = -1
		}
		s.each(func(i, at int) {
			if b := best[i]; b < 0 || x[at] > x[b] || x[at] != x[at] && x[b] == x[b] {
				best[i] = at
			}
		})
		for i, at := range best {
			y[s.off+s.o.Lo+i] = number(at)
		}
	})
}

// unpooled is the shape of a MaxUnpool's value.
func unpooled(a Attrs, x tensor.Shape) tensor.Shape {
	s := x[:2].Clone()
	w, _ := rawWindows(a, x[2:])
	for _, v := range w {
		s = append(s, (v.in-1)*v.stride+v.kernel-v.begin-v.end)
	}
	return s
}

func unpool[T any](y []T, s tensor.Shape, out tensor.Box, x []T, indices []int64) {
	var zero T
	out.Runs(s, func(off, n int) {
		for i := off; i < off+n; i++ {
			y[i] = zero
		}
	})
	st := s.Strides()
	for i, at := range indices {
		if at < 0 || at >= int64(len(y)) {
			continue
		}
		inside, rest := true, int(at)
		for d, r := range out {
			inside = inside && rest/st[d] >= r.Lo && rest/st[d] < r.Hi
			rest %= st[d]
		}
		if inside {
			y[at] = x[i]
		}
	}
}
