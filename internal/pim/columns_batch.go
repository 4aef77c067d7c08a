package pim

import (
	"slices"

	"pimflow/internal/tensor"
)

// load is units of pixels: full ones, and a short one of tail pixels if that is not 0.
type load struct{ full, tail int }

func (l load) units() int {
	if l.tail > 0 {
		return l.full + 1
	}
	return l.full
}

func (l load) pixels(fold int) int { return l.full*fold + l.tail }

// batch is units of pixels of a kind that follow each other.
type batch struct {
	load
	pixel int            // the first, of the part's
	kind  int            // of the block's skips
	need  []tensor.Range // of the columns of a chunk; nil: the first ones
	cols  int            // how many that are
}

// batches are those made for a stream, one list after the other.
type batches []batch

// add returns what f appends.
func (m *batches) add(f func(to []batch) []batch) []batch {
	n := len(*m)
	*m = f(*m)
	return (*m)[n:len(*m):len(*m)]
}

// batches appends the units of the span, which need everything as far as is known.
func (s *span) batches(to []batch) []batch {
	if s.skips == nil {
		l := load{full: s.full()}
		if s.short() {
			l.tail = s.tail
		}
		return append(to, batch{load: l, pixel: s.at[byUnit].Lo * s.fold})
	}
	unit := 0
	for i, q := range *s.skips {
		full, n := q.pixels, q.pixels
		if s.fold > 1 { // seldom, and divisions are slow
			full, n = q.pixels/s.fold, ceilDiv(q.pixels, s.fold)
		}
		lo, hi := max(s.at[byUnit].Lo-unit, 0), min(s.at[byUnit].Hi-unit, n)
		unit += n
		if lo >= hi {
			continue
		}
		b := batch{load: load{full: hi - lo}, pixel: q.first + lo*s.fold, kind: i}
		if hi > full {
			b.load = load{full - lo, q.pixels % s.fold}
		}
		to = append(to, b)
	}
	return to
}

// within appends what a kind of pixels needs of a chunk, and counts it.
func (p *part) within(to []tensor.Range, kind, chunk int) (need []tensor.Range, cols int) {
	if p.skips == nil {
		return append(to, tensor.Range{Hi: p.cols}), p.cols
	}
	lo := p.k0 + chunk*p.cols
	for _, r := range (*p.skips)[kind].need {
		if r = (tensor.Range{Lo: max(r.Lo-lo, 0), Hi: min(r.Hi-lo, p.cols)}); r.Lo < r.Hi {
			to, cols = append(to, r), cols+r.Len()
		}
	}
	return to, cols
}

// sum is what a pixel of a kind needs of some chunks: columns, and of how many chunks any.
type sum struct{ columns, chunks int }

// need sums chunks lo to hi up for a kind of pixels.
func (p *part) need(kind, lo, hi int) sum {
	if p.skips == nil {
		return sum{p.cols * (hi - lo), hi - lo}
	}
	if p.sums != nil && hi-lo == p.chunks {
		return (*p.sums)[kind]
	}
	var s sum
	for c := lo; c < hi; c++ {
		var need [8]tensor.Range
		if _, n := p.within(need[:0], kind, c); n > 0 {
			s.columns, s.chunks = s.columns+n, s.chunks+1
		}
	}
	return s
}

// sumUp keeps the sums of all chunks.
func (p *part) sumUp() {
	if p.skips != nil {
		sums := make([]sum, len(*p.skips))
		for k := range sums {
			sums[k] = p.need(k, 0, p.chunks)
		}
		p.sums = &sums
	}
}

// of appends the batches that need something of a chunk. Where addresses are left out,
// that is its first columns.
func (p *part) of(to, bs []batch, chunk int, bare bool) []batch {
	for _, b := range bs {
		var some [8]tensor.Range
		need, cols := p.within(some[:0], b.kind, chunk)
		if cols == 0 {
			continue
		}
		if b.cols = cols; p.skips != nil && !bare {
			b.need = slices.Clone(need)
		}
		to = append(to, b)
	}
	return to
}

// alike is the number of chunks from one on, before another, of which the batches need
// the same; where addresses are left out, as much.
func (p *part) alike(bs []batch, chunk, end int, bare bool) int {
	if p.skips == nil {
		return end - chunk
	}
	n := 1
	for ; chunk+n < end; n++ {
		for i := range bs {
			var a, b [8]tensor.Range
			one, cols := p.within(a[:0], bs[i].kind, chunk)
			other, same := p.within(b[:0], bs[i].kind, chunk+n)
			if cols != same || !bare && !slices.Equal(one, other) {
				return n
			}
		}
	}
	return n
}

// unitsOf is the number of units of batches.
func unitsOf(bs []batch) int {
	n := 0
	for i := range bs {
		n += bs[i].units()
	}
	return n
}

// pixelsOf is their pixels.
func pixelsOf(bs []batch, fold int) int {
	n := 0
	for i := range bs {
		n += bs[i].pixels(fold)
	}
	return n
}

// cut appends units lo to hi, as far as there are so many.
func cut(out, bs []batch, fold, lo, hi int) []batch {
	for _, b := range bs {
		n := b.units()
		if from, to := max(lo, 0), min(hi, n); from < to {
			c := b
			c.pixel += from * fold
			c.load = load{full: min(to, b.full) - from}
			if to > b.full {
				c.tail = b.tail
			}
			out = append(out, c)
		}
		if lo, hi = lo-n, hi-n; hi <= 0 {
			break
		}
	}
	return out
}

// same is the number of full units from one on that are in one batch.
func same(bs []batch, unit int) int {
	for i := range bs {
		n := bs[i].units()
		if unit < n {
			return max(bs[i].full-unit, 0)
		}
		unit -= n
	}
	return 0
}

// column is the i-th column that a batch needs, and how many are left from it on without
// a gap.
func (b *batch) column(i int) (col, left int) {
	if b.need == nil {
		return i, b.cols - i
	}
	for _, r := range b.need {
		if n := r.Len(); i >= n {
			i -= n
			continue
		}
		return r.Lo + i, r.Len() - i
	}
	panic("pim: a column that is not needed")
}
