package pim

import "pimflow/internal/dram"

// pixel is the distance from a pixel to the next where each has so many slots.
func (v *blockWriter) pixel(slots int) address {
	return address{col: slots * v.s.cols, result: v.s.outs}
}

// tile is the shape of a block: pixels and groups in each of rows rows, and last groups in one
// more row.
//
// In the literature: register tiling.
type tile struct {
	rows, pixels, groups, last int
	slots                      int  // of a pixel
	opens                      bool // opens every row; otherwise the pending one
}

// block writes a block: inits, COMPs, reads.
func (v *blockWriter) block(w writer, t tile) dram.Stream {
	var st dram.Stream
	each, ops := t.pixels*t.groups, v.d.ops
	if v.init {
		st = w.loop(t.rows*each+t.pixels*t.last, address{acc: 1}, func(w writer) dram.Stream {
			return dram.Stream{w.command(ops.Init[0])}
		})
	}
	row := v.k.set
	row.acc = each
	st = append(st, v.loop(w, t.rows, row, func(w writer) dram.Stream {
		if t.opens {
			v.acts = v.d.acts
		}
		return append(v.open(w), v.slots(w, t, t.groups, v.comp)...)
	})...)
	if t.last > 0 {
		v.acts = v.p.acts
		w := w.ahead(t.rows, row)
		st = append(append(st, v.open(w)...), v.slots(w, t, t.last, v.comp)...)
	}
	if v.read {
		read := func(w writer) dram.Stream {
			return dram.Stream{w.command(ops.Read)}
		}
		st = append(st, w.loop(t.rows, row, func(w writer) dram.Stream { return v.slots(w, t, t.groups, read) })...)
		if t.last > 0 {
			st = append(st, v.slots(w.ahead(t.rows, row), t, t.last, read)...)
		}
	}
	return st
}

// slots writes body for the slots of a row that a block has, each with an accumulator of its
// own.
func (v *blockWriter) slots(w writer, t tile, groups int, body func(w writer) dram.Stream) dram.Stream {
	step := v.pixel(t.slots)
	step.acc = groups
	return w.loop(t.pixels, step, func(w writer) dram.Stream {
		return w.loop(groups, address{col: v.s.cols, result: v.d.outputs, acc: 1}, body)
	})
}

// open closes the open row and opens the pending one, if any.
func (v *blockWriter) open(w writer) dram.Stream {
	var st dram.Stream
	if v.acts == 0 {
		return nil
	}
	if v.opened {
		st = append(st, w.command(v.d.ops.Close[0]))
	}
	for _, o := range v.d.ops.Open[:v.acts] {
		st = append(st, w.command(o))
	}
	v.opened, v.acts = true, 0
	return st
}

func (v *blockWriter) comp(w writer) dram.Stream {
	return w.loop(v.s.cols, address{col: 1}, func(w writer) dram.Stream {
		return dram.Stream{w.command(v.d.ops.Comp[0])}
	})
}

// tiles writes blocks for the slots of one row: pixels and groups of those that a pixel has
// slots for.
func (v *blockWriter) tiles(w writer, pixels, groups, slots int) dram.Stream {
	_, b, c := sumBlocks(pixels, groups, v.s.accumulators)
	across := func(b int) func(w writer) dram.Stream {
		return func(w writer) dram.Stream {
			step := address{col: c * v.s.cols, result: c * v.d.outputs}
			st := v.loop(w, groups/c, step, func(w writer) dram.Stream { return v.block(w, tile{1, b, c, 0, slots, false}) })
			if rest := groups % c; rest > 0 {
				st = append(st, v.block(w.ahead(groups/c, step), tile{1, b, rest, 0, slots, false})...)
			}
			return st
		}
	}
	step := scaled(v.pixel(slots), b)
	st := v.loop(w, pixels/b, step, across(b))
	if rest := pixels % b; rest > 0 {
		st = append(st, across(rest)(w.ahead(pixels/b, step))...)
	}
	return st
}
