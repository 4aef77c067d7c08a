package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// detOps are functions of matrices, which are the last two dimensions.
var detOps = []Op{{
	Name: "Det", MinIn: 1, MaxIn: 1, Type: floating,
	Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
		n := len(in[0])
		if n < 2 || in[0][n-1] != in[0][n-2] {
			return nil, fmt.Errorf("input 0 is %v: square matrices wanted", in[0])
		}
		return in[0][:n-2].Clone(), nil
	},
	Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
		return []tensor.Box{append(out.Clone(), tensor.Full(in[0][len(out):])...)}
	},
	Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
		x, y := in[0].Floats(), dst.Floats()
		n := in[0].Shape[len(out)]
		m := n * n
		out.Runs(dst.Shape, func(off, count int) {
			for i := off; i < off+count; i++ {
				y[i] = float32(determinant(x[i*m:(i+1)*m], n))
			}
		})
	},
}}

// determinant eliminates with the greatest pivot of each column.
func determinant(x []float32, n int) float64 {
	a := make([]float64, len(x))
	for i, v := range x {
		a[i] = float64(v)
	}
	det := 1.0
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[p*n+k]) {
				p = i
			}
		}
		if p != k {
			det = -det
			for j := range n {
				a[k*n+j], a[p*n+j] = a[p*n+j], a[k*n+j]
			}
		}
		det *= a[k*n+k]
		if a[k*n+k] == 0 {
			return det
		}
		for i := k + 1; i < n; i++ {
			f := a[i*n+k] / a[k*n+k]
			for j := k; j < n; j++ {
				a[i*n+j] -= f * a[k*n+j]
			}
		}
	}
	return det
}
