package onnx

import (
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Values says what the value of a node of a graph so far is.
type Values func(g *graph.Graph, id graph.ID) (*tensor.Tensor, error)

// counted appends, with put, an operation with an extent that depends on data. The extent is counted if
// the inputs are constants, else for the values of Options.Values, else the largest that there can be.
func (n *node) counted(put func(string, op.Attrs, ...*value) *value, opName string, a op.Attrs, in ...*value) *value {
	o, err := op.Lookup(opName)
	n.check(err)
	a["size"] = int64(0)
	a, err = a.Complete(o)
	n.check(err)
	shapes := make([]tensor.Shape, len(in))
	for i, v := range in {
		shapes[i] = v.shape
	}
	_, err = o.Shape(a, shapes)
	n.check(err)
	a["size"] = int64(n.extent(o, a, in, o.Largest(a, shapes)))
	return put(opName, a, in...)
}

func (n *node) extent(o *op.Op, a op.Attrs, in []*value, largest int) int {
	tensors := make([]*tensor.Tensor, len(in))
	for i, v := range in {
		if tensors[i] = n.told(v); tensors[i] == nil {
			return largest
		}
	}
	return o.Count(a, tensors)
}

func nonZero(n *node) []*value {
	n.arity(1, 1)
	return one(n.counted(n.op, "NonZero", op.Attrs{}, n.in[0]))
}

// compress lowers Compress; without an axis it is of all values in a row.
func compress(n *node) []*value {
	n.arity(2, 2)
	x, axis := n.flat(n.in[0])
	return one(n.counted(n.op, "Compress", op.Attrs{"axis": axis}, x, n.in[1]))
}

// flat is x and the attribute axis or, where there is none, the values of x in one dimension.
func (n *node) flat(x *value) (*value, int64) {
	if n.has("axis") {
		return x, n.int("axis", 0)
	}
	return n.via(x, tensor.Shape{x.shape.Size()}), 0
}

// nonMaxSuppression lowers NonMaxSuppression, whose thresholds must be constants.
func nonMaxSuppression(n *node) []*value {
	n.arity(2, 5)
	a := op.Attrs{"center_point_box": n.int("center_point_box", 0), "max_output_boxes_per_class": int64(0)}
	if n.opt(2) != nil {
		a["max_output_boxes_per_class"] = n.upTo(2, "max_output_boxes_per_class", n.in[0].shape.Size())
	}
	for i, name := range []string{"iou_threshold", "score_threshold"} {
		if n.opt(3+i) == nil {
			continue
		}
		if v := n.in[3+i]; v.shape.Size() != 1 {
			n.fail("%s (input %d, %.80q) is %v %v: one wanted", name, 3+i, v.name, v.typ, v.shape)
		}
		a[name] = max(n.constFloats(3+i, name)[0], -math.MaxFloat32)
	}
	return one(n.counted(n.op, "NonMaxSuppression", a, n.in[0], n.in[1]))
}

// unique lowers Unique to an operation for each result that is read.
func unique(n *node) []*value {
	n.arity(1, 1)
	x, axis := n.flat(n.in[0])
	sorted := n.int("sorted", 1)
	out := make([]*value, len(n.p.out))
	put := n.op // the first; the others are named after it
	for i, name := range uniqueOutputs {
		if i >= len(out) || n.p.out[i] == "" || !n.read[n.p.out[i]] {
			continue
		}
		a := op.Attrs{"axis": axis, "sorted": sorted}
		if name == "inverse_indices" {
			out[i] = put("UniqueInverse", a, x)
		} else {
			a["output"] = name
			out[i] = n.counted(put, "Unique", a, x)
		}
		put = n.sub
	}
	return out
}
