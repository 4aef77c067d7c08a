package pim

import (
	"encoding/binary"

	"pimflow/internal/tensor"
)

func (c *columns) work(s share) work {
	var w work
	for i := range s {
		c.count(&w, &s[i])
	}
	w.moved = w.writes*int64(c.d.lanes) + w.reads*int64(c.d.results)
	return w
}

// count adds the commands of a span: of all its chunks, or where fills stay, of each fill.
func (c *columns) count(w *work, s *span) {
	var all, one [usualKinds]batch
	p, bs, times := s.packed(&c.d.geometry), s.batches(all[:0]), int64(s.at[byMatrix].Len())
	if !s.inputs || len(bs) == 1 {
		c.chunks(w, s, p, bs, times)
		return
	}
	for u, units := 0, unitsOf(bs); u < units; {
		n := max(1, same(bs, u)/s.depth)
		c.chunks(w, s, p, cut(one[:0], bs, s.fold, u, u+s.depth), times*int64(n))
		u += n * s.depth
	}
}

// chunks adds the commands of a span's chunks for batches, so many times.
func (c *columns) chunks(w *work, s *span, p packed, bs []batch, times int64) {
	groups, first, short := int64(s.at[byGroup].Len()), c.runs(s, p.groups), c.runs(s, p.last)
	for k := s.at[byChunk].Lo; k < s.at[byChunk].Hi; {
		n := s.alike(bs, k, s.at[byChunk].Hi, true)
		var pixels, columns int64
		units := 0
		for i := range bs {
			var some [8]tensor.Range
			if _, cols := s.within(some[:0], bs[i].kind, k); cols > 0 {
				m := times * int64(n) * int64(bs[i].pixels(s.fold))
				pixels += m
				columns += m * int64(cols)
				units += bs[i].units()
			}
		}
		if units > 0 {
			w.reads += pixels * groups
			w.comps += columns * groups
			before := times * int64(n) * int64(p.rows-1) * int64(first.visits(units))
			last := times * int64(n) * int64(short.visits(units))
			w.visits += before + last
			w.acts += before*int64(c.d.acts) + last*int64(p.acts)
			if !s.inputs {
				columns *= int64(p.rows)
			}
			w.writes += columns
		}
		k += n
	}
}

func (c *columns) shape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		p := sp.packed(&c.d.geometry)
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
		for k := sp.at[byChunk].Lo; k < sp.at[byChunk].Hi; {
			n := sp.alike(bs, k, sp.at[byChunk].Hi, true)
			add(n)
			for _, b := range bs {
				var need [8]tensor.Range
				_, cols := sp.within(need[:0], b.kind, k)
				add(cols)
			}
			k += n
		}
	}
	return key
}
