package op

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
)

// passed are the operators that also run on integers of 8 bits which stand for real numbers: their
// inputs are dequantised, their value is quantised. The row of X is called QLinearX. Operands are those of X, then
// scale and zero point of each, then those of the value, each a single number.
//
// ONNX Runtime has some of these rows as operators of its own, and forms them from
// DequantizeLinear, X, QuantizeLinear.
var passed = []string{
	"Add", "AveragePool", "Clip", "Concat", "Div", "Elu", "Gelu", "GlobalAveragePool", "HardSigmoid", "HardSwish", "Identity",
	"LeakyRelu", "Max", "Min", "Mul", "ReduceMean", "Relu", "Resize", "Sigmoid", "Softmax", "Sub", "Swish", "Tanh",
}

// QLinear is the name of the row of an operator on quantised values.
func QLinear(name string) string { return "QLinear" + name }

var passedOps = func() (rows []Op) {
	for _, table := range [][]Op{unaryOps, binaryOps, logicOps, poolOps, softmaxOps, reduceOps, layoutOps, resizeOps} {
		for i := range table {
			if slices.Contains(passed, table[i].Name) {
				rows = append(rows, onIntegers(&table[i]))
			}
		}
	}
	if len(rows) != len(passed) {
		panic("op: a quantised operator without its row")
	}
	return rows
}()

// onIntegers is the row of an operator on quantised values.
func onIntegers(real *Op) Op {
	values := func(operands int) int { return (operands - 2) / 3 }
	most := real.MaxIn
	if most >= 0 {
		most = 3*most + 2
	}
	o := Op{
		Name: QLinear(real.Name), MinIn: 3*real.MinIn + 2, MaxIn: most, Attrs: slices.Concat(real.Attrs, clampAttrs), Real: real.Name, values: values,
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			n := values(len(in))
			if len(in) != 3*n+2 {
				return 0, fmt.Errorf("%d inputs: %d wanted, those of %d values", len(in), 3*n+2, n)
			}
			for i := range n + 1 {
				scale, zero := n+2*i, n+2*i+1
				if err := scaleTypes(in, scale); err != nil {
					return 0, err
				}
				if err := quantized(in, zero); err != nil {
					return 0, err
				}
				if i < n && in[i] != in[zero] {
					return 0, fmt.Errorf("input %d is %v: %v as input %d wanted", zero, in[zero], in[i], i)
				}
			}
			if real.Type != nil {
				if _, err := real.Type(a, slices.Repeat([]tensor.Type{tensor.Float32}, n)); err != nil {
					return 0, err
				}
			}
			return in[len(in)-1], nil
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			n := values(len(in))
			if err := numbers1(in, n, len(in)); err != nil {
				return nil, err
			}
			return real.Shape(a, in[:n])
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			n := values(len(in))
			if f := direct[real.Name]; f != nil {
				lo, hi := clamps(a, dst.Type)
				f(a, in, dst, out, lo, hi)
				return
			}
			shapes := shapesOf(in[:n])
			var need []tensor.Box
			if real.Need != nil {
				need = real.Need(a, shapes, out)
			} else {
				for _, s := range shapes {
					need = append(need, tensor.Full(s))
				}
			}
			x := make([]*tensor.Tensor, n)
			for i := range x {
				x[i] = tensor.New(tensor.Float32, shapes[i])
				scale, zero := in[n+2*i].Floats()[0], in[n+2*i+1].Ints()[0]
				mapRuns(x[i].Floats(), in[i].Ints(), shapes[i], need[i], func(v int64) float32 { return float32(v-zero) * scale })
			}
			y := tensor.New(tensor.Float32, dst.Shape)
			real.Eval(a, x, y, out)
			scale, zero := in[3*n].Floats()[0], in[3*n+1].Ints()[0]
			lo, hi := clamps(a, dst.Type)
			mapRuns(dst.Ints(), y.Floats(), dst.Shape, out, func(v float32) int64 { return quantize(v/scale, zero, lo, hi) })
		},
	}
	if real.Need != nil {
		o.Need = func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			n := values(len(in))
			need := real.Need(a, in[:n], out)
			for _, s := range in[n:] {
				need = append(need, tensor.Full(s))
			}
			return need
		}
	}
	return o
}

// numbers1 refuses inputs lo to hi that are not a single number.
func numbers1(in []tensor.Shape, lo, hi int) error {
	for i := lo; i < hi; i++ {
		if in[i].Size() != 1 || len(in[i]) > 1 {
			return fmt.Errorf("input %d is %v: a scalar, or 1, wanted", i, in[i])
		}
	}
	return nil
}

func shapesOf(in []*tensor.Tensor) []tensor.Shape {
	s := make([]tensor.Shape, len(in))
	for i, t := range in {
		s[i] = t.Shape
	}
	return s
}
