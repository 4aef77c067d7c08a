package pim

import (
	"slices"

	"pimflow/internal/dram"
)

// visitor writes visits to the rows of a span.
type visitor struct {
	d *Device
	s *span
	p packed
}

// fill writes a fill and the visits of all rows of a chunk to it.
func (v visitor) fill(w writer, set place, l load) dram.Stream {
	full := v.p.rows
	if v.p.last < v.p.groups || v.p.acts < v.d.acts() {
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
	st := visit(w, v.p.groups, v.d.acts(), l)
	w = w.ahead(1, set)
	st = append(st, w.loop(full-1, set, func(w writer) dram.Stream { return visit(w, v.p.groups, v.d.acts(), load{}) })...)
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
	st := make(dram.Stream, 0, 2*acts+2)
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
