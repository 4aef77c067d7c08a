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
		sp := &s[i]
		p := sp.packed(d)
		sp.each(func(chunks int64, bs []batch) {
			var pixels, columns int64
			for i := range bs {
				n := chunks * int64(bs[i].pixels(sp.fold))
				pixels += n
				columns += n * int64(bs[i].cols)
			}
			groups := int64(sp.at[byGroup].Len())
			w.reads += pixels * groups
			w.comps += columns * groups
			units := unitsOf(bs)
			before, last := chunks*int64(p.rows-1)*int64(sp.visits(d, p.groups, units)), chunks*int64(sp.visits(d, p.last, units))
			w.visits += before + last
			w.acts += before*int64(d.acts()) + last*int64(p.acts)
			if !sp.inputs {
				columns *= int64(p.rows)
			}
			w.writes += columns
		})
	}
	return w
}

// each calls f for chunks of the span, of all its matrices, in which kinds of pixels
// need as many columns each, with those that need any; where fills stay, for each fill.
func (s *span) each(f func(chunks int64, bs []batch)) {
	var all, now, one [8]batch
	bs := s.batches(all[:0])
	count := func(bs []batch, times int64) {
		for c := s.at[byChunk].Lo; c < s.at[byChunk].Hi; {
			n := s.alike(bs, c, s.at[byChunk].Hi, true)
			some := s.of(now[:0], bs, c, true)
			if len(some) > 0 {
				f(times*int64(n), some)
			}
			c += n
		}
	}
	times := int64(s.at[byMatrix].Len())
	if !s.inputs || len(bs) == 1 {
		count(bs, times)
		return
	}
	for u, units := 0, unitsOf(bs); u < units; {
		n := max(1, same(bs, u)/s.depth)
		count(cut(one[:0], bs, s.fold, u, u+s.depth), times*int64(n))
		u += n * s.depth
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
		var all [8]batch
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
	case !d.ops.same:
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
