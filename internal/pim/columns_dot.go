package pim

import "pimflow/internal/dram"

// carriers is how many results of cols columns carry a fill of n columns between
// their multiplications: the fewest without a wait, or all there are. Where none has
// room it is one, so that the bus turns once.
func (c *columns) carriers(cols, n, results int) int {
	if room := c.room(cols); room > 0 {
		return min(ceilDiv(n, room), results)
	}
	return min(1, n)
}

// carry is dot with n columns of a feed written behind the first lead ones.
func (v visitor) carry(w writer, f *feed, n, lead, buffer int, b *batch) dram.Stream {
	lead = min(lead, b.cols)
	pairs := min(n, b.cols-lead)
	st := v.run(w, buffer, b, 0, lead)
	st = append(st, v.write(w, f, n, pairs, buffer, b, lead)...)
	st = append(st, v.run(w, buffer, b, lead+pairs, b.cols)...)
	return append(st, v.read(w))
}

// dot is the columns of a pixel times those of an output group, and the result.
func (v visitor) dot(w writer, buffer int, b *batch) dram.Stream {
	return append(v.run(w, buffer, b, 0, b.cols), v.read(w))
}

// within is how many of n columns from one of a unit on are in the same buffer.
func (v visitor) within(at, n int) int { return min(n, v.d.buffer-at%v.d.buffer) }

// run multiplies columns lo to hi of a batch's, which follow each other in a buffer.
func (v visitor) run(w writer, buffer int, b *batch, lo, hi int) (st dram.Stream) {
	for lo < hi {
		col, left := b.column(lo)
		n := v.within(lo, min(left, hi-lo))
		from := buffer + lo/v.d.buffer
		st = append(st, w.ahead(1, place{col: col, buf: lo % v.d.buffer}).loop(n, place{col: 1, buf: 1}, func(w writer) dram.Stream {
			return dram.Stream{v.comp(w, from)}
		})...)
		lo += n
	}
	return st
}

func (v visitor) comp(w writer, buffer int) dram.Item {
	return w.do(dram.Command{Op: v.d.ops.Comp[buffer], Row: w.row(), Col: w.col(), Buf: w.buf()})
}

func (v visitor) read(w writer) dram.Item {
	return w.do(dram.Command{Op: v.d.ops.Read, Data: w.result()})
}
