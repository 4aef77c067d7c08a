package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// Extents that depend on data. An operator that finds things makes as many entries as it finds, which
// only the values of its inputs tell. Its attribute "size" fixes that extent, so that shapes stay
// numbers: Eval writes the first entries, and zeros where it finds fewer.

// size is the attribute of operators with Largest and Count.
var size = Attr{Name: "size", Kind: Int, Wide: true}

// counted is the attribute size, at most what the row says of inputs of these shapes.
func counted(largest func(Attrs, []tensor.Shape) int, a Attrs, in []tensor.Shape) (int, error) {
	n, most := a.Int("size"), largest(a, in)
	if n < 0 || n > most {
		return 0, fmt.Errorf("size %d: 0 to %d wanted", n, most)
	}
	return n, nil
}

// countedOps make as many entries as they find.
var countedOps = []Op{
	{
		// The indices of the values other than 0, a column each, in row-major order.
		Name: "NonZero", MinIn: 1, MaxIn: 1, Attrs: []Attr{size},
		Type: func(Attrs, []tensor.Type) (tensor.Type, error) { return tensor.Int64, nil },
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			n, err := counted(nonZeroLargest, a, in)
			return tensor.Shape{max(len(in[0]), 1), n}, err
		},
		Largest: nonZeroLargest,
		Count:   func(_ Attrs, in []*tensor.Tensor) int { return len(nonZeros(in[0], math.MaxInt)) },
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, _ tensor.Box) {
			n, y := dst.Shape[1], dst.Ints()
			clear(y)
			st := in[0].Shape.Strides()
			for k, at := range nonZeros(in[0], n) {
				for d, step := range st {
					y[d*n+k] = int64(at / step)
					at %= step
				}
			}
		},
	},
	{
		// The slices along axis whose condition is true; a condition may be shorter than the axis.
		Name: "Compress", MinIn: 2, MaxIn: 2, Attrs: []Attr{{Name: "axis", Kind: Int}, size},
		Type: func(_ Attrs, in []tensor.Type) (tensor.Type, error) {
			if in[1] != tensor.Bool {
				return 0, fmt.Errorf("input 1 is %v: bool wanted", in[1])
			}
			return in[0], nil
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			d, err := axis(a, len(in[0]))
			if err == nil {
				err = rank(1, in[1], 1, 1)
			}
			if err != nil {
				return nil, err
			}
			s := in[0].Clone()
			s[d], err = counted(compressLargest, a, in)
			return s, err
		},
		Largest: compressLargest,
		Count: func(a Attrs, in []*tensor.Tensor) int {
			return len(chosen(in[1], compressLargest(a, []tensor.Shape{in[0].Shape, in[1].Shape})))
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			axis := axisOf(a, len(in[0].Shape))
			from := chosen(in[1], in[0].Shape[axis])
			take(dst, out, in[0], indices(out, func(d, i int) int {
				switch {
				case d != axis:
					return i
				case i < len(from):
					return from[i]
				}
				return -1
			}), 0)
		},
	},
}

// What Sized is told, where it is not the number of steps that a loop has made.
const (
	Extents = -1 // of the values made of it
	OneStep = -2 // whether a loop makes one more
)

// sizedOps stand where values tell a size of what follows: its extents, which are numbers in a graph, or the steps of a loop.
var sizedOps = []Op{{
	// The first input, once the others are there, which tell a size.
	Name: "Sized", MinIn: 2, MaxIn: -1, View: true, Attrs: []Attr{{Name: "steps", Kind: Int, Default: int64(Extents), Wide: true}},
	Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
		if n := a.Int("steps"); n < OneStep {
			return nil, fmt.Errorf("steps %d: %d or more wanted", n, OneStep)
		}
		return in[0].Clone(), nil
	},
	Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
		need := []tensor.Box{out}
		for _, s := range in[1:] {
			need = append(need, tensor.Full(s))
		}
		return need
	},
	Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
		move(dst, out, in[0], of(dst.Shape))
	},
}}

func nonZeroLargest(_ Attrs, in []tensor.Shape) int { return in[0].Size() }

// nonZeros is where the values other than 0 are, at most n of them.
func nonZeros(x *tensor.Tensor, n int) (at []int) {
	is := func(i int) bool { return x.Ints()[i] != 0 }
	if x.Type.Float() {
		is = func(i int) bool { return x.Floats()[i] != 0 }
	}
	for i := 0; i < x.Shape.Size() && len(at) < n; i++ {
		if is(i) {
			at = append(at, i)
		}
	}
	return at
}

func compressLargest(a Attrs, in []tensor.Shape) int {
	return min(in[0][axisOf(a, len(in[0]))], in[1][0])
}

// chosen is where a condition is true, among the first n values.
func chosen(condition *tensor.Tensor, n int) (at []int) {
	for i, c := range condition.Ints()[:min(n, condition.Shape.Size())] {
		if c != 0 {
			at = append(at, i)
		}
	}
	return at
}
