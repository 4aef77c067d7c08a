package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// scatterOps write updates into a copy of the first input, in order, so that of two
// for one place the later counts. Those for a place out of range are left out;
// Within refuses them.
var scatterOps = []Op{
	{
		Name: "ScatterElements", MinIn: 3, MaxIn: 3, Type: scattered,
		Attrs: []Attr{{Name: "axis", Kind: Int, Default: int64(0)}, reductionAttr()},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if err := beside(a, in[0], in[1]); err != nil {
				return nil, err
			}
			if !in[2].Equal(in[1]) {
				return nil, fmt.Errorf("input 2 is %v: %v as input 1 wanted", in[2], in[1])
			}
			return in[0].Clone(), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b := updates(axisOf(a, len(out)), in[1], out)
			return []tensor.Box{out.Clone(), b, b.Clone()}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			move(dst, out, in[0], of(dst.Shape))
			d, r := axisOf(a, len(out)), a.String("reduction")
			if dst.Type.Float() {
				scatterElements(dst.Floats(), dst.Shape, out, in[1], in[2].Floats(), d, combine[float32](r))
			} else {
				scatterElements(dst.Ints(), dst.Shape, out, in[1], in[2].Ints(), d, combine[int64](r))
			}
		},
	},
	{
		Name: "ScatterND", MinIn: 3, MaxIn: 3, Type: scattered, Attrs: []Attr{reductionAttr()},
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
			k, err := tuple(in[1], len(in[0]))
			if err != nil {
				return nil, err
			}
			if want := append(in[1][:len(in[1])-1].Clone(), in[0][k:]...); !in[2].Equal(want) {
				return nil, fmt.Errorf("input 2 is %v: %v wanted", in[2], want)
			}
			return in[0].Clone(), nil
		},
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			q := len(in[1])
			u := tensor.Full(in[2])
			copy(u[q-1:], out[in[1][q-1]:])
			return []tensor.Box{out.Clone(), tensor.Full(in[1]), nothing(u)}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			move(dst, out, in[0], of(dst.Shape))
			if r := a.String("reduction"); dst.Type.Float() {
				scatterND(dst.Floats(), dst.Shape, out, in[1], in[2].Floats(), in[2].Shape, combine[float32](r))
			} else {
				scatterND(dst.Ints(), dst.Shape, out, in[1], in[2].Ints(), in[2].Shape, combine[int64](r))
			}
		},
	},
}

func reductionAttr() Attr {
	return Attr{Name: "reduction", Kind: String, Default: "none", OneOf: []string{"none", "add", "mul", "max", "min"}}
}

func scattered(a Attrs, in []tensor.Type) (tensor.Type, error) {
	if in[0] == tensor.Bool && a.String("reduction") != "none" {
		return 0, fmt.Errorf("reduction %s of bool: none wanted", a.String("reduction"))
	}
	return indexed(a, in)
}

// combine is what a reduction makes of the value at a place and an update.
func combine[T int64 | float32](reduction string) func(old, update T) T {
	switch reduction {
	case "add":
		return func(old, update T) T { return old + update }
	case "mul":
		return func(old, update T) T { return old * update }
	case "max":
		return func(old, update T) T { return max(old, update) }
	case "min":
		return func(old, update T) T { return min(old, update) }
	}
	return func(_, update T) T { return update }
}

// updates is the part of updates of shape s that may fall into the box out.
func updates(axis int, s tensor.Shape, out tensor.Box) tensor.Box {
	b := tensor.Full(s)
	for d := range b {
		if d != axis {
			b[d] = tensor.Range{Lo: min(out[d].Lo, s[d]), Hi: min(out[d].Hi, s[d])}
		}
	}
	return nothing(b)
}

func scatterElements[T any](y []T, s tensor.Shape, out tensor.Box, indices *tensor.Tensor, u []T, d int, f func(old, update T) T) {
	list := indices.Ints()
	v := of(s)
	along := v.st[d]
	v.st[d] = 0
	walk(updates(d, indices.Shape, out), []view{of(indices.Shape), v}, func(off, step []int, n int) {
		for i := range n {
			o := off[0] + i*step[0]
			if p := place(list[o], s[d]); p >= out[d].Lo && p < out[d].Hi {
				at := off[1] + i*step[1] + p*along
				y[at] = f(y[at], u[o])
			}
		}
	})
}

func scatterND[T any](y []T, s tensor.Shape, out tensor.Box, indices *tensor.Tensor, u []T, us tensor.Shape, f func(old, update T) T) {
	q := len(indices.Shape)
	k, list := indices.Shape[q-1], indices.Ints()
	st, ust := s.Strides(), us.Strides()
	outer := []view{{0, indices.Shape.Strides()[:q-1]}, {0, ust[:q-1]}}
	inner := []view{{0, st[k:]}, {0, ust[q-1:]}}
	walk(tensor.Full(us[:q-1]), outer, func(off, step []int, n int) {
		for i := range n {
			at, inside := 0, true
			for j, v := range list[off[0]+i*step[0]:][:k] {
				p := place(v, s[j])
				inside = inside && p >= out[j].Lo && p < out[j].Hi
				at += p * st[j]
			}
			if !inside {
				continue
			}
			from := off[1] + i*step[1]
			walk(out[k:], inner, func(io, istep []int, m int) {
				for j := range m {
					o := at + io[0] + j*istep[0]
					y[o] = f(y[o], u[from+io[1]+j*istep[1]])
				}
			})
		}
	})
}
