package pim

import (
	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
)

func (c *registers) stream(w writer, s share) dram.Stream {
	st, _ := c.program(w, s)
	return st
}

// program is the stream of a share, and the words that it writes to the program memory, by their address.
func (c *registers) program(w writer, s share) (st dram.Stream, words []uint32) {
	v := unitWriter{registers: c, loaded: map[crfProgram]int{}}
	row := 0
	for i := range s {
		v.s, v.x = &s[i], s[i].sets()
		x, k := v.enter(w, row)
		row += v.s.registerRows()
		if v.s.together() {
			st = append(st, v.blocks(x, v.x.groups, v.s.at[byMatrix].Len(), k.matrix)...)
			continue
		}
		st = append(st, v.each(x, v.s.at[byMatrix].Len(), k.matrix, func(w writer) dram.Stream {
			return v.each(w, v.s.at[byChunk].Len(), k.chunk, func(w writer) dram.Stream {
				same := v.x.sets
				if v.x.last < v.x.groups {
					same--
				}
				st := v.each(w, same, k.set, func(w writer) dram.Stream { return v.set(w, v.x.groups) })
				if same < v.x.sets {
					st = append(st, v.set(w.ahead(same, k.set), v.x.last)...)
				}
				return st
			})
		})...)
	}
	return st, v.words
}

// unitWriter writes the stream of a share visit by visit.
type unitWriter struct {
	*registers
	s *span
	x groupSets

	loaded  map[crfProgram]int // where its words are
	words   []uint32
	present crfProgram // in the program memory
}

// enter returns the writer at the first block of a span whose rows begin with the given one, and the steps from there.
func (v *unitWriter) enter(w writer, row int) (writer, spanSteps) {
	s := v.s
	matrix, unit, chunk, group := w.distances(s.part)
	set := scaled(group, v.x.groups)
	set.row = s.blockRows()
	chunk.row = v.x.sets * set.row
	matrix.row = s.at[byChunk].Len() * chunk.row
	group.row = 0
	w.address = s.start()
	w = w.ahead(s.at[byMatrix].Lo, matrix).ahead(s.at[byUnit].Lo, unit).ahead(s.at[byChunk].Lo, chunk).ahead(s.at[byGroup].Lo, group)
	w.address.row = row
	return w, spanSteps{matrix, unit, chunk, set}
}

// each writes body n times. The first time stands by itself where it loads a program that is there from then on.
func (v *unitWriter) each(w writer, n int, step address, body func(w writer) dram.Stream) dram.Stream {
	if n == 0 {
		return nil
	}
	before := v.present
	st := body(w)
	if n == 1 {
		return st
	}
	if after := v.present; after != before {
		return append(st, w.ahead(1, step).loop(n-1, step, body)...)
	}
	return w.loop(n, step, body)
}

// set writes the blocks of all pixels of a span for a chunk and a set of groups.
func (v *unitWriter) set(w writer, groups int) dram.Stream {
	return v.blocks(w, groups, v.s.selected(), address{source: v.s.pitch, result: v.s.outs})
}

// blocks writes so many blocks, a unit apart.
func (v *unitWriter) blocks(w writer, groups, count int, unit address) dram.Stream {
	n := newTurns(v.s.cols*groups, groups, count)
	step := scaled(unit, n.blocks())
	st := v.each(w, n.full, step, func(w writer) dram.Stream { return v.visit(w, n.program, n.entries, unit) })
	if n.tail > 0 {
		st = append(st, v.visit(w.ahead(n.full, step), n.last, n.lastEntries, unit)...)
	}
	return st
}

// visit writes a visit: to all banks, programs and their blocks, back to single banks, and what the host reads.
func (v *unitWriter) visit(w writer, p crfProgram, entries int, pixel address) dram.Stream {
	st := v.changeMode(w, unit.RowAB)
	if v.present != p {
		st = append(st, v.load(w, p)...)
	}
	pixel.into = slice
	st = append(st, w.loop(entries, scaled(pixel, p.blocks), func(w writer) dram.Stream {
		return append(v.enterProgram(w), w.loop(p.blocks, pixel, func(w writer) dram.Stream { return v.block(w, p.groups) })...)
	})...)
	st = append(st, v.changeMode(w, unit.RowSB)...)
	return append(st, v.readBack(w, entries*p.blocks, p.groups, pixel)...)
}

// changeMode opens and closes a row that stands for a mode.
func (v *unitWriter) changeMode(w writer, row int) dram.Stream {
	return dram.Stream{w.fixed(v.more.enter, row, 0), w.fixed(v.more.leave, 0, 0)}
}

// register writes to registers, in a row of their own or beside what is open.
func (v *unitWriter) register(w writer, row int, body func(op dram.Op) dram.Stream) dram.Stream {
	if v.beside {
		return body(v.more.register)
	}
	st := append(dram.Stream{w.fixed(v.d.ops.Open[0], row, 0)}, body(v.d.ops.Write[0])...)
	return append(st, w.command(v.d.ops.Close[0]))
}

// load writes a program to the program memory.
func (v *unitWriter) load(w writer, p crfProgram) dram.Stream {
	at, known := v.loaded[p]
	if !known {
		at = len(v.words)
		v.loaded[p] = at
		v.words = append(v.words, p.words(v.d.program.file)...)
	}
	v.present = p
	return v.loadWords(w, at, p.lines())
}

// loadWords writes so many lines of the words from a place on to the program memory.
func (v *unitWriter) loadWords(w writer, at, lines int) dram.Stream {
	return v.register(w, unit.RowCRF, func(op dram.Op) (st dram.Stream) {
		for i := range lines {
			c := w.fixed(op, unit.RowCRF, i)
			if !w.bare {
				c.Command.Data.Base = int64(at + i*wordsLine)
			}
			st = append(st, c)
		}
		return st
	})
}

// enterProgram starts the program. What is written is 1.
func (v *unitWriter) enterProgram(w writer) dram.Stream {
	return append(v.register(w, unit.RowOpMode, func(op dram.Op) dram.Stream {
		c := w.fixed(op, unit.RowOpMode, 0)
		if !w.bare {
			c.Command.Data.Base = 1
		}
		return dram.Stream{c}
	}), v.fence(w)...)
}

// fence is a wait of the host, if it needs one.
func (v *unitWriter) fence(w writer) dram.Stream {
	if !v.fenced {
		return nil
	}
	return dram.Stream{w.command(v.more.fence)}
}

// block writes a block of so many groups.
func (v *unitWriter) block(w writer, groups int) dram.Stream {
	clear := func(op dram.Op) dram.Stream {
		return w.loop(groups, address{col: 1}, func(w writer) dram.Stream {
			return dram.Stream{w.addressed(op, unit.RowGRF, unit.Registers, pickCol, nil)}
		})
	}
	var st dram.Stream
	vectors := v.d.program.file == unit.GRFA
	if !vectors {
		st = v.register(w, unit.RowGRF, clear)
	}
	// The first slice of vectors is written together with the zeros of the accumulators.
	one := func(w writer, k int, first bool) dram.Stream {
		load := func(op dram.Op) (st dram.Stream) {
			if !vectors {
				return dram.Stream{w.addressed(op, unit.RowSRF, 0, nil, pickSource)}
			}
			if first {
				st = clear(op)
			}
			return append(st, w.loop(k, address{col: 1, source: v.d.lanes}, func(w writer) dram.Stream {
				return dram.Stream{w.addressed(op, unit.RowGRF, 0, pickCol, pickSource)}
			})...)
		}
		row := unit.RowSRF
		if vectors {
			row = unit.RowGRF
		}
		st := append(v.register(w, row, load), v.fence(w)...)
		st = append(st, v.products(w, min(groups, groupsRow), k)...)
		if groups > groupsRow {
			st = append(st, v.products(w.ahead(1, address{row: 1}), groups-groupsRow, k)...)
		}
		return st
	}
	step := address{row: sliceRows, source: slice * v.d.lanes}
	full, rest, begun := v.s.cols/slice, v.s.cols%slice, 0
	if vectors {
		st, begun = one(w, min(slice, v.s.cols), true), 1
	}
	if n := full - begun; n > 0 {
		st = append(st, w.ahead(begun, step).loop(n, step, func(w writer) dram.Stream { return one(w, slice, false) })...)
	}
	if rest > 0 && full >= begun {
		st = append(st, one(w.ahead(full, step), rest, false)...)
	}
	st = append(st, w.fixed(v.d.ops.Open[0], scratchRow, 0))
	st = append(st, w.loop(groups, address{into: 1}, func(w writer) dram.Stream {
		return dram.Stream{w.addressed(v.d.ops.Write[0], scratchRow, 0, pickInto, nil)}
	})...)
	return append(st, w.command(v.d.ops.Close[0]))
}

// products writes the multiply-accumulates of groups in a row, k columns each.
func (v *unitWriter) products(w writer, groups, k int) dram.Stream {
	read := func(w writer) dram.Stream {
		return dram.Stream{w.command(v.d.ops.Comp[0])}
	}
	st := dram.Stream{w.command(v.d.ops.Open[0])}
	if k == slice && !v.fenced { // groups follow each other
		st = append(st, w.loop(groups*k, address{col: 1}, read)...)
	} else {
		st = append(st, w.loop(groups, address{col: slice}, func(w writer) dram.Stream {
			return append(w.loop(k, address{col: 1}, read), v.fence(w)...)
		})...)
	}
	return append(st, w.command(v.d.ops.Close[0]))
}

// readBack writes what the host reads of so many blocks: its rows are opened in the even banks, and each register of a group is read
// from all of them. Two banks that follow each other are of different groups of banks, so reads follow each other as fast as the bus allows.
func (v *unitWriter) readBack(w writer, blocks, groups int, pixel address) dram.Stream {
	st := v.eachUnit(w, func(w writer) dram.Stream { return dram.Stream{w.addressed(v.more.host, scratchRow, 0, nil, nil)} })
	st = append(st, w.loop(blocks, pixel, func(w writer) dram.Stream {
		return w.loop(groups, address{into: 1, result: v.d.outputs}, func(w writer) dram.Stream {
			return v.eachUnit(w, func(w writer) dram.Stream {
				return dram.Stream{w.addressed(v.d.ops.Read, scratchRow, 0, pickInto, pickResult)}
			})
		})
	})...)
	return append(st, w.command(v.d.ops.Close[0]))
}

// eachUnit writes a command to the even bank of each unit.
func (v *unitWriter) eachUnit(w writer, body func(w writer) dram.Stream) dram.Stream {
	return w.loop(2, address{buf: 2}, func(w writer) dram.Stream { return w.loop(unit.Units/2, address{buf: 4}, body) })
}

// What of a writer's address an operand follows.
var (
	pickCol    = func(p address) int { return p.col }
	pickInto   = func(p address) int { return p.into }
	pickSource = func(p address) int { return p.source }
	pickResult = func(p address) int { return p.result }
)

// fixed is a command to a place that does not depend on the loops around it.
func (w writer) fixed(op dram.Op, row, col int) dram.Item {
	if w.bare {
		return dram.Item{Command: &w.d.bare[op]}
	}
	return w.item(dram.Command{Op: op, Row: dram.Affine{Base: int64(row)}, Col: dram.Affine{Base: int64(col)}})
}

// addressed is a command to a fixed row, whose column begins at col. Column and data follow what is picked, and the bank the writer.
func (w writer) addressed(op dram.Op, row, col int, column, data func(address) int) dram.Item {
	if w.bare {
		return dram.Item{Command: &w.d.bare[op]}
	}
	c := dram.Command{Op: op, Row: dram.Affine{Base: int64(row)}, Buf: w.affine(func(p address) int { return p.buf })}
	if column != nil {
		c.Col = w.affine(column)
	}
	c.Col.Base += int64(col)
	if data != nil {
		c.Data = w.affine(data)
	}
	return w.item(c)
}

func (w writer) item(c dram.Command) dram.Item {
	if w.arena != nil {
		return dram.Item{Command: w.arena.command(c)}
	}
	return dram.Do(c)
}
