package pim

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// time runs a share on a channel; shares of one shape are run once.
func (d *Device) time(s share) dram.Result {
	if len(s) == 0 {
		return dram.Result{}
	}
	var buf [256]byte
	key := d.scheme.shape(buf[:0], s)
	d.mu.Lock()
	r, ok := d.timed[string(key)]
	d.mu.Unlock()
	if !ok {
		room := d.enter()
		r = d.channel.Time(d.scheme.stream(writer{d: d, bare: true, made: &room.made, stock: &room.items}, s))
		room.items.chunk = room.items.chunk[:0]
		d.leave(room)
		d.mu.Lock()
		d.timed[string(key)] = r
		d.mu.Unlock()
	}
	return r
}

// slowest returns when the last channel of a mapping is done; it stops, with
// done false, at the first that takes longer than limit.
func (d *Device) slowest(m *mapping, limit dram.Cycle) (t dram.Cycle, done bool) {
	// Nearly always this channel decides.
	t = d.cycles(m.shares[m.most])
	for i := 0; i < len(m.shares) && t <= limit; i++ {
		if i == 0 || !m.shares[i].alike(m.shares[i-1]) {
			t = max(t, d.cycles(m.shares[i]))
		}
	}
	return t, t <= limit
}

// tooLate is the time of a stream that leaves a refresh waiting for longer than is
// allowed, where that is a rule of the DRAM and not of a simulator.
const tooLate = dram.Cycle(math.MaxInt64)

func (d *Device) cycles(s share) dram.Cycle {
	r := d.time(s)
	if r.Overflow && d.traits.refresh.strict {
		return tooLate
	}
	return r.Cycles
}

// cost is what executing a mapping takes.
func (d *Device) cost(m *mapping) device.Cost {
	c := device.Cost{Lanes: make([]device.Time, d.channels), Commands: make(device.Counts, len(d.ops.names))}
	for i, n := range d.ops.names {
		c.Commands[i].Kind = n
	}
	var r, last dram.Result
	slowest := -1
	for i, s := range m.shares {
		if i == 0 || !s.alike(m.shares[i-1]) {
			r = d.time(s)
		}
		c.Lanes[i] = device.Time(d.m.Clock.PS(int64(r.Cycles)))
		c.Time = max(c.Time, c.Lanes[i])
		for o, n := range r.Issued {
			c.Commands[o].N += n
		}
		if int64(r.Cycles) > c.Ticks {
			c.Ticks, slowest, last = int64(r.Cycles), i, r
		}
	}
	if slowest >= 0 {
		c.Bound = d.bound(d.scheme.work(m.shares[slowest]), last)
	}
	c.Additions, c.Bytes = m.additions(d.outputs), d.bytes(m)
	c.Energy = d.energy(&c)
	return c
}

// bytes is what the streams of a mapping that was counted move to and from the channels.
func (d *Device) bytes(m *mapping) int64 { return m.moved * int64(d.element) }

// additions is the number of elements of results that are added to earlier ones of the
// same output. A part has a result of each pixel for each chunk that is not all padding.
func (m *mapping) additions(outputs int) int64 {
	var n int64
	for i := 0; i < len(m.parts); {
		b, first := m.parts[i].block, i
		for i < len(m.parts) && m.parts[i].block == b {
			i++
		}
		count := func(kind, pixels int) {
			results := 0
			for _, p := range m.parts[first:i] {
				results += p.need(kind, 0, p.chunks).chunks
			}
			n += int64(b.count*pixels*b.outs) * int64(max(0, results-1))
		}
		if stayed := m.stayed(b, outputs); stayed > 0 {
			n += stayed - int64(b.count*b.pixels*b.outs)
			for _, p := range m.parts[first:i] {
				if !p.stay {
					n += int64(b.count*b.pixels*b.outs) * int64(p.chunks)
				}
			}
			continue
		}
		if b.skips == nil {
			count(0, b.pixels)
			continue
		}
		for k, q := range *b.skips {
			count(k, q.pixels)
		}
	}
	return n
}

// stayed is how many results of a block are read out whose sums stay in the banks.
func (m *mapping) stayed(b *block, outputs int) (n int64) {
	for _, s := range m.shares {
		for i := range s {
			if sp := &s[i]; sp.block == b && sp.stay {
				groups := sp.at[byGroup]
				outs := min(sp.outs, groups.Hi*outputs) - groups.Lo*outputs
				n += int64(sp.at[byMatrix].Len()) * int64(sp.selected()) * int64(outs)
			}
		}
	}
	return n
}

// rates are the cycles that one more command of a kind costs.
type rates struct{ write, act, comp, read float64 }

// measure finds the rates of a channel from the periods of small streams.
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

// bound is the word for what takes most of the cycles of a stream, the first on a tie.
func (d *Device) bound(w work, result dram.Result) string {
	list, other := d.scheme.spent(w, result)
	word, most, rest := "", 0.0, float64(result.Cycles)
	for _, x := range list {
		rest -= x.cycles
		if x.cycles > most {
			word, most = x.word, x.cycles
		}
	}
	if rest > most {
		return other
	}
	return word
}
