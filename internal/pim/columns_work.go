package pim

import (
	"encoding/binary"

	"pimflow/internal/tensor"
)

// columnWork counts the commands of a share of single columns.
func (d *Device) columnWork(s share) work {
	if d.ops.sets() {
		w, _ := d.registerWork(s)
		return w
	}
	var w work
	for i := range s {
		w.span(d, &s[i])
	}
	return w
}

// span adds the commands of a span: of all its chunks, or where fills stay, of each fill.
func (w *work) span(d *Device, s *span) {
	var all, one [usualKinds]batch
	p, bs, times := s.packed(d), s.batches(all[:0]), int64(s.at[byMatrix].Len())
	if !s.inputs || len(bs) == 1 {
		w.chunks(d, s, p, bs, times)
		return
	}
	for u, units := 0, unitsOf(bs); u < units; {
		n := max(1, same(bs, u)/s.depth)
		w.chunks(d, s, p, cut(one[:0], bs, s.fold, u, u+s.depth), times*int64(n))
		u += n * s.depth
	}
}

// chunks adds the commands of a span's chunks for batches, so many times.
func (w *work) chunks(d *Device, s *span, p packed, bs []batch, times int64) {
	groups, first, short := int64(s.at[byGroup].Len()), d.runs(s, p.groups), d.runs(s, p.last)
	for c := s.at[byChunk].Lo; c < s.at[byChunk].Hi; {
		n := s.alike(bs, c, s.at[byChunk].Hi, true)
		var pixels, columns int64
		units := 0
		for i := range bs {
			var some [8]tensor.Range
			if _, cols := s.within(some[:0], bs[i].kind, c); cols > 0 {
				k := times * int64(n) * int64(bs[i].pixels(s.fold))
				pixels += k
				columns += k * int64(cols)
				units += bs[i].units()
			}
		}
		if units > 0 {
			w.reads += pixels * groups
			w.comps += columns * groups
			before := times * int64(n) * int64(p.rows-1) * int64(first.visits(units))
			last := times * int64(n) * int64(short.visits(units))
			w.visits += before + last
			w.acts += before*int64(d.acts()) + last*int64(p.acts)
			if !s.inputs {
				columns *= int64(p.rows)
			}
			w.writes += columns
		}
		c += n
	}
}

// columnShape appends what the timing of a share of single columns depends on.
func (d *Device) columnShape(key []byte, s share) []byte {
	if d.ops.sets() {
		return d.registerShape(key, s)
	}
	for i := range s {
		sp := &s[i]
		p := sp.packed(d)
		mode := 0
		if sp.inputs {
			mode = 1
		}
		if sp.double {
			mode += 2
		}
		add := func(n ...int) {
			for _, v := range n {
				key = binary.AppendUvarint(key, uint64(v))
			}
		}
		add(sp.at[byMatrix].Len(), p.rows, p.groups, p.last, p.acts, sp.fold, sp.depth, sp.wide, mode, sp.at[byChunk].Len())
		var all [usualKinds]batch
		bs := sp.batches(all[:0])
		add(len(bs))
		for _, b := range bs {
			add(b.full, b.tail)
		}
		for c := sp.at[byChunk].Lo; c < sp.at[byChunk].Hi; {
			n := sp.alike(bs, c, sp.at[byChunk].Hi, true)
			add(n)
			for _, b := range bs {
				var need [8]tensor.Range
				_, cols := sp.within(need[:0], b.kind, c)
				add(cols)
			}
			c += n
		}
	}
	return key
}

// period is after how many chunks of columns the groups of a row, so many of them, stand
// in it again for the next pixel of the buffer: never where a buffer's columns are not
// those of the row, and as in the fill where that stays.
func (s *span) period(d *Device, groups int) int {
	switch {
	case !d.ops.dialect.same:
		return d.m.Columns
	case s.inputs:
		return s.packed(d).groups
	}
	return groups
}

// rows is the number of packed rows of a span.
func (s *span) rows(d *Device) int {
	return s.at[byMatrix].Len() * s.at[byChunk].Len() * s.packed(d).rows
}
