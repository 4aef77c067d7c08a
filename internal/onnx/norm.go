package onnx

import (
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

func batchNorm(n *node) []*value {
	n.arity(5, 5)
	n.ignore("momentum") // of the running statistics, while training
	if n.opset >= 14 && n.int("training_mode", 0) != 0 {
		n.fail("training_mode is set: a model exported for inference wanted")
	}
	// BatchNormalization-9, output case 1: five outputs are the training mode. Up to opset 6 is_test says it, or one output.
	if test := n.opset < 7 && n.int("is_test", 0) != 0; n.opset < 14 && len(n.p.out) > 1 && !test {
		n.fail("%d outputs mean training before opset 14: a model exported for inference, with one, wanted", len(n.p.out))
	}
	if n.opset < 9 && n.int("spatial", 1) == 0 {
		return n.normEach()
	}
	return one(n.op("BatchNormalization", op.Attrs{"epsilon": n.float("epsilon", 1e-5)}, n.all()...))
}

func layerNorm(n *node) []*value {
	n.arity(2, 3)
	n.ignore("stash_type") // sums are float32 or wider whatever the input is
	x := n.in[0]
	axis := n.axis(n.int("axis", -1), len(x.shape), 0)
	eps := n.float("epsilon", 1e-5)
	y := n.op("LayerNormalization", op.Attrs{"axis": int64(axis), "epsilon": eps}, n.all()...)
	return append(one(y), n.statistics(x, axis, eps, 1)...)
}

// statistics are the mean of x over its dimensions from axis on, and the inverse of its standard deviation, as outputs from
// number at on; nil where nothing reads them.
func (n *node) statistics(x *value, axis int, eps float32, at int) []*value {
	if !n.wants(at) && !n.wants(at+1) {
		return nil
	}
	over := op.Attrs{"axes": []int64{}, "keepdims": int64(1)}
	for k := axis; k < len(x.shape); k++ {
		over["axes"] = append(over["axes"].([]int64), int64(k))
	}
	mean := n.sub("ReduceMean", over, x)
	off := n.sub("Sub", nil, x, mean)
	variance := n.sub("ReduceMean", over, n.sub("Mul", nil, off, off))
	sum := n.sub("Add", nil, variance, n.scalar("epsilon", x.typ, float64(eps)))
	return []*value{mean, n.sub("Reciprocal", nil, n.sub("Sqrt", nil, sum))}
}

// groupNorm lowers GroupNormalization to InstanceNormalization over groups as
// channels. Scale and bias are one a group in opset 18, one a channel from 21.
func groupNorm(n *node) []*value {
	n.arity(3, 3)
	n.ignore("stash_type")
	x, scale, bias := n.in[0], n.in[1], n.in[2]
	if len(x.shape) < 2 {
		n.fail("input of %v: batch and channels wanted", x.shape)
	}
	c, g := x.shape[1], int(n.int("num_groups", 0))
	if g < 1 || c%g != 0 {
		n.fail("num_groups %d of %d channels", g, c)
	}
	groups := tensor.Shape{x.shape[0], g, c / g * x.shape[2:].Size()}
	a := op.Attrs{"epsilon": n.float("epsilon", 1e-5)}
	if n.opset < 21 {
		return n.to(n.sub("InstanceNormalization", a, n.via(x, groups), scale, bias), x.shape)
	}
	ones := known(n.name+"/ones", filled(x.typ, tensor.Shape{g}, 1))
	zeros := known(n.name+"/zeros", filled(x.typ, tensor.Shape{g}, 0))
	v := n.via(n.sub("InstanceNormalization", a, n.via(x, groups), ones, zeros), x.shape)
	channels := make(tensor.Shape, len(x.shape)-1)
	for i := range channels {
		channels[i] = 1
	}
	channels[0] = c
	v = n.sub("Mul", nil, v, n.via(scale, channels))
	return one(n.op("Add", nil, v, n.via(bias, channels)))
}

// meanVariance lowers MeanVarianceNormalization, which takes the mean out and divides
// by the standard deviation, to which 1e-9 is added.
func meanVariance(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	over := op.Attrs{"axes": []int64{}, "keepdims": int64(1)}
	axes := n.ints("axes")
	if axes == nil {
		axes = []int64{0, 2, 3}
	}
	for _, k := range axes {
		over["axes"] = append(over["axes"].([]int64), int64(n.axis(k, len(x.shape), 0)))
	}
	off := n.sub("Sub", nil, x, n.sub("ReduceMean", over, x))
	deviation := n.sub("Sqrt", nil, n.sub("ReduceMean", over, n.sub("Mul", nil, off, off)))
	return one(n.op("Div", nil, off, n.sub("Add", nil, deviation, n.scalar("epsilon", x.typ, 1e-9))))
}

// rmsNorm lowers RMSNormalization: x over the root of its mean square, times a scale.
func rmsNorm(n *node) []*value {
	n.arity(2, 2)
	n.ignore("stash_type") // sums are float32 or wider whatever the input is
	x := n.in[0]
	over := op.Attrs{"axes": []int64{}, "keepdims": int64(1)}
	for k := n.axis(n.int("axis", -1), len(x.shape), 0); k < len(x.shape); k++ {
		over["axes"] = append(over["axes"].([]int64), int64(k))
	}
	square := n.sub("ReduceMean", over, n.sub("Mul", nil, x, x))
	root := n.sub("Sqrt", nil, n.sub("Add", nil, square, n.scalar("epsilon", x.typ, float64(n.float("epsilon", 1e-5)))))
	return one(n.op("Mul", nil, n.sub("Div", nil, x, root), n.in[1]))
}
