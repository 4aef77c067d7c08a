package pim

import (
	"slices"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

func (c *columns) stream(w writer, s share) dram.Stream {
	var st dram.Stream
	row := 0
	for i := range s {
		sp := &s[i]
		matrix, _, chunk, group := w.distances(sp.part)
		p := sp.packing(&c.d.geometry)
		matrix.row, chunk.row, group.row = sp.at[byChunk].Len()*p.rows, p.rows, 0
		x := w
		x.address = sp.start()
		x = x.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
		x.address.row = row
		row += sp.at[byMatrix].Len() * matrix.row
		*w.batches = (*w.batches)[:0]
		v := visitor{c, sp, p, w.batches}
		st = w.join(st, x.loop(sp.at[byMatrix].Len(), matrix, func(w writer) dram.Stream {
			all := w.batches.add(sp.batches)
			if sp.inputStationary {
				return v.eachFill(w, chunk, all)
			}
			return v.chunks(w, chunk, all, v.eachRow)
		})...)
	}
	return st
}

// visitor writes the visits to the rows of a span. A visit opens a row, multiplies, and closes
// it.
type visitor struct {
	*columns
	s       *span
	p       rowPacking
	batches *batchArena // of the span
}

// batchArena holds the batches of a stream, one list after the other.
type batchArena []batch

// add returns what f appends.
func (m *batchArena) add(f func(to []batch) []batch) []batch {
	n := len(*m)
	*m = f(*m)
	return (*m)[n:len(*m):len(*m)]
}

// of appends the batches that need columns of a chunk. Without addresses these are the chunk's
// first columns.
func (p *part) of(to, bs []batch, chunk int, bare bool) []batch {
	for _, b := range bs {
		var some [8]tensor.Range
		need, cols := p.within(some[:0], b.class, chunk)
		if cols == 0 {
			continue
		}
		if b.cols = cols; p.classes != nil && !bare {
			b.need = slices.Clone(need)
		}
		to = append(to, b)
	}
	return to
}

// unitsOf is the number of units of batches.
func unitsOf(bs []batch) int {
	n := 0
	for i := range bs {
		n += bs[i].units()
	}
	return n
}

// fullUnitsFrom counts the full units from one on that are in the same batch.
func fullUnitsFrom(bs []batch, unit int) int {
	for i := range bs {
		n := bs[i].units()
		if unit < n {
			return max(bs[i].full-unit, 0)
		}
		unit -= n
	}
	return 0
}

// cutBatches appends units lo to hi of batches, as far as they exist.
func cutBatches(out, bs []batch, fold, lo, hi int) []batch {
	for _, b := range bs {
		n := b.units()
		if from, to := max(lo, 0), min(hi, n); from < to {
			c := b
			c.pixel += from * fold
			c.load = load{full: min(to, b.full) - from}
			if to > b.full {
				c.tail = b.tail
			}
			out = append(out, c)
		}
		if lo, hi = lo-n, hi-n; hi <= 0 {
			break
		}
	}
	return out
}

// cut returns units lo to hi of batches.
func (v visitor) cut(bs []batch, lo, hi int) []batch {
	return v.batches.add(func(to []batch) []batch { return cutBatches(to, bs, v.s.fold, lo, hi) })
}

// chunks writes the chunks of the span of which batches need columns.
func (v visitor) chunks(w writer, chunk address, bs []batch, write func(w writer, bs []batch) dram.Stream) (st dram.Stream) {
	lo, hi := v.s.at[byChunk].Lo, v.s.at[byChunk].Hi
	for c := lo; c < hi; {
		n := v.s.alike(bs, c, hi, w.bare)
		if now := v.batches.add(func(to []batch) []batch { return v.s.of(to, bs, c, w.bare) }); len(now) > 0 {
			st = w.join(st, w.ahead(c-lo, chunk).loop(n, chunk, func(w writer) dram.Stream { return write(w, now) })...)
		}
		c += n
	}
	return st
}

// pixels is the distance from a pixel to the n-th after it.
func (v visitor) pixels(n int) address { return address{source: n * v.s.pitch, result: n * v.s.outs} }

// eachFill writes fills, each followed by the visits of all rows to it.
func (v visitor) eachFill(w writer, chunk address, bs []batch) (st dram.Stream) {
	h, fold := v.s.fillUnits, v.s.fold
	for u, units := 0, unitsOf(bs); u < units; {
		n := max(1, fullUnitsFrom(bs, u)/h)
		now := v.cut(bs, u, u+h)
		st = w.join(st, w.loop(n, v.pixels(h*fold), func(w writer) dram.Stream { return v.chunks(w, chunk, now, v.fill) })...)
		u += n * h
	}
	return st
}

// sets is the number of rows that are visited alike, and the step from each to the next.
func (v visitor) sets() (full int, step address) {
	full = v.p.rows
	if v.p.last < v.p.groups || v.p.acts < v.d.acts {
		full--
	}
	return full, address{row: 1, result: v.p.groups * v.d.outputs}
}

// fill writes a fill and the visits of all rows of a chunk to it.
func (v visitor) fill(w writer, bs []batch) dram.Stream {
	full, set := v.sets()
	visit := func(w writer, groups, acts int, f []batch) dram.Stream {
		late := 0
		if f != nil {
			late, _ = v.overlapped(v.s, groups, f)
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

// row writes all visits to a row with so many groups.
func (v visitor) row(w writer, groups, acts int, bs []batch) (st dram.Stream) {
	units := unitsOf(bs)
	n := v.runs(v.s, groups).length(units)
	for u := 0; u < units; {
		times := max(1, fullUnitsFrom(bs, u)/n)
		now := v.cut(bs, u, u+n)
		st = w.join(st, w.loop(times, v.pixels(n*v.s.fold), func(w writer) dram.Stream { return v.visit(w, groups, acts, now) })...)
		u += times * n
	}
	return st
}
