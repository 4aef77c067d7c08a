package generator

import (
	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// energy is the energy of generated commands by the constants of a machine: every
// channel's commands, the bytes of buffer writes and results, and the time at work of
// each channel. The artifact's own account, of one channel and without activations and
// transfers, is dram.ArtifactEnergy. Precharges of a channel are those issued to the
// first, which has the most commands.
func (d *system) energy(code *Code, precharges int64, time device.Time) (l device.Ledger) {
	n, values := make([]int64, 256), int64(0) // values are of buffer writes and results
	for _, s := range code.Channels {
		s.Count(n)
		values += written(s, 1)
	}
	values += n[artifact.readres] * banks
	acts := int64(0)
	for _, op := range artifact.act {
		acts += n[op]
	}
	e := &d.constants
	channels := int64(len(code.Channels))
	for _, c := range []struct {
		part     device.Part
		constant hw.Range
		n        int64
	}{
		{device.PIMActivate, e.Activate, acts * banks / int64(len(artifact.act))},
		{device.PIMActivate, e.Precharge, precharges * channels * banks},
		{device.PIMColumnRead, e.ColumnRead, n[artifact.comp] * banks},
		{device.PIMMAC, e.MAC, n[artifact.comp] * banks * lanes},
		{device.PIMBuffer, e.Broadcast, n[artifact.comp]},
		{device.PIMBuffer, e.Write, n[artifact.gwrite]},
		{device.PIMBuffer, e.Read, n[artifact.readres]},
		{device.PIMIO, e.IO, 8 * d.element * values},
	} {
		l[c.part] = l[c.part].Plus(device.Of(c.constant, float64(c.n)))
	}
	l[device.PIMActive] = device.Of(e.Active, float64(channels)*time.NS())
	return l
}

// written is the number of values that the buffer writes of a stream carry.
func written(s dram.Stream, times int64) (n int64) {
	for i := range s {
		switch it := &s[i]; {
		case it.Times > 0:
			n += written(it.Body, times*int64(it.Times))
		case it.Command.Op == artifact.gwrite:
			n += times * int64(it.Command.Fill.Len*it.Command.Fill.Count)
		}
	}
	return n
}
