package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// bitOps look at the bits of numbers: of integers, or whether a float is one.
var bitOps = []Op{
	bitwise("BitwiseAnd", func(x, y int64) int64 { return x & y }),
	bitwise("BitwiseOr", func(x, y int64) int64 { return x | y }),
	bitwise("BitwiseXor", func(x, y int64) int64 { return x ^ y }),
	{
		Name: "BitwiseNot", MinIn: 1, MaxIn: 1, Type: whole, Shape: sameShape, Need: sameBox,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			mapRuns(dst.Ints(), in[0].Ints(), dst.Shape, out, func(x int64) int64 { return ^x })
		},
	},
	bitShiftOp(),
	asks("IsNaN", func(Attrs) func(x float32) int64 {
		return func(x float32) int64 { return truth(x != x) }
	}),
	asks("IsInf", func(a Attrs) func(x float32) int64 {
		negative, positive := a.Int("detect_negative") != 0, a.Int("detect_positive") != 0
		return func(x float32) int64 {
			return truth(negative && math.IsInf(float64(x), -1) || positive && math.IsInf(float64(x), 1))
		}
	}, Attr{Name: "detect_negative", Kind: Int, Default: int64(1)}, Attr{Name: "detect_positive", Kind: Int, Default: int64(1)}),
}

// whole is the Type of operators whose inputs and value are all of one integer type.
func whole(a Attrs, in []tensor.Type) (tensor.Type, error) {
	if in[0].Float() || in[0] == tensor.Bool {
		return 0, fmt.Errorf("input 0 is %v: integers wanted", in[0])
	}
	return same(a, in)
}

func bitwise(name string, f func(x, y int64) int64) Op {
	o := connect(name, f)
	o.Type = whole
	return o
}

// bitShiftOp shifts unsigned integers, as ONNX BitShift-11 does: uint8 here.
func bitShiftOp() Op {
	o := connect("BitShift", nil)
	o.Attrs = []Attr{{Name: "direction", Kind: String, OneOf: []string{"LEFT", "RIGHT"}}}
	o.Type = func(a Attrs, in []tensor.Type) (tensor.Type, error) {
		if in[0] != tensor.Uint8 {
			return 0, fmt.Errorf("input 0 is %v: uint8 wanted", in[0])
		}
		return same(a, in)
	}
	o.Eval = func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
		f := func(x, by int64) int64 { return x >> uint64(by) }
		if a.String("direction") == "LEFT" {
			f = func(x, by int64) int64 { return x << uint64(by) }
		}
		zip(dst.Ints(), in, in[0].Ints(), in[1].Ints(), dst.Shape, out, f)
	}
	return o
}

// asks makes the row of a question about each float.
func asks(name string, f func(Attrs) func(x float32) int64, attrs ...Attr) Op {
	return Op{
		Name: name, MinIn: 1, MaxIn: 1, Attrs: attrs, Shape: sameShape, Need: sameBox,
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			_, err := floating(a, in)
			return tensor.Bool, err
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			mapRuns(dst.Ints(), in[0].Floats(), dst.Shape, out, f(a))
		},
	}
}
