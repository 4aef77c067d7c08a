package onnx

import (
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Size says how large an extent that depends on data is: of the operation o with these attributes, all but
// size, and inputs in the graph so far.
type Size func(g *graph.Graph, o *op.Op, a op.Attrs, in []graph.ID) (int, error)

// counted appends, with put, an operation with an extent that depends on data. The extent is counted if
// the inputs are constants, else asked of Options.Size, else the largest that there can be.
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
	tensors, constant := make([]*tensor.Tensor, len(in)), true
	for i, v := range in {
		if tensors[i] = v.known; v.known == nil {
			tensors[i], _ = n.b.Peek().Value(v.id)
		}
		constant = constant && tensors[i] != nil
	}
	if constant {
		n.check(n.b.Small())
		return o.Count(a, tensors)
	}
	if n.size == nil {
		return largest
	}
	ids := make([]graph.ID, len(in))
	for i, v := range in {
		ids[i] = n.id(v)
	}
	size, err := n.size(n.b.Peek(), o, a, ids)
	n.check(err)
	return size
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

// nonMaxSuppression lowers NonMaxSuppression, whose bounds must be constants.
func nonMaxSuppression(n *node) []*value {
	n.arity(2, 5)
	a := op.Attrs{"center_point_box": n.int("center_point_box", 0), "max_output_boxes_per_class": int64(0)}
	if n.opt(2) != nil {
		most := n.constInts(2, "max_output_boxes_per_class")
		if len(most) != 1 {
			n.fail("max_output_boxes_per_class (input 2, %.80q) has %d values: one wanted", n.in[2].name, len(most))
		}
		a["max_output_boxes_per_class"] = most[0]
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
