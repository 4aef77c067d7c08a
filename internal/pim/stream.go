package pim

import (
	"encoding/binary"

	"pimflow/internal/dram"
)

// place is an address of each kind, or the distance between two.
type place struct {
	row, col       int
	buf, into      int // column of the buffer that is multiplied, that is written
	source, result int
	acc            int
}

func (p place) plus(q place, n int) place {
	return place{
		p.row + n*q.row, p.col + n*q.col, p.buf + n*q.buf, p.into + n*q.into, p.source + n*q.source, p.result + n*q.result,
		p.acc + n*q.acc,
	}
}

// writer writes a share as a stream: where it stands, and the steps of the loops
// around it.
type writer struct {
	d     *Device
	bare  bool // leaves addresses out
	made  *batches
	stock *stock // where items are from; nil: from anywhere
	place
	steps []place
}

// loop writes body n times, a step apart; a loop of one is no loop.
func (w writer) loop(n int, step place, body func(w writer) dram.Stream) dram.Stream {
	switch n {
	case 0:
		return nil
	case 1:
		return body(w)
	}
	if !w.bare {
		w.steps = append(w.steps[:len(w.steps):len(w.steps)], step)
	}
	return w.join(nil, dram.Loop(n, body(w)...))
}

// join appends items to a stream.
func (w writer) join(st dram.Stream, more ...dram.Item) dram.Stream {
	if w.stock != nil && cap(st)-len(st) < len(more) {
		st = w.stock.grown(st, len(more))
	}
	return append(st, more...)
}

// ahead returns the writer n steps further.
func (w writer) ahead(n int, step place) writer {
	w.place = w.plus(step, n)
	return w
}

// do is the item of one command. Without addresses there is one of each kind.
func (w writer) do(c dram.Command) dram.Item {
	if w.bare {
		return dram.Item{Command: &w.d.bare[c.Op]}
	}
	return dram.Do(c)
}

func (w writer) row() dram.Affine    { return w.affine(func(p place) int { return p.row }) }
func (w writer) col() dram.Affine    { return w.affine(func(p place) int { return p.col }) }
func (w writer) buf() dram.Affine    { return w.affine(func(p place) int { return p.buf }) }
func (w writer) into() dram.Affine   { return w.affine(func(p place) int { return p.into }) }
func (w writer) source() dram.Affine { return w.affine(func(p place) int { return p.source }) }
func (w writer) result() dram.Affine { return w.affine(func(p place) int { return p.result }) }
func (w writer) acc() dram.Affine    { return w.affine(func(p place) int { return p.acc }) }

func (w writer) affine(pick func(p place) int) dram.Affine {
	if w.bare {
		return dram.Affine{}
	}
	a := dram.Affine{Base: int64(pick(w.place))}
	for d, s := range w.steps {
		if v := pick(s); v != 0 {
			for len(a.Stride) < d {
				a.Stride = append(a.Stride, 0)
			}
			a.Stride = append(a.Stride, int64(v))
		}
	}
	return a
}

// stream is the program of a channel, whose first row is row 0.
func (d *Device) stream(s share) dram.Stream { return writer{d: d, made: new(batches)}.share(s) }

func (w writer) share(s share) dram.Stream {
	if w.d.ops.dialect.column {
		return w.columns(s)
	}
	var st dram.Stream
	first, d := w.d.rows(s).Lo, w.d
	for i := range s {
		sp := &s[i]
		matrix, unit, chunk, group := sp.part.steps(d)
		w := w
		w.place = sp.start()
		w.place.row -= first
		w = w.ahead(sp.at[byMatrix].Lo, matrix).ahead(sp.at[byUnit].Lo, unit)
		w = w.ahead(sp.at[byChunk].Lo, chunk).ahead(sp.at[byGroup].Lo, group)
		st = append(st, w.loop(sp.at[byMatrix].Len(), matrix, func(w writer) dram.Stream {
			full := sp.full()
			body := w.loop(full, unit, func(w writer) dram.Stream { return w.unit(sp, sp.fold) })
			if sp.short() {
				body = append(body, w.ahead(full, unit).unit(sp, sp.tail)...)
			}
			return body
		})...)
	}
	return st
}

// start is the place of a part's first item.
func (p *part) start() place {
	return place{row: p.row, source: p.block.source + p.k0*p.lanes, result: p.block.result}
}

// steps are the distances from an item of a part to the next along each
// dimension.
func (p *part) steps(d *Device) (matrix, unit, chunk, group place) {
	matrix = place{row: p.chunks * p.groups, source: p.pixels * p.pitch, result: p.pixels * p.outs}
	unit = place{source: p.fold * p.pitch, result: p.fold * p.outs}
	chunk = place{row: p.groups, source: p.cols * p.lanes}
	group = place{row: 1, result: d.m.Banks}
	return matrix, unit, chunk, group
}

// unit writes the items of a buffer of that many pixels, for each chunk.
func (w writer) unit(s *span, pixels int) dram.Stream {
	_, _, chunk, group := s.part.steps(w.d)
	return w.loop(s.at[byChunk].Len(), chunk, func(w writer) dram.Stream {
		full, acts := s.sets(w.d)
		st := append(make(dram.Stream, 0, 3), w.do(dram.Command{
			Op: w.d.ops.Write[0], Data: w.source(),
			Fill: dram.Gather{Len: s.cols * s.lanes, Count: pixels, Pitch: s.pitch},
		}))
		st = append(st, w.loop(full, group, func(w writer) dram.Stream { return w.set(s, w.d.acts(), pixels) })...)
		if acts > 0 {
			st = append(st, w.ahead(full, group).set(s, acts, pixels)...)
		}
		return st
	})
}

// set writes an item. Without addresses there are few different ones.
func (w writer) set(s *span, acts, pixels int) dram.Stream {
	if !w.bare {
		return w.item(s, acts, pixels)
	}
	key := [3]int{acts, pixels, s.cols}
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	st := w.d.sets[key]
	if st == nil {
		st = w.item(s, acts, pixels)
		w.d.sets[key] = st
	}
	return st
}

// item writes activations, then the columns and the results of each pixel in the
// buffer.
func (w writer) item(s *span, acts, pixels int) dram.Stream {
	st := make(dram.Stream, 0, acts+2)
	row := w.row()
	for _, o := range w.d.ops.Open[:acts] {
		st = append(st, w.do(dram.Command{Op: o, Row: row}))
	}
	pixel := place{col: s.cols, result: s.outs}
	return append(st, w.loop(pixels, pixel, func(w writer) dram.Stream {
		st := w.loop(s.cols, place{col: 1}, func(w writer) dram.Stream {
			return dram.Stream{w.do(dram.Command{Op: w.d.ops.Comp[0], Row: w.row(), Col: w.col()})}
		})
		return append(st, w.do(dram.Command{Op: w.d.ops.Read, Data: w.result()}))
	})...)
}

// sets is the number of output groups of the span that need all banks, and the
// activations that the last one needs, 0 if it is one of them or not in the span.
func (s *span) sets(d *Device) (full, acts int) {
	full = s.at[byGroup].Len()
	if a := ceilDiv(s.ends, d.gang()); s.at[byGroup].Hi == s.groups && a < d.acts() {
		return full - 1, a
	}
	return full, 0
}

// acts is the number of activations that open all banks.
func (d *Device) acts() int { return len(d.ops.Open) }

// gang is the number of banks that an activation opens.
func (d *Device) gang() int { return d.m.Banks / d.acts() }

// shape appends what the timing of a share depends on.
func (d *Device) shape(key []byte, s share) []byte {
	if d.ops.dialect.column {
		return d.columnShape(key, s)
	}
	for i := range s {
		sp := &s[i]
		tail := 0
		if sp.short() {
			tail = sp.tail
		}
		groups, acts := sp.sets(d)
		for _, v := range [...]int{
			sp.at[byMatrix].Len(), sp.full(), tail, sp.fold, sp.at[byChunk].Len(), groups, acts, sp.cols,
		} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}
