package pim

import "pimflow/internal/dram"

// waits are the cycles from a command to the next that a plan is estimated with, where
// buffers are written column by column.
type waits struct {
	comp     int64 // COMP to COMP or READRES, READRES to COMP
	write    int64 // GWRITE to GWRITE
	toRead   int64 // GWRITE to READRES
	toWrite  int64 // READRES to GWRITE
	ready    int64 // GWRITE to COMP
	act      int64 // an activation to the next
	open     int64 // the last activation to COMP
	shut     int64 // closing to the first activation
	close    int64 // COMP to closing
	postpone int64 // a refresh may wait
}

// newWaits are those of a channel.
func newWaits(c *Commands, ch *dram.Channel) waits {
	w := func(after, before dram.Op) int64 { return int64(ch.Wait(after, before)) }
	first, last := c.Open[0], c.Open[len(c.Open)-1]
	return waits{
		comp:  max(w(c.Comp[0], c.Comp[0]), w(c.Comp[0], c.Read), w(c.Read, c.Comp[0])),
		write: w(c.Write[0], c.Write[0]), toRead: w(c.Write[0], c.Read), toWrite: w(c.Read, c.Write[0]), ready: w(c.Write[0], c.Comp[0]),
		act: w(first, last), open: w(last, c.Comp[0]), shut: w(c.Close[0], first), close: w(c.Comp[0], c.Close[0]),
		postpone: int64(ch.Postponable()),
	}
}

// newRefreshes are those of a channel that must not be late.
func newRefreshes(d *Device) refreshes {
	r := refreshes{strict: true}
	if std := d.standard.Refresh; std != nil {
		r.op = std.Do
		r.cycles = float64(d.channel.Wait(r.op, d.ops.Open[0]))
		r.interval = float64(d.channel.Postponable()) / float64(std.Queue)
	}
	return r
}
