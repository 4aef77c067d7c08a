package pim

import (
	"encoding/binary"

	"pimflow/internal/dram"
)

// visit writes one visit to a row: units pass it.
func (v visitor) visit(w writer, groups, acts int, bs []batch) dram.Stream {
	h, fold, units := v.s.fillUnits, v.s.fold, unitsOf(bs)
	st := v.open(w, acts, v.cut(bs, 0, h), 0)
	buffer := 0
	step := func(w writer, u int) dram.Stream {
		st := v.step(w, groups, v.cut(bs, u, u+h), v.cut(bs, u+h, u+2*h), buffer, 0)
		if v.s.doubleBuffered {
			buffer = h*v.s.unitBuffers - buffer
		}
		return st
	}
	for u := 0; u < units; u += h {
		// Equal steps in a row as a loop; double-buffered, an even number of them.
		if n := fullUnitsFrom(bs, u)/h - 1; n > 1 && v.s.doubleBuffered {
			st = w.join(st, w.loop(n/2, v.pixels(2*h*fold), func(w writer) dram.Stream { return w.join(step(w, u), step(w, u+h)...) })...)
			u += n / 2 * 2 * h
		} else if n > 0 && !v.s.doubleBuffered {
			st = w.join(st, w.loop(n, v.pixels(h*fold), func(w writer) dram.Stream { return step(w, u) })...)
			u += n * h
		}
		st = w.join(st, step(w, u)...)
	}
	return w.join(st, v.close(w))
}

func (v visitor) close(w writer) dram.Item { return w.command(v.d.ops.Close[0]) }

// kept returns a piece of a stream. Without addresses a piece is written once; it depends on
// the numbers, the units and the dataflow.
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
	if v.s.doubleBuffered {
		double = 1
	}
	add(numbers[:]...)
	add(v.s.fillUnits, v.s.unitBuffers, v.s.bufferColumns, double, v.s.fold, len(now))
	for i := range now {
		add(now[i].full, now[i].tail, now[i].cols)
	}
	for i := range next {
		add(next[i].full, next[i].tail, next[i].cols)
	}
	w.arena = nil
	v.mu.Lock()
	defer v.mu.Unlock()
	st, ok := v.pieces[string(key)]
	if !ok {
		st = dram.Stream{dram.Loop(1, write(w)...)} // one item, the same wherever it is used
		v.pieces[string(key)] = st
	}
	return st
}

// open writes the activations of a row and, in the time that they take, a fill but for its
// last late columns.
func (v visitor) open(w writer, acts int, bs []batch, late int) dram.Stream {
	return v.kept(w, [4]int{acts, 0, 0, late}, bs, nil, func(w writer) dram.Stream { return v.writeOpen(w, acts, bs, late) })
}

func (v visitor) writeOpen(w writer, acts int, bs []batch, late int) dram.Stream {
	f, t := v.pendingWrites(bs, 0), &v.waits
	st := make(dram.Stream, 0, 2*acts+2)
	gap := int(max(t.shut-t.toWrite, 0)/t.write) + 1 // writes before the first activation
	if v.d.basic {
		gap = f.left
	}
	for _, o := range v.d.ops.Open[:acts] {
		st = w.join(st, v.write(w, f, min(gap, f.left-late), 0, 0, nil, 0)...)
		st = w.join(st, w.command(o))
		gap = int(t.act / t.write)
	}
	return w.join(st, v.write(w, f, f.left-late, 0, 0, nil, 0)...)
}

// step multiplies a fill, in buffers from the given one on, by the groups of the open row.
// Between the multiplications it writes its own last late columns, or the next fill.
//
// In the literature: a software-pipelined loop body.
func (v visitor) step(w writer, groups int, now, next []batch, buffer, late int) dram.Stream {
	return v.kept(w, [4]int{0, groups, buffer, late}, now, next, func(w writer) dram.Stream { return v.writeStep(w, groups, now, next, buffer, late) })
}

func (v visitor) writeStep(w writer, groups int, now, next []batch, buffer, late int) dram.Stream {
	var st dram.Stream
	s := v.s
	group := address{col: s.cols, result: v.d.outputs}
	f, carriers := &pendingWrites{}, 0
	turn := int(v.waits.toWrite / v.waits.comp) // the bus is turned after a result
	lead := turn
	switch {
	case late > 0:
		f = v.pendingWrites(now, 0)
		f.drop(f.left - late)
		_, results := v.overlapped(s, groups, now)
		carriers, lead = v.overlapResults(now[0].cols, late, results), 0
	case s.doubleBuffered:
		f = v.pendingWrites(next, s.fillUnits*s.unitBuffers-buffer)
		carriers = v.overlapResults(now[0].cols, f.left, pixelsOf(now, s.fold)*groups)
	}
	for i := range now {
		b := &now[i]
		pixel := address{buf: b.cols, result: s.outs}
		for u := range b.units() {
			pixels := s.fold
			if u == b.full {
				pixels = b.tail
			}
			x := w.ahead(b.pixel+u*s.fold, address{result: s.outs})
			done := 0
			for ; done < pixels && carriers > 0; done++ {
				y := x.ahead(done, pixel)
				g := 0
				for ; g < groups && carriers > 0; g++ {
					st = w.join(st, v.overlapDot(y.ahead(g, group), f, ceilDiv(f.left, carriers), lead, buffer, b)...)
					carriers, lead = carriers-1, turn
				}
				st = w.join(st, y.ahead(g, group).loop(groups-g, group, func(w writer) dram.Stream { return v.dot(w, buffer, b) })...)
			}
			st = w.join(st, x.ahead(done, pixel).loop(pixels-done, pixel, func(w writer) dram.Stream {
				return w.loop(groups, group, func(w writer) dram.Stream { return v.dot(w, buffer, b) })
			})...)
			buffer += s.unitBuffers
		}
	}
	if !s.doubleBuffered {
		f = v.pendingWrites(next, 0)
		st = w.join(st, v.write(w, f, f.left, 0, 0, nil, 0)...)
	}
	return st
}

// pendingWrites is the columns of a fill that are still to be written to buffers.
type pendingWrites struct {
	runs  []pendingRun
	left  int
	lanes int
}

// pendingRun is a run of neighbouring columns of the inputs. source and into are relative to
// the writer.
type pendingRun struct{ buffer, source, into, n int }

// pendingWrites lists the columns of a fill to buffers from the given one on.
func (v visitor) pendingWrites(bs []batch, buffer int) *pendingWrites {
	s, f := v.s, &pendingWrites{lanes: v.s.lanes}
	for i := range bs {
		b := &bs[i]
		f.left += b.pixels(s.fold) * b.cols
		for u := range b.units() {
			pixels := s.fold
			if u == b.full {
				pixels = b.tail
			}
			p := pendingRun{buffer: buffer, source: (b.pixel + u*s.fold) * s.pitch, n: pixels * b.cols}
			buffer += s.unitBuffers
			if b.cols*s.lanes == s.pitch && s.unitBuffers == 1 {
				f.runs = append(f.runs, p)
				continue
			}
			for range pixels {
				for at := 0; at < b.cols; {
					col, n := b.column(at)
					n = v.within(at, n)
					f.runs = append(f.runs, pendingRun{p.buffer + at/v.s.bufferColumns, p.source + col*s.lanes, p.into + at%v.s.bufferColumns, n})
					at += n
				}
				p.into += b.cols
				p.source += s.pitch
			}
		}
	}
	return f
}

// column is the i-th column that a batch needs, and how many follow it without a gap, itself
// included.
func (b *batch) column(i int) (col, left int) {
	if b.need == nil {
		return i, b.cols - i
	}
	for _, r := range b.need {
		if n := r.Len(); i >= n {
			i -= n
			continue
		}
		return r.Lo + i, r.Len() - i
	}
	panic("pim: a column that is not needed")
}

// drop leaves n columns out.
func (f *pendingWrites) drop(n int) {
	for f.left -= n; n > 0; {
		p := &f.runs[0]
		t := min(n, p.n)
		p.n, p.source, p.into, n = p.n-t, p.source+t*f.lanes, p.into+t, n-t
		if p.n == 0 {
			f.runs = f.runs[1:]
		}
	}
}

// write writes the next n pending columns. The first pairs of them each follow a
// multiplication: of columns at and on of a batch in the given buffer.
func (v visitor) write(w writer, f *pendingWrites, n, pairs, buffer int, b *batch, at int) dram.Stream {
	var st dram.Stream
	for n > 0 {
		p := &f.runs[0]
		t := min(n, p.n)
		x := w
		x.address.source += p.source
		x.address.into += p.into
		step := address{source: v.s.lanes, into: 1}
		both, from := pairs > 0, 0
		if both {
			col, left := b.column(at)
			x.address.col += col
			x.address.buf += at % v.s.bufferColumns
			from = buffer + at/v.s.bufferColumns
			t = min(t, pairs, v.within(at, left))
			step.col, step.buf = 1, 1
			pairs, at = pairs-t, at+t
		}
		st = w.join(st, x.loop(t, step, func(w writer) dram.Stream {
			write := w.command(v.d.ops.Write[p.buffer])
			if both {
				return w.join(nil, v.comp(w, from), write)
			}
			return w.join(nil, write)
		})...)
		n -= t
		f.drop(t)
	}
	return st
}

// overlapResults is how many results of cols columns take the n columns of a fill in their
// overlap slots: as few as need no wait, or all. Where there are no slots it is one result, so
// that the bus turns once.
func (c *columns) overlapResults(cols, n, results int) int {
	if room := c.overlapSlots(cols); room > 0 {
		return min(ceilDiv(n, room), results)
	}
	return min(1, n)
}

// overlapDot is dot with n pending columns written after the first lead multiplications.
func (v visitor) overlapDot(w writer, f *pendingWrites, n, lead, buffer int, b *batch) dram.Stream {
	lead = min(lead, b.cols)
	pairs := min(n, b.cols-lead)
	st := v.run(w, buffer, b, 0, lead)
	st = w.join(st, v.write(w, f, n, pairs, buffer, b, lead)...)
	st = w.join(st, v.run(w, buffer, b, lead+pairs, b.cols)...)
	return w.join(st, v.read(w))
}

// dot multiplies the columns of a pixel by those of an output group and reads the result.
func (v visitor) dot(w writer, buffer int, b *batch) dram.Stream {
	return w.join(v.run(w, buffer, b, 0, b.cols), v.read(w))
}

// within is how many of n columns, from column at of a unit on, are in the same buffer.
func (v visitor) within(at, n int) int { return min(n, v.s.bufferColumns-at%v.s.bufferColumns) }

// run multiplies columns lo to hi of a batch, which follow each other in a buffer.
func (v visitor) run(w writer, buffer int, b *batch, lo, hi int) (st dram.Stream) {
	for lo < hi {
		col, left := b.column(lo)
		n := v.within(lo, min(left, hi-lo))
		from := buffer + lo/v.s.bufferColumns
		st = w.join(st, w.ahead(1, address{col: col, buf: lo % v.s.bufferColumns}).loop(n, address{col: 1, buf: 1}, func(w writer) dram.Stream {
			return w.join(nil, v.comp(w, from))
		})...)
		lo += n
	}
	return st
}

func (v visitor) comp(w writer, buffer int) dram.Item {
	return w.command(v.d.ops.Comp[buffer])
}

func (v visitor) read(w writer) dram.Item {
	return w.command(v.d.ops.Read)
}

// pixelsOf is their pixels.
func pixelsOf(bs []batch, fold int) int {
	n := 0
	for i := range bs {
		n += bs[i].pixels(fold)
	}
	return n
}
