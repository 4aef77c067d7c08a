package pim

import "pimflow/internal/dram"

// Streams of dialects whose buffer writes move single columns. A row of the banks
// holds several output groups of one chunk of K, side by side. Either it stays open
// while the pixels pass it, each fill of the buffers being written while the one
// before is multiplied; or a fill stays while all rows pass it.

// pattern is how the spans of a part are executed.
type pattern struct {
	pack   int  // output groups that fit a row
	inputs bool // a fill stays, rows change; otherwise a row stays, fills change
	depth  int  // units of a fill
	wide   int  // buffers of a unit
	double bool // the next fill is written to other buffers meanwhile
	accs   int  // accumulators used, where sums are set
	stay   bool // sums stay in the banks from chunk to chunk
}

// packed is how a span's output groups lie in rows: rows of groups each, the last
// of last, activated as a whole but for the last, which needs acts.
type packed struct{ rows, groups, last, acts int }

func (s *span) packed(d *Device) packed {
	n := s.at[byGroup].Len()
	p := packed{rows: ceilDiv(n, s.pack), acts: d.acts()}
	p.groups = ceilDiv(n, p.rows) // as equal as can be
	p.rows = ceilDiv(n, p.groups)
	p.last = n - (p.rows-1)*p.groups
	if p.last == 1 && s.at[byGroup].Hi == s.groups {
		p.acts = ceilDiv(s.ends, d.gang())
	}
	return p
}

// longest is how long a step with so many units and groups takes at most, and what is
// around the steps of a visit: every command at its longest, each fill with both turns of
// the bus.
func (d *Device) longest(s *span, groups, units int) (step, around int64) {
	w, pixels := &d.waits, int64(units)*int64(s.fold)
	step = pixels*(int64(s.cols)*w.write+int64(groups)*int64(s.cols+2)*w.comp) + w.toRead + w.toWrite + w.ready
	return step, int64(d.acts())*w.act + w.open + w.close + w.shut + pixels*int64(s.cols)*w.write
}

// timely reports whether no visit of a span keeps refreshes waiting for too long.
func (s *span) timely(d *Device, p packed) bool {
	if !s.inputs {
		return true // by the length of its runs
	}
	step, around := d.longest(s, p.groups, min(s.depth, s.at[byUnit].Len()))
	return step+around <= d.waits.postpone
}

// runs says how many units pass a row before it is closed.
type runs struct{ most, grain int }

// runs is that of a span's rows of so many groups: few enough for refreshes never to wait
// too long; where fills stay, a fill.
func (d *Device) runs(s *span, groups int) runs {
	if s.inputs {
		return runs{s.depth, s.depth}
	}
	step, around := d.longest(s, groups, s.depth)
	grain := s.depth
	if s.double {
		grain *= 2
	}
	most := max(1, int((d.waits.postpone-around)/step)*s.depth)
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

// columns writes a share of single columns.
func (w writer) columns(s share) dram.Stream {
	if w.d.ops.sets() {
		return w.registers(s)
	}
	var st dram.Stream
	row := 0
	for i := range s {
		sp := &s[i]
		matrix, _, chunk, group := sp.part.steps(w.d)
		p := sp.packed(w.d)
		matrix.row, chunk.row, group.row = sp.at[byChunk].Len()*p.rows, p.rows, 0
		x := w
		x.place = sp.start()
		x = x.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
		x.place.row = row
		row += sp.at[byMatrix].Len() * matrix.row
		*w.made = (*w.made)[:0]
		v := visitor{w.d, sp, p, w.made}
		st = w.join(st, x.loop(sp.at[byMatrix].Len(), matrix, func(w writer) dram.Stream {
			all := w.made.add(sp.batches)
			if sp.inputs {
				return v.fills(w, chunk, all)
			}
			return v.chunks(w, chunk, all, v.rows)
		})...)
	}
	return st
}

func scaled(p place, n int) place { return place{}.plus(p, n) }
