package pim

import (
	"fmt"

	"gonum.org/v1/gonum/blas/gonum"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// channel is the state of a channel that performs a stream: its banks, its
// buffer, and the results it has read out.
type channel struct {
	values *operands
	*Code
	share share
	base  int       // the first row's number in the layer
	rows  []*loaded // by row and bank, made on first activation
	open  []int     // by bank, the open row; -1: none
	sums  []float32 // by bank
	used  []bool    // by bank: something has been added since the last READRES
	input []float32 // the buffer, as far as it was filled
	lo    int       // address of results[0]
	reads []float32
}

// perform executes the stream of a channel and returns the sums it read out,
// which belong at the given element of the results.
func (c *Code) perform(s share, o *operands) (sums []float32, at int) {
	d := c.device
	if len(s) == 0 {
		return nil, 0
	}
	results, rows := s.results(d.m.Banks), s.rows()
	ch := &channel{
		values: o, Code: c, share: s, base: rows.Lo, rows: make([]*loaded, rows.Len()),
		open: make([]int, d.m.Banks), sums: make([]float32, d.m.Banks), used: make([]bool, d.m.Banks),
		input: make([]float32, 0, d.m.Buffer),
		lo:    results.Lo, reads: make([]float32, results.Len()),
	}
	for b := range ch.open {
		ch.open[b] = -1
	}
	ch.run(d.stream(s), nil)
	return ch.reads, ch.lo
}

// results is the range of the results that a share adds to.
func (s share) results(banks int) tensor.Range {
	var r tensor.Range
	for i := range s {
		sp := &s[i]
		at := func(matrix, pixel, out int) int {
			return sp.block.result + (matrix*sp.pixels+pixel)*sp.outs + out
		}
		first := sp.at[byUnit].Lo * sp.fold
		lo := at(sp.at[byMatrix].Lo, first, sp.at[byGroup].Lo*banks)
		hi := at(sp.at[byMatrix].Hi-1, first+sp.selected()-1, min(sp.outs, sp.at[byGroup].Hi*banks))
		if i == 0 {
			r = tensor.Range{Lo: lo, Hi: hi}
		}
		r = tensor.Range{Lo: min(r.Lo, lo), Hi: max(r.Hi, hi)}
	}
	return r
}

// run performs a stream inside loops of the given indices.
func (ch *channel) run(s dram.Stream, index []int) {
	for i := range s {
		it := &s[i]
		if it.Times == 0 {
			ch.issue(&it.Command, index, 1)
			continue
		}
		inner := append(index, 0)
		// Column accesses along a row are performed as one: the addresses are
		// those of the loop, the products too.
		if b := it.Body; len(b) == 1 && b[0].Times == 0 && b[0].Command.Op == ch.device.ops.comp && along(&b[0].Command, len(index)) {
			ch.issue(&b[0].Command, inner, it.Times)
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
	return len(c.Col.Stride) == depth+1 && c.Col.Stride[depth] == 1 && len(c.Row.Stride) <= depth
}

// issue performs a command; of a column access, so many in a row.
func (ch *channel) issue(c *dram.Command, index []int, times int) {
	ops := &ch.device.ops
	switch c.Op {
	case ops.write:
		ch.gwrite(int(c.Data.At(index)), c.Fill)
	case ops.comp:
		ch.comp(int(c.Row.At(index)), int(c.Col.At(index)), times)
	case ops.read:
		ch.readres(int(c.Data.At(index)))
	default:
		for i, o := range ops.act {
			if c.Op == o {
				ch.activate(i, int(c.Row.At(index)))
				return
			}
		}
		panic("pim: a stream with " + ops.names[c.Op])
	}
}

// gwrite fills the buffer from the source matrix.
func (ch *channel) gwrite(at int, f dram.Gather) {
	if n := f.Len * f.Count; n > cap(ch.input) {
		panic(fmt.Sprintf("pim: GWRITE of %d elements into a buffer of %d", n, cap(ch.input)))
	}
	ch.input = ch.input[:f.Len*f.Count]
	b := ch.find(at, func(b *block) (first, size int) { return b.source, b.count * b.pixels * b.pitch })
	at -= b.source
	for i := range f.Count {
		row := (at + i*f.Pitch) / b.pitch
		ch.values.fill(ch.input[i*f.Len:][:f.Len], b, row/b.pixels, row%b.pixels, (at+i*f.Pitch)%b.pitch)
	}
}

// find returns the block that an address of a matrix is in.
func (ch *channel) find(at int, of func(b *block) (first, size int)) *block {
	for i := range ch.parts {
		if first, size := of(ch.parts[i].block); at >= first && at < first+size {
			return ch.parts[i].block
		}
	}
	panic(fmt.Sprintf("pim: no matrix has element %d", at))
}

// activate opens a row in a quarter of the banks.
func (ch *channel) activate(quad, row int) {
	if row < 0 || row >= len(ch.rows) {
		panic(fmt.Sprintf("pim: activation of row %d of %d", row, len(ch.rows)))
	}
	n := ch.device.quad()
	if ch.rows[row] == nil {
		ch.rows[row] = ch.load(ch.base + row)
	}
	for b := quad * n; b < (quad+1)*n; b++ {
		ch.open[b] = row
	}
}

// loaded is a row of all banks.
type loaded struct {
	width int // elements of a pixel
	banks []bankRow
}

// load finds the weights of a row, in the layer's numbering, of all banks.
func (ch *channel) load(row int) *loaded {
	for i := range ch.parts {
		p := &ch.parts[i]
		if at := row - p.row; at >= 0 && at < p.rows() {
			l := &loaded{p.cols * p.lanes, make([]bankRow, len(ch.open))}
			group := at % p.groups
			at /= p.groups
			for b := range l.banks {
				l.banks[b] = ch.values.bankRow(p, at/p.chunks, at%p.chunks, group*len(l.banks)+b)
			}
			return l
		}
	}
	panic(fmt.Sprintf("pim: no weights for row %d", row))
}

// elements are those of a row of a bank from element lo to hi, and where in
// between they stand; what is left out is 0. All must be of one pixel.
func (l *loaded) elements(bank, lo, hi int) (at int, w []float32) {
	r := &l.banks[bank]
	pixel := lo / l.width * l.width
	if hi > pixel+l.width {
		panic(fmt.Sprintf("pim: elements %d to %d of a row, %d a pixel", lo, hi, l.width))
	}
	from, to := max(lo-pixel, r.at), min(hi-pixel, r.at+len(r.w))
	if from >= to {
		return 0, nil
	}
	return from + pixel - lo, r.w[from-r.at : to-r.at]
}

// comp multiplies so many columns of the buffer by those of the open row, in all
// banks that have it open, and adds the products to their sums.
func (ch *channel) comp(row, col, times int) {
	lanes := ch.device.m.Lanes
	lo, hi := col*lanes, (col+times)*lanes
	if hi > len(ch.input) {
		panic(fmt.Sprintf("pim: COMP of elements %d to %d of a buffer filled with %d", lo, hi, len(ch.input)))
	}
	x := ch.input[lo:hi]
	any := false
	for b, o := range ch.open {
		if o != row {
			continue
		}
		any, ch.used[b] = true, true
		if at, w := ch.rows[row].elements(b, lo, hi); len(w) > 0 {
			ch.sums[b] += gonum.Implementation{}.Sdot(len(w), x[at:], 1, w, 1)
		}
	}
	if !any {
		panic(fmt.Sprintf("pim: COMP in row %d, which is not open", row))
	}
}

// readres adds the sums of the banks that have an output to the results.
func (ch *channel) readres(at int) {
	b := ch.find(at, func(b *block) (first, size int) { return b.result, b.count * b.pixels * b.outs })
	n := min(len(ch.sums), b.outs-(at-b.result)%b.outs)
	for i := range n {
		if !ch.used[i] {
			panic(fmt.Sprintf("pim: READRES of bank %d, which has computed nothing", i))
		}
		ch.reads[at-ch.lo+i] += ch.sums[i]
	}
	clear(ch.sums)
	clear(ch.used)
}
