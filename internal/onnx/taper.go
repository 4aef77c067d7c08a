package onnx

import (
	"math"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// taper lowers HannWindow, HammingWindow and BlackmanWindow of a known size to a known
// value, a sum of cosines with these coefficients of alternating sign (ONNX opset 17).
func taper(coefficients ...float64) func(n *node) []*value {
	return func(n *node) []*value {
		n.arity(1, 1)
		size := n.whole(0, "size")
		if size < 0 || size > foldSize {
			n.fail("size %d: 0 to %d wanted", size, foldSize)
		}
		t, err := elemType(n.int("output_datatype", int64(tensor.Float32)))
		n.check(in(`attribute "output_datatype"`, err))
		period := float64(size)
		if n.int("periodic", 1) == 0 {
			period--
		}
		y := make([]float32, size)
		for i := range y {
			sum, sign := 0.0, 1.0
			for k, c := range coefficients {
				sum += sign * c * math.Cos(2*math.Pi*float64(k)*float64(i)/max(period, 1))
				sign = -sign
			}
			y[i] = float32(sum)
		}
		v := known(n.name, tensor.Floats32(tensor.Shape{int(size)}, y))
		if t == v.typ {
			return one(v)
		}
		return one(n.op("Cast", op.Attrs{"to": t.String()}, v))
	}
}
