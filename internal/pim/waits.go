package pim

import "pimflow/internal/dram"

// waits are the cycles from a command to the next that estimates use where buffers are written
// column by column.
type waits struct {
	comp     int64 // COMP to COMP
	read     int64 // what a READRES between two COMPs takes more
	write    int64 // GWRITE to GWRITE
	toRead   int64 // GWRITE to READRES
	toWrite  int64 // READRES to GWRITE
	ready    int64 // GWRITE to COMP
	act      int64 // an activation to the next
	open     int64 // the last activation to COMP
	shut     int64 // closing to the first activation
	close    int64 // COMP to closing
	postpone int64 // the longest that a refresh may wait
}

// newWaits are those of a channel.
func newWaits(c *Commands, ch *dram.Channel) waits {
	w := func(after, before dram.Op) int64 { return int64(ch.Wait(after, before)) }
	first, last := c.Open[0], c.Open[len(c.Open)-1]
	return waits{
		comp: w(c.Comp[0], c.Comp[0]), read: max(0, w(c.Comp[0], c.Read)+w(c.Read, c.Comp[0])-w(c.Comp[0], c.Comp[0])),
		write: w(c.Write[0], c.Write[0]), toRead: w(c.Write[0], c.Read), toWrite: w(c.Read, c.Write[0]), ready: w(c.Write[0], c.Comp[0]),
		act: w(first, last), open: w(last, c.Comp[0]), shut: w(c.Close[0], first), close: w(c.Comp[0], c.Close[0]),
		postpone: int64(ch.Postponable()),
	}
}

// newRefreshes are the refreshes of a channel that must not be late.
func newRefreshes(d *Device) refreshes {
	r := refreshes{strict: true}
	if std := d.standard.Refresh; std != nil {
		r.op = std.Do
		r.cycles = float64(d.channel.Wait(r.op, d.ops.Open[0]))
		r.interval = float64(d.channel.Postponable()) / float64(std.Queue)
	}
	return r
}

// rates are the cycles that one more command of a kind takes.
type rates struct{ write, act, comp, read float64 }

// measure finds the rates of a channel from the periods of short streams.
func (d *Device) measure() rates {
	const comps, times = 32, 4
	write := dram.Do(dram.Command{Op: d.ops.Write[0]})
	read := dram.Do(dram.Command{Op: d.ops.Read})
	set := func(comps int, more ...dram.Item) dram.Stream {
		var st dram.Stream
		for _, o := range d.ops.Open {
			st = append(st, dram.Do(dram.Command{Op: o}))
		}
		st = append(append(st, dram.Loop(comps, dram.Do(dram.Command{Op: d.ops.Comp[0]})), read), more...)
		for _, o := range d.ops.Close {
			st = append(st, dram.Do(dram.Command{Op: o}))
		}
		return st
	}
	period := func(parts ...dram.Stream) float64 {
		body := dram.Stream{write}
		for _, p := range parts {
			body = append(body, p...)
		}
		return float64(d.channel.Time(dram.Stream{dram.Loop(times+1, body...)}).Cycles -
			d.channel.Time(dram.Stream{dram.Loop(times, body...)}).Cycles)
	}
	one := period(set(comps))
	var r rates
	r.comp = period(set(comps+1)) - one
	r.read = period(set(comps, read)) - one
	item := period(set(comps), set(comps)) - one
	r.write = one - item
	r.act = (item - comps*r.comp - r.read) / float64(d.acts)
	return r
}
