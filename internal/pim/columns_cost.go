package pim

import (
	"encoding/binary"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// foresee estimates the cycles of a share.
func (c *columns) foresee(s share) foreseen {
	f := foreseen{timely: true}
	t, w := &c.waits, work{}
	var visits, acts int64 // beyond those of w
	var buf [usualKinds]batch
	for i := range s {
		sp := &s[i]
		p, bs := sp.packed(&c.d.geometry), sp.batches(buf[:0])
		lo, hi := sp.at[byChunk].Lo, sp.at[byChunk].Hi
		f.rows += sp.at[byMatrix].Len() * sp.at[byChunk].Len() * p.rows
		f.timely = f.timely && c.timely(sp, p)
		matrices, rows, groups := int64(sp.at[byMatrix].Len()), int64(p.rows), int64(sp.at[byGroup].Len())
		first, short := c.runs(sp, p.groups), c.runs(sp, p.last)
		all := sp.at[byUnit].Len()
		var units, before, last, stalls, columns int64 // before, last: visits to those rows for the pixels that need most
		for i := range bs {
			b := &bs[i]
			need := sp.need(b.kind, lo, hi)
			if need.chunks == 0 {
				continue
			}
			pixels := matrices * int64(b.pixels(sp.fold))
			w.comps += pixels * int64(need.columns) * groups
			w.reads += pixels * int64(need.chunks) * groups
			columns += pixels * int64(need.columns)
			n := int64(b.units() * need.chunks)
			units += n
			before = max(before, int64(need.chunks*first.visits(b.units())))
			last = max(last, int64(need.chunks*short.visits(b.units())))
			b.cols = need.columns / need.chunks
			written := int64(min(sp.depth, b.units()) * sp.fold * b.cols) // of a fill
			wait := max(0, (written*t.write+t.ready)-(t.shut-t.toWrite+int64(c.d.acts-1)*t.act+t.open))
			if sp.inputs {
				late, _ := c.late(sp, p.groups, []batch{{load: load{full: min(sp.depth, b.units())}, cols: b.cols}})
				wait = max(0, wait-int64(late)*t.write)
				stalls += n * wait / int64(sp.depth)
				continue
			}
			stall := t.toWrite + written*t.write + t.ready
			if sp.double {
				stall = 0
				if room := c.room(b.cols); room <= 0 {
					stall = max(0, t.toWrite+written*t.write+t.toRead-int64(b.cols)*t.comp)
				} else {
					stall = max(0, written-int64(room*sp.depth*sp.fold*p.groups)) * t.write
				}
			}
			stalls += rows * (stall*(n-int64(need.chunks))/int64(sp.depth) + wait*int64(need.chunks)*int64(b.units())/int64(all))
		}
		if !sp.inputs {
			columns *= rows
		}
		w.writes += columns
		w.visits += matrices * (before*(rows-1) + last)
		w.acts += matrices * (before*(rows-1)*int64(c.d.acts) + last*int64(p.acts))
		if len(bs) > 1 { // visits that no kind of pixels needs alone
			more := matrices * rows * max(0, units*int64(first.visits(all))/int64(all)-before)
			visits, acts = visits+more, acts+more*int64(c.d.acts)
		}
		f.estimate += matrices * stalls
	}
	f.least = t.comp*(w.comps+w.reads) + w.visits*(t.shut+t.open-t.act-t.comp) + w.acts*t.act - t.shut
	if r := &c.refresh; r.cycles < r.interval { // nothing is open during one; some may still wait at the end
		f.least = max(f.least, int64((float64(f.least)-r.cycles*float64(t.postpone)/r.interval-2*r.cycles)/(1-r.cycles/r.interval)))
	}
	f.least = max(f.least, t.write*(w.writes+w.reads))
	f.estimate += t.comp*(w.comps+w.reads) + (w.visits+visits)*(t.close+t.shut+t.open-t.act) + (w.acts+acts)*t.act
	return f
}

// longest is how long a step with so many units and groups takes at most, and what is
// around the steps of a visit: every command at its longest, each fill with both turns of
// the bus.
func (c *columns) longest(s *span, groups, units int) (step, around int64) {
	w, pixels := &c.waits, int64(units)*int64(s.fold)
	step = pixels*(int64(s.cols)*w.write+int64(groups)*int64(s.cols+2)*w.comp) + w.toRead + w.toWrite + w.ready
	return step, int64(c.d.acts)*w.act + w.open + w.close + w.shut + pixels*int64(s.cols)*w.write
}

// timely reports whether no visit of a span keeps refreshes waiting for too long.
func (c *columns) timely(s *span, p packed) bool {
	if !s.inputs {
		return true // by the length of its runs
	}
	step, around := c.longest(s, p.groups, min(s.depth, s.at[byUnit].Len()))
	return step+around <= c.waits.postpone
}

// runs says how many units pass a row before it is closed.
type runs struct{ most, grain int }

// runs is that of a span's rows of so many groups: few enough for refreshes never to wait
// too long; where fills stay, a fill.
func (c *columns) runs(s *span, groups int) runs {
	if s.inputs {
		return runs{s.depth, s.depth}
	}
	step, around := c.longest(s, groups, s.depth)
	grain := s.depth
	if s.double {
		grain *= 2
	}
	most := max(1, int((c.waits.postpone-around)/step)*s.depth)
	if most > grain {
		most -= most % grain
	}
	return runs{most, grain}
}

// length is the units of a run, of so many: runs are of about one length.
func (r runs) length(units int) int {
	if units <= r.most {
		return min(r.most, roundUp(units, r.grain))
	}
	n := ceilDiv(units, ceilDiv(units, r.most))
	return min(r.most, roundUp(n, r.grain))
}

// visits is how often a row is opened for so many units of a chunk.
func (r runs) visits(units int) int {
	if units <= r.most && units > 0 { // and not above the length
		return 1
	}
	return ceilDiv(units, r.length(units))
}

// late is how many columns of a fill that stays are written after a row is opened, between
// the first results of the first unit: into other buffers than that in which it begins.
func (c *columns) late(s *span, groups int, bs []batch) (columns, results int) {
	room, all, b := c.room(bs[0].cols), 0, &bs[0]
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
	if results = groups * pixels; s.wide > 1 { // the first result needs all of the unit
		first, results = c.d.buffer, 1
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

// spent counts commands, each times the cycles that one more of them takes, and refreshes;
// what is left is the wait for writes, which are mostly hidden.
func (c *columns) spent(w work, result dram.Result) (list []spent, rest string) {
	r := c.rates
	return []spent{
		{"mac", r.comp * float64(w.comps)}, {"activate", r.act * float64(w.acts)},
		{"refresh", c.refresh.cycles * float64(result.Issued[c.refresh.op])}, {"read", r.read * float64(w.reads)},
	}, "write"
}
