package op

import (
	"cmp"
	"fmt"

	"pimflow/internal/tensor"
)

// logicOps compare, combine and choose; bools are 0 and 1.
var logicOps = []Op{
	compare("Equal", equal[float32], equal[int64]),
	compare("Greater", greater[float32], greater[int64]),
	compare("Less", less[float32], less[int64]),
	compare("GreaterOrEqual", greaterOrEqual[float32], greaterOrEqual[int64]),
	compare("LessOrEqual", lessOrEqual[float32], lessOrEqual[int64]),
	connect("And", func(x, y int64) int64 { return x & y }),
	connect("Or", func(x, y int64) int64 { return x | y }),
	connect("Xor", func(x, y int64) int64 { return x ^ y }),
	{
		Name: "Not", MinIn: 1, MaxIn: 1, Type: logical, Shape: sameShape, Need: sameBox,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			mapRuns(dst.Ints(), in[0].Ints(), dst.Shape, out, func(x int64) int64 { return 1 - x })
		},
	},
	{
		Name: "Where", MinIn: 3, MaxIn: 3,
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			if in[0] != tensor.Bool {
				return 0, fmt.Errorf("input 0 is %v: bool wanted", in[0])
			}
			if in[1] != in[2] {
				return 0, fmt.Errorf("input 2 is %v: %v as input 1 wanted", in[2], in[1])
			}
			return in[1], nil
		},
		Shape: broadcast,
		Need:  broadcastNeed,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				choose(dst.Floats(), in, in[1].Floats(), in[2].Floats(), dst.Shape, out)
			} else {
				choose(dst.Ints(), in, in[1].Ints(), in[2].Ints(), dst.Shape, out)
			}
		},
	},
	{
		Name: "Identity", MinIn: 1, MaxIn: 1, Shape: sameShape, Need: sameBox, View: true,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			move(dst, out, in[0], of(dst.Shape))
		},
	},
	{
		Name: "Cast", MinIn: 1, MaxIn: 1, Shape: sameShape, Need: sameBox,
		Attrs: []Attr{{Name: "to", Kind: String}},
		Type: func(a Attrs, _ []tensor.Type) (tensor.Type, error) {
			t, err := tensor.ParseType(a.String("to"))
			if err != nil {
				return 0, fmt.Errorf("to: %w", err)
			}
			return t, nil
		},
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			switch from, to := in[0].Type.Float(), dst.Type.Float(); {
			case from && to:
				mapRuns(dst.Floats(), in[0].Floats(), dst.Shape, out, func(x float32) float32 { return x })
			case from && dst.Type == tensor.Bool:
				mapRuns(dst.Ints(), in[0].Floats(), dst.Shape, out, func(x float32) int64 { return truth(x != 0) })
			case from:
				mapRuns(dst.Ints(), in[0].Floats(), dst.Shape, out, func(x float32) int64 { return int64(x) })
			case to:
				mapRuns(dst.Floats(), in[0].Ints(), dst.Shape, out, func(x int64) float32 { return float32(x) })
			default:
				mapRuns(dst.Ints(), in[0].Ints(), dst.Shape, out, func(x int64) int64 { return tensor.Wrap(dst.Type, x) })
			}
		},
	},
}

// compare makes the row of a comparison, whose value is bool.
func compare(name string, floats func(x, y float32) int64, ints func(x, y int64) int64) Op {
	return Op{
		Name: name, MinIn: 2, MaxIn: 2,
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			_, err := same(a, in)
			return tensor.Bool, err
		},
		Shape: broadcast,
		Need:  broadcastNeed,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if in[0].Type.Float() {
				zip(dst.Ints(), in, in[0].Floats(), in[1].Floats(), dst.Shape, out, floats)
			} else {
				zip(dst.Ints(), in, in[0].Ints(), in[1].Ints(), dst.Shape, out, ints)
			}
		},
	}
}

// connect makes the row of an operator on two bools.
func connect(name string, f func(x, y int64) int64) Op {
	return Op{
		Name: name, MinIn: 2, MaxIn: 2, Type: logical, Shape: broadcast, Need: broadcastNeed,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			zip(dst.Ints(), in, in[0].Ints(), in[1].Ints(), dst.Shape, out, f)
		},
	}
}

func choose[T any](y []T, in []*tensor.Tensor, a, b []T, s tensor.Shape, out tensor.Box) {
	views := []view{of(s)}
	for _, x := range in {
		views = append(views, stretch(x.Shape, len(s)))
	}
	c := in[0].Ints()
	walk(out, views, func(off, step []int, n int) {
		for i := range n {
			if c[off[1]+i*step[1]] != 0 {
				y[off[0]+i] = a[off[2]+i*step[2]]
			} else {
				y[off[0]+i] = b[off[3]+i*step[3]]
			}
		}
	})
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func equal[T cmp.Ordered](x, y T) int64          { return truth(x == y) }
func greater[T cmp.Ordered](x, y T) int64        { return truth(x > y) }
func less[T cmp.Ordered](x, y T) int64           { return truth(x < y) }
func greaterOrEqual[T cmp.Ordered](x, y T) int64 { return truth(x >= y) }
func lessOrEqual[T cmp.Ordered](x, y T) int64    { return truth(x <= y) }
