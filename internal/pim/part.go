package pim

import (
	"slices"

	"pimflow/internal/tensor"
)

// part is one pass over the pixels of a block with a stretch of K: chunks of cols columns
// each. A column is the elements of one column access. A buffer holds fold pixels of short
// chunks.
//
// A part is a box of items, which are shared out to the channels. Its dimensions, the
// outermost first, are matrix, unit (a buffer full of pixels), chunk of K, and output group.
// An item is one activated row of all banks and the products computed with it.
//
// In the literature: a tile of the loop nest of a matrix product.
type part struct {
	*block
	k0, cols, chunks int
	fold             int
	units, tail      int // buffers of pixels; the last holds tail ≤ fold of them
	groups, ends     int // output groups; the outputs of the last
	row              int // where its weights start
	dataflow             // set by the scheme
	counts           *[]columnCount
}

// The dimensions of a part.
const (
	byMatrix = iota
	byUnit
	byChunk
	byGroup
	partDims
)

func (p *part) rows() int { return p.count * p.chunks * p.groups }

// rowOf is the row of an item's weights, in the layer's own numbering.
func (p *part) rowOf(matrix, chunk, group int) int {
	return p.row + (matrix*p.chunks+chunk)*p.groups + group
}

// weightKey identifies a part's weights, apart from the rows that hold them.
func (p *part) weightKey() []int {
	return []int{p.first, p.merge, p.out0, p.outs, p.k, p.k0, p.cols, p.layer.phase, p.layer.order()}
}

// level is the smallest number of pixels in a buffer that leaves no channel more items than
// fold pixels do. Fewer pixels make shorter items. rows is the number of items of a unit.
func (l *layer) level(fold, rows, n int) int {
	rounds := ceilDiv(ceilDiv(l.pixels, fold)*rows, n)
	return min(fold, ceilDiv(l.pixels, max(rounds*n/rows, 1)))
}

// shortestChunk is the shortest chunk of k columns that leaves no channel more items than
// chunks of size columns do, when chunk items of one pixel each are shared out.
func shortestChunk(k, size, items, n int) int {
	rounds := ceilDiv(items*ceilDiv(k, size), n)
	return max(1, min(size, ceilDiv(k, max(rounds*n/items, 1))))
}

// equal reports whether both parts are the same work.
func (p part) equal(o part) bool {
	same := *p.block == *o.block
	p.block, p.counts = o.block, o.counts
	return same && p == o
}

// countColumns stores the columns that each padding class needs of all chunks.
func (p *part) countColumns() {
	if p.classes != nil {
		sums := make([]columnCount, len(*p.classes))
		for k := range sums {
			sums[k] = p.need(k, 0, p.chunks)
		}
		p.counts = &sums
	}
}

// columnCount is what a pixel needs of several chunks: columns, and the number of chunks with
// at least one of them.
type columnCount struct{ columns, chunks int }

// need adds up what a pixel of a padding class needs of chunks lo to hi.
func (p *part) need(class, lo, hi int) columnCount {
	if p.classes == nil {
		return columnCount{p.cols * (hi - lo), hi - lo}
	}
	if p.counts != nil && hi-lo == p.chunks {
		return (*p.counts)[class]
	}
	var s columnCount
	for c := lo; c < hi; c++ {
		var need [8]tensor.Range
		if _, n := p.within(need[:0], class, c); n > 0 {
			s.columns, s.chunks = s.columns+n, s.chunks+1
		}
	}
	return s
}

// within appends the columns that a pixel of a padding class needs of one chunk, and counts
// them.
func (p *part) within(to []tensor.Range, class, chunk int) (need []tensor.Range, cols int) {
	if p.classes == nil {
		return append(to, tensor.Range{Hi: p.cols}), p.cols
	}
	lo := p.k0 + chunk*p.cols
	for _, r := range (*p.classes)[class].need {
		if r = (tensor.Range{Lo: max(r.Lo-lo, 0), Hi: min(r.Hi-lo, p.cols)}); r.Lo < r.Hi {
			to, cols = append(to, r), cols+r.Len()
		}
	}
	return to, cols
}

// rowPacking is how the output groups of a span are packed in rows: rows rows of groups groups
// each, the last with last of them. The last row is opened with acts activations, all others
// with as many as open all banks.
//
// In the literature: the layout of weights in DRAM rows.
type rowPacking struct{ rows, groups, last, acts int }

// packing packs a span's output groups in as few rows as hold them, as equal as can be.
func (s *span) packing(g *geometry) rowPacking {
	n := s.at[byGroup].Len()
	p := rowPacking{rows: ceilDiv(n, s.rowGroups), acts: g.acts}
	p.groups = ceilDiv(n, p.rows) // as equal as can be
	p.rows = ceilDiv(n, p.groups)
	p.last = n - (p.rows-1)*p.groups
	if p.last == 1 && s.at[byGroup].Hi == s.groups {
		p.acts = g.activations(s.ends)
	}
	return p
}

// load is a run of units: full units, and a short unit of tail pixels unless tail is 0.
type load struct{ full, tail int }

func (l load) units() int {
	if l.tail > 0 {
		return l.full + 1
	}
	return l.full
}

func (l load) pixels(fold int) int { return l.full*fold + l.tail }

// batch is a run of units whose pixels are of one padding class.
type batch struct {
	load
	pixel int            // the first, of the part's
	class int            // number of the padding class
	need  []tensor.Range // of the columns of a chunk; nil: the first ones
	cols  int            // their number
}

// batches appends the units of the span by padding class. The columns that they need are not
// known yet.
func (s *span) batches(to []batch) []batch {
	if s.classes == nil {
		l := load{full: s.full()}
		if s.short() {
			l.tail = s.tail
		}
		return append(to, batch{load: l, pixel: s.at[byUnit].Lo * s.fold})
	}
	unit := 0
	for i, q := range *s.classes {
		full, n := q.pixels, q.pixels
		if s.fold > 1 { // rare; divisions are slow
			full, n = q.pixels/s.fold, ceilDiv(q.pixels, s.fold)
		}
		lo, hi := max(s.at[byUnit].Lo-unit, 0), min(s.at[byUnit].Hi-unit, n)
		unit += n
		if lo >= hi {
			continue
		}
		b := batch{load: load{full: hi - lo}, pixel: q.first + lo*s.fold, class: i}
		if hi > full {
			b.load = load{full - lo, q.pixels % s.fold}
		}
		to = append(to, b)
	}
	return to
}

// alike counts the chunks from one on, before end, of which the batches need the same columns;
// without addresses, as many columns.
func (p *part) alike(bs []batch, chunk, end int, bare bool) int {
	if p.classes == nil {
		return end - chunk
	}
	n := 1
	for ; chunk+n < end; n++ {
		for i := range bs {
			var a, b [8]tensor.Range
			one, cols := p.within(a[:0], bs[i].class, chunk)
			other, same := p.within(b[:0], bs[i].class, chunk+n)
			if cols != same || !bare && !slices.Equal(one, other) {
				return n
			}
		}
	}
	return n
}
