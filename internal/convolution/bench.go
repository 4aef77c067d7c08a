package convolution

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/gpu"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/profile"
	"pimflow/internal/trace"
)

// Bench costs layers on a machine. It is safe for concurrent use.
type Bench struct {
	m          *hw.Machine
	simulators map[bool]*trace.Simulator // by hiding
	makers     platform.Makers
	profile    *profile.Profile // nil: the GPU's times are the model's

	mu      sync.Mutex
	devices map[setting][]device.Device
	costs   map[key]*entry
}

// setting selects the devices.
type setting struct {
	channels int // number of PIM channels
	hiding   bool
}

// key is a layer on a device.
type key struct {
	Layer
	setting
	device string
}

// entry is a cost that is computed once.
type entry struct {
	once  sync.Once
	cost  device.Cost
	floor pim.LowerBound // on the PIM
	err   error
}

// NewBench returns a bench for a machine. The times of a profile replace the GPU model's; nil for
// none. Units that execute programs are refused: the published commands do not program them.
func NewBench(m *hw.Machine, p *profile.Profile) (*Bench, error) {
	if pim.Programmed(m) {
		return nil, fmt.Errorf("machine %s: the published generator writes no programs for units of standard %s; pimflow code has our commands for a layer of a network", m.Name, m.PIM.Standard)
	}
	b := &Bench{m: m, profile: p, simulators: map[bool]*trace.Simulator{}, devices: map[setting][]device.Device{}, costs: map[key]*entry{}}
	if p != nil {
		b.makers.GPU = p.Over(gpu.New)
	}
	for _, hiding := range []bool{true, false} {
		s, err := trace.New(m, !hiding)
		if err != nil {
			return nil, err
		}
		b.simulators[hiding] = s
	}
	return b, nil
}

// first times the published program's first channel.
func (b *Bench) first(q *Question) (total int64, cycles dram.Cycle, err error) {
	code, err := q.Published()
	if err != nil {
		return 0, 0, err
	}
	s := b.simulators[q.Hiding]
	streams, err := code.On(s.Standard)
	if err != nil {
		return 0, 0, fmt.Errorf("machine %s: pim.standard: %w", b.m.Name, err)
	}
	r, err := s.Time(streams[0])
	if err != nil {
		return 0, 0, err
	}
	return s.Commands(r.Issued), r.Cycles, nil
}

// ours is the cost of our own commands, and the cycles that no commands can do without.
func (b *Bench) ours(q *Question) (device.Cost, pim.LowerBound, error) {
	return b.cost(key{q.Layer, setting{q.Channels, q.Hiding}, plan.PIM})
}

// gpu returns the cost on the GPU with the other channels; nil if there are none.
func (b *Bench) gpu(q *Question) (*device.Cost, error) {
	if q.Channels == b.m.Memory.Channels {
		return nil, nil
	}
	c, _, err := b.cost(key{q.Layer, setting{q.Channels, true}, plan.GPU})
	return &c, err
}

// cost compiles a layer for a device once.
func (b *Bench) cost(k key) (device.Cost, pim.LowerBound, error) {
	b.mu.Lock()
	e := b.costs[k]
	if e == nil {
		e = &entry{}
		b.costs[k] = e
	}
	d, err := b.device(k)
	b.mu.Unlock()
	if err != nil {
		return device.Cost{}, pim.LowerBound{}, err
	}
	e.once.Do(func() {
		g, node, err := k.Graph()
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
			e.floor = c.LowerBound()
		}
	})
	return e.cost, e.floor, e.err
}

// device makes the devices of a setting once. The caller holds b.mu.
func (b *Bench) device(k key) (device.Device, error) {
	ds := b.devices[k.setting]
	if ds == nil {
		var err error
		if ds, err = platform.Devices(b.simulators[k.hiding].Machine, b.makers, k.channels, plan.Extended); err != nil {
			return nil, err
		}
		b.devices[k.setting] = ds
	}
	i := slices.IndexFunc(ds, func(d device.Device) bool { return d.Name() == k.device })
	return ds[i], nil
}

// Cost costs a layer in all three ways.
func (b *Bench) Cost(q *Question) (*Cost, error) {
	code, err := q.Published()
	if err != nil {
		return nil, err
	}
	g, node, err := q.Graph()
	if err != nil {
		return nil, err
	}
	s := b.simulators[q.Hiding]
	out := &Cost{
		Schema: Schema, Machine: b.m.Name, Channels: b.m.Memory.Channels,
		Clocks: Clocks{GPU: b.m.GPU.Clock.Picoseconds(), PIM: b.m.PIM.Clock.Picoseconds()},
		In:     []int{q.IC, q.H, q.W}, Out: g.Nodes[node].Shape[1:], Kernel: []int{q.KH, q.KW}, Pad: []int{q.PH, q.PW},
		Stride: q.Stride, Groups: q.Groups, Dilation: q.Dilation, MACs: g.MACs(g.Whole(node)),
		PIMChannels: q.Channels, Buffers: q.Buffers, Hiding: q.Hiding, Gap: s.Machine.PIM.Timing["gwrite_gap_ck"],
	}
	if f := s.Standard.Refresh; f != nil {
		out.Uncounted = []string{s.Standard.Ops[f.Close].Name, s.Standard.Ops[f.Do].Name}
	}
	out.Published.Segments = code.Groups
	var all dram.Result
	streams, err := code.On(s.Standard)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.standard: %w", b.m.Name, err)
	}
	for c, stream := range streams {
		r, err := s.Time(stream)
		if err != nil {
			return nil, err
		}
		if c == 0 {
			out.Published.First = lane(s, r)
			all.Issued = make([]int64, len(r.Issued))
		}
		for op, n := range r.Issued {
			all.Issued[op] += n
		}
		all.Cycles = max(all.Cycles, r.Cycles)
	}
	out.Published.All = lane(s, all)

	ours, floor, err := b.ours(q)
	switch {
	case err == nil:
		var issued []int64
		for _, n := range ours.Commands {
			issued = append(issued, n.N)
		}
		out.Ours = &PIM{
			Lane:  Lane{Total: s.Commands(issued), Cycles: ours.Stream, NS: slices.Max(ours.Lanes).NS(), Issued: (ours.Commands)},
			Whole: Whole{NS: ours.Time.NS(), Ticks: ours.Ticks, Bound: ours.Bound}, Bytes: ours.Bytes,
			Added: ours.Additions, MAC: int64(floor.MAC), Move: int64(floor.Move),
		}
	case errors.Is(err, device.ErrUnsupported):
		out.Unsupported = err.Error()
	default:
		return nil, err
	}
	cost, err := b.gpu(q)
	if err != nil || cost == nil {
		return out, err
	}
	out.GPU = &GPU{
		Channels: b.m.Memory.Channels - q.Channels, NS: cost.Time.NS(), Ticks: cost.Ticks,
		Kernels: (cost.Commands), Bytes: cost.Bytes, Bound: cost.Bound, Source: cost.Source.String(),
	}
	if b.profile != nil {
		n, on := b.profile.Measured()
		out.Profile = &Profile{File: b.profile.File, Kernels: n, MeasuredOn: on}
	}
	return out, nil
}

// lane returns the program of channels for the report.
func lane(s *trace.Simulator, r dram.Result) Lane {
	return Lane{
		Total: s.Commands(r.Issued), Cycles: int64(r.Cycles), NS: s.NS(r.Cycles), Issued: s.Counts(r.Issued),
	}
}
