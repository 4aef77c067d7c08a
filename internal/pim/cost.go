package pim

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// cost is the cost of a mapping without the link.
func (d *Device) cost(m *mapping) device.Cost {
	c := device.Cost{Lanes: make([]device.Time, d.channels), Commands: make(device.Counts, len(d.ops.names))}
	for i, n := range d.ops.names {
		c.Commands[i].Kind = n
	}
	var r, last dram.Result
	slowest := -1
	for i, s := range m.shares {
		if m.results != nil {
			r = m.results[i]
		} else if i == 0 || !s.alike(m.shares[i-1]) {
			r = d.time(s)
		}
		cycles := int64(r.Cycles) + d.wideReads(r.Issued)
		c.Lanes[i] = device.Time(d.m.Clock.PS(cycles))
		c.Time = max(c.Time, c.Lanes[i])
		for o, n := range r.Issued {
			c.Commands[o].N += n
		}
		if cycles > c.Ticks {
			c.Ticks, slowest, last = cycles, i, r
		}
	}
	c.Additions = m.additions(d.outputs, d.partial())
	c.Bytes = d.bytes(m) + d.wideSums(c.Commands)
	if slowest >= 0 {
		c.Bound = d.bound(d.scheme.work(m.shares[slowest]), last)
	}
	c.Energy = d.energy(&c)
	return c
}

// wideReads is the cycles that sums wider than operands take when they are read out: each part of a sum as wide as
// two bytes is one more transfer of a column.
func (d *Device) wideReads(issued []int64) int64 {
	if !d.exact() || len(issued) == 0 {
		return 0
	}
	return issued[d.ops.Read] * int64(d.sum/2-1) * max(d.m.Timing["ccds_ck"], 1)
}

// bytes is the traffic of the streams of a counted mapping, in both directions.
func (d *Device) bytes(m *mapping) int64 { return m.moved * int64(d.element) }

// wideSums is the bytes by which sums that are read out are wider than operands.
func (d *Device) wideSums(commands device.Counts) int64 {
	return commands[d.ops.Read].N * int64(d.results*(d.sum-d.element))
}

// merged counts the results of a mapping when each channel has added up its own sums of an
// output. Spans of a channel that have some outputs in common, and not all, count each.
func (d *Device) merged(m *mapping) (n int64) {
	for _, s := range m.shares {
		for i := range s {
			sp := &s[i]
			if slices.ContainsFunc(s[:i], func(o span) bool { return o.sameResults(sp) }) {
				continue
			}
			groups := sp.at[byGroup]
			outs := min(sp.outs, groups.Hi*d.outputs) - groups.Lo*d.outputs
			n += int64(sp.at[byMatrix].Len()) * int64(sp.selected()) * int64(outs)
		}
	}
	return n
}

// sameResults reports whether two spans add to the same results.
func (s *span) sameResults(o *span) bool {
	return s.block == o.block && s.fold == o.fold && s.tail == o.tail && s.units == o.units &&
		s.at[byMatrix] == o.at[byMatrix] && s.at[byUnit] == o.at[byUnit] && s.at[byGroup] == o.at[byGroup]
}

// inDRAM takes out of a cost the sums that do not leave the DRAM since they are finished there,
// and adds the operands of the epilogue, which go there.
func (d *Device) inDRAM(c *device.Cost, w Traffic) {
	c.Bytes = w.bytes
	for _, o := range d.ops.Init {
		c.Bytes += c.Commands[o].N * int64(d.results*d.element)
	}
	c.Energy[device.PIMIO] = device.Of(d.m.Energy.IO, 8*float64(c.Bytes))
}

// additions counts the elements of results that are added to earlier ones of the same output.
// A part has a result of each pixel for each chunk that is not all padding, of so many sums.
func (m *mapping) additions(outputs, sums int) int64 {
	var n int64
	for i := 0; i < len(m.parts); {
		b, first := m.parts[i].block, i
		for i < len(m.parts) && m.parts[i].block == b {
			i++
		}
		count := func(class, pixels int) {
			results := 0
			for _, p := range m.parts[first:i] {
				results += p.need(class, 0, p.chunks).chunks
			}
			n += int64(b.count*pixels*b.outs) * int64(max(0, results*sums-1))
		}
		if stayed := m.stayed(b, outputs); stayed > 0 {
			n += stayed - int64(b.count*b.pixels*b.outs)
			for _, p := range m.parts[first:i] {
				if !p.outputStationary {
					n += int64(b.count*b.pixels*b.outs) * int64(p.chunks)
				}
			}
			continue
		}
		if b.classes == nil {
			count(0, b.pixels)
			continue
		}
		for k, q := range *b.classes {
			count(k, q.pixels)
		}
	}
	return n
}

// stayed counts the results of a block that are read out, where sums stay in the accumulators
// from chunk to chunk.
func (m *mapping) stayed(b *block, outputs int) (n int64) {
	for _, s := range m.shares {
		for i := range s {
			if sp := &s[i]; sp.block == b && sp.outputStationary {
				groups := sp.at[byGroup]
				outs := min(sp.outs, groups.Hi*outputs) - groups.Lo*outputs
				n += int64(sp.at[byMatrix].Len()) * int64(sp.selected()) * int64(outs)
			}
		}
	}
	return n
}

// bound is the word for the largest term of a stream's cycles, the first on a tie.
func (d *Device) bound(w work, result dram.Result) string {
	list, other := d.scheme.breakdown(w, result)
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
