// Package convolution costs one convolution in three ways: by the commands of the published
// generator, by those of this project, and on the GPU.
//
// A layer, or a table of them as CSV, and a machine go in; cycles and times come out. The
// package does not know networks.
package convolution

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/published/generator"
	"pimflow/internal/tensor"
)

// Layer is a convolution of one image, without bias: IC x H x W inputs, OC outputs, kernels of
// KH x KW, padding of PH and PW on each side.
type Layer struct {
	IC, OC, H, W, KH, KW, PH, PW, Stride int
	Groups, Dilation                     int
}

// Question is a layer with the channels to cost it for.
type Question struct {
	Layer
	Channels int  // number of PIM channels
	Buffers  int  // the most groups of channels with inputs of their own in the published generator
	Hiding   bool // GWRITE latency hiding
}

// The largest argument and the largest layer: far beyond any network, and cycles fit 64 bits.
const (
	maxArgument = 1 << 20
	maxMACs     = 1 << 50
)

// argument is a column of a table with its range and the number of the question it sets.
type argument struct {
	name     string
	min, max int
	value    func(q *Question) *int
}

// arguments lists the numbers of a question in the order of the columns.
var arguments = []argument{
	{"ic", 1, maxArgument, func(q *Question) *int { return &q.IC }},
	{"oc", 1, maxArgument, func(q *Question) *int { return &q.OC }},
	{"h", 1, maxArgument, func(q *Question) *int { return &q.H }},
	{"w", 1, maxArgument, func(q *Question) *int { return &q.W }},
	{"kh", 1, maxArgument, func(q *Question) *int { return &q.KH }},
	{"kw", 1, maxArgument, func(q *Question) *int { return &q.KW }},
	{"ph", 0, maxArgument, func(q *Question) *int { return &q.PH }},
	{"pw", 0, maxArgument, func(q *Question) *int { return &q.PW }},
	{"stride", 1, maxArgument, func(q *Question) *int { return &q.Stride }},
	{"n_channel", 1, maxArgument, func(q *Question) *int { return &q.Channels }},
	{"gw", 1, maxArgument, func(q *Question) *int { return &q.Buffers }},
}

// RangeError reports an argument that is out of range, by its column in a table.
type RangeError struct {
	Argument string
	Value    int
	Wanted   string // "1 to 8 wanted"
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("%s: %d: %s", e.Argument, e.Value, e.Wanted)
}

// Check reports the first argument that is out of range, as a *RangeError.
func (q *Question) Check(m *hw.Machine) error {
	for _, a := range arguments {
		if v := *a.value(q); v < a.min || v > a.max {
			return &RangeError{a.name, v, fmt.Sprintf("%d to %d wanted", a.min, a.max)}
		}
	}
	if q.Channels > m.Memory.Channels {
		return &RangeError{"n_channel", q.Channels, fmt.Sprintf("1 to %d wanted, the memory channels of machine %s", m.Memory.Channels, m.Name)}
	}
	for _, a := range []struct {
		name  string
		value int
	}{{"groups", q.Groups}, {"dilation", q.Dilation}} {
		if a.value < 1 || a.value > maxArgument {
			return &RangeError{a.name, a.value, fmt.Sprintf("1 to %d wanted", maxArgument)}
		}
	}
	macs := 1.0
	for _, n := range []int{q.IC, q.KH, q.KW, q.OC, (q.H+2*q.PH)/q.Stride + 1, (q.W+2*q.PW)/q.Stride + 1} {
		macs *= float64(n)
	}
	if macs > maxMACs {
		return fmt.Errorf("%v: a layer of %.3g multiply-accumulates: at most %.3g wanted", q, macs, float64(maxMACs))
	}
	return nil
}

// String names the layer, as "conv-32x112x112-16-k1x1-p0x0-s1".
func (c Layer) String() string {
	s := fmt.Sprintf("conv-%dx%dx%d-%d-k%dx%d-p%dx%d-s%d", c.IC, c.H, c.W, c.OC, c.KH, c.KW, c.PH, c.PW, c.Stride)
	if c.Groups > 1 {
		s += fmt.Sprintf("-g%d", c.Groups)
	}
	if c.Dilation > 1 {
		s += fmt.Sprintf("-d%d", c.Dilation)
	}
	return s
}

// Published runs the published generator, which knows no groups and no dilation.
func (q *Question) Published() (*generator.Code, error) {
	return generator.Conv(generator.Layer{
		OC: q.OC, IC: q.IC, H: q.H, W: q.W, KH: q.KH, KW: q.KW, PH: q.PH, PW: q.PW, Stride: q.Stride,
		Channels: q.Channels, Buffers: q.Buffers,
	})
}

// Graph is the layer alone. No cost depends on its weights, which it does not have. The
// channels must be multiples of the groups.
func (c Layer) Graph() (*graph.Graph, graph.ID, error) {
	if c.IC%c.Groups != 0 || c.OC%c.Groups != 0 {
		return nil, 0, fmt.Errorf("groups: %d: a divisor of the %d input and the %d output channels wanted", c.Groups, c.IC, c.OC)
	}
	b := graph.NewBuilder(c.String())
	x := b.Input("x", tensor.Float32, tensor.Shape{1, c.IC, c.H, c.W})
	w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{c.OC, c.IC / c.Groups, c.KH, c.KW}, func() ([]float32, []int64) {
		panic("convolution: a cost depends on weights")
	}))
	pair := func(a, b int) []int64 { return []int64{int64(a), int64(b)} }
	y, err := b.Op("conv", "Conv", op.Attrs{
		"kernel_shape": pair(c.KH, c.KW), "strides": pair(c.Stride, c.Stride), "dilations": pair(c.Dilation, c.Dilation),
		"pads": append(pair(c.PH, c.PW), pair(c.PH, c.PW)...), "group": int64(c.Groups),
	}, x, w)
	if err != nil {
		return nil, 0, err
	}
	b.Output("y", y)
	g, err := b.Graph()
	return g, y, err
}
