package pim

import (
	"encoding/binary"
	"slices"

	"pimflow/internal/dram"
)

// Streams of dialects whose buffer writes move single columns. A row of the banks
// holds several output groups of one chunk of K, side by side. Either it stays open
// while the pixels pass it, each fill of the buffers being written while the one
// before is multiplied; or a fill stays while all rows pass it.

// pattern is how the spans of a part are executed.
type pattern struct {
	pack   int  // output groups that fit a row
	inputs bool // a fill stays, rows change; otherwise a row stays, fills change
	depth  int  // buffers of a fill, one unit each
	double bool // the next fill is written to other buffers meanwhile
}

// packed is how a span's output groups lie in rows: rows of groups each, the last
// of last, activated as a whole but for the last, which needs acts.
type packed struct{ rows, groups, last, acts int }

func (s *span) packed(quad int) packed {
	n := s.at[byGroup].Len()
	p := packed{rows: ceilDiv(n, s.pack), acts: quads}
	p.groups = ceilDiv(n, p.rows) // as equal as can be
	p.rows = ceilDiv(n, p.groups)
	p.last = n - (p.rows-1)*p.groups
	if p.last == 1 && s.at[byGroup].Hi == s.groups {
		p.acts = ceilDiv(s.ends, quad)
	}
	return p
}

// load is a fill of buffers: full units, and a short one of tail pixels if that is
// not 0.
type load struct{ full, tail int }

func (l load) units() int {
	if l.tail > 0 {
		return l.full + 1
	}
	return l.full
}

func (l load) pixels(fold int) int { return l.full*fold + l.tail }

// all is the pixels of a span.
func (s *span) all() load {
	l := load{full: s.full()}
	if s.short() {
		l.tail = s.tail
	}
	return l
}

// from returns what is left of l after n units, at most most of them.
func (l load) from(n, most int) load {
	switch {
	case l.units()-n <= 0:
		return load{}
	case l.full-n >= most:
		return load{full: most}
	}
	return load{full: max(l.full-n, 0), tail: l.tail}
}

// run is the number of units that pass a row before it is closed: few enough for
// refreshes never to wait too long, in runs of about one length.
func (d *Device) run(s *span, groups int) int {
	w, units := &d.waits, s.all().units()
	// Every command at its longest, each fill with both turns of the bus.
	step := int64(s.depth) * int64(s.fold) * (int64(s.cols)*w.write + int64(groups)*int64(s.cols+2)*w.comp)
	step += w.toRead + w.toWrite + w.ready
	around := quads*w.act + w.open + w.close + w.shut + int64(s.depth*s.fold*s.cols)*w.write
	grain := s.depth
	if s.double {
		grain *= 2
	}
	most := max(1, int((w.postpone-around)/step)*s.depth)
	if most > grain {
		most -= most % grain
	}
	n := ceilDiv(units, ceilDiv(units, most))
	return min(most, roundUp(n, grain))
}

// columns writes a share of single columns.
func (w writer) columns(s share) dram.Stream {
	var st dram.Stream
	row := 0
	for i := range s {
		sp := &s[i]
		matrix, unit, chunk, group := sp.part.steps(w.d)
		p := sp.packed(w.d.quad())
		matrix.row, chunk.row, group.row = sp.at[byChunk].Len()*p.rows, p.rows, 0
		set := place{row: 1, result: p.groups * group.result}
		x := w
		x.place = sp.start()
		x = x.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byUnit].Lo, unit)
		x = x.ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
		x.place.row = row
		row += sp.at[byMatrix].Len() * matrix.row
		st = append(st, x.loop(sp.at[byMatrix].Len(), matrix, func(w writer) dram.Stream {
			v := visitor{w.d, sp, p}
			if sp.inputs {
				all := sp.all()
				fills := func(w writer, l load) dram.Stream {
					return w.loop(sp.at[byChunk].Len(), chunk, func(w writer) dram.Stream { return v.fill(w, set, l) })
				}
				n, step := all.full/sp.depth, scaled(unit, sp.depth)
				st := w.loop(n, step, func(w writer) dram.Stream { return fills(w, load{full: sp.depth}) })
				if rest := all.from(n*sp.depth, sp.depth); rest.units() > 0 {
					st = append(st, fills(w.ahead(n, step), rest)...)
				}
				return st
			}
			return w.loop(sp.at[byChunk].Len(), chunk, func(w writer) dram.Stream {
				full := p.rows // visited alike
				if p.last < p.groups || p.acts < quads {
					full--
				}
				st := w.loop(full, set, func(w writer) dram.Stream { return v.row(w, unit, p.groups, quads) })
				if full < p.rows {
					st = append(st, v.row(w.ahead(full, set), unit, p.last, p.acts)...)
				}
				return st
			})
		})...)
	}
	return st
}

func scaled(p place, n int) place { return place{}.plus(p, n) }

// visitor writes visits to the rows of a span.
type visitor struct {
	d *Device
	s *span
	p packed
}

// fill writes a fill and the visits of all rows of a chunk to it.
func (v visitor) fill(w writer, set place, l load) dram.Stream {
	full := v.p.rows
	if v.p.last < v.p.groups || v.p.acts < quads {
		full--
	}
	visit := func(w writer, groups, acts int, f load) dram.Stream {
		st := v.open(w, acts, f)
		st = append(st, v.step(w, groups, l, load{}, 0)...)
		return append(st, v.close())
	}
	if full == 0 {
		return visit(w, v.p.last, v.p.acts, l)
	}
	st := visit(w, v.p.groups, quads, l)
	w = w.ahead(1, set)
	st = append(st, w.loop(full-1, set, func(w writer) dram.Stream { return visit(w, v.p.groups, quads, load{}) })...)
	if full < v.p.rows {
		st = append(st, visit(w.ahead(full-1, set), v.p.last, v.p.acts, load{})...)
	}
	return st
}

// row writes all the visits to a row, with so many groups in it.
func (v visitor) row(w writer, unit place, groups, acts int) dram.Stream {
	all, n := v.s.all(), v.d.run(v.s, groups)
	runs := (all.units() - 1) / n // and one that may be shorter
	step := scaled(unit, n)
	st := w.loop(runs, step, func(w writer) dram.Stream { return v.visit(w, unit, groups, acts, load{full: n}) })
	return append(st, v.visit(w.ahead(runs, step), unit, groups, acts, all.from(runs*n, n))...)
}

// visit writes one visit to a row: units pass it.
func (v visitor) visit(w writer, unit place, groups, acts int, l load) dram.Stream {
	h := v.s.depth
	st := v.open(w, acts, l.from(0, h))
	done := 0
	step := scaled(unit, h)
	full := load{full: h}
	if n := l.full/h - 1; n > 0 { // steps that are followed by a full one
		if v.s.double {
			st = append(st, w.loop(n/2, scaled(step, 2), func(w writer) dram.Stream {
				return append(v.step(w, groups, full, full, 0), v.step(w.ahead(1, step), groups, full, full, h)...)
			})...)
			done = n / 2 * 2
		} else {
			st = append(st, w.loop(n, step, func(w writer) dram.Stream { return v.step(w, groups, full, full, 0) })...)
			done = n
		}
	}
	for ; done*h < l.units(); done++ {
		buffer := 0
		if v.s.double {
			buffer = done % 2 * h
		}
		st = append(st, v.step(w.ahead(done, step), groups, l.from(done*h, h), l.from((done+1)*h, h), buffer)...)
	}
	return append(st, v.close())
}

func (v visitor) close() dram.Item { return dram.Do(dram.Command{Op: v.d.ops.close}) }

// feed is columns that are still to be written to buffers.
type feed struct {
	pieces []feedPiece
	left   int
}

// feedPiece is columns of the inputs in a row: source and into relative to the
// writer's.
type feedPiece struct{ buffer, source, into, n int }

// feed lists the columns of a fill to buffers from the given one on.
func (v visitor) feed(l load, buffer int) *feed {
	s := v.s
	f := &feed{left: l.pixels(s.fold) * s.cols}
	for u := range l.units() {
		pixels := s.fold
		if u == l.full {
			pixels = l.tail
		}
		p := feedPiece{buffer: buffer + u, source: u * s.fold * s.pitch, n: pixels * s.cols}
		if s.cols*s.lanes == s.pitch {
			f.pieces = append(f.pieces, p)
			continue
		}
		for range pixels {
			p.n = s.cols
			f.pieces = append(f.pieces, p)
			p.source += s.pitch
			p.into += s.cols
		}
	}
	return f
}

// write takes n columns from a feed: pairs of them each behind a column of
// multiplications in the given buffer, then the others.
func (v visitor) write(w writer, f *feed, n, pairs, buffer int) dram.Stream {
	var st dram.Stream
	f.left -= n
	for n > 0 {
		p := &f.pieces[0]
		t := min(n, p.n)
		x := w
		x.place.source += p.source
		x.place.into += p.into
		step := place{source: v.s.lanes, into: 1}
		if pairs > 0 {
			t = min(t, pairs)
			step.col, step.buf = 1, 1
		}
		both := pairs > 0
		st = append(st, x.loop(t, step, func(w writer) dram.Stream {
			write := dram.Do(dram.Command{Op: v.d.ops.write[p.buffer], Buf: w.into(), Data: w.source()})
			if both {
				return dram.Stream{v.comp(w, buffer), write}
			}
			return dram.Stream{write}
		})...)
		if both {
			w.place.col += t
			w.place.buf += t
			pairs -= t
		}
		p.n, p.source, p.into, n = p.n-t, p.source+t*v.s.lanes, p.into+t, n-t
		if p.n == 0 {
			f.pieces = f.pieces[1:]
		}
	}
	return st
}

// key is what a piece of a stream without addresses depends on.
type key struct {
	pattern
	cols, fold           int
	gapless              bool // pixels' inputs follow each other
	groups, acts, buffer int
	units, next          load
}

// kept returns a piece of a stream; those without addresses are written once.
func (v visitor) kept(w writer, k key, write func() dram.Stream) dram.Stream {
	if !w.bare {
		return write()
	}
	k.pattern, k.cols, k.fold, k.gapless = v.s.pattern, v.s.cols, v.s.fold, v.s.cols*v.s.lanes == v.s.pitch
	k.pack = 0
	d := v.d
	d.mu.Lock()
	defer d.mu.Unlock()
	st, ok := d.pieces[k]
	if !ok {
		st = slices.Clip(write())
		d.pieces[k] = st
	}
	return st
}

// open writes the activations of a row, and a fill in the time that they take.
func (v visitor) open(w writer, acts int, l load) dram.Stream {
	return v.kept(w, key{acts: acts, units: l}, func() dram.Stream { return v.writeOpen(w, acts, l) })
}

func (v visitor) writeOpen(w writer, acts int, l load) dram.Stream {
	f, t := v.feed(l, 0), &v.d.waits
	st := make(dram.Stream, 0, 2*quads+2)
	row := w.row()
	gap := int(max(t.shut-t.toWrite, 0)/t.write) + 1 // writes before the first activation
	if v.d.basic {
		gap = f.left
	}
	for _, o := range v.d.ops.act[:acts] {
		st = append(st, v.write(w, f, min(gap, f.left), 0, 0)...)
		st = append(st, dram.Do(dram.Command{Op: o, Row: row}))
		gap = int(t.act / t.write)
	}
	return append(st, v.write(w, f, f.left, 0, 0)...)
}

// step multiplies a fill in buffers from the given one on by the groups of the open
// row, and writes the next fill.
func (v visitor) step(w writer, groups int, l, next load, buffer int) dram.Stream {
	return v.kept(w, key{groups: groups, buffer: buffer, units: l, next: next}, func() dram.Stream {
		return v.writeStep(w, groups, l, next, buffer)
	})
}

func (v visitor) writeStep(w writer, groups int, l, next load, buffer int) dram.Stream {
	var st dram.Stream
	s := v.s
	_, unit, _, group := s.part.steps(v.d)
	group = place{col: s.cols, result: group.result}
	pixel := place{buf: s.cols, result: s.outs}
	ahead := w
	ahead.place.source += s.depth * unit.source
	f, carriers := &feed{}, 0
	if s.double {
		f = v.feed(next, s.depth-buffer)
		carriers = v.d.carriers(s.cols, f.left, l.pixels(s.fold)*groups)
	}
	for u := range l.units() {
		pixels := s.fold
		if u == l.full {
			pixels = l.tail
		}
		x := w.ahead(u, place{result: unit.result})
		done := 0
		for ; done < pixels && carriers > 0; done++ {
			y := x.ahead(done, pixel)
			g := 0
			for ; g < groups && carriers > 0; g++ {
				z := y.ahead(g, group)
				z.place.source = ahead.place.source
				st = append(st, v.carry(z, f, ceilDiv(f.left, carriers), buffer+u)...)
				carriers--
			}
			st = append(st, y.ahead(g, group).loop(groups-g, group, func(w writer) dram.Stream { return v.dot(w, buffer+u) })...)
		}
		st = append(st, x.ahead(done, pixel).loop(pixels-done, pixel, func(w writer) dram.Stream {
			return w.loop(groups, group, func(w writer) dram.Stream { return v.dot(w, buffer+u) })
		})...)
	}
	if !s.double {
		f = v.feed(next, 0)
		st = append(st, v.write(ahead, f, f.left, 0, 0)...)
	}
	return st
}

// room is how many columns of a fill can be written without a wait between the
// multiplications of a result of cols columns, while the bus is turned before and after.
func (d *Device) room(cols int) int {
	w := &d.waits
	return cols - int(w.toWrite/w.comp) - int((w.toRead-1)/w.comp)
}

// carriers is how many results of cols columns carry a fill of n columns between
// their multiplications: if it fits without a wait, the fewest, otherwise one, so
// that the bus turns once.
func (d *Device) carriers(cols, n, results int) int {
	if room := d.room(cols); room > 0 {
		if c := ceilDiv(n, room); c <= results {
			return c
		}
	}
	return min(1, n)
}

// carry is dot with n columns of a feed written in between.
func (v visitor) carry(w writer, f *feed, n, buffer int) dram.Stream {
	t := &v.d.waits
	cols := v.s.cols
	lead := min(int(t.toWrite/t.comp), cols) // the bus is turned meanwhile
	pairs := min(n, cols-lead)
	st := v.run(w, lead, buffer)
	mid := w
	mid.place.col += lead
	mid.place.buf += lead
	st = append(st, v.write(mid, f, n, pairs, buffer)...)
	mid.place.col += pairs
	mid.place.buf += pairs
	st = append(st, v.run(mid, cols-lead-pairs, buffer)...)
	return append(st, v.read(w))
}

// dot is the columns of a pixel times those of an output group, and the result.
func (v visitor) dot(w writer, buffer int) dram.Stream {
	return append(v.run(w, v.s.cols, buffer), v.read(w))
}

func (v visitor) run(w writer, n, buffer int) dram.Stream {
	return w.loop(n, place{col: 1, buf: 1}, func(w writer) dram.Stream { return dram.Stream{v.comp(w, buffer)} })
}

func (v visitor) comp(w writer, buffer int) dram.Item {
	return dram.Do(dram.Command{Op: v.d.ops.comp[buffer], Row: w.row(), Col: w.col(), Buf: w.buf()})
}

func (v visitor) read(w writer) dram.Item {
	return dram.Do(dram.Command{Op: v.d.ops.read, Data: w.result()})
}

// columnWork counts the commands of a share of single columns.
func (d *Device) columnWork(s share) work {
	var w work
	for i := range s {
		sp := &s[i]
		p, all := sp.packed(d.quad()), sp.all()
		chunks := int64(sp.at[byMatrix].Len() * sp.at[byChunk].Len())
		pixels := chunks * int64(sp.selected())
		w.reads += pixels * int64(sp.at[byGroup].Len())
		w.comps += pixels * int64(sp.at[byGroup].Len()*sp.cols)
		visits := func(groups int) int64 {
			n := sp.depth
			if !sp.inputs {
				n = d.run(sp, groups)
			}
			return int64(ceilDiv(all.units(), n))
		}
		before, last := chunks*int64(p.rows-1)*visits(p.groups), chunks*visits(p.last)
		w.visits += before + last
		w.acts += before*quads + last*int64(p.acts)
		if sp.inputs {
			w.writes += pixels * int64(sp.cols)
		} else {
			w.writes += pixels * int64(p.rows*sp.cols)
		}
	}
	return w
}

// columnShape appends what the timing of a share of single columns depends on.
func (d *Device) columnShape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		p, all := sp.packed(d.quad()), sp.all()
		mode := 0
		if sp.inputs {
			mode = 1
		}
		if sp.double {
			mode += 2
		}
		if sp.cols*sp.lanes == sp.pitch {
			mode += 4
		}
		for _, v := range [...]int{
			sp.at[byMatrix].Len(), sp.at[byChunk].Len(), p.rows, p.groups, p.last, p.acts, sp.cols, all.full, all.tail, sp.fold, sp.depth, mode,
		} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

// rows is the number of packed rows of a span.
func (s *span) rows(quad int) int {
	return s.at[byMatrix].Len() * s.at[byChunk].Len() * s.packed(quad).rows
}
