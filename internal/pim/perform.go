package pim

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas/gonum"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// performer is a channel that performs a stream: its banks, its buffers, and the results it
// has read out.
type performer struct {
	values *operands
	*mappedCode
	share share
	base  int           // the first row's number in the layout
	rows  []*loaded     // by row and bank, made on first activation
	open  []int         // by bank, the open row; -1: none
	sums  []accumulator // by accumulator
	input []inputBuffer
	lo    int // address of results[0]
	reads *results
}

// perform executes the stream of a channel. It returns the sums read out, which belong at the
// given element of the results.
func (c *mappedCode) perform(s share, o *operands) (sums *results, at int) {
	d := c.device
	if len(s) == 0 {
		return nil, 0
	}
	r := s.results(d.outputs)
	ch := c.performer(s, o)
	ch.lo, ch.reads = r.Lo, newResults(r.Len(), d.exact())
	ch.run(d.stream(s), nil)
	ch.unread("the end of the stream")
	return ch.reads, ch.lo
}

// performer is a channel before its stream.
func (c *mappedCode) performer(s share, o *operands) *performer {
	d := c.device
	rows := d.scheme.rows(s)
	ch := &performer{
		values: o, mappedCode: c, share: s, base: rows.Lo, rows: make([]*loaded, rows.Len()),
		open: make([]int, d.banks), sums: make([]accumulator, d.sums), input: make([]inputBuffer, len(d.ops.Write)),
	}
	for i := range ch.sums {
		ch.sums[i] = newAccumulator(d.ops.cleared(), d.units, d.exact())
	}
	for b := range ch.open {
		ch.open[b] = -1
	}
	for i := range d.buffers {
		ch.input[i] = newInputBuffer(d.m.BufferElements(), d.lanes)
	}
	return ch
}

// inputBuffer is a global buffer. A fill from column 0 on forgets the contents.
type inputBuffer struct {
	lanes  int
	v      []float32
	filled []bool // by column
}

func newInputBuffer(elements, lanes int) inputBuffer {
	n := elements / lanes
	return inputBuffer{lanes, make([]float32, n*lanes), make([]bool, n)}
}

// write is the destination of n columns from the given one on.
func (b *inputBuffer) write(col, n int) []float32 {
	if col < 0 || col+n > len(b.filled) {
		panic(fmt.Sprintf("pim: columns %d to %d written to a buffer of %d", col, col+n, len(b.filled)))
	}
	if col == 0 {
		clear(b.filled)
	}
	for i := range n {
		b.filled[col+i] = true
	}
	return b.v[col*b.lanes : (col+n)*b.lanes]
}

// read is n columns from the given one on. It panics if one was not filled.
func (b *inputBuffer) read(col, n int) []float32 {
	for i := range n {
		if col < 0 || col+i >= len(b.filled) || !b.filled[col+i] {
			panic(fmt.Sprintf("pim: COMP of column %d of a buffer, which was not filled", col+i))
		}
	}
	return b.v[col*b.lanes : (col+n)*b.lanes]
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
		if b := it.Body; len(b) == 1 && b[0].Times == 0 && ch.device.ops.roles[b[0].Command.Op] == compRole && along(b[0].Command, len(index)) {
			ch.issue(b[0].Command, inner, it.Times)
			continue
		}
		for n := range it.Times {
			inner[len(index)] = n
			ch.run(it.Body, inner)
		}
	}
}

// along reports whether the loop at a depth moves a column access to the next
// column of its row.
func along(c *dram.Command, depth int) bool {
	step := func(a dram.Affine) int64 {
		if len(a.Stride) <= depth {
			return 0
		}
		return a.Stride[depth]
	}
	return step(c.Col) == 1 && step(c.Buf) <= 1 && step(c.Row) == 0 && step(c.Acc) == 0
}

// issue performs a command; of column accesses, so many in a row.
func (ch *performer) issue(c *dram.Command, index []int, times int) {
	ops, lanes := ch.device.ops, ch.device.lanes
	switch n := ops.index[c.Op]; ops.roles[c.Op] {
	case gatherRole:
		ch.gwrite(ch.input[n].write(0, c.Fill.Len*c.Fill.Count/lanes), int(c.Data.At(index)), c.Fill)
	case writeRole:
		ch.gwrite(ch.input[n].write(int(c.Buf.At(index)), 1), int(c.Data.At(index)), dram.Gather{Len: lanes, Count: 1})
	case compRole:
		row, col := int(c.Row.At(index)), int(c.Col.At(index))
		buf := ops.multiplied(c)
		ch.comp(ch.sum(c, index), row, col, ch.input[n].read(int(buf.At(index)), times))
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
	default:
		panic("pim: a stream with " + ops.names[c.Op])
	}
}

// gwrite fills columns of a buffer from the source matrix.
func (ch *performer) gwrite(to []float32, at int, f dram.Gather) {
	b := ch.find(at, func(b *block) (first, size int) { return b.source, b.count * b.pixels * b.pitch })
	at -= b.source
	for i := range f.Count {
		row := (at + i*f.Pitch) / b.pitch
		ch.values.of(b).fill(to[i*f.Len:][:f.Len], b, row/b.pixels, row%b.pixels, (at+i*f.Pitch)%b.pitch)
	}
	ch.round(to)
}

// round rounds operands and results to the machine's number format.
func (ch *performer) round(v []float32) {
	if t := ch.device.format; t.Float() && t != tensor.Float32 {
		for i, x := range v {
			v[i] = tensor.Round(t, x)
		}
	}
}

// find returns the block with an address of a matrix.
func (ch *performer) find(at int, of func(b *block) (first, size int)) *block {
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
}

// loaded is a row of all banks.
type loaded struct {
	width  int // elements of a pixel
	banks  []bankRow
	packs  int // output groups side by side
	period int // widths after which the first group stands there again
}

// load finds the weights of a row of all banks, in the numbering of the layout.
func (ch *performer) load(row int) *loaded {
	x, outputs := ch.scheme.rowWeights(ch.mapping, ch.share, row), ch.device.outputs
	l := &loaded{width: x.cols * x.lanes, packs: x.groups, period: x.period}
	for output := x.group * outputs; output < (x.group+x.groups)*outputs; output++ {
		l.banks = append(l.banks, ch.weights(x.part, x.matrix, x.chunk, output))
	}
	return l
}

// weights is bankRow, scaled and in the machine's number format.
func (ch *performer) weights(p *part, matrix, chunk, output int) bankRow {
	r := ch.values.of(p.block).bankRow(p, matrix, chunk, output)
	if scale := &ch.values.scale; ch.device.format != tensor.Float32 || scale.by != nil {
		r.w = slices.Clone(r.w)
		scale.apply(p.out0+matrix*p.outs+output, r.w)
		ch.round(r.w)
	}
	return r
}

// elements are those of a row of a bank from element lo to hi, all of one pixel, and their
// place in between. What is left out is 0.
func (l *loaded) elements(bank, lo, hi int) (at int, w []float32) {
	pixel := lo / l.width * l.width
	g := lo / l.width % l.period
	if g >= l.packs {
		panic(fmt.Sprintf("pim: element %d of a row of %d output groups of %d elements", lo, l.packs, l.width))
	}
	r := &l.banks[g*(len(l.banks)/l.packs)+bank]
	if hi > pixel+l.width {
		panic(fmt.Sprintf("pim: elements %d to %d of a row, %d a pixel", lo, hi, l.width))
	}
	from, to := max(lo-pixel, r.at), min(hi-pixel, r.at+len(r.w))
	if from >= to {
		return 0, nil
	}
	return from + pixel - lo, r.w[from-r.at : to-r.at]
}

// aligned is how many values a slice has that the runtime puts at a multiple of 16 bytes, at least.
const aligned = 8

// dot is the sum of the products of w with as many values of x. The order in which gonum's Sdot
// adds follows the address of w; fewer values than aligned, which may be at any, are added in turn.
func dot(x, w []float32) float32 {
	if len(w) >= aligned {
		return gonum.Implementation{}.Sdot(len(w), x, 1, w, 1)
	}
	var sum float32
	for i, v := range w {
		sum += float32(v * x[i])
	}
	return sum
}

// comp multiplies columns of a buffer by those of the open row from the given one on, in all
// banks that have it open, and adds the products to their sums.
func (ch *performer) comp(s *accumulator, row, col int, x []float32) {
	lo := col * ch.device.lanes
	hi := lo + len(x)
	any, shared := false, ch.device.shared()
	for u := range s.used {
		if ch.open[u*shared] != row {
			continue
		}
		any, s.used[u] = true, true
		if at, w := ch.rows[row].elements(u, lo, hi); len(w) == 0 {
			continue
		} else if s.whole != nil {
			s.whole[u] += exactDot(x[at:], w)
		} else {
			s.v[u] += dot(x[at:], w)
		}
	}
	if !any {
		panic(fmt.Sprintf("pim: COMP in row %d, which is not open", row))
	}
	if !s.set {
		panic("pim: COMP to a sum that has not been set")
	}
}
