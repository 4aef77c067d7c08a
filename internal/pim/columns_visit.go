package pim

import (
	"encoding/binary"

	"pimflow/internal/dram"
)

// visitor writes visits to the rows of a span.
type visitor struct {
	*columns
	s    *span
	p    packed
	made *batches // of the span
}

// cut returns units lo to hi of batches.
func (v visitor) cut(bs []batch, lo, hi int) []batch {
	return v.made.add(func(to []batch) []batch { return cut(to, bs, v.s.fold, lo, hi) })
}

// chunks writes the chunks of the span of which batches need something.
func (v visitor) chunks(w writer, chunk place, bs []batch, write func(w writer, bs []batch) dram.Stream) (st dram.Stream) {
	lo, hi := v.s.at[byChunk].Lo, v.s.at[byChunk].Hi
	for c := lo; c < hi; {
		n := v.s.alike(bs, c, hi, w.bare)
		if now := v.made.add(func(to []batch) []batch { return v.s.of(to, bs, c, w.bare) }); len(now) > 0 {
			st = w.join(st, w.ahead(c-lo, chunk).loop(n, chunk, func(w writer) dram.Stream { return write(w, now) })...)
		}
		c += n
	}
	return st
}

// pixel is the distance from a pixel to the next.
func (v visitor) pixel() place { return place{source: v.s.pitch, result: v.s.outs} }

// fills writes fills, each followed by the visits of all rows to it.
func (v visitor) fills(w writer, chunk place, bs []batch) (st dram.Stream) {
	h, fold := v.s.depth, v.s.fold
	for u, units := 0, unitsOf(bs); u < units; {
		n := max(1, same(bs, u)/h)
		now := v.cut(bs, u, u+h)
		st = w.join(st, w.loop(n, scaled(v.pixel(), h*fold), func(w writer) dram.Stream { return v.chunks(w, chunk, now, v.fill) })...)
		u += n * h
	}
	return st
}

// sets is how many rows are visited alike, and the step from one to the next.
func (v visitor) sets() (full int, step place) {
	full = v.p.rows
	if v.p.last < v.p.groups || v.p.acts < v.d.acts {
		full--
	}
	return full, place{row: 1, result: v.p.groups * v.d.outputs}
}

// fill writes a fill and the visits of all rows of a chunk to it.
func (v visitor) fill(w writer, bs []batch) dram.Stream {
	full, set := v.sets()
	visit := func(w writer, groups, acts int, f []batch) dram.Stream {
		late := 0
		if f != nil {
			late, _ = v.late(v.s, groups, f)
		}
		st := v.open(w, acts, f, late)
		st = w.join(st, v.step(w, groups, bs, nil, 0, late)...)
		return w.join(st, v.close(w))
	}
	if full == 0 {
		return visit(w, v.p.last, v.p.acts, bs)
	}
	st := visit(w, v.p.groups, v.d.acts, bs)
	w = w.ahead(1, set)
	st = w.join(st, w.loop(full-1, set, func(w writer) dram.Stream { return visit(w, v.p.groups, v.d.acts, nil) })...)
	if full < v.p.rows {
		st = w.join(st, visit(w.ahead(full-1, set), v.p.last, v.p.acts, nil)...)
	}
	return st
}

// eachRow writes the visits to the rows of a chunk.
func (v visitor) eachRow(w writer, bs []batch) dram.Stream {
	full, set := v.sets()
	st := w.loop(full, set, func(w writer) dram.Stream { return v.row(w, v.p.groups, v.d.acts, bs) })
	if full < v.p.rows {
		st = w.join(st, v.row(w.ahead(full, set), v.p.last, v.p.acts, bs)...)
	}
	return st
}

// row writes all the visits to a row, with so many groups in it.
func (v visitor) row(w writer, groups, acts int, bs []batch) (st dram.Stream) {
	units := unitsOf(bs)
	n := v.runs(v.s, groups).length(units)
	for u := 0; u < units; {
		times := max(1, same(bs, u)/n)
		now := v.cut(bs, u, u+n)
		st = w.join(st, w.loop(times, scaled(v.pixel(), n*v.s.fold), func(w writer) dram.Stream { return v.visit(w, groups, acts, now) })...)
		u += times * n
	}
	return st
}

// visit writes one visit to a row: units pass it.
func (v visitor) visit(w writer, groups, acts int, bs []batch) dram.Stream {
	h, fold, units := v.s.depth, v.s.fold, unitsOf(bs)
	st := v.open(w, acts, v.cut(bs, 0, h), 0)
	buffer := 0
	step := func(w writer, u int) dram.Stream {
		st := v.step(w, groups, v.cut(bs, u, u+h), v.cut(bs, u+h, u+2*h), buffer, 0)
		if v.s.double {
			buffer = h*v.s.wide - buffer
		}
		return st
	}
	for u := 0; u < units; u += h {
		// Steps that are followed by one alike; an even number where buffers change.
		if n := same(bs, u)/h - 1; n > 1 && v.s.double {
			st = w.join(st, w.loop(n/2, scaled(v.pixel(), 2*h*fold), func(w writer) dram.Stream { return w.join(step(w, u), step(w, u+h)...) })...)
			u += n / 2 * 2 * h
		} else if n > 0 && !v.s.double {
			st = w.join(st, w.loop(n, scaled(v.pixel(), h*fold), func(w writer) dram.Stream { return step(w, u) })...)
			u += n * h
		}
		st = w.join(st, step(w, u)...)
	}
	return w.join(st, v.close(w))
}

func (v visitor) close(w writer) dram.Item { return w.do(dram.Command{Op: v.d.ops.Close[0]}) }

// kept returns a piece of a stream; those without addresses are written once. It
// depends on the numbers and on the units, besides the pattern.
func (v visitor) kept(w writer, numbers [4]int, now, next []batch, write func(w writer) dram.Stream) dram.Stream {
	if !w.bare {
		return write(w)
	}
	var buf [128]byte
	key := buf[:0]
	add := func(n ...int) {
		for _, v := range n {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	double := 0
	if v.s.double {
		double = 1
	}
	add(numbers[:]...)
	add(v.s.depth, v.s.wide, double, v.s.fold, len(now))
	for i := range now {
		add(now[i].full, now[i].tail, now[i].cols)
	}
	for i := range next {
		add(next[i].full, next[i].tail, next[i].cols)
	}
	w.stock = nil
	v.mu.Lock()
	defer v.mu.Unlock()
	st, ok := v.pieces[string(key)]
	if !ok {
		st = dram.Stream{dram.Loop(1, write(w)...)} // one piece, wherever it stands
		v.pieces[string(key)] = st
	}
	return st
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

// open writes the activations of a row, and a fill, but so many columns, in the time that
// they take.
func (v visitor) open(w writer, acts int, bs []batch, late int) dram.Stream {
	return v.kept(w, [4]int{acts, 0, 0, late}, bs, nil, func(w writer) dram.Stream { return v.writeOpen(w, acts, bs, late) })
}

func (v visitor) writeOpen(w writer, acts int, bs []batch, late int) dram.Stream {
	f, t := v.feed(bs, 0), &v.waits
	st := make(dram.Stream, 0, 2*acts+2)
	row := w.row()
	gap := int(max(t.shut-t.toWrite, 0)/t.write) + 1 // writes before the first activation
	if v.d.basic {
		gap = f.left
	}
	for _, o := range v.d.ops.Open[:acts] {
		st = w.join(st, v.write(w, f, min(gap, f.left-late), 0, 0, nil, 0)...)
		st = w.join(st, w.do(dram.Command{Op: o, Row: row}))
		gap = int(t.act / t.write)
	}
	return append(st, v.write(w, f, f.left-late, 0, 0, nil, 0)...)
}

// step multiplies a fill in buffers from the given one on by the groups of the open
// row, and writes its last late columns or the next fill.
func (v visitor) step(w writer, groups int, now, next []batch, buffer, late int) dram.Stream {
	return v.kept(w, [4]int{0, groups, buffer, late}, now, next, func(w writer) dram.Stream { return v.writeStep(w, groups, now, next, buffer, late) })
}

func (v visitor) writeStep(w writer, groups int, now, next []batch, buffer, late int) dram.Stream {
	var st dram.Stream
	s := v.s
	group := place{col: s.cols, result: v.d.outputs}
	f, carriers := &feed{}, 0
	lead := int(v.waits.toWrite / v.waits.comp) // the bus is turned meanwhile
	switch {
	case late > 0:
		f = v.feed(now, 0)
		f.drop(f.left - late)
		_, results := v.late(s, groups, now)
		carriers, lead = v.carriers(now[0].cols, late, results), 0
	case s.double:
		f = v.feed(next, s.depth*s.wide-buffer)
		carriers = v.carriers(now[0].cols, f.left, pixelsOf(now, s.fold)*groups)
	}
	for i := range now {
		b := &now[i]
		pixel := place{buf: b.cols, result: s.outs}
		for u := range b.units() {
			pixels := s.fold
			if u == b.full {
				pixels = b.tail
			}
			x := w.ahead(b.pixel+u*s.fold, place{result: s.outs})
			done := 0
			for ; done < pixels && carriers > 0; done++ {
				y := x.ahead(done, pixel)
				g := 0
				for ; g < groups && carriers > 0; g++ {
					st = w.join(st, v.carry(y.ahead(g, group), f, ceilDiv(f.left, carriers), lead, buffer, b)...)
					carriers--
				}
				st = w.join(st, y.ahead(g, group).loop(groups-g, group, func(w writer) dram.Stream { return v.dot(w, buffer, b) })...)
			}
			st = w.join(st, x.ahead(done, pixel).loop(pixels-done, pixel, func(w writer) dram.Stream {
				return w.loop(groups, group, func(w writer) dram.Stream { return v.dot(w, buffer, b) })
			})...)
			buffer += s.wide
		}
	}
	if !s.double {
		f = v.feed(next, 0)
		st = w.join(st, v.write(w, f, f.left, 0, 0, nil, 0)...)
	}
	return st
}
