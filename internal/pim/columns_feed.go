package pim

import "pimflow/internal/dram"

// feed is columns that are still to be written to buffers.
type feed struct {
	pieces []feedPiece
	left   int
	lanes  int
}

// feedPiece is columns of the inputs in a row: source and into relative to the
// writer's.
type feedPiece struct{ buffer, source, into, n int }

// feed lists the columns of a fill to buffers from the given one on.
func (v visitor) feed(bs []batch, buffer int) *feed {
	s, f := v.s, &feed{lanes: v.s.lanes}
	for i := range bs {
		b := &bs[i]
		f.left += b.pixels(s.fold) * b.cols
		for u := range b.units() {
			pixels := s.fold
			if u == b.full {
				pixels = b.tail
			}
			p := feedPiece{buffer: buffer, source: (b.pixel + u*s.fold) * s.pitch, n: pixels * b.cols}
			buffer += s.wide
			if b.cols*s.lanes == s.pitch && s.wide == 1 {
				f.pieces = append(f.pieces, p)
				continue
			}
			for range pixels {
				for at := 0; at < b.cols; {
					col, n := b.column(at)
					n = v.within(at, n)
					f.pieces = append(f.pieces, feedPiece{p.buffer + at/v.d.buffer, p.source + col*s.lanes, p.into + at%v.d.buffer, n})
					at += n
				}
				p.into += b.cols
				p.source += s.pitch
			}
		}
	}
	return f
}

// drop leaves n columns out.
func (f *feed) drop(n int) {
	for f.left -= n; n > 0; {
		p := &f.pieces[0]
		t := min(n, p.n)
		p.n, p.source, p.into, n = p.n-t, p.source+t*f.lanes, p.into+t, n-t
		if p.n == 0 {
			f.pieces = f.pieces[1:]
		}
	}
}

// write takes n columns from a feed: pairs of them each behind a multiplication in the
// given buffer, of the columns of a batch from the given one on, then the others.
func (v visitor) write(w writer, f *feed, n, pairs, buffer int, b *batch, at int) dram.Stream {
	var st dram.Stream
	for n > 0 {
		p := &f.pieces[0]
		t := min(n, p.n)
		x := w
		x.place.source += p.source
		x.place.into += p.into
		step := place{source: v.s.lanes, into: 1}
		both, from := pairs > 0, 0
		if both {
			col, left := b.column(at)
			x.place.col += col
			x.place.buf += at % v.d.buffer
			from = buffer + at/v.d.buffer
			t = min(t, pairs, v.within(at, left))
			step.col, step.buf = 1, 1
			pairs, at = pairs-t, at+t
		}
		st = append(st, x.loop(t, step, func(w writer) dram.Stream {
			write := w.do(dram.Command{Op: v.d.ops.Write[p.buffer], Buf: w.into(), Data: w.source()})
			if both {
				return dram.Stream{v.comp(w, from), write}
			}
			return dram.Stream{write}
		})...)
		n -= t
		f.drop(t)
	}
	return st
}
