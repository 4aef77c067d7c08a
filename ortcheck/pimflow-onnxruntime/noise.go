package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	ort "github.com/yalue/onnxruntime_go"

	"pimflow/internal/tensor"
)

// noise is the bytes of a value: standard normal, and 0 of the types that are not
// floating.
func noise(x ort.InputOutputInfo) []byte {
	n := int64(1)
	for _, d := range x.Dimensions {
		n *= d
	}
	rng := rand.New(rand.NewPCG(2023, uint64(n)))
	t := tensor.Type(x.DataType) // ONNX Runtime numbers the element types as ONNX does
	b := make([]byte, n*int64(t.Bytes()))
	for i := range n {
		v := float32(rng.NormFloat64())
		switch t {
		case tensor.Float32:
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		case tensor.Float16:
			binary.LittleEndian.PutUint16(b[2*i:], tensor.ToFloat16(v))
		}
	}
	return b
}
