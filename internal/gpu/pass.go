package gpu

import (
	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// Pass is an element-wise kernel that belongs to no operator: of a machine's GPU with so many
// memory channels, for values that another device leaves to it.
type Pass struct{ d *gpu }

// NewPass returns the pass of a machine.
func NewPass(m *hw.Machine, channels int) *Pass {
	return &Pass{&gpu{model: NewModel(m, channels), clock: m.GPU.Clock, launch: m.GPU.Launch, energy: m.GPU.Energy, errors: m.GPU.Error}}
}

// Cost is the cost of a launch that reads and writes so many bytes; what is read was written just
// before. perOp is the least time of an operation, in picoseconds, all SMs together; its energy
// is not in the cost. The error is that the time is out of all proportion.
func (p *Pass) Cost(read, written, ops, perOp float64) (device.Cost, error) {
	m := p.d.model
	miss := m.Miss(read + written)
	s := Stream{Bytes: read*miss + m.written(written, miss), L2: read + written}
	t := m.Stream(s)
	if us := m.us(m.Ramp) + ops*perOp*1e-6; us > t.US {
		t.US, t.Bound = us, "fma"
	}
	return p.d.cost([]Kernel{{Class: Post, Work: s, Timing: t}})
}
