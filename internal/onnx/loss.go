package onnx

import (
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// nllLoss lowers NegativeLogLikelihoodLoss: what a target names in the logarithms,
// negated and weighted; 0 at targets that are ignored.
func nllLoss(n *node) []*value {
	n.arity(2, 3)
	return one(n.loss(n.in[0]))
}

// softmaxLoss lowers SoftmaxCrossEntropyLoss, whose second output is the logarithms.
func softmaxLoss(n *node) []*value {
	n.arity(2, 3)
	log := n.sub("LogSoftmax", op.Attrs{"axis": int64(1)}, n.in[0])
	return []*value{n.loss(log), log}
}

// loss makes the node's value from logarithms N×C×…, targets N×… and a weight for each
// of the C classes.
func (n *node) loss(log *value) *value {
	target, weight := n.in[1], n.opt(2)
	s := log.shape
	if len(s) < 2 {
		n.fail("input of %v: batch and classes wanted", s)
	}
	if want := append(s[:1].Clone(), s[2:]...); !target.shape.Equal(want) {
		n.fail("target of %v: %v wanted", target.shape, want)
	}
	if weight != nil && !weight.shape.Equal(tensor.Shape{s[1]}) {
		n.fail("weight of %v: %d wanted", weight.shape, s[1])
	}
	at := n.via(target, append(tensor.Shape{s[0], 1}, s[2:]...))
	var ignored *value
	if n.has("ignore_index") {
		ignored = n.sub("Equal", nil, at, n.scalar("ignore_index", at.typ, float64(n.int("ignore_index", 0))))
		at = n.sub("Where", nil, ignored, n.scalar("class", at.typ, 0), at)
	}
	zero := n.scalar("zero", log.typ, 0)
	y := n.sub("Neg", nil, n.sub("GatherElements", op.Attrs{"axis": int64(1)}, log, at))
	var w *value // nil: 1 each
	if weight != nil {
		w = n.sub("Gather", op.Attrs{"axis": int64(0)}, weight, at)
		y = n.sub("Mul", nil, y, w)
	}
	if ignored != nil {
		y = n.sub("Where", nil, ignored, zero, y)
		if w == nil {
			w = n.scalar("one", log.typ, 1)
		}
		w = n.sub("Where", nil, ignored, zero, w)
	}
	all := op.Attrs{"axes": []int64{}, "keepdims": int64(0)}
	for d := range y.shape {
		all["axes"] = append(all["axes"].([]int64), int64(d))
	}
	switch reduction := n.str("reduction", "mean"); reduction {
	case "none":
		return n.to(y, target.shape)[0]
	case "sum":
		return n.op("ReduceSum", all, y)
	case "mean":
		if w == nil {
			return n.op("ReduceMean", all, y)
		}
		return n.op("Div", nil, n.sub("ReduceSum", all, y), n.sub("ReduceSum", all, w))
	default:
		n.fail("reduction %.80q: none, sum or mean wanted", reduction)
		return nil
	}
}
