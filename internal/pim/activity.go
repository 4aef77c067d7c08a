package pim

import (
	"pimflow/internal/device"
	"pimflow/internal/hw"
)

var _ device.Active = (*Code)(nil)

// Activity counts rows, columns and products of the commands, and the bytes of the link. Where these take the bandwidth of the GPU's
// channels, they are bytes of its memory too (hw.Link), as are those of a kernel that finishes results.
func (c *Code) Activity() (a device.Activity) {
	d := c.device
	for i, n := range c.cost.Commands {
		switch d.ops.roles[i] {
		case openRole:
			a.Opened += n.N * int64(d.opened)
		case hostRole:
			a.Opened += n.N
		case compRole:
			a.Reads += n.N * int64(d.units)
		}
	}
	a.Inner, a.MACs = a.Reads*int64(d.m.Column), a.Reads*int64(d.lanes*d.wide)
	if a.Firsts = a.Opened; d.program != nil { // rows of registers are opened too, and banks that are not read
		a.Firsts = c.visited() * int64(d.units)
	}
	l := c.lowered()
	if l.each != nil {
		a.MACs = 0
	}
	w := c.traffic(l)
	a.Link = w.bytes
	if d.link.Memory {
		a.DRAM, a.L2 = float64(w.unique), float64(w.bytes)
	}
	if kernel, err := d.link.kernel(w); err == nil { // an error would have been Compile's
		a.DRAM += float64(kernel.Bytes)
		if kernel.Kernels > 0 {
			a.L2 += float64(w.read + w.written)
			a.FMA += float64(w.ops)
		}
	}
	return a
}

// visited is the row cycles of weights of all channels.
func (c *Code) visited() (n int64) {
	for _, s := range c.mapped().perChannel() {
		n += c.device.scheme.work(s).visits
	}
	return n
}

// Peak is what a channel of a machine does at most, in a nanosecond: multiply-accumulates, and bytes that its banks read to the
// multipliers, at the pace of its multiplying commands. Activations and refreshes take none of it.
func Peak(m *hw.Machine) (macs, bytes float64, err error) {
	if m.Memory.PIMChannels == 0 {
		return 0, 0, nil
	}
	std, err := Standard(m)
	if err != nil {
		return 0, 0, err
	}
	ops, err := NewCommands(std)
	if err != nil {
		return 0, 0, err
	}
	g, err := newGeometry(m, ops)
	if program := firstProgram(std.Name); err == nil && program != nil {
		g, err = program.geometry(m, g)
	}
	if err != nil {
		return 0, 0, err
	}
	pace := float64(m.PIM.Cadence()) * m.PIM.Clock.Picoseconds() / 1e3
	reads := float64(g.units) / pace
	return reads * float64(g.lanes*g.wide), reads * float64(m.PIM.Column), nil
}
