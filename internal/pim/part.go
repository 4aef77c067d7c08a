package pim

import "pimflow/internal/hw"

// part is one pass over the pixels of a block with some of its K: chunks of cols
// columns each, a column being the elements of one column access. Of the shorter
// rows the buffer holds fold pixels at once.
//
// A part is a box of items, the units of work that channels share out: matrix,
// unit (a buffer full of pixels), chunk, output group (one output a bank), in
// this order. An item is the activation of one row of all banks and what is
// computed with it.
type part struct {
	*block
	k0, cols, chunks int
	fold             int
	units, tail      int // buffers of pixels; the last holds tail ≤ fold of them
	groups, ends     int // output groups; the outputs of the last
	row              int // where its weights start
	pattern              // where buffer writes move single columns
	sums             *[]sum
}

// The dimensions of a part.
const (
	byMatrix = iota
	byUnit
	byChunk
	byGroup
	partDims
)

func (p *part) dims() [partDims]int { return [partDims]int{p.count, p.units, p.chunks, p.groups} }

func (p *part) items() int { return p.count * p.units * p.chunks * p.groups }

func (p *part) rows() int { return p.count * p.chunks * p.groups }

// rowOf is the row of the weights of an item, in the layer's own numbering.
func (p *part) rowOf(matrix, chunk, group int) int {
	return p.row + (matrix*p.chunks+chunk)*p.groups + group
}

// piece is a stretch of K: chunks of cols columns from k0 on.
type piece struct{ k0, cols, chunks int }

// cutting is a way to cut k columns into pieces that fit a buffer of size columns;
// spread is a shorter length of chunk, for more items.
type cutting struct {
	name string
	cut  func(k, size, spread int) []piece
}

// chunks cuts k columns into chunks of size, and what is left over.
func chunks(k, size int) []piece {
	var ps []piece
	if k >= size {
		ps = append(ps, piece{0, size, k / size})
	}
	if k%size > 0 {
		ps = append(ps, piece{k - k%size, k % size, 1})
	}
	return ps
}

// cuttings are the ways that are tried.
var cuttings = []cutting{
	{"fold", func(k, size, _ int) []piece { return chunks(k, size) }},
	// What is left over in pieces that fill rows without a gap.
	{"pack", func(k, size, _ int) []piece {
		var ps []piece
		at := 0
		for cols := size; at < k; cols-- {
			if n := (k - at) / cols; n > 0 && size%cols == 0 {
				ps = append(ps, piece{at, cols, n})
				at += n * cols
			}
		}
		return ps
	}},
	// Shorter chunks, for more channels than there are items otherwise.
	{"spread", func(k, _, spread int) []piece { return chunks(k, spread) }},
}

// parts cuts a layer for n channels: merge groups together, K as c says.
func (l *layer) parts(m *hw.PIM, n, merge int, c cutting) []part {
	var ps []part
	row := 0
	size := min(m.Buffer/m.Lanes, m.Columns)
	for i, bs := 0, l.blocks(merge, m.Lanes); i < len(bs); i++ {
		b := &bs[i]
		groups := ceilDiv(b.outs, m.Banks)
		k := b.pitch / m.Lanes
		for _, pc := range c.cut(k, size, spread(k, size, b.count*l.pixels*groups, n)) {
			p := part{
				block: b, k0: pc.k0, cols: pc.cols, chunks: pc.chunks, row: row,
				groups: groups, ends: b.outs - (groups-1)*m.Banks,
			}
			p.fold = l.level(size/p.cols, p.rows(), n)
			p.units = ceilDiv(l.pixels, p.fold)
			p.tail = l.pixels - (p.units-1)*p.fold
			row += p.rows()
			ps = append(ps, p)
		}
	}
	return ps
}

// level is the smallest number of pixels in a buffer that leaves no channel more
// items than fold pixels do: with fewer of them the items are shorter. rows is
// the number of items of a unit.
func (l *layer) level(fold, rows, n int) int {
	rounds := ceilDiv(ceilDiv(l.pixels, fold)*rows, n)
	return min(fold, ceilDiv(l.pixels, max(rounds*n/rows, 1)))
}

// spread is the shortest chunk of k columns that leaves no channel more items
// than the longest does, when chunk items of one pixel each are shared out.
func spread(k, size, items, n int) int {
	rounds := ceilDiv(items*ceilDiv(k, size), n)
	return max(1, min(size, ceilDiv(k, max(rounds*n/items, 1))))
}
