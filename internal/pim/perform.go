package pim

import (
	"fmt"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// performer is a channel that performs a stream: its banks, its buffers, and the results it
// has read out. Values are those of each set of inputs.
type performer struct {
	device *Device
	contents
	room  *room
	sets  int
	base  int           // the first row's number
	rows  []*loaded     // by row and bank, made on first activation
	open  []int         // by bank, the open row; -1: none
	with  []int         // MAC units of the banks in which row is open
	row   int           // -1: with is not known
	sums  []accumulator // by accumulator
	input []inputBuffer
	lo    int       // address of results[0]
	reads []*Sums   // by set
	dots  []float32 // by set and MAC unit: sums of products
	whole []float64 // in place of dots, where sums are exact

	seen func(at int, v Sums) // is told of the values of each result read; nil: nobody
}

// contents are what a channel works on: values that its commands address.
type contents interface {
	// fill reads n elements of the source matrices from one on into buffers, of every set of inputs, from an element on.
	fill(to [][]float32, first, n, at int)
	// load finds a row of all banks.
	load(row int) *loaded
	// outputs is how many values from one on a result read returns, at most most.
	outputs(at, most int) int
}

// layerContents are the values of a layer.
type layerContents struct {
	values *operands
	*mappedCode
	room  *room
	share share
	last  pixelPlace // of the last column written to a buffer
}

// perform executes the stream of a channel. It returns the sums read out of each set of inputs, which belong at the
// given element of the results, in memory that the next channel takes over.
func (c *mappedCode) perform(m *room, s share, o *operands) (sums []*Sums, at int) {
	m.numbers = m.numbers[:0]
	if len(s) == 0 {
		return nil, 0
	}
	if p, ok := c.device.scheme.(programs); ok {
		return p.perform(c, m, s, o)
	}
	ch := c.performer(m, s, o)
	c.performOn(ch, m, s)
	return ch.reads, ch.lo
}

// performOn executes the stream of a channel on a performer before it.
func (c *mappedCode) performOn(ch *performer, m *room, s share) {
	d := c.device
	r := s.results(d.outputs)
	ch.lo, ch.reads = r.Lo, newAllResults(&m.numbers, ch.sets, r.Len(), d.exact())
	const depth = 16 // of loops, estimated: more of them take memory of their own
	ch.run(d.streamIn(&m.streamMemory, s), make([]int, 0, depth))
	ch.unread("the end of the stream")
}

// performer is a channel before its stream.
func (c *mappedCode) performer(m *room, s share, o *operands) *performer {
	d := c.device
	rows, sets := d.scheme.rows(s), len(o.x)
	ch := &performer{
		device: d, contents: &layerContents{values: o, mappedCode: c, room: m, share: s}, room: m, base: rows.Lo, sets: sets, rows: make([]*loaded, rows.Len()),
	}
	ch.reset()
	return ch
}

// reset is a channel whose banks are closed and whose buffers are empty.
func (ch *performer) reset() {
	d, sets := ch.device, ch.sets
	ch.row, ch.open, ch.sums, ch.input = -1, make([]int, d.banks), make([]accumulator, d.sums), make([]inputBuffer, len(d.ops.Write))
	ch.dots = make([]float32, sets*d.units)
	if d.exact() {
		ch.whole = make([]float64, sets*d.units)
	}
	for i := range ch.sums {
		ch.sums[i] = newAccumulator(d.ops.cleared(), sets, d.units, d.exact())
	}
	for b := range ch.open {
		ch.open[b] = -1
	}
	for i := range d.buffers {
		ch.input[i] = newInputBuffer(ch.room, sets, d.m.BufferElements(), d.lanes)
	}
}

// inputBuffer is a global buffer. A fill from column 0 on forgets the contents.
type inputBuffer struct {
	lanes  int
	v      [][]float32 // by set
	filled []bool      // by column
}

func newInputBuffer(m *room, sets, elements, lanes int) inputBuffer {
	n := elements / lanes
	b := inputBuffer{lanes, make([][]float32, sets), make([]bool, n)}
	for i := range b.v {
		b.v[i] = zeros(&m.numbers, n*lanes)
	}
	return b
}

// write is the first element of n columns from the given one on, which are filled.
func (b *inputBuffer) write(col, n int) int {
	if col < 0 || col+n > len(b.filled) {
		panic(fmt.Sprintf("pim: columns %d to %d written to a buffer of %d", col, col+n, len(b.filled)))
	}
	if col == 0 {
		clear(b.filled)
	}
	for i := range n {
		b.filled[col+i] = true
	}
	return col * b.lanes
}

// read is the first element of n columns from the given one on. It panics if one was not filled.
func (b *inputBuffer) read(col, n int) int {
	for i := range n {
		if col < 0 || col+i >= len(b.filled) || !b.filled[col+i] {
			panic(fmt.Sprintf("pim: COMP of column %d of a buffer, which was not filled", col+i))
		}
	}
	return col * b.lanes
}

// results is the range of the results that a share adds to.
func (s share) results(outputs int) tensor.Range {
	var r tensor.Range
	for i := range s {
		sp := &s[i]
		at := func(matrix, pixel, out int) int {
			return sp.block.result + (matrix*sp.pixels+pixel)*sp.outs + out
		}
		bs := sp.batches(nil)
		last := &bs[len(bs)-1]
		lo := at(sp.at[byMatrix].Lo, bs[0].pixel, sp.at[byGroup].Lo*outputs)
		hi := at(sp.at[byMatrix].Hi-1, last.pixel+last.pixels(sp.fold)-1, min(sp.outs, sp.at[byGroup].Hi*outputs))
		if i == 0 {
			r = tensor.Range{Lo: lo, Hi: hi}
		}
		r = tensor.Range{Lo: min(r.Lo, lo), Hi: max(r.Hi, hi)}
	}
	return r
}

// run performs a stream inside loops of the given indices.
func (ch *performer) run(s dram.Stream, index []int) {
	for i := range s {
		it := &s[i]
		if it.Times == 0 {
			ch.issue(it.Command, index, 1)
			continue
		}
		inner := append(index, 0)
		// Column accesses along a row are performed as one: the addresses are
		// those of the loop, the products too.
		if ch.device.ops.alongRow(it, len(index)) {
			ch.issue(it.Body[0].Command, inner, it.Times)
			continue
		}
		for n := range it.Times {
			inner[len(index)] = n
			ch.run(it.Body, inner)
		}
	}
}

// alongRow reports whether a loop at a depth is column accesses to a row, each to the column, and by that of the buffer, after the one
// before.
func (c *Commands) alongRow(it *dram.Item, depth int) bool {
	if len(it.Body) != 1 || it.Body[0].Times != 0 || c.roles[it.Body[0].Command.Op] != compRole {
		return false
	}
	step := func(a dram.Affine) int64 {
		if len(a.Stride) <= depth {
			return 0
		}
		return a.Stride[depth]
	}
	comp := it.Body[0].Command
	return step(comp.Col) == 1 && step(c.multiplied(comp)) == 1 && step(comp.Row) == 0 && step(comp.Acc) == 0
}

// issue performs a command; of column accesses, so many in a row.
func (ch *performer) issue(c *dram.Command, index []int, times int) {
	ops, lanes := ch.device.ops, ch.device.lanes
	switch n := ops.index[c.Op]; ops.roles[c.Op] {
	case gatherRole:
		to := ch.input[n].write(0, c.Fill.Len*c.Fill.Count/lanes)
		for i := range c.Fill.Count {
			ch.fill(ch.input[n].v, to+i*c.Fill.Len, c.Fill.Len, int(c.Data.At(index))+i*c.Fill.Pitch)
		}
	case writeRole:
		ch.fill(ch.input[n].v, ch.input[n].write(int(c.Buf.At(index)), 1), lanes, int(c.Data.At(index)))
	case compRole:
		row, col := int(c.Row.At(index)), int(c.Col.At(index))
		b := &ch.input[n]
		ch.comp(ch.sum(c, index), row, col, b, b.read(int(ops.multiplied(c).At(index)), times), times)
	case initRole:
		ch.init(ch.sum(c, index))
	case readRole:
		ch.readres(ch.sum(c, index), int(c.Data.At(index)))
	case openRole:
		ch.activate(n, int(c.Row.At(index)))
	case closeRole:
		if !ops.outlasts() {
			ch.unread(ops.names[c.Op])
		}
		for b := range ch.open {
			ch.open[b] = -1
		}
		ch.row = -1
	default:
		panic("pim: a stream with " + ops.names[c.Op])
	}
}

// fill fills elements of a buffer with those of a pixel in the source matrices.
func (ch *layerContents) fill(to [][]float32, first, n, at int) {
	p := &ch.last
	if p.block == nil || at < p.at.Lo || at >= p.at.Hi {
		p.block = ch.find(at, func(b *block) (first, size int) { return b.source, b.count * b.pixels * b.pitch })
		row := (at - p.source) / p.pitch
		p.at = tensor.Range{Lo: p.source + row*p.pitch, Hi: p.source + (row+1)*p.pitch}
		ch.values.of(p.block).locate(p, row/p.pixels, row%p.pixels)
	}
	ch.values.of(p.block).fill(to, first, n, p, at-p.at.Lo)
}

// find returns the block with an address of a matrix.
func (ch *layerContents) find(at int, of func(b *block) (first, size int)) *block {
	for i := range ch.parts {
		if first, size := of(ch.parts[i].block); at >= first && at < first+size {
			return ch.parts[i].block
		}
	}
	panic(fmt.Sprintf("pim: no matrix has element %d", at))
}

// activate opens a row in a quarter of the banks.
func (ch *performer) activate(quad, row int) {
	if row < 0 || row >= len(ch.rows) {
		panic(fmt.Sprintf("pim: activation of row %d of %d", row, len(ch.rows)))
	}
	n := ch.device.opened
	if ch.rows[row] == nil {
		ch.rows[row] = ch.load(ch.base + row)
	}
	for b := quad * n; b < (quad+1)*n; b++ {
		if !ch.device.ops.reopened() && ch.open[b] >= 0 {
			panic(fmt.Sprintf("pim: activation of row %d in bank %d, where row %d is open", row, b, ch.open[b]))
		}
		ch.open[b] = row
	}
	ch.row = -1
}

// units are the MAC units of the banks in which a row is open.
func (ch *performer) units(row int) []int {
	if ch.row != row {
		ch.row, ch.with = row, ch.with[:0]
		for u, shared := 0, ch.device.shared(); u < ch.device.units; u++ {
			if ch.open[u*shared] == row {
				ch.with = append(ch.with, u)
			}
		}
	}
	return ch.with
}

// loaded is a row of all banks.
type loaded struct {
	width  int          // elements of a pixel
	packs  [][]bankRows // output groups side by side
	period int          // widths after which the first group stands there again
}

// bankRows are rows of neighbouring banks whose weights are for the same elements.
type bankRows struct {
	first, count int // banks
	at, n        int // the first element with a weight, and how many follow
	phase        int // number of the first weight, of which multiples of four begin a vector
	w            vector.Matrix[float32]
}

// load finds the weights of a row of all banks, in the numbering of the layout.
func (ch *layerContents) load(row int) *loaded {
	x := ch.scheme.rowWeights(ch.mapping, ch.share, row)
	l := &loaded{width: x.cols * x.lanes, packs: make([][]bankRows, x.groups), period: x.period}
	for g := range l.packs {
		l.packs[g] = ch.bankRows(x.part, x.matrix, x.chunk, x.group+g)
	}
	return l
}

// bankRows are the rows of an output group, scaled and in the machine's number format.
func (ch *layerContents) bankRows(p *part, matrix, chunk, group int) (list []bankRows) {
	first := group * ch.device.outputs
	scale := &ch.values.scale
	rounded := ch.device.format != tensor.Float32 || scale.by != nil
	rows := make([]bankRow, ch.device.outputs)
	for b := range rows {
		r := ch.values.of(p.block).bankRow(p, matrix, chunk, first+b)
		if rows[b] = r; len(r.w) == 0 {
			continue
		}
		if rounded {
			r.phase = 0
		}
		if n := len(list) - 1; n >= 0 && list[n].first+list[n].count == b && list[n].at == r.at && list[n].n == len(r.w) && list[n].phase == r.phase {
			list[n].count++
			continue
		}
		list = append(list, bankRows{first: b, count: 1, at: r.at, n: len(r.w), phase: r.phase})
	}
	for i := range list {
		r := &list[i]
		r.w = vector.Matrix[float32]{V: taken(&ch.room.numbers, r.count*r.n), Step: r.n}
		for b := range r.count {
			w := r.w.V[b*r.n:][:r.n]
			copy(w, rows[r.first+b].w)
			scale.apply(p.out0+matrix*p.outs+first+r.first+b, w)
		}
		tensor.RoundAll(ch.device.format, r.w.V, r.w.V)
	}
	return list
}

// outputs is how many results of a pixel there are from one on.
func (ch *layerContents) outputs(at, most int) int {
	b := ch.find(at, func(b *block) (first, size int) { return b.result, b.count * b.pixels * b.outs })
	return min(most, b.outs-(at-b.result)%b.outs)
}

// pack is the output group at elements lo to hi, all of one pixel, and the pixel's first element.
func (l *loaded) pack(lo, hi int) (rows []bankRows, pixel int) {
	pixel = lo / l.width * l.width
	g := lo / l.width % l.period
	if g >= len(l.packs) {
		panic(fmt.Sprintf("pim: element %d of a row of %d output groups of %d elements", lo, len(l.packs), l.width))
	}
	if hi > pixel+l.width {
		panic(fmt.Sprintf("pim: elements %d to %d of a row, %d a pixel", lo, hi, l.width))
	}
	return l.packs[g], pixel
}

// elements are the weights of elements lo to hi of the rows, and the place of the first in between. What is left
// out is 0.
func (r *bankRows) elements(lo, hi int) (at int, w vector.Matrix[float32], n int) {
	from, to := max(lo, r.at), min(hi, r.at+r.n)
	if from >= to {
		return 0, r.w, 0
	}
	return from - lo, vector.Matrix[float32]{V: r.w.V[from-r.at:], Step: r.w.Step}, to - from
}

// few is how many products are added one by one, and not in lanes.
const few = 7

// head is how many products of the weights from a number on are added one by one: up to where a vector begins.
func head(phase, n int) int {
	if n <= few {
		return n
	}
	return -phase & 3
}

// comp multiplies n columns of a buffer, from an element on, by those of the open row from the given one on, in all
// banks that have it open, and adds the products to their sums.
func (ch *performer) comp(s *accumulator, row, col int, b *inputBuffer, from, n int) {
	with := ch.units(row)
	if len(with) == 0 {
		panic(fmt.Sprintf("pim: COMP in row %d, which is not open", row))
	}
	if !s.set {
		panic("pim: COMP to a sum that has not been set")
	}
	if columns := ch.device.columns; col < 0 || col+n > columns {
		panic(fmt.Sprintf("pim: COMP of columns %d to %d of a row of %d", col, col+n, columns))
	}
	ch.multiply(ch.rows[row], col*b.lanes, b, from, n*b.lanes)
	for _, u := range with {
		s.used[u] = true
	}
	if len(with) == len(s.used) && s.whole == nil {
		vector.Add(s.v, s.v, ch.dots)
		return
	}
	for _, u := range with {
		for i := u; i < len(ch.dots); i += len(s.used) {
			if s.whole != nil {
				s.whole[i] += ch.whole[i]
			} else {
				s.v[i] += ch.dots[i]
			}
		}
	}
}

// multiply finds, by set and MAC unit, the sums of products of n elements of a buffer with the elements of a row from lo on: of
// float32 numbers, or of whole ones that are exact.
func (ch *performer) multiply(row *loaded, lo int, b *inputBuffer, from, n int) {
	rows, pixel := row.pack(lo, lo+n)
	units, exact := ch.device.units, ch.whole != nil
	clear(ch.dots)
	clear(ch.whole)
	for i := range rows {
		r := &rows[i]
		at, w, n := r.elements(lo-pixel, lo-pixel+n)
		last := min(r.first+r.count, units)
		if n == 0 || r.first >= last {
			continue
		}
		phase, stretch := r.phase+lo-pixel+at-r.at, n
		if exact {
			stretch = exactRun
		}
		for k := 0; k < n; k += stretch {
			m := min(stretch, n-k)
			for s, x := range b.v {
				dots := ch.dots[s*units+r.first : s*units+last]
				vector.Dots(dots, x[from+at+k:][:m], vector.Matrix[float32]{V: w.V[k:], Step: w.Step}, head(phase+k, m))
				if exact {
					for u, v := range dots {
						ch.whole[s*units+r.first+u] += float64(v)
					}
				}
			}
		}
	}
}
