package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// quantizeOps turn real numbers into integers of 8 bits and back: x is about
// scale·(q − zero point). Operands are the value, the scale and the zero point; both
// are one number, or one for each index of the dimension axis, or, with a block
// size, one for each so many indices of it.
var quantizeOps = []Op{
	{
		Name: "QuantizeLinear", MinIn: 3, MaxIn: 3, Attrs: scaleAttrs,
		Type: func(_ Attrs, in []tensor.Type) (tensor.Type, error) {
			if !in[0].Float() && in[0] != tensor.Int32 {
				return 0, fmt.Errorf("input 0 is %v: a floating type or int32 wanted", in[0])
			}
			if err := scaleTypes(in, 1); err != nil {
				return 0, err
			}
			return in[2], quantized(in, 2)
		},
		Shape: scaledShape, Need: scaledNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			p, y := paramsOf(a, in[1], in[2], in[0].Shape), dst.Ints()
			lo, hi := bounds(dst.Type)
			if in[0].Type.Float() {
				mapIndexed(out, dst.Shape, p.at, in[0].Floats(), y, func(i int, x float32) int64 {
					return quantize(x/p.scale[i], p.zero[i], lo, hi)
				})
			} else {
				mapIndexed(out, dst.Shape, p.at, in[0].Ints(), y, func(i int, x int64) int64 {
					return quantize(float32(x)/p.scale[i], p.zero[i], lo, hi)
				})
			}
		},
	},
	{
		Name: "DequantizeLinear", MinIn: 3, MaxIn: 3, Attrs: scaleAttrs, Widens: true,
		Type: func(_ Attrs, in []tensor.Type) (tensor.Type, error) {
			if in[0] != tensor.Int32 {
				if err := quantized(in, 0); err != nil {
					return 0, err
				}
			}
			if in[2] != in[0] {
				return 0, fmt.Errorf("input 2 is %v: %v as input 0 wanted", in[2], in[0])
			}
			return in[1], scaleTypes(in, 1)
		},
		Shape: scaledShape, Need: scaledNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			p := paramsOf(a, in[1], in[2], in[0].Shape)
			mapIndexed(out, dst.Shape, p.at, in[0].Ints(), dst.Floats(), func(i int, x int64) float32 {
				return float32(x-p.zero[i]) * p.scale[i]
			})
		},
	},
	// The scale and the zero point that ONNX DynamicQuantizeLinear finds for a value, of uint8.
	{
		Name: "DynamicQuantizeScale", MinIn: 1, MaxIn: 1, Type: single32, Shape: scalarShape,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, _ tensor.Box) {
			dst.Floats()[0], _ = dynamic(in[0].Floats())
		},
	},
	{
		Name: "DynamicQuantizeZeroPoint", MinIn: 1, MaxIn: 1, Shape: scalarShape,
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			_, err := single32(a, in)
			return tensor.Uint8, err
		},
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, _ tensor.Box) {
			_, dst.Ints()[0] = dynamic(in[0].Floats())
		},
	},
}

var scaleAttrs = []Attr{{Name: "axis", Kind: Int, Default: int64(1)}, {Name: "block_size", Kind: Int, Default: int64(0)}}

func scalarShape(Attrs, []tensor.Shape) (tensor.Shape, error) { return tensor.Shape{}, nil }

// single32 is the Type of operators on float32 alone.
func single32(_ Attrs, in []tensor.Type) (tensor.Type, error) {
	if in[0] != tensor.Float32 {
		return 0, fmt.Errorf("input 0 is %v: float32 wanted", in[0])
	}
	return in[0], nil
}

// quantized refuses an input that is no integer of 8 bits.
func quantized(in []tensor.Type, i int) error {
	if in[i] != tensor.Int8 && in[i] != tensor.Uint8 {
		return fmt.Errorf("input %d is %v: int8 or uint8 wanted", i, in[i])
	}
	return nil
}

func scaleTypes(in []tensor.Type, i int) error {
	if !in[i].Float() {
		return fmt.Errorf("input %d is %v: a floating type wanted", i, in[i])
	}
	return nil
}

func scaledShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	if !in[1].Equal(in[2]) && numbers1(in, 1, 3) != nil {
		return nil, fmt.Errorf("scale %v and zero point %v: one shape wanted", in[1], in[2])
	}
	return in[0].Clone(), scaleShape(a, in, 1)
}

// scaleShape refuses scales that fit neither a value nor its axis.
func scaleShape(a Attrs, in []tensor.Shape, i int) error {
	s, x := in[i], in[0]
	if block := a.Int("block_size"); block != 0 {
		d, err := axis(a, len(x))
		if err != nil {
			return err
		}
		if block < 0 {
			return fmt.Errorf("block_size %d: 0 or more wanted", block)
		}
		want := x.Clone()
		if want[d] = ceilDiv(x[d], block); !s.Equal(want) {
			return fmt.Errorf("scale %v: %v wanted for blocks of %d", s, want, block)
		}
		return nil
	}
	if s.Size() == 1 && len(s) <= 1 {
		return nil
	}
	d, err := axis(a, len(x))
	if err != nil {
		return err
	}
	return line(in, i, x[d])
}

func scaledNeed(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	return []tensor.Box{out.Clone(), tensor.Full(in[1]), tensor.Full(in[2])}
}

// params are scales and zero points of a value, and which of them belongs to an element.
type params struct {
	scale []float32
	zero  []int64
	at    func(element int) int // nil: the only one
}

func paramsOf(a Attrs, scale, zero *tensor.Tensor, x tensor.Shape) params {
	p := params{scale: scale.Floats(), zero: zero.Ints()}
	if len(p.scale) == 1 {
		return p
	}
	d := axisOf(a, len(x))
	inner, n := x[d+1:].Size(), x[d]
	if block := a.Int("block_size"); block > 0 {
		blocks := ceilDiv(n, block)
		p.at = func(e int) int { return (e/(inner*n)*blocks+e/inner%n/block)*inner + e%inner }
	} else {
		p.at = func(e int) int { return e / inner % n }
	}
	return p
}

// mapIndexed is mapRuns of a function that also has at(element), or 0.
func mapIndexed[X, Y any](out tensor.Box, s tensor.Shape, at func(int) int, x []X, y []Y, f func(int, X) Y) {
	EachRun(out, s, func(off, n int) {
		for i := off; i < off+n; i++ {
			k := 0
			if at != nil {
				k = at(i)
			}
			y[i] = f(k, x[i])
		}
	})
}

// bounds are the least and the greatest integer of 8 bits.
func bounds(t tensor.Type) (lo, hi float32) {
	if t == tensor.Int8 {
		return math.MinInt8, math.MaxInt8
	}
	return 0, math.MaxUint8
}

// Quantize is the integer of 8 bits of x, in steps, with a zero point.
func Quantize(x float32, zero int64, t tensor.Type) int64 {
	lo, hi := bounds(t)
	return quantize(x, zero, lo, hi)
}

// clampAttrs bound the integers of a value, where an activation is a clip of them.
var clampAttrs = []Attr{{Name: "low", Kind: Int, Default: int64(math.MinInt8)}, {Name: "high", Kind: Int, Default: int64(math.MaxUint8)}}

// clamps are the bounds of a value's integers.
func clamps(a Attrs, t tensor.Type) (lo, hi float32) {
	lo, hi = bounds(t)
	return min(max(lo, float32(a.Int("low"))), hi), max(min(hi, float32(a.Int("high"))), lo)
}

// quantize rounds x, in steps, to the nearest integer, ties to even, adds the zero point, and
// saturates. NaN becomes the least, as in ONNX Runtime.
func quantize(x float32, zero int64, lo, hi float32) int64 {
	if v := float32(math.RoundToEven(float64(x))) + float32(zero); v >= lo {
		return int64(min(v, hi))
	}
	return int64(lo)
}

// dynamic is the scale and the zero point of values, 0 among them, as ONNX DynamicQuantizeLinear-11
// has them; the scale of zeros alone is 1, as in ONNX Runtime.
func dynamic(x []float32) (scale float32, zero int64) {
	var lo, hi float32
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	if scale = (hi - lo) / math.MaxUint8; scale == 0 {
		scale = 1
	}
	return scale, quantize(-lo/scale, 0, 0, math.MaxUint8)
}
