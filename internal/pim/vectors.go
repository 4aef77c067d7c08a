package pim

import (
	"encoding/binary"
	"fmt"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// vectors is the scheme of element-wise layers on units that execute programs. A vector is 128 values of a matrix, a register of all units.
// A row of the even banks has vectors of one matrix: of two maps 16, the first map's in columns 0 to 15 and the second's behind them; of
// one map 32. Blocks of up to 16 vectors pass GRF_A and GRF_B:
//
//	MOV(AAM) GRF, BANK          of the first of two maps
//	ADD(AAM) GRF, BANK, GRF     of the second; or MUL
//	MOV(AAM) BANK, GRF          in the place of the first, with ReLU if that follows
//
// Of one map the first instruction multiplies it by a scalar of SRF_M, adds one of SRF_A, or does both (MAD). The scalars of a matrix are
// written before each of its rows. When all is computed the channel goes back to single banks, and the host reads all vectors.
type vectors struct{ *registers }

// blockVectors are those that GRF_A and GRF_B hold.
const blockVectors = 2 * unit.Registers

// newUnits is the scheme of units that execute a program.
func newUnits(d *Device) scheme {
	s := newRegisters(d)
	if d.program.maps > 0 {
		return &vectors{s.(*registers)}
	}
	return s
}

// perRow is the number of vectors of a row.
func (p *part) perRow() int { return unit.Columns / p.layer.groupK }

// vectorRows are the rows of a span: of each matrix so many, the last with last vectors.
type vectorRows struct{ matrices, rows, last int }

func (s *span) vectorRows() vectorRows {
	n, most := s.at[byGroup].Len(), s.perRow()
	x := vectorRows{matrices: s.at[byMatrix].Len(), rows: ceilDiv(n, most)}
	x.last = n - (x.rows-1)*most
	return x
}

func (x *vectorRows) all() int { return x.matrices * x.rows }

func (c *vectors) candidates(l *layer, m *scratch) (list []candidate, need int) {
	blocks := l.blocks(1, c.d.lanes)
	var ps []part
	for i := range blocks {
		b := &blocks[i]
		groups := ceilDiv(b.outs, c.d.outputs)
		p := part{block: b, cols: l.groupK, chunks: 1, groups: groups, ends: b.outs - (groups-1)*c.d.outputs}
		p.rowGroups, p.accumulators = p.perRow(), blockVectors
		ps = append(ps, p)
	}
	p := candidate{way: way{scheme: c, layer: l, merge: 1, parts: refold(ps, 1)}}
	p.assign(m.shares[0])
	for _, s := range m.shares[0] {
		p.rows = max(p.rows, c.rows(s).Len())
	}
	if p.rows > c.d.rows {
		return nil, p.rows
	}
	return append(m.candidates[:0], p), 0
}

func (c *vectors) rows(s share) tensor.Range {
	n := 0
	for i := range s {
		x := s[i].vectorRows()
		n += x.all()
	}
	return tensor.Range{Hi: n}
}

func (c *vectors) work(s share) (w work) {
	if w = c.count(s, c.stream); len(s) > 0 {
		w.visits = int64(c.rows(s).Len())
	}
	return w
}

func (c *vectors) shape(key []byte, s share) []byte {
	for i := range s {
		x := s[i].vectorRows()
		scalars := 0
		if s[i].layer.each.hasScalars() {
			scalars = 1
		}
		for _, v := range [...]int{s[i].layer.groupK, scalars, x.matrices, x.rows, x.last} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

func (c *vectors) layout(key []byte, _ *mapping, s share) []byte {
	key = append(append(key, c.d.program.name...), 0)
	for i := range s {
		sp := &s[i]
		for _, v := range append(sp.part.weightKey(), sp.at[byMatrix].Lo, sp.at[byMatrix].Len(), sp.at[byGroup].Lo, sp.at[byGroup].Len()) {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

func (c *vectors) rowWeights(_ *mapping, s share, row int) rowWeights {
	for i := range s {
		sp := &s[i]
		x := sp.vectorRows()
		if row >= x.all() {
			row -= x.all()
			continue
		}
		most := sp.perRow()
		w := rowWeights{part: sp.part, matrix: sp.at[byMatrix].Lo + row/x.rows, group: sp.at[byGroup].Lo + row%x.rows*most, groups: most, period: most, copies: 1}
		if row%x.rows == x.rows-1 {
			w.groups = x.last
		}
		return w
	}
	panic(fmt.Sprintf("pim: no vectors for row %d", row))
}

// written: every row has columns of its values for each map.
func (c *vectors) written(s share) (w written) {
	for i := range s {
		sp := &s[i]
		groups := sp.at[byGroup]
		w.columns += sp.at[byMatrix].Len() * (min(sp.outs, groups.Hi*c.d.outputs) - groups.Lo*c.d.outputs) * sp.cols
	}
	w.rows = c.rows(s).Len()
	return w
}

func (c *vectors) describe(p *part) (flow, where string) {
	return ", " + c.d.program.name, fmt.Sprintf("%d in a row", min(p.perRow(), p.groups))
}

func (e *elementwise) hasScalars() bool { return e.scalars >= 0 }

// vectorProgram is a program of units: so many rows of vectors, then EXIT.
type vectorProgram struct {
	vectors, rows int
	maps          int
	code          unit.Code
	relu          bool
}

// entryRows is the most rows of a program.
func (p vectorProgram) entryRows() int {
	p.rows = 1
	return (unit.Program - 1) / (len(p.instructions()) - 1)
}

// instructions are the program's.
func (p vectorProgram) instructions() (list []unit.Instruction) {
	repeated := func(i unit.Instruction, n int) {
		if n == 0 {
			return
		}
		if i.AAM = true; n > 1 {
			list = append(list, i, unit.Instruction{Code: unit.JUMP, Jump: -1, Count: n - 1})
		} else {
			list = append(list, i)
		}
	}
	for range p.rows {
		for first := 0; first < p.vectors; first += blockVectors {
			n := min(blockVectors, p.vectors-first)
			both := func(of func(grf unit.Operand) unit.Instruction) {
				repeated(of(unit.Operand{File: unit.GRFA}), min(n, unit.Registers))
				repeated(of(unit.Operand{File: unit.GRFB}), n-min(n, unit.Registers))
			}
			bank, scalar := unit.Operand{File: unit.Bank}, unit.Operand{File: unit.SRFM, Fixed: true}
			if p.code == unit.ADD {
				scalar.File = unit.SRFA
			}
			if p.maps == 2 {
				both(func(grf unit.Operand) unit.Instruction { return unit.Instruction{Code: unit.MOV, Dst: grf} })
				both(func(grf unit.Operand) unit.Instruction {
					return unit.Instruction{Code: p.code, Dst: grf, Src0: bank, Src1: grf}
				})
			} else {
				both(func(grf unit.Operand) unit.Instruction {
					return unit.Instruction{Code: p.code, Dst: grf, Src0: bank, Src1: scalar}
				})
			}
			both(func(grf unit.Operand) unit.Instruction {
				return unit.Instruction{Code: unit.MOV, Src0: grf, ReLU: p.relu}
			})
		}
	}
	return append(list, unit.Instruction{Code: unit.EXIT})
}

func (c *vectors) stream(w writer, s share) dram.Stream {
	st, _ := c.program(w, s)
	return st
}

// program is the stream of a share, and the words that it writes to the program memory.
func (c *vectors) program(w writer, s share) (st dram.Stream, words []uint32) {
	if len(s) == 0 {
		return nil, nil
	}
	v := vectorWriter{unitWriter: unitWriter{registers: c.registers}, loaded: map[vectorProgram]int{}}
	st = v.changeMode(w, unit.RowAB)
	v.eachSpan(w, s, func(w writer, sp *span, matrix, row address) { st = append(st, v.compute(w, sp, matrix, row)...) })
	st = append(st, v.changeMode(w, unit.RowSB)...)
	v.eachSpan(w, s, func(w writer, sp *span, matrix, row address) { st = append(st, v.readSpan(w, sp, matrix, row)...) })
	return st, v.words
}

func (c *vectors) list(s share) []string {
	_, words := c.program(writer{d: c.d, batches: new(batchArena)}, s)
	return wordLines(words)
}

// vectorWriter writes the stream of a share.
type vectorWriter struct {
	unitWriter
	loaded  map[vectorProgram]int // where its words are
	present vectorProgram         // in the program memory
}

// eachSpan tells f of each span, with the writer at its first row and the steps to the next matrix and row.
func (v *vectorWriter) eachSpan(w writer, s share, f func(w writer, sp *span, matrix, row address)) {
	first := 0
	for i := range s {
		sp := &s[i]
		x := sp.vectorRows()
		row := address{row: 1, result: sp.perRow() * v.d.outputs}
		matrix := address{row: x.rows, source: matrixScalars, result: sp.outs}
		w := w
		w.address = address{row: first, source: sp.at[byMatrix].Lo * matrixScalars, result: sp.block.result + sp.at[byMatrix].Lo*sp.outs + sp.at[byGroup].Lo*v.d.outputs}
		f(w, sp, matrix, row)
		first += x.all()
	}
}

// compute writes the rows of a span: those that are full, then the last of each matrix.
func (v *vectorWriter) compute(w writer, sp *span, matrix, row address) (st dram.Stream) {
	x, e := sp.vectorRows(), sp.layer.each
	p := vectorProgram{vectors: sp.perRow(), maps: len(e.maps), code: e.code, relu: e.relu}
	full := x.rows - 1
	each := p.entryRows()
	programs, rest := full/each, full%each
	if programs > 0 {
		st = append(st, v.load(w, p.of(each))...)
		st = append(st, w.loop(x.matrices, matrix, func(w writer) dram.Stream {
			return w.loop(programs, scaled(row, each), func(w writer) dram.Stream { return v.execute(w, p.of(each), row) })
		})...)
	}
	if rest > 0 {
		st = append(st, v.load(w, p.of(rest))...)
		st = append(st, w.ahead(programs*each, row).loop(x.matrices, matrix, func(w writer) dram.Stream { return v.execute(w, p.of(rest), row) })...)
	}
	w = w.ahead(full, row)
	p.vectors = x.last
	each = p.entryRows()
	programs, rest = x.matrices/each, x.matrices%each
	if programs > 0 {
		st = append(st, v.load(w, p.of(each))...)
		st = append(st, w.loop(programs, scaled(matrix, each), func(w writer) dram.Stream { return v.execute(w, p.of(each), matrix) })...)
	}
	if rest > 0 {
		st = append(st, v.load(w, p.of(rest))...)
		st = append(st, v.execute(w.ahead(programs*each, matrix), p.of(rest), matrix)...)
	}
	return st
}

// of is the program of so many rows.
func (p vectorProgram) of(rows int) vectorProgram {
	p.rows = rows
	return p
}

// load writes a program to the program memory, unless it is there.
func (v *vectorWriter) load(w writer, p vectorProgram) dram.Stream {
	if v.present == p {
		return nil
	}
	at, known := v.loaded[p]
	if !known {
		at = len(v.words)
		v.loaded[p] = at
		v.words = append(v.words, wordsOf(p.instructions())...)
	}
	v.present = p
	return v.loadWords(w, at, ceilDiv(len(p.instructions()), wordsLine))
}

// execute starts the program and writes its rows, a step apart.
func (v *vectorWriter) execute(w writer, p vectorProgram, step address) dram.Stream {
	return append(v.enterProgram(w), w.loop(p.rows, step, func(w writer) dram.Stream { return v.row(w, p) })...)
}

// row writes a row: its scalars, and block by block the operations and stores.
func (v *vectorWriter) row(w writer, p vectorProgram) (st dram.Stream) {
	if p.maps == 1 && p.code != unit.MOV {
		st = v.register(w, unit.RowSRF, func(op dram.Op) dram.Stream {
			return dram.Stream{w.addressed(op, unit.RowSRF, 0, nil, pickSource)}
		})
		st = append(st, v.fence(w)...)
	}
	st = append(st, w.command(v.d.ops.Open[0]))
	column := address{col: 1}
	for first := 0; first < p.vectors; first += blockVectors {
		n := min(blockVectors, p.vectors-first)
		for m := range p.maps {
			st = append(st, w.ahead(first+m*blockVectors, column).loop(n, column, func(w writer) dram.Stream { return dram.Stream{w.command(v.d.ops.Comp[0])} })...)
			st = append(st, v.fence(w)...)
		}
		st = append(st, w.ahead(first, column).loop(n, column, func(w writer) dram.Stream { return dram.Stream{v.store(w)} })...)
		st = append(st, v.fence(w)...)
	}
	return append(st, w.command(v.d.ops.Close[0]))
}

// store is a write to a row of the banks, whose data are a register's.
func (v *vectorWriter) store(w writer) dram.Item {
	w.source = 0
	op := v.d.ops.Write[0]
	if w.bare {
		return dram.Item{Command: &w.d.bare[op]}
	}
	return w.item(dram.Command{Op: op, Row: w.affine(pickRow), Col: w.affine(pickCol), Buf: w.affine(func(p address) int { return p.buf })})
}

var pickRow = func(p address) int { return p.row }

// readSpan writes what the host reads of a span.
func (v *vectorWriter) readSpan(w writer, sp *span, matrix, row address) dram.Stream {
	x := sp.vectorRows()
	read := func(w writer, n int) dram.Stream {
		st := v.eachUnit(w, func(w writer) dram.Stream { return dram.Stream{w.command(v.more.host)} })
		st = append(st, w.loop(n, address{col: 1, result: v.d.outputs}, func(w writer) dram.Stream {
			return v.eachUnit(w, func(w writer) dram.Stream { return dram.Stream{w.command(v.d.ops.Read)} })
		})...)
		return append(st, w.command(v.d.ops.Close[0]))
	}
	return w.loop(x.matrices, matrix, func(w writer) dram.Stream {
		st := w.loop(x.rows-1, row, func(w writer) dram.Stream { return read(w, sp.perRow()) })
		return append(st, read(w.ahead(x.rows-1, row), x.last)...)
	})
}
