package pim

import (
	"fmt"
	"math/bits"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// Meter measures streams on a channel of a machine, whatever layer they are of.
type Meter struct {
	machine     *hw.Machine
	device      *Device
	unrefreshed *dram.Channel
	others      map[string]*Device // of other ways of programs than the device's, by name
}

// Measure is what a stream takes.
type Measure struct {
	dram.Result
	Unrefreshed dram.Cycle // the cycles without refreshes
	Bytes       int64      // over the pins of the channel, with those of results that are read out
	Energy      device.Ledger
	Use         Use
}

// Use is the parts of the cycles in which the parts of a channel are busy. Where a machine lets writes pass without
// occupying the bus, as artifact does, that of the data bus may be over 1.
type Use struct {
	CommandBus float64 `json:"command_bus"`
	DataBus    float64 `json:"data_bus"`
	Units      float64 `json:"mac_units"`
}

// NewMeter returns the meter of a machine.
func NewMeter(m *hw.Machine) (*Meter, error) {
	d, err := newDevice(m, 1, dram.Timing(m.PIM.Timing), newKnown(&visitTimes{}), firstProgram(m.PIM.Standard))
	if err != nil {
		return nil, err
	}
	return &Meter{machine: m, device: d, unrefreshed: d.channel.Unrefreshed()}, nil
}

// deviceOf is the device with a way of programs; "": of units that execute none.
func (m *Meter) deviceOf(program string) (*Device, error) {
	all := m.device.ops.dialect.programs
	i := slices.IndexFunc(all, func(p microProgram) bool { return p.name == program })
	switch {
	case all == nil && program == "", i >= 0 && m.device.program.name == program:
		return m.device, nil
	case all == nil:
		return nil, fmt.Errorf("program %.80q: none wanted, as the units execute no programs", program)
	case i < 0:
		return nil, fmt.Errorf("program %.80q: one of %.80q wanted", program, programNames(all))
	}
	if d := m.others[program]; d != nil {
		return d, nil
	}
	d, err := newDevice(m.machine, 1, m.device.timing, newKnown(&visitTimes{}), &all[i])
	if err != nil {
		return nil, err
	}
	if m.others == nil {
		m.others = map[string]*Device{}
	}
	m.others[program] = d
	return d, nil
}

// Commands are the commands of the machine's streams.
func (m *Meter) Commands() *Commands { return m.device.ops }

// DRAM is the channel.
func (m *Meter) DRAM() *dram.Channel { return m.device.channel }

// Unrefreshed is the channel without refreshes.
func (m *Meter) Unrefreshed() *dram.Channel { return m.unrefreshed }

// Audit starts an audit of a log of the channel.
func (m *Meter) Audit() (*dram.Audit, error) { return m.device.standard.NewAudit(m.device.timing) }

// Measure times a stream. The error says that it has more commands than cycles can be counted.
func (m *Meter) Measure(s dram.Stream) (x Measure, err error) {
	n := make([]int64, len(m.device.ops.names))
	s.Count(n)
	total := int64(0)
	for _, k := range n {
		total += k
	}
	if over, cycles := bits.Mul64(uint64(total), uint64(m.device.channel.Longest())); over > 0 || cycles > 1<<60 {
		return x, fmt.Errorf("%d commands: at most %d wanted, whose cycles can be counted", total, (1<<60)/m.device.channel.Longest())
	}
	r := m.device.channel.Time(s)
	return m.Counted(r, m.unrefreshed.Time(s).Cycles, m.filled(s, 1)), nil
}

// filled is the elements that writes of whole buffers move.
func (m *Meter) filled(s dram.Stream, times int64) (n int64) {
	for i := range s {
		if it := &s[i]; it.Times > 0 {
			n += m.filled(it.Body, times*int64(it.Times))
		} else if m.Gathers(it.Command.Op) {
			n += times * int64(it.Command.Fill.Len) * int64(it.Command.Fill.Count)
		}
	}
	return n
}

// Gathers reports whether a command writes a whole buffer: how many elements, the command says.
func (m *Meter) Gathers(op dram.Op) bool { return m.device.ops.roles[op] == gatherRole }

// Counted is the measure of commands that are counted; writes of whole buffers move so many elements together.
func (m *Meter) Counted(r dram.Result, unrefreshed dram.Cycle, filled int64) Measure {
	d := m.device
	x := Measure{Result: r, Unrefreshed: unrefreshed, Bytes: filled * int64(d.element)}
	c := device.Cost{Lanes: []device.Time{device.Time(d.m.Clock.PS(int64(r.Cycles)))}}
	total := int64(0)
	for op, n := range r.Issued {
		total += n
		c.Commands = append(c.Commands, device.Count{Kind: d.ops.names[op], N: n})
		switch d.ops.roles[op] {
		case writeRole, registerRole:
			x.Bytes += n * int64(d.traits.fill*d.element)
		case initRole:
			x.Bytes += n * int64(d.results*d.element)
		case readRole:
			x.Bytes += n * int64(d.results*d.sum)
		case compRole:
			x.Use.Units += float64(n)
		}
	}
	if d.program != nil && len(r.Issued) > 0 { // accumulators that are stored do not pass the pins; the host reads each from all units
		x.Bytes -= r.Issued[d.ops.Read] / int64(d.units) * int64(d.traits.fill*d.element)
	}
	c.Bytes = x.Bytes
	x.Energy = d.energy(&c)
	cycles := float64(max(r.Cycles, 1))
	x.Use.CommandBus = float64(total) / cycles
	x.Use.DataBus = float64(x.Bytes) / float64(d.m.Column) * float64(d.m.Timing["bl_ck"]) / cycles
	x.Use.Units *= float64(max(d.m.Timing["ccds_ck"], d.m.Timing["ccdab_ck"], 1)) / cycles
	return x
}

// Rows is the number of rows of a bank.
func (m *Meter) Rows() int { return m.device.rows }
