package memory

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
)

// ColdStart is the writing of the weights into the banks, once before the first run.
type ColdStart struct {
	Bytes int         // of weights, every copy counted
	Rows  int         // of all banks of a channel, over all channels
	Time  device.Time // of the channel that takes longest
}

// ColdStart is that of the weights as they are laid out, but for those that are written in each run. All
// channels are written at the same time (pim.Writing). The weights are taken to arrive as fast as the
// channels write them.
func (m *Map) ColdStart(machine *hw.Machine) ColdStart {
	var c ColdStart
	stored, rows := make([]int, len(m.Taken)), slices.Clone(m.Taken)
	for i := range m.Steps {
		for ch := range m.Steps[i].Places {
			if p := &m.Steps[i].Places[ch]; m.Steps[i].Dynamic {
				rows[ch] -= p.Reserved
			} else {
				stored[ch] += p.Stored
			}
		}
	}
	w := pim.NewWriting(machine)
	for ch := range m.Taken {
		bytes := stored[ch] * machine.WeightSize()
		c.Bytes += bytes
		c.Rows += rows[ch]
		c.Time = max(c.Time, w.Time(bytes, rows[ch]))
	}
	return c
}
