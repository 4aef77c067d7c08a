package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// pickOps read values at indices that are values themselves, negative ones counted
// from the end. An index out of range makes NaN, or the least integer; Within refuses it.
var pickOps = []Op{
	{
		Name: "GatherElements", MinIn: 2, MaxIn: 2, Type: indexed, Attrs: []Attr{{Name: "axis", Kind: Int, Default: int64(0)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if err := beside(a, in[0], in[1]); err != nil {
				return nil, err
			}
			return in[1].Clone(), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			d := axisOf(a, len(in[0]))
			return []tensor.Box{out.With(d, tensor.Range{Lo: 0, Hi: in[0][d]}), out.Clone()}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			d := axisOf(a, len(dst.Shape))
			if dst.Type.Float() {
				gatherElements(dst.Floats(), out, in[0].Floats(), in[0].Shape, in[1], d, float32(math.NaN()))
			} else {
				gatherElements(dst.Ints(), out, in[0].Ints(), in[0].Shape, in[1], d, math.MinInt64)
			}
		},
	},
	{
		Name: "GatherND", MinIn: 2, MaxIn: 2, Type: indexed, Attrs: []Attr{{Name: "batch_dims", Kind: Int, Default: int64(0)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			b := a.Int("batch_dims")
			if b < 0 || b >= min(len(in[0]), len(in[1])) || !in[0][:b].Equal(in[1][:b]) {
				return nil, fmt.Errorf("batch_dims %d of inputs %v: dimensions that both have, and more beside them, wanted", b, in)
			}
			q := len(in[1])
			k, err := tuple(in[1], len(in[0])-b)
			if err != nil {
				return nil, err
			}
			return append(in[1][:q-1].Clone(), in[0][b+k:]...), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b, q := a.Int("batch_dims"), len(in[1])
			k := in[1][q-1]
			x := tensor.Full(in[0])
			copy(x[:b], out)
			copy(x[b+k:], out[q-1:])
			return []tensor.Box{x, append(out[:q-1].Clone(), tensor.Range{Lo: 0, Hi: k})}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				gatherND(dst.Floats(), dst.Shape, out, in[0].Floats(), in[0].Shape, in[1], a.Int("batch_dims"), float32(math.NaN()))
			} else {
				gatherND(dst.Ints(), dst.Shape, out, in[0].Ints(), in[0].Shape, in[1], a.Int("batch_dims"), math.MinInt64)
			}
		},
	},
	{
		Name: "OneHot", MinIn: 2, MaxIn: 2,
		Attrs: []Attr{{Name: "depth", Kind: Int}, {Name: "axis", Kind: Int, Default: int64(-1)}},
		Type: func(_ Attrs, in []tensor.Type) (tensor.Type, error) {
			if in[0] == tensor.Bool {
				return 0, fmt.Errorf("input 0 is bool: a number wanted")
			}
			return in[1], nil
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			d, err := axis(a, len(in[0])+1)
			if err != nil {
				return nil, err
			}
			if n := a.Int("depth"); n < 0 {
				return nil, fmt.Errorf("depth %d: 0 or more wanted", n)
			}
			if err := line(in, 1, 2); err != nil {
				return nil, err
			}
			s := append(in[0][:d].Clone(), a.Int("depth"))
			return append(s, in[0][d:]...), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			d := axisOf(a, len(out))
			return []tensor.Box{append(out[:d].Clone(), out[d+1:]...), {{Lo: 0, Hi: 2}}}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				oneHot(dst.Floats(), dst.Shape, out, in[0], in[1].Floats(), axisOf(a, len(out)))
			} else {
				oneHot(dst.Ints(), dst.Shape, out, in[0], in[1].Ints(), axisOf(a, len(out)))
			}
		},
	},
}

// indexed is the Type of operators whose second input is indices; others are all
// of one type.
func indexed(_ Attrs, in []tensor.Type) (tensor.Type, error) {
	if in[1] != tensor.Int64 && in[1] != tensor.Int32 {
		return 0, fmt.Errorf("input 1 is %v: int64 or int32 wanted", in[1])
	}
	for i, t := range in {
		if i != 1 && t != in[0] {
			return 0, fmt.Errorf("input %d is %v: %v as input 0 wanted", i, t, in[0])
		}
	}
	return in[0], nil
}

// beside refuses indices that have another rank than x, or reach beyond it in
// another dimension than the axis.
func beside(a Attrs, x, indices tensor.Shape) error {
	d, err := axis(a, len(x))
	if err != nil {
		return err
	}
	fits := len(indices) == len(x)
	for k := 0; fits && k < len(x); k++ {
		fits = k == d || indices[k] <= x[k]
	}
	if !fits {
		return fmt.Errorf("input 1 is %v: at most %v but for axis %d wanted", indices, x, d)
	}
	return nil
}

// tuple is the length of the tuples of indices along the last dimension.
func tuple(indices tensor.Shape, most int) (int, error) {
	if len(indices) == 0 || indices[len(indices)-1] < 1 || indices[len(indices)-1] > most {
		return 0, fmt.Errorf("input 1 is %v: 1 to %d indices along the last dimension wanted", indices, most)
	}
	return indices[len(indices)-1], nil
}

// place is the position that an index of n values means, or -1.
func place(i int64, n int) int {
	if i < 0 {
		i += int64(n)
	}
	if i < 0 || i >= int64(n) {
		return -1
	}
	return int(i)
}

func gatherElements[T any](y []T, out tensor.Box, x []T, xs tensor.Shape, indices *tensor.Tensor, d int, none T) {
	list := indices.Ints()
	v := of(xs)
	along, n := v.st[d], xs[d]
	v.st[d] = 0
	walk(out, []view{of(indices.Shape), v}, func(off, step []int, rows int) {
		for i := range rows {
			o := off[0] + i*step[0]
			if p := place(list[o], n); p < 0 {
				y[o] = none
			} else {
				y[o] = x[off[1]+i*step[1]+p*along]
			}
		}
	})
}

func gatherND[T any](y []T, s tensor.Shape, out tensor.Box, x []T, xs tensor.Shape, indices *tensor.Tensor, batch int, none T) {
	q := len(indices.Shape)
	k, list := indices.Shape[q-1], indices.Ints()
	st, xst := s.Strides(), xs.Strides()
	outer := []view{{0, st[:q-1]}, {0, indices.Shape.Strides()[:q-1]}, {0, make([]int, q-1)}}
	copy(outer[2].st, xst[:batch])
	inner := []view{{0, st[q-1:]}, {0, xst[batch+k:]}}
	walk(out[:q-1], outer, func(off, step []int, n int) {
		for i := range n {
			yo, xo := off[0]+i*step[0], off[2]+i*step[2]
			known := true
			for j, v := range list[off[1]+i*step[1]:][:k] {
				p := place(v, xs[batch+j])
				known = known && p >= 0
				xo += p * xst[batch+j]
			}
			walk(out[q-1:], inner, func(io, _ []int, m int) {
				row := y[yo+io[0]:][:m]
				if known {
					copy(row, x[xo+io[1]:])
					return
				}
				for j := range row {
					row[j] = none
				}
			})
		}
	})
}

// oneHot writes values[1] where the index along dimension d is the one that
// indices name, and values[0] elsewhere.
func oneHot[T any](y []T, s tensor.Shape, out tensor.Box, indices *tensor.Tensor, values []T, d int) {
	v := view{0, make([]int, len(s))}
	ist := indices.Shape.Strides()
	copy(v.st, ist[:d])
	copy(v.st[d+1:], ist[d:])
	along := s.Strides()[d]
	at := func(o int) int { return place(indices.Ints()[o], s[d]) }
	if indices.Type.Float() {
		at = func(o int) int {
			// An index that is no whole number names nothing.
			x := float64(indices.Floats()[o])
			if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				return -1
			}
			return place(int64(x), s[d])
		}
	}
	walk(out, []view{of(s), v}, func(off, step []int, n int) {
		for i := range n {
			o := off[0] + i*step[0]
			hot := 0
			if at(off[1]+i*step[1]) == o/along%s[d] {
				hot = 1
			}
			y[o] = values[hot]
		}
	})
}
