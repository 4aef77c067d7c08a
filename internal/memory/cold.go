package memory

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// ColdStart is the writing of the weights into the banks, once before the first run.
type ColdStart struct {
	Bytes int         // of weights, every copy counted
	Rows  int         // of all banks of a channel, over all channels
	Time  device.Time // of the channel that takes longest
}

// ColdStart is that of the weights as they are laid out. All channels are written at the same
// time. A channel takes as long as its weights on the pins, or as opening its rows if that is
// longer: a row of all banks takes tRC, and tFAW for each four banks where the standard has
// one; rows are opened while other banks are written. Refreshes take their share of the time.
// The weights are taken to arrive as fast as the channels write them.
func (m *Map) ColdStart(machine *hw.Machine) ColdStart {
	var c ColdStart
	stored := make([]int, len(m.Taken))
	for i := range m.Steps {
		for ch := range m.Steps[i].Places {
			stored[ch] += m.Steps[i].Places[ch].Stored
		}
	}
	p := &machine.PIM
	ns := func(key string) float64 { return p.Clock.Picoseconds() / 1e3 * float64(p.Timing[key]) }
	row := max(ns("rc_ck"), float64(p.Banks)/4*ns("faw_ck"))
	busy := 1.0
	if interval := ns("refi_ck"); interval > 0 {
		busy -= ns("rfc_ck") / interval
	}
	for ch, rows := range m.Taken {
		bytes := stored[ch] * machine.Memory.ElementSize
		c.Bytes += bytes
		c.Rows += rows
		t := max(float64(bytes)/machine.Memory.ChannelGBps, float64(rows)*row) / busy
		c.Time = max(c.Time, device.Time(math.Round(t*1e3)))
	}
	return c
}
