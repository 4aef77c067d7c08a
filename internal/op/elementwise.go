package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// unaryOps are the element-wise operators of one input.
var unaryOps = []Op{
	unary("Relu", nil, func(Attrs) func(float32) float32 {
		return func(x float32) float32 { return max(x, 0) }
	}),
}

// binaryOps are the element-wise operators of two inputs, which broadcast.
var binaryOps = []Op{
	binary("Add", func(x, y float32) float32 { return x + y }),
}

// unary makes the row of an element-wise operator from its function.
func unary(name string, attrs []Attr, f func(Attrs) func(float32) float32) Op {
	return Op{
		Name: name, MinIn: 1, MaxIn: 1, Attrs: attrs, Map: f,
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil },
		Need:  func(_ Attrs, _ []tensor.Shape, out tensor.Box) []tensor.Box { return []tensor.Box{out.Clone()} },
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			fn, x, y := f(a), in[0].Floats(), dst.Floats()
			out.Runs(dst.Shape, func(off, n int) {
				for i := off; i < off+n; i++ {
					y[i] = fn(x[i])
				}
			})
		},
	}
}

func binary(name string, f func(x, y float32) float32) Op {
	return Op{
		Name: name, MinIn: 2, MaxIn: 2, Combine: f,
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
			return nil, fmt.Errorf("broadcasting is not written")
		},
	}
}
