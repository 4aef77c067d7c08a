package zoo

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// net appends layers to the graph of one network.
type net struct {
	name string
	b    *graph.Builder
}

// value is a node's value. moment is an estimate of the mean of its squares, from
// which the next weights are scaled: inputs and convolutions have about 1.
type value struct {
	id       graph.ID
	moment   float64
	positive bool // a ReLU's value, or a sum that contains one
}

// activation is an element-wise operator and by what it multiplies the moment.
type activation struct {
	op       string
	attrs    op.Attrs
	moment   float64
	positive bool
}

// The moments are those of a standard normal argument, integrated numerically,
// but Swish's: 0.356, and 0.25 for small arguments. The value between was chosen
// by measuring that EfficientNet-B0 keeps its scale.
var (
	relu    = activation{"Relu", nil, 0.5, true}
	relu6   = activation{"Clip", op.Attrs{"min": float32(0), "max": float32(6)}, 0.5, true}
	swish   = activation{"Swish", op.Attrs{"alpha": float32(1)}, 0.33, false}
	sigmoid = activation{"Sigmoid", nil, 0.293, false}
)

// convolution describes one square convolution, padded alike on every side.
type convolution struct {
	kernel, stride, out int
	depthwise           bool
	groups              int  // 0: one, unless depthwise
	pad                 *int // nil: (kernel-1)/2
	damp                bool // the last of a residual branch
}

// dampedMoment is the mean square of the end of a residual branch. With 1, each
// residual sum would double the variance of the trunk.
const dampedMoment = 0.25

// conv appends a convolution with bias, named path.
func (n *net) conv(path string, x value, c convolution) value {
	in := n.shape(x)[1]
	group, fan := 1, in*c.kernel*c.kernel
	if c.depthwise {
		group, fan = in, c.kernel*c.kernel
	} else if c.groups > 1 {
		group, fan = c.groups, fan/c.groups
	}
	w := n.weight(path, x, tensor.Shape{c.out, in / group, c.kernel, c.kernel}, fan, c.damp)
	k, s, p := int64(c.kernel), int64(c.stride), int64(c.kernel-1)/2
	if c.pad != nil {
		p = int64(*c.pad)
	}
	moment := 1.0
	if c.damp {
		moment = dampedMoment
	}
	return value{id: n.op(path, "Conv", op.Attrs{
		"kernel_shape": []int64{k, k}, "strides": []int64{s, s}, "pads": []int64{p, p, p, p},
		"dilations": []int64{1, 1}, "group": int64(group),
	}, x.id, w, n.bias(path, c.out)), moment: moment}
}

// fc appends a fully connected layer with bias, named path.
func (n *net) fc(path string, x value, out int) value {
	in := n.shape(x)[1]
	w := n.weight(path, x, tensor.Shape{out, in}, in, false)
	return value{id: n.op(path, "Gemm", op.Attrs{"transB": int64(1)}, x.id, w, n.bias(path, out)), moment: 1}
}

// act appends an activation, named path.
func (n *net) act(path string, x value, a activation) value {
	y := value{n.op(path, a.op, a.attrs, x.id), x.moment * a.moment, a.positive}
	if x.positive && a.positive {
		y.moment = x.moment // there is little below zero to lose
	}
	return y
}

// add appends x + y, y being the trunk, named path.
func (n *net) add(path string, x, y value) value {
	return value{n.op(path, "Add", nil, x.id, y.id), x.moment + y.moment, y.positive}
}

// maxPool appends a square max pool, named path.
func (n *net) maxPool(path string, x value, kernel, stride, pad int64) value {
	return value{n.op(path, "MaxPool", op.Attrs{
		"kernel_shape": []int64{kernel, kernel}, "strides": []int64{stride, stride},
		"pads": []int64{pad, pad, pad, pad}, "dilations": []int64{1, 1},
	}, x.id), x.moment, x.positive}
}

// shrink appends a 3x3 max pool of stride 2 whose last window may leave the image, as
// ceil_mode has it.
func (n *net) shrink(path string, x value) value {
	s, pads := n.shape(x), []int64{0, 0, 0, 0}
	for i := range 2 {
		pads[2+i] = int64((s[2+i] - 3) % 2)
	}
	return value{n.op(path, "MaxPool", op.Attrs{
		"kernel_shape": []int64{3, 3}, "strides": []int64{2, 2}, "pads": pads, "dilations": []int64{1, 1},
	}, x.id), x.moment, x.positive}
}

// concat appends the channels of values one after another, named path.
func (n *net) concat(path string, xs ...value) value {
	y := xs[0]
	ids := make([]graph.ID, len(xs))
	for i, x := range xs {
		ids[i] = x.id
		y.moment = max(y.moment, x.moment)
		y.positive = y.positive && x.positive
	}
	y.id = n.op(path, "Concat", op.Attrs{"axis": int64(1)}, ids...)
	return y
}

// norm appends a batch norm that no convolution can take in, named path.
func (n *net) norm(path string, x value) value {
	s := tensor.Shape{n.shape(x)[1]}
	return value{id: n.op(path, "BatchNormalization", op.Attrs{"epsilon": float32(1e-5)}, x.id,
		n.parameter(path+".weight", s, 1), n.parameter(path+".bias", s, 0.05),
		n.parameter(path+".running_mean", s, 0.05), n.constant(path+".running_var", s, float32(x.moment))), moment: 1}
}

// averagePool appends a global average pool, named path.
func (n *net) averagePool(path string, x value) value {
	return value{n.op(path, "GlobalAveragePool", nil, x.id), x.moment, x.positive}
}

// flatten appends the reshape of batch x C x H x W to batch x C*H*W.
func (n *net) flatten(x value) value {
	s := n.shape(x)
	return value{n.op("flatten", "Reshape", op.Attrs{
		"shape": []int64{int64(s[0]), int64(s[1:].Size())},
	}, x.id), x.moment, x.positive}
}

// squeezeExcite appends a squeeze-excite block of torchvision's
// ops.SqueezeExcitation under path: a gate per channel from the channel's mean.
func (n *net) squeezeExcite(path string, x value, squeeze int, a activation) value {
	y := n.averagePool(path+".avgpool", x)
	y = n.act(path+".activation", n.conv(path+".fc1", y, convolution{kernel: 1, stride: 1, out: squeeze}), a)
	y = n.conv(path+".fc2", y, convolution{kernel: 1, stride: 1, out: n.shape(x)[1]})
	y = n.act(path+".scale_activation", y, sigmoid)
	return value{id: n.op(path+".mul", "Mul", nil, y.id, x.id), moment: x.moment * y.moment}
}

func (n *net) shape(x value) tensor.Shape { return n.b.Peek().Nodes[x.id].Shape }

func (n *net) op(name, opName string, a op.Attrs, in ...graph.ID) graph.ID {
	id, err := n.b.Op(name, opName, a, in...)
	if err != nil {
		panic(fmt.Sprintf("zoo: %s: %s: %v", n.name, name, err))
	}
	return id
}

// weight appends path.weight, uniform with variance 1/(fan-in * mean square of
// x), or less if damped, which keeps the scale of values from layer to layer (He et al. 2015).
func (n *net) weight(path string, x value, s tensor.Shape, fan int, damp bool) graph.ID {
	bound := math.Sqrt(3 / (float64(fan) * x.moment))
	if damp {
		bound *= math.Sqrt(dampedMoment)
	}
	return n.parameter(path+".weight", s, bound)
}

// bias appends path.bias, small beside the values.
func (n *net) bias(path string, out int) graph.ID {
	return n.parameter(path+".bias", tensor.Shape{out}, 0.05)
}

func (n *net) constant(name string, s tensor.Shape, x float32) graph.ID {
	return n.b.Const(name, tensor.Lazy(tensor.Float32, s, func() ([]float32, []int64) {
		return slices.Repeat([]float32{x}, s.Size()), nil
	}))
}

func (n *net) parameter(name string, s tensor.Shape, bound float64) graph.ID {
	seed := seedOf(n.name, name)
	return n.b.Const(name, tensor.Lazy(tensor.Float32, s, func() ([]float32, []int64) {
		return uniform(seed, s.Size(), float32(bound)), nil
	}))
}

// halve appends a 2x2 average pool of stride 2, named path.
func (n *net) halve(path string, x value) value {
	return value{n.op(path, "AveragePool", op.Attrs{
		"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "pads": []int64{0, 0, 0, 0},
		"dilations": []int64{1, 1}, "count_include_pad": int64(0),
	}, x.id), x.moment / 2, x.positive}
}
