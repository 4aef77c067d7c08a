package onnx

import (
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Operators with an extent that depends on data make as many entries as they find; a graph has a fixed
// number. Zeros are written after the entries, and as many as there are to be are taken.

// toSize writes the value called found with the extent of a, along an axis.
func (e *encoder) toSize(name string, a op.Attrs, axis int64, found, out string) {
	ints := func(what string, v int64) string {
		return e.helper(name+"/"+what, tensor.Ints64(tensor.Shape{1}, []int64{v}))
	}
	pads := e.helper(name+"/pads", tensor.Ints64(tensor.Shape{2}, []int64{0, a["size"].(int64)}))
	along, padded := ints("axis", axis), e.unique(name+"/Pad")
	e.node(padded, "Pad", nil, []string{found, pads, "", along}, padded)
	e.node(e.unique(name+"/Slice"), "Slice", nil, []string{padded, ints("start", 0), ints("size", a["size"].(int64)), along}, out)
}

func writeNonZero(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	found := e.unique(name + "/found")
	e.node(name, "NonZero", nil, in, found)
	e.toSize(name, a, 1, found, out)
}

func writeCompress(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	found := e.unique(name + "/found")
	e.node(name, "Compress", written(a, "axis"), in, found)
	e.toSize(name, a, a["axis"].(int64), found, out)
}

func writeNonMaxSuppression(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	most := e.helper(name+"/max_output_boxes_per_class", tensor.Ints64(tensor.Shape{1}, []int64{a["max_output_boxes_per_class"].(int64)}))
	floats := func(what string) string {
		return e.helper(name+"/"+what, tensor.Floats32(tensor.Shape{1}, []float32{a.Float(what)}))
	}
	found := e.unique(name + "/found")
	e.node(name, "NonMaxSuppression", written(a, "center_point_box"), []string{in[0], in[1], most, floats("iou_threshold"), floats("score_threshold")}, found)
	e.toSize(name, a, 0, found, out)
}

// uniqueOutputs are the results of ONNX's Unique, in order.
var uniqueOutputs = []string{"Y", "indices", "inverse_indices", "counts"}

func writeUnique(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	found, axis := e.unique(name+"/found"), int64(0)
	if a.String("output") == "Y" {
		axis = a["axis"].(int64)
	}
	e.uniques(name, a, a.String("output"), in, found)
	e.toSize(name, a, axis, found, out)
}

func writeUniqueInverse(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
	e.uniques(name, a, "inverse_indices", in, out)
}

func (e *encoder) uniques(name string, a op.Attrs, output string, in []string, out string) {
	var outs []string
	for _, o := range uniqueOutputs {
		if o == output {
			outs = append(outs, out)
			break
		}
		outs = append(outs, e.unique(name+"/"+o)) // ONNX Runtime wants them named
	}
	e.node(name, "Unique", written(a, "axis", "sorted"), in, outs...)
}
