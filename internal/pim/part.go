package pim

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

// held is what a part's weights are, beside the rows they stand in.
func (p *part) held() []int { return []int{p.first, p.merge, p.out0, p.outs, p.k, p.k0, p.cols} }

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
