package pim

import "pimflow/internal/dram"

func (c *accumulators) stream(w writer, s share) dram.Stream {
	var st dram.Stream
	v := blockWriter{accumulators: c, init: true, read: true}
	row := 0
	for i := range s {
		v.s, v.p = &s[i], s[i].packing(&c.d.geometry)
		var x writer
		x, v.k = w.enter(v.s, v.p, row)
		row += v.s.rowCount(&c.d.geometry)
		st = append(st, v.loop(x, v.s.at[byMatrix].Len(), v.k.matrix, v.matrix)...)
	}
	if v.opened {
		st = append(st, w.command(c.d.ops.Close[0]))
	}
	return st
}

// blockWriter writes the stream of a share block by block.
type blockWriter struct {
	*accumulators
	s *span
	p rowPacking
	k spanSteps

	opened     bool // a row has been opened, which the next opening must close
	acts       int  // activations that the next block begins its COMPs with; 0: its row is open
	init, read bool // blocks begin with inits, end with reads
}

// fills is the fills of a span's pixels.
func (s *span) fills() load {
	l := load{full: s.full()}
	if s.short() {
		l.tail = s.tail
	}
	return l
}

// after returns what is left of l after n units, at most most of them.
func (l load) after(n, most int) load {
	if l.full-n >= most {
		return load{full: most}
	}
	return load{full: max(l.full-n, 0), tail: l.tail}
}

// spanSteps are the distances between the items of a span.
type spanSteps struct {
	matrix, unit, chunk address
	set                 address // to the next row
}

// enter returns the writer at the first item of a span whose rows begin with the given one,
// and the steps from there.
func (w writer) enter(sp *span, p rowPacking, row int) (writer, spanSteps) {
	matrix, unit, chunk, group := w.distances(sp.part)
	matrix.row, chunk.row, group.row = sp.at[byChunk].Len()*p.rows, p.rows, 0
	w.address = sp.start()
	w = w.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byUnit].Lo, unit)
	w = w.ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
	w.address.row = row
	return w, spanSteps{matrix, unit, chunk, address{row: 1, result: p.groups * group.result}}
}

// loop writes body n times. The first time stands by itself where it differs: it opens a row
// and the others do not, or no row was open before.
func (v *blockWriter) loop(w writer, n int, step address, body func(w writer) dram.Stream) dram.Stream {
	if n < 2 || v.opened && v.acts == 0 {
		return w.loop(n, step, body)
	}
	st := body(w)
	return append(st, w.ahead(1, step).loop(n-1, step, body)...)
}

// matrix writes the work of a span for one matrix.
func (v *blockWriter) matrix(w writer) dram.Stream {
	s, all, chunks := v.s, v.s.fills(), v.s.at[byChunk].Len()
	if !s.turns(v.p) {
		return v.loop(w, chunks, v.k.chunk, func(w writer) dram.Stream {
			return v.eachRow(w, func(w writer, groups int) dram.Stream { return v.row(w, all, groups) })
		})
	}
	fill := func(w writer, pixels int) dram.Stream {
		return v.chunks(w, chunks, func(w writer) dram.Stream { return v.fill(w, pixels) })
	}
	st := v.loop(w, all.full, v.k.unit, func(w writer) dram.Stream { return fill(w, s.fold) })
	if all.tail > 0 {
		st = append(st, fill(w.ahead(all.full, v.k.unit), all.tail)...)
	}
	return st
}

// chunks writes all chunks of K of a fill's pixels.
func (v *blockWriter) chunks(w writer, n int, fill func(w writer) dram.Stream) dram.Stream {
	if !v.s.outputStationary || n == 1 {
		return v.loop(w, n, v.k.chunk, fill)
	}
	v.read = false
	st := fill(w)
	v.init = false
	st = append(st, v.loop(w.ahead(1, v.k.chunk), n-2, v.k.chunk, fill)...)
	v.read = true
	st = append(st, fill(w.ahead(n-1, v.k.chunk))...)
	v.init = true
	return st
}

// alike is the number of rows of a chunk that are as full as the first and opened in all
// banks.
func (v *blockWriter) alike() int {
	if v.p.last < v.p.groups || v.p.acts < v.d.acts {
		return v.p.rows - 1
	}
	return v.p.rows
}

// eachRow writes a row after the other.
func (v *blockWriter) eachRow(w writer, row func(w writer, groups int) dram.Stream) dram.Stream {
	n := v.alike()
	st := v.loop(w, n, v.k.set, func(w writer) dram.Stream {
		v.acts = v.d.acts
		return row(w, v.p.groups)
	})
	if n < v.p.rows {
		v.acts = v.p.acts
		st = append(st, row(w.ahead(n, v.k.set), v.p.last)...)
	}
	return st
}

// row writes the visits to a row of so many groups while all fills pass it. The row's
// activations are pending.
func (v *blockWriter) row(w writer, all load, groups int) dram.Stream {
	acts, n := v.acts, v.passes(v.s, groups)
	v.acts = 0
	visits := (all.units() - 1) / n // full ones; one more may be shorter
	step := scaled(v.k.unit, n)
	visit := func(w writer, l load) dram.Stream {
		v.acts = acts
		pass := func(pixels int) func(w writer) dram.Stream {
			return func(w writer) dram.Stream {
				return append(v.write(w, pixels, groups), v.tiles(w, pixels, groups, groups)...)
			}
		}
		st := v.loop(w, l.full, v.k.unit, pass(v.s.fold))
		if l.tail > 0 {
			st = append(st, pass(l.tail)(w.ahead(l.full, v.k.unit))...)
		}
		return st
	}
	st := v.loop(w, visits, step, func(w writer) dram.Stream { return visit(w, load{full: n}) })
	return append(st, visit(w.ahead(visits, step), all.after(visits*n, n))...)
}

// fill writes a fill and the visits of all rows of a chunk to it.
func (v *blockWriter) fill(w writer, pixels int) dram.Stream {
	st := v.write(w, pixels, v.p.groups)
	full, each, last := v.alike(), pixels*v.p.groups, 0
	if full < v.p.rows {
		last = v.p.last
	}
	if each > v.s.accumulators {
		return append(st, v.eachRow(w, func(w writer, groups int) dram.Stream { return v.tiles(w, pixels, groups, v.p.groups) })...)
	}
	n := v.s.accumulators / each // rows in a block
	if full*each+last*pixels <= v.s.accumulators {
		return append(st, v.block(w, tile{full, pixels, v.p.groups, last, v.p.groups, true})...)
	}
	step := scaled(v.k.set, n)
	st = append(st, v.loop(w, full/n, step, func(w writer) dram.Stream {
		return v.block(w, tile{n, pixels, v.p.groups, 0, v.p.groups, true})
	})...)
	w = w.ahead(full/n, step)
	rest := full % n
	if rest+last > 0 { // no more than a block: rest < n, and the last row has at most each
		st = append(st, v.block(w, tile{rest, pixels, v.p.groups, last, v.p.groups, true})...)
	}
	return st
}

// write writes a fill of so many pixels, each of them times over.
func (v *blockWriter) write(w writer, pixels, times int) dram.Stream {
	s := v.s
	n := s.cols
	if times == 1 && s.cols*s.lanes == s.pitch { // pixels follow each other
		n, pixels = n*pixels, 1
	}
	return w.loop(pixels, address{source: s.pitch, into: times * s.cols}, func(w writer) dram.Stream {
		return w.loop(times, address{into: s.cols}, func(w writer) dram.Stream {
			return w.loop(n, address{source: s.lanes, into: 1}, func(w writer) dram.Stream {
				return dram.Stream{w.command(v.d.ops.Write[0])}
			})
		})
	})
}

func scaled(p address, n int) address { return address{}.plus(p, n) }
