package main

import (
	"fmt"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/pim"
	"pimflow/internal/profile"
	"pimflow/internal/published/generator"
	"pimflow/internal/tensor"
)

// convolution is a layer of one image; in the CSV form it has one group and
// dilation 1.
type convolution struct {
	ic, oc, h, w, kh, kw, ph, pw, stride int
	groups, dilation                     int
}

// question is a convolution and the channels that it is to be costed for.
type question struct {
	convolution
	channels, buffers int
	hiding            bool // GWRITE latency hiding
}

// The largest argument and the largest layer that are taken: far beyond any
// network, and cycles fit 64 bits.
const (
	maxArgument = 1 << 20
	maxMACs     = 1 << 50
)

// argument is a number of a question, by its column.
type argument struct {
	name     string
	min, max int
	value    func(q *question) *int
}

// arguments are the numbers of a question in the order of the columns.
var arguments = []argument{
	{"ic", 1, maxArgument, func(q *question) *int { return &q.ic }},
	{"oc", 1, maxArgument, func(q *question) *int { return &q.oc }},
	{"h", 1, maxArgument, func(q *question) *int { return &q.h }},
	{"w", 1, maxArgument, func(q *question) *int { return &q.w }},
	{"kh", 1, maxArgument, func(q *question) *int { return &q.kh }},
	{"kw", 1, maxArgument, func(q *question) *int { return &q.kw }},
	{"ph", 0, maxArgument, func(q *question) *int { return &q.ph }},
	{"pw", 0, maxArgument, func(q *question) *int { return &q.pw }},
	{"stride", 1, maxArgument, func(q *question) *int { return &q.stride }},
	{"n_channel", 1, maxArgument, func(q *question) *int { return &q.channels }},
	{"gw", 1, maxArgument, func(q *question) *int { return &q.buffers }},
}

// check reports the first argument that is out of range.
func (q *question) check(m *hw.Machine) error {
	for _, a := range arguments {
		if v := *a.value(q); v < a.min || v > a.max {
			return fmt.Errorf("%s: %d: %d to %d wanted", a.name, v, a.min, a.max)
		}
	}
	if q.channels > m.Memory.Channels {
		return fmt.Errorf("n_channel: %d: 1 to %d wanted, the memory channels of machine %s", q.channels, m.Memory.Channels, m.Name)
	}
	for _, a := range []struct {
		name  string
		value int
	}{{"groups", q.groups}, {"dilation", q.dilation}} {
		if a.value < 1 || a.value > maxArgument {
			return fmt.Errorf("%s: %d: 1 to %d wanted", a.name, a.value, maxArgument)
		}
	}
	macs := 1.0
	for _, n := range []int{q.ic, q.kh, q.kw, q.oc, (q.h+2*q.ph)/q.stride + 1, (q.w+2*q.pw)/q.stride + 1} {
		macs *= float64(n)
	}
	if macs > maxMACs {
		return fmt.Errorf("%v: a layer of %.3g multiply-accumulates: at most %.3g wanted", q, macs, float64(maxMACs))
	}
	return nil
}

// String names the layer, as "conv-32x112x112-16-k1x1-p0x0-s1".
func (c convolution) String() string {
	s := fmt.Sprintf("conv-%dx%dx%d-%d-k%dx%d-p%dx%d-s%d", c.ic, c.h, c.w, c.oc, c.kh, c.kw, c.ph, c.pw, c.stride)
	if c.groups > 1 {
		s += fmt.Sprintf("-g%d", c.groups)
	}
	if c.dilation > 1 {
		s += fmt.Sprintf("-d%d", c.dilation)
	}
	return s
}

// published runs the published generator, which knows no groups and no dilation.
func (q *question) published() (*generator.Code, error) {
	return generator.Conv(generator.Layer{
		OC: q.oc, IC: q.ic, H: q.h, W: q.w, KH: q.kh, KW: q.kw, PH: q.ph, PW: q.pw, Stride: q.stride,
		Channels: q.channels, Buffers: q.buffers,
	})
}

// graph is the layer alone. Nothing here asks for values, and it has none.
func (c convolution) graph() (*graph.Graph, graph.ID, error) {
	if c.ic%c.groups != 0 || c.oc%c.groups != 0 {
		return nil, 0, fmt.Errorf("groups: %d: a divisor of the %d input and the %d output channels wanted", c.groups, c.ic, c.oc)
	}
	b := graph.NewBuilder(c.String())
	x := b.Input("x", tensor.Float32, tensor.Shape{1, c.ic, c.h, c.w})
	w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{c.oc, c.ic / c.groups, c.kh, c.kw}, func() ([]float32, []int64) {
		panic("layer: a cost depends on weights")
	}))
	pair := func(a, b int) []int64 { return []int64{int64(a), int64(b)} }
	y, err := b.Op("conv", "Conv", op.Attrs{
		"kernel_shape": pair(c.kh, c.kw), "strides": pair(c.stride, c.stride), "dilations": pair(c.dilation, c.dilation),
		"pads": append(pair(c.ph, c.pw), pair(c.ph, c.pw)...), "group": int64(c.groups),
	}, x, w)
	if err != nil {
		return nil, 0, err
	}
	b.Output("y", y)
	g, err := b.Graph()
	return g, y, err
}

// bench costs layers on a machine. It is safe for concurrent use.
type bench struct {
	m          *hw.Machine
	simulators map[bool]*simulator // by hiding
	newGPU     profile.Maker
	profile    *profile.Profile // nil: the GPU's times are the model's

	mu      sync.Mutex
	devices map[place]device.Device
	costs   map[layerKey]*layerCost
}

// place is where a layer is executed.
type place struct {
	pim      bool
	channels int
	hiding   bool
}

type layerKey struct {
	convolution
	place
}

type layerCost struct {
	once  sync.Once
	cost  device.Cost
	floor pim.Floor // on the PIM
	err   error
}

func newBench(m *hw.Machine) (*bench, error) {
	b := &bench{m: m, newGPU: gpu.New, simulators: map[bool]*simulator{}, devices: map[place]device.Device{}, costs: map[layerKey]*layerCost{}}
	for _, hiding := range []bool{true, false} {
		s, err := simulate(m, !hiding)
		if err != nil {
			return nil, err
		}
		b.simulators[hiding] = s
	}
	return b, nil
}

// measured takes the GPU's times from a file of measured kernels.
func (b *bench) measured(file string) (err error) {
	if b.profile, err = profile.Load(file, b.m); err == nil {
		b.newGPU = b.profile.Over(gpu.New)
	}
	return err
}

// time times the program of a channel.
func (s *simulator) time(stream dram.Stream) (dram.Result, error) {
	r := s.channel.Time(stream)
	if r.Overflow {
		return r, fmt.Errorf("more than %d refreshes wait, where the published simulator aborts", s.std.Refresh.Queue)
	}
	return r, nil
}

// first times the published program's first channel.
func (b *bench) first(q *question) (total int64, cycles dram.Cycle, err error) {
	code, err := q.published()
	if err != nil {
		return 0, 0, err
	}
	s := b.simulators[q.hiding]
	streams, err := code.On(s.std)
	if err != nil {
		return 0, 0, fmt.Errorf("machine %s: pim.standard: %w", b.m.Name, err)
	}
	r, err := s.time(streams[0])
	if err != nil {
		return 0, 0, err
	}
	return s.commands(r.Issued), r.Cycles, nil
}

// ours is the cost of our own commands, and the cycles that no commands can do without.
func (b *bench) ours(q *question) (device.Cost, pim.Floor, error) {
	return b.cost(q.convolution, place{pim: true, channels: q.channels, hiding: q.hiding})
}

// gpu is the cost on the GPU with the channels that are left, nil if none is.
func (b *bench) gpu(q *question) (*device.Cost, error) {
	left := b.m.Memory.Channels - q.channels
	if left == 0 {
		return nil, nil
	}
	c, _, err := b.cost(q.convolution, place{channels: left})
	return &c, err
}

// cost compiles a layer for a place once.
func (b *bench) cost(c convolution, p place) (device.Cost, pim.Floor, error) {
	k := layerKey{c, p}
	b.mu.Lock()
	e := b.costs[k]
	if e == nil {
		e = &layerCost{}
		b.costs[k] = e
	}
	d, err := b.device(p)
	b.mu.Unlock()
	if err != nil {
		return device.Cost{}, pim.Floor{}, err
	}
	e.once.Do(func() {
		g, node, err := c.graph()
		if err != nil {
			e.err = err
			return
		}
		code, err := d.Compile(g, g.Whole(node))
		if err != nil {
			e.err = err
			return
		}
		e.cost = code.Cost()
		if c, ok := code.(*pim.Code); ok {
			e.floor = c.Floor()
		}
	})
	return e.cost, e.floor, e.err
}

// device makes a device once; b.mu is held.
func (b *bench) device(p place) (device.Device, error) {
	if d := b.devices[p]; d != nil {
		return d, nil
	}
	var d device.Device
	var err error
	if p.pim {
		d, err = pim.New(b.simulators[p.hiding].machine, p.channels)
	} else {
		d, err = b.newGPU(b.m, p.channels)
	}
	if err == nil {
		b.devices[p] = d
	}
	return d, err
}
