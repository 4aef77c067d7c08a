package onnx

import (
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// contributed is the table of the operators of domain com.microsoft, as ONNX Runtime's docs/ContribOperators.md has them.
var contributed = map[string]row{
	"BiasGelu":                 {lower: biasGelu},
	"DequantizeLinear":         {lower: dequantizeLinear},
	"DynamicQuantizeMatMul":    {lower: dynamicQuantizeMatMul},
	"FastGelu":                 {lower: fastGelu},
	"FusedConv":                {lower: fusedConv},
	"FusedGemm":                {lower: fusedGemm},
	"FusedMatMul":              {lower: fusedMatMul},
	"Gelu":                     {lower: same},
	"LayerNormalization":       {lower: layerNorm},
	"MatMulIntegerToFloat":     {lower: matMulIntegerToFloat},
	"NhwcMaxPool":              {lower: nhwcMaxPool},
	"QGemm":                    {lower: qGemm},
	"QLinearAdd":               {lower: qLinearOf("Add", 2)},
	"QLinearAveragePool":       {lower: qLinearAveragePool},
	"QLinearConcat":            {lower: qLinearConcat},
	"QLinearConv":              {lower: qLinearConvLast},
	"QLinearGlobalAveragePool": {lower: qLinearGlobalAveragePool},
	"QLinearLeakyRelu":         {lower: qLinearLeakyRelu},
	"QLinearMul":               {lower: qLinearOf("Mul", 2)},
	"QLinearReduceMean":        {lower: qLinearReduceMean},
	"QLinearSigmoid":           {lower: qLinearOf("Sigmoid", 1)},
	"QLinearSoftmax":           {lower: qLinearSoftmax},
	"QuantizeLinear":           {lower: quantizeLinear},
	"QuickGelu":                {lower: quickGelu},
	"SkipLayerNormalization":   {lower: skipLayerNorm},
}

func biasGelu(n *node) []*value {
	n.arity(2, 2)
	return one(n.op("Gelu", nil, n.sub("Add", nil, n.in[0], n.in[1])))
}

// fastGelu is the Gelu of a tanh, of a sum where there is a bias.
func fastGelu(n *node) []*value {
	n.arity(1, 2)
	x := n.in[0]
	if b := n.opt(1); b != nil {
		x = n.sub("Add", nil, x, b)
	}
	return one(n.op("Gelu", op.Attrs{"approximate": "tanh"}, x))
}

func quickGelu(n *node) []*value {
	n.arity(1, 1)
	return one(n.op("Swish", op.Attrs{"alpha": n.float("alpha", 1.702)}, n.in[0]))
}

// activations are the operators that are fused onto others, with their parameters and those's defaults in order.
var activations = map[string][]op.Attr{
	"Relu": nil, "Tanh": nil, "Sigmoid": nil, "Softplus": nil, "Softsign": nil,
	"LeakyRelu":   {{Name: "alpha", Default: float32(0.01)}},
	"Elu":         {{Name: "alpha", Default: float32(1)}},
	"Clip":        {{Name: "min"}, {Name: "max"}},
	"HardSigmoid": {{Name: "alpha", Default: float32(0.2)}, {Name: "beta", Default: float32(0.5)}},
}

// activate makes the node's value of y by an activation; "" is none.
func (n *node) activate(y func(put func(string, op.Attrs, ...*value) *value) *value, name string, params []float32) []*value {
	if name == "" {
		return one(y(n.op))
	}
	known, ok := activations[name]
	if !ok {
		n.fail("activation %.80q is not supported", name)
	}
	if len(params) > len(known) {
		n.fail("%d parameters of activation %s: at most %d wanted", len(params), name, len(known))
	}
	a := op.Attrs{}
	for i, p := range known {
		switch {
		case i < len(params):
			a[p.Name] = params[i]
		case p.Default != nil:
			a[p.Name] = p.Default
		}
	}
	return one(n.op(name, a, y(n.sub)))
}

// fusedConv is a convolution, to which a value may be added, and an activation.
func fusedConv(n *node) []*value {
	n.arity(2, 4)
	ext := n.spatial(n.in[0])
	w := n.window(len(ext), n.in[1])
	n.pads(ext, &w)
	a := w.attrs()
	a["group"] = n.int("group", 1)
	operands := n.in[:2:2]
	if b := n.opt(2); b != nil {
		operands = append(operands, b)
	}
	z := n.opt(3)
	return n.activate(func(put func(string, op.Attrs, ...*value) *value) *value {
		if z == nil {
			return put("Conv", a, operands...)
		}
		return put("Add", nil, n.sub("Conv", a, operands...), z)
	}, n.str("activation", ""), n.floats("activation_params"))
}

func fusedGemm(n *node) []*value {
	n.arity(2, 3)
	a := n.attrs("Gemm")
	name := n.str("activation", "")
	var params []float32
	for i, p := range []string{"activation_alpha", "activation_beta", "activation_gamma"} {
		if n.has(p) && i < len(activations[name]) {
			params = append(params, n.float(p, 0))
		}
		n.ignore(p)
	}
	return n.activate(func(put func(string, op.Attrs, ...*value) *value) *value { return put("Gemm", a, n.all()...) }, name, params)
}

// fusedMatMul is a product, times alpha, of values that may be transposed: their last two dimensions, or their first one
// behind the other ones that are not of the matrix.
func fusedMatMul(n *node) []*value {
	n.arity(2, 2)
	operand := func(i int, side string) *value {
		v := n.in[i]
		r := len(v.shape)
		perm := make([]int64, r)
		for k := range perm {
			perm[k] = int64(k)
		}
		if n.int("transBatch"+side, 0) != 0 && r > 2 {
			copy(perm, perm[1:r-1])
			perm[r-2] = 0
		}
		if n.int("trans"+side, 0) != 0 && r > 1 {
			perm[r-2], perm[r-1] = perm[r-1], perm[r-2]
		}
		if slices.IsSorted(perm) {
			return v
		}
		return n.sub("Transpose", op.Attrs{"perm": perm}, v)
	}
	a, b := operand(0, "A"), operand(1, "B")
	alpha := n.float("alpha", 1)
	if alpha == 1 {
		return one(n.op("MatMul", nil, a, b))
	}
	return one(n.op("Mul", nil, n.sub("MatMul", nil, a, b), n.scalar("alpha", a.typ, float64(alpha))))
}

// skipLayerNorm is the LayerNormalization, along the last dimension, of the sum of two values and a bias. Its outputs are that,
// its mean and the inverse of its deviation, and the sum.
func skipLayerNorm(n *node) []*value {
	n.arity(3, 5)
	x := n.sub("Add", nil, n.in[0], n.in[1])
	if b := n.opt(4); b != nil {
		x = n.sub("Add", nil, x, b)
	}
	operands := []*value{x, n.in[2]}
	if b := n.opt(3); b != nil {
		operands = append(operands, b)
	}
	axis, eps := len(x.shape)-1, n.float("epsilon", 1e-12)
	if axis < 0 {
		n.fail("input of no dimension: one or more wanted")
	}
	out := make([]*value, 4)
	out[0], out[3] = n.op("LayerNormalization", op.Attrs{"axis": int64(axis), "epsilon": eps}, operands...), x
	copy(out[1:], n.statistics(x, axis, eps, 1))
	return out
}

// nhwcMaxPool is a MaxPool of values whose channels come last.
func nhwcMaxPool(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	n.spatial(x)
	r := len(x.shape)
	in, out := channelsLast(r)
	first := n.sub("Transpose", op.Attrs{"perm": in}, x)
	w := n.window(r-2, nil)
	n.pads(tensor.Shape(first.shape[2:]), &w)
	a := w.attrs()
	a["ceil_mode"] = n.int("ceil_mode", 0)
	return one(n.op("Transpose", op.Attrs{"perm": out}, n.sub("MaxPool", a, first)))
}
