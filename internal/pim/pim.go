package pim

import (
	"fmt"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// Device is the PIM channels of a machine.
type Device struct {
	m *hw.PIM
	geometry
	element  int // bytes of an operand
	sum      int // bytes of a sum that is read out
	channels int
	ops      *Commands
	bare     []dram.Command // by Op, without addresses
	charges  []charge       // by Op
	pace     waits          // where work is counted
	format   tensor.Type
	link     *Link
	writing  Writing
	scheme   scheme
	traits   traits
	basic    bool          // without the extensions of NewBasic
	program  *microProgram // of units that execute programs; nil elsewhere
	rounding unit.Rounding // of their products

	standard *dram.Standard
	timing   dram.Timing
	channel  *dram.Channel
	*known
}

// known is what devices have simulated and chosen. None of it depends on launches.
type known struct {
	mu        sync.Mutex
	timed     map[string]dram.Result // by shape of the stream
	chosen    map[form]*chosenMapping
	replayed  map[sequence]timedSequence
	scratches sync.Pool // *scratch
	*visitTimes
}

func newKnown(v *visitTimes) *known {
	return &known{timed: map[string]dram.Result{}, chosen: map[form]*chosenMapping{}, replayed: map[sequence]timedSequence{}, visitTimes: v}
}

// Mappings makes devices that share what they choose, on machines that differ in launches alone:
// in what a launch costs, and in whether PIM work shares one.
type Mappings struct {
	visits *Visits // nil: shared with no other mappings
	mu     sync.Mutex
	of     map[mappingsKey]*known
}

// NewMappings are mappings that share the times of visits with others.
func NewMappings(v *Visits) *Mappings { return &Mappings{visits: v} }

type mappingsKey struct {
	channels int
	basic    bool
	program  string
}

// known is what devices of so many channels share.
func (s *Mappings) known(m *hw.Machine, channels int, basic bool, program string) *known {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[mappingsKey]*known{}
	}
	k := mappingsKey{channels, basic, program}
	if s.of[k] == nil {
		s.of[k] = newKnown(s.visits.at(m, basic))
	}
	return s.of[k]
}

// New is New with shared mappings.
func (s *Mappings) New(m *hw.Machine, channels int) (device.Device, error) {
	return s.devices(m, channels, dram.Timing(m.PIM.Timing), false)
}

// NewBasic is NewBasic with shared mappings.
func (s *Mappings) NewBasic(m *hw.Machine, channels int) (device.Device, error) {
	return s.devices(m, channels, Exposed(&m.PIM), true)
}

// formats are the number formats of operands and results, in the order of their names;
// sums are float32, of int8 int32.
var formats = []struct {
	name string
	typ  tensor.Type
}{{"bf16", tensor.BFloat16}, {"fp16", tensor.Float16}, {"fp32", tensor.Float32}, {"int8", tensor.Int8}}

// Format is the type that a machine's operands and results are rounded to.
func Format(m *hw.Machine) (tensor.Type, error) {
	var known []string
	for _, f := range formats {
		if f.name == m.PIM.Format {
			return f.typ, nil
		}
		known = append(known, f.name)
	}
	return 0, fmt.Errorf("machine %s: pim.number_format: %.80q is unknown%s; known: %.80q", m.Name, m.PIM.Format, nearest.Hint(m.PIM.Format, known), known)
}

// New returns the device, called "pim", of the given number of the machine's
// channels. It fails on a number below 1, an unknown standard, a wrong timing parameter,
// and a geometry that does not fit together.
func New(m *hw.Machine, channels int) (device.Device, error) {
	return (&Mappings{}).New(m, channels)
}

// NewBasic is New without PIMFlow's extensions of Newton (MICRO 2020): all channels
// read the same inputs, and a buffer write is exposed (Exposed).
func NewBasic(m *hw.Machine, channels int) (device.Device, error) {
	return (&Mappings{}).NewBasic(m, channels)
}

// Standard returns the machine's standard. Under a power limit its multiplying commands keep
// the limit's pace (hw.PIM.Cadence).
func Standard(m *hw.Machine) (*dram.Standard, error) {
	std, err := dram.Lookup(m.PIM.Standard)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.standard: %w", m.Name, err)
	}
	if std, err = std.With(m.PIM.Switches()); err != nil {
		return nil, fmt.Errorf("machine %s: pim.%w", m.Name, err)
	}
	if m.PIM.Limit > 0 {
		ops, err := NewCommands(std)
		if err != nil {
			return nil, fmt.Errorf("machine %s: pim.power_limit_mw: %w", m.Name, err)
		}
		std = std.Paced(ops.Comp, m.PIM.Cadence())
	}
	return std, nil
}

func newDevice(m *hw.Machine, channels int, timing dram.Timing, shared *known, program *microProgram) (*Device, error) {
	p := &m.PIM
	std, err := Standard(m)
	if err != nil {
		return nil, err
	}
	format, err := Format(m)
	if err != nil {
		return nil, err
	}
	ops, err := NewCommands(std)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.standard: %w", m.Name, err)
	}
	ch, err := std.New(timing)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.timing: %w", m.Name, err)
	}
	if channels < 1 {
		return nil, fmt.Errorf("machine %s: %d PIM channels: at least 1 wanted", m.Name, channels)
	}
	g, err := newGeometry(m, ops)
	if err != nil {
		return nil, err
	}
	if program != nil {
		if g, err = program.geometry(m, g); err != nil {
			return nil, err
		}
	}
	d := &Device{
		m: p, geometry: g, program: program, rounding: roundingOf(m), element: m.Memory.ElementSize, channels: channels, ops: ops, format: format, link: NewLink(m, channels), writing: NewWriting(m),
		standard: std, timing: timing, channel: ch, known: shared,
	}
	if p.Rounding == "separate" {
		d.rounding = unit.Separate
	}
	if d.sum = d.element; d.exact() {
		d.element, d.sum = p.ElementSize(), 4 // int32
	}
	for o := range std.Ops {
		d.bare = append(d.bare, dram.Command{Op: dram.Op(o)})
	}
	if program != nil && d.link.Finish.Where == hw.InDRAM {
		return nil, fmt.Errorf("machine %s: link.finish.where: %.80q: the units have no adder for sums of other units or lanes; %.80q or %.80q wanted", m.Name, hw.InDRAM, hw.InController, hw.OnGPU)
	}
	d.scheme = ops.dialect.scheme(d)
	d.traits = d.scheme.traits()
	if d.traits.counted {
		d.pace = newWaits(ops, ch)
	}
	if d.charges, err = d.newCharges(std); err != nil {
		return nil, fmt.Errorf("machine %s: %w", m.Name, err)
	}
	return d, nil
}

// Name is "pim".
func (d *Device) Name() string { return "pim" }

// Form is the form of a node in its graph, and which zero points are the middle of their type.
func (d *Device) Form(g *graph.Graph, id graph.ID) string {
	form := g.Form(id)
	if o := g.Nodes[id].Op; o != nil && o.Real != "" && o.MACs != nil {
		for _, z := range o.ZeroPoints() {
			form += fmt.Sprintf(" %v", symmetric(g, g.Nodes[id].In[z]))
		}
	}
	return form
}

// Compile maps a Conv, ConvTranspose, Gemm or MatMul (of any group count, stride, padding,
// dilation and batch, cut in any way) to the channels, with weights that are there or written
// in each run, and element-wise operations where the units have programs of them; it wraps device.ErrUnsupported for anything else,
// and for weights beyond the rows of the banks.
func (d *Device) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	l, err := d.lower(g, c)
	if err != nil {
		return nil, err
	}
	if d.exact() && !l.integers {
		return nil, fmt.Errorf("%s %.80q: values of %v, integers of 8 bits wanted: %w", g.Nodes[c.Node].Op.Name, g.Nodes[c.Node].Name, g.Nodes[c.Node].Type, device.ErrUnsupported)
	} else if d.exact() && l.groupK > longestSum {
		return nil, fmt.Errorf("%s %.80q: sums of %d products, at most %d wanted in int32: %w", g.Nodes[c.Node].Op.Name, g.Nodes[c.Node].Name, l.groupK, longestSum, device.ErrUnsupported)
	}
	first := l.first()
	m := d.mappingOf(first)
	if m.err != nil {
		return nil, fmt.Errorf("%s %.80q: %w", g.Nodes[c.Node].Op.Name, g.Nodes[c.Node].Name, m.err)
	}
	code := &Code{device: d, graph: g, cut: c, best: m.best, cost: m.cost}
	w := code.traffic(l)
	if d.link.Finish.Where == hw.InDRAM {
		d.inDRAM(&code.cost, w)
	}
	code.write(l)
	if err := d.link.Charge(&code.cost, d.m.Clock, w); err != nil {
		return nil, fmt.Errorf("%s %.80q: %w", g.Nodes[c.Node].Op.Name, g.Nodes[c.Node].Name, err)
	}
	return code, nil
}
