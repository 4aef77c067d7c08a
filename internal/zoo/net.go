package zoo

import (
	"fmt"
	"math"

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

	hardSwish   = activation{"HardSwish", nil, 0.33, false}
	hardSigmoid = activation{"HardSigmoid", op.Attrs{"alpha": float32(1) / 6, "beta": float32(0.5)}, 0.278, false}
)

// convolution describes one convolution, padded alike on every side of a dimension.
type convolution struct {
	kernel, stride, out int
	rect                [2]int // the kernel, where it is not square
	depthwise           bool
	groups              int  // 0: one, unless depthwise
	pad                 *int // nil: (kernel-1)/2
	damp                bool // the last of a residual branch
	valid               bool // no padding
	plain               bool // no bias
}

// dampedMoment is the mean square of the end of a residual branch. With 1, each
// residual sum would double the variance of the trunk.
const dampedMoment = 0.25

// conv appends a convolution with bias, named path.
func (n *net) conv(path string, x value, c convolution) value {
	in, kernel := n.shape(x)[1], c.rect
	if c.kernel > 0 {
		kernel = [2]int{c.kernel, c.kernel}
	}
	group, fan := 1, in*kernel[0]*kernel[1]
	if c.depthwise {
		group, fan = in, kernel[0]*kernel[1]
	} else if c.groups > 1 {
		group, fan = c.groups, fan/c.groups
	}
	w := n.weight(path, x, tensor.Shape{c.out, in / group, kernel[0], kernel[1]}, fan, c.damp)
	h, v := int64(kernel[0]-1)/2, int64(kernel[1]-1)/2
	if c.valid {
		h, v = 0, 0
	}
	if c.pad != nil {
		h, v = int64(*c.pad), int64(*c.pad)
	}
	moment := 1.0
	if c.damp {
		moment = dampedMoment
	}
	operands := []graph.ID{x.id, w}
	if !c.plain {
		operands = append(operands, n.bias(path, c.out))
	}
	return value{id: n.op(path, "Conv", op.Attrs{
		"kernel_shape": []int64{int64(kernel[0]), int64(kernel[1])}, "strides": []int64{int64(c.stride), int64(c.stride)},
		"pads": []int64{h, v, h, v}, "dilations": []int64{1, 1}, "group": int64(group),
	}, operands...), moment: moment}
}

// norm appends a batch norm of inference, named path.
func (n *net) norm(path string, x value) value {
	c := tensor.Shape{n.shape(x)[1]}
	return value{id: n.op(path, "BatchNormalization", nil, x.id,
		n.around(path+".weight", c, 1), n.bias(path, c[0]), n.parameter(path+".running_mean", c, 0.05), n.around(path+".running_var", c, x.moment)), moment: 1}
}

// concat appends a concatenation of channels, named path.
func (n *net) concat(path string, xs ...value) value {
	y := value{positive: true}
	var ids []graph.ID
	channels := 0
	for _, x := range xs {
		c := n.shape(x)[1]
		ids = append(ids, x.id)
		y.moment += x.moment * float64(c)
		y.positive = y.positive && x.positive
		channels += c
	}
	y.moment /= float64(channels)
	y.id = n.op(path, "Concat", op.Attrs{"axis": int64(1)}, ids...)
	return y
}

// meanPool appends a square average pool, which counts padding, named path.
func (n *net) meanPool(path string, x value, kernel, stride, pad int64) value {
	return value{n.op(path, "AveragePool", op.Attrs{
		"kernel_shape": []int64{kernel, kernel}, "strides": []int64{stride, stride}, "pads": []int64{pad, pad, pad, pad},
		"dilations": []int64{1, 1}, "count_include_pad": int64(1),
	}, x.id), x.moment, x.positive}
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
	return n.gated(path, x, squeeze, a, sigmoid)
}

// gated is squeezeExcite with another gate.
func (n *net) gated(path string, x value, squeeze int, a, gate activation) value {
	y := n.averagePool(path+".avgpool", x)
	y = n.act(path+".activation", n.conv(path+".fc1", y, convolution{kernel: 1, stride: 1, out: squeeze}), a)
	y = n.conv(path+".fc2", y, convolution{kernel: 1, stride: 1, out: n.shape(x)[1]})
	y = n.act(path+".scale_activation", y, gate)
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

// around appends a parameter of values within a quarter of at.
func (n *net) around(name string, s tensor.Shape, at float64) graph.ID {
	seed := seedOf(n.name, name)
	return n.b.Const(name, tensor.Lazy(tensor.Float32, s, func() ([]float32, []int64) {
		v := uniform(seed, s.Size(), float32(at/4))
		for i := range v {
			v[i] += float32(at)
		}
		return v, nil
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
