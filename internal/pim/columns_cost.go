package pim

import (
	"encoding/binary"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// longest bounds the cycles of a step with so many groups and units, and of everything around
// the steps of a visit: each command at its longest, each fill with both turns of the bus.
func (c *columns) longest(s *span, groups, units int) (step, around int64) {
	w, pixels := &c.waits, int64(units)*int64(s.fold)
	step = pixels*(int64(s.cols)*w.write+int64(groups)*(int64(s.cols)*w.comp+2*max(w.comp, w.read))) + w.toRead + w.toWrite + w.ready
	return step, int64(c.d.acts)*w.act + w.open + w.close + w.shut + pixels*int64(s.cols)*w.write
}

// timely reports whether no visit of a span delays refreshes for too long.
func (c *columns) timely(s *span, p rowPacking) bool {
	if !s.inputStationary {
		return true // runs are short enough
	}
	step, around := c.longest(s, p.groups, min(s.fillUnits, s.at[byUnit].Len()))
	return step+around <= c.waits.postpone
}

// runs says how many units pass a row before it is closed: at most most, in multiples of
// grain.
type runs struct{ most, grain int }

// runs is that of a span's rows of so many groups: few enough that refreshes are in time;
// input-stationary, one fill.
func (c *columns) runs(s *span, groups int) runs {
	if s.inputStationary {
		return runs{s.fillUnits, s.fillUnits}
	}
	step, around := c.longest(s, groups, s.fillUnits)
	grain := s.fillUnits
	if s.doubleBuffered {
		grain *= 2
	}
	most := max(1, int((c.waits.postpone-around)/step)*s.fillUnits)
	if most > grain {
		most -= most % grain
	}
	return runs{most, grain}
}

// length is the number of units of a run when that many units pass a row. Runs are about
// equally long.
func (r runs) length(units int) int {
	if units <= r.most {
		return min(r.most, roundUp(units, r.grain))
	}
	n := ceilDiv(units, ceilDiv(units, r.most))
	return min(r.most, roundUp(n, r.grain))
}

// visits is how often a row is opened for that many units of a chunk.
func (r runs) visits(units int) int {
	if units <= r.most && units > 0 { // at most one length
		return 1
	}
	return ceilDiv(units, r.length(units))
}

// overlapped is the number of columns of a stationary fill that are written after a row is
// opened, between the first results of the first unit. They go into other buffers than the
// first.
func (c *columns) overlapped(s *span, groups int, bs []batch) (late, results int) {
	room, all, b := c.overlapSlots(bs[0].cols), 0, &bs[0]
	if room <= 0 || c.d.basic {
		return 0, 0
	}
	for i := range bs {
		all += bs[i].pixels(s.fold) * bs[i].cols
	}
	pixels := s.fold
	if b.full == 0 {
		pixels = b.tail
	}
	first := pixels * b.cols
	if results = groups * pixels; s.unitBuffers > 1 { // the first result needs all of the unit
		first, results = s.bufferColumns, 1
	}
	return max(0, min(all-first, room*results)), results
}

func (c *columns) work(s share) work {
	var w work
	for i := range s {
		c.count(&w, &s[i])
	}
	w.moved = w.writes*int64(c.d.lanes) + w.reads*int64(c.d.results)
	return w
}

// count adds the commands of a span: of all its chunks at once or, input-stationary, of each
// fill.
func (c *columns) count(w *work, s *span) {
	var all, one [usualClasses]batch
	p, bs, times := s.packing(&c.d.geometry), s.batches(all[:0]), int64(s.at[byMatrix].Len())
	if !s.inputStationary || len(bs) == 1 {
		c.chunks(w, s, p, bs, times)
		return
	}
	for u, units := 0, unitsOf(bs); u < units; {
		n := max(1, fullUnitsFrom(bs, u)/s.fillUnits)
		c.chunks(w, s, p, cutBatches(one[:0], bs, s.fold, u, u+s.fillUnits), times*int64(n))
		u += n * s.fillUnits
	}
}

// chunks adds the commands of a span's chunks for batches, times over.
func (c *columns) chunks(w *work, s *span, p rowPacking, bs []batch, times int64) {
	groups, first, short := int64(s.at[byGroup].Len()), c.runs(s, p.groups), c.runs(s, p.last)
	for k := s.at[byChunk].Lo; k < s.at[byChunk].Hi; {
		n := s.alike(bs, k, s.at[byChunk].Hi, true)
		var pixels, accesses int64
		units := 0
		for i := range bs {
			var some [8]tensor.Range
			if _, cols := s.within(some[:0], bs[i].class, k); cols > 0 {
				m := times * int64(n) * int64(bs[i].pixels(s.fold))
				pixels += m
				accesses += m * int64(cols)
				units += bs[i].units()
			}
		}
		if units > 0 {
			w.reads += pixels * groups
			w.comps += accesses * groups
			before := times * int64(n) * int64(p.rows-1) * int64(first.visits(units))
			last := times * int64(n) * int64(short.visits(units))
			w.visits += before + last
			w.acts += before*int64(c.d.acts) + last*int64(p.acts)
			if !s.inputStationary {
				accesses *= int64(p.rows)
			}
			w.writes += accesses
		}
		k += n
	}
}

func (c *columns) shape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		p := sp.packing(&c.d.geometry)
		mode := 0
		if sp.inputStationary {
			mode = 1
		}
		if sp.doubleBuffered {
			mode += 2
		}
		add := func(n ...int) {
			for _, v := range n {
				key = binary.AppendUvarint(key, uint64(v))
			}
		}
		add(sp.at[byMatrix].Len(), p.rows, p.groups, p.last, p.acts, sp.fold, sp.fillUnits, sp.unitBuffers, sp.bufferColumns, mode, sp.at[byChunk].Len())
		var all [usualClasses]batch
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
				_, cols := sp.within(need[:0], b.class, k)
				add(cols)
			}
			k += n
		}
	}
	return key
}

// breakdown charges each command with the cycles that one more of it takes, and counts
// refreshes. The rest is the wait for writes, which are mostly hidden.
func (c *columns) breakdown(w work, result dram.Result) (list []cycleTerm, rest string) {
	r := c.rates
	return []cycleTerm{
		{"mac", r.comp * float64(w.comps)}, {"activate", r.act * float64(w.acts)},
		{"refresh", c.refresh.cycles * float64(result.Issued[c.refresh.op])}, {"read", r.read * float64(w.reads)},
	}, "write"
}
