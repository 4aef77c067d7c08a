package onnx

import (
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// writers are the canonical operators that ONNX does not spell as attributes beside
// the operands, or as inputs after them (asInputs). t is the type of the value.
var writers = map[string]func(e *encoder, name string, a op.Attrs, t tensor.Type, in []string, out string){
	"Compress":          writeCompress,
	"GRU":               writeRecurrent("GRU", 2),
	"LSTM":              writeRecurrent("LSTM", 3),
	"MaxPoolIndices":    writeMaxPoolIndices,
	"NonMaxSuppression": writeNonMaxSuppression,
	"NonZero":           writeNonZero,
	"OneHot":            writeOneHot,
	"RNN":               writeRecurrent("RNN", 2),
	"Sized":             writeSized,
	"Swish":             writeSwish,
	"TopK":              writeTopK,
	"Unique":            writeUnique,
	"UniqueInverse":     writeUniqueInverse,
}

// writeSized writes a copy: the sizes of what is made of it are numbers by now.
func writeSized(e *encoder, name string, _ op.Attrs, _ tensor.Type, in []string, out string) {
	e.node(name, "Identity", nil, in[:1], out)
}

// writeSwish writes x*sigmoid(alpha*x), which the written opset has no operator for.
func writeSwish(e *encoder, name string, a op.Attrs, t tensor.Type, in []string, out string) {
	x := in[0]
	y := x
	if alpha := a.Float("alpha"); alpha != 1 {
		k := e.helper(name+"/alpha", filled(t, tensor.Shape{}, float64(alpha)))
		y = e.unique(name + "/Mul")
		e.node(y, "Mul", nil, []string{x, k}, y)
	}
	s := e.unique(name + "/Sigmoid")
	e.node(s, "Sigmoid", nil, []string{y}, s)
	e.node(name, "Mul", nil, []string{x, s}, out)
}

func writeOneHot(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	depth := e.helper(name+"/depth", tensor.Ints64(tensor.Shape{}, []int64{a["depth"].(int64)}))
	e.node(name, "OneHot", written(a, "axis"), []string{in[0], depth, in[1]}, out)
}

// writeTopK leaves the values out, which a node after it gathers.
func writeTopK(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	k := e.helper(name+"/k", tensor.Ints64(tensor.Shape{1}, []int64{a["k"].(int64)}))
	values := e.unique(name + "/values") // ONNX Runtime wants them named
	e.node(name, "TopK", written(a, "axis", "largest"), []string{in[0], k}, values, out)
}

// writeMaxPoolIndices writes a MaxPool whose maxima nothing reads.
func writeMaxPoolIndices(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	e.node(name, "MaxPool", written(a, a.Names()...), in, e.unique(name+"/values"), out)
}

// written encodes the named attributes.
func written(a op.Attrs, names ...string) (b []byte) {
	for _, n := range names {
		b = appendMessage(b, 5, attribute(n, a[n]))
	}
	return b
}
