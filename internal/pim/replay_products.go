package pim

import (
	"fmt"
	"math/bits"
)

// productSet records the products that the channels compute: a bit for each column access,
// that is for a column of K of an output group of a pixel. The layer needs all but padding.
// The bits of a sum follow each other.
type productSet struct {
	*mappedCode
	blocks  []matrixRun
	sources int // columns of the source matrices
	bits    []uint64
	n       int
}

// matrixRun is equal matrices of the layer, as addresses see them.
type matrixRun struct {
	*block
	number int // of the first
	source int // first column of the source matrices
	k      int // columns of a pixel
	groups int // of outputs
	first  int // bit
}

// newProducts lays out the matrices, and checks that they make up the layer.
func (c *mappedCode) newProducts() (*productSet, error) {
	l, d := c.layer, c.device
	p := &productSet{mappedCode: c}
	number, source, result, out := 0, 0, 0, l.outs.Lo
	var of *layer
	for _, b := range l.blocks(c.merge, d.lanes) {
		x := matrixRun{
			block: &b, number: number, source: b.source / d.lanes, k: b.pitch / d.lanes,
			groups: ceilDiv(b.outs, d.outputs), first: p.n,
		}
		if of != b.layer {
			if of != nil && out != l.outs.Hi {
				return nil, &Violation{-1, -1, fmt.Sprintf("outputs end at %d before matrix %d, %d wanted", out, number, l.outs.Hi)}
			}
			of, out = b.layer, l.outs.Lo
		}
		if b.source != source || b.result != result || b.out0 != out || b.pixels != of.pixels || b.k != b.merge*of.groupK || b.pitch%d.lanes != 0 || b.pitch < b.k {
			return nil, &Violation{-1, -1, fmt.Sprintf("matrix %d is not where the one before ends", number)}
		}
		for i := range b.count {
			lo, hi := (b.first+i*b.merge)*l.groupOuts, (b.first+(i+1)*b.merge)*l.groupOuts
			if out < lo || out+b.outs > hi {
				return nil, &Violation{-1, -1, fmt.Sprintf("matrix %d has outputs %d to %d, its groups %d to %d", number+i, out, out+b.outs, lo, hi)}
			}
			out += b.outs
		}
		number += b.count
		source += b.count * b.pixels * b.pitch
		result += b.count * b.pixels * b.outs
		p.n += b.count * b.pixels * x.groups * x.k
		p.blocks = append(p.blocks, x)
	}
	if size := c.cut.Box.Size() - l.unsummed(); out != l.outs.Hi || result != size {
		return nil, &Violation{-1, -1, fmt.Sprintf("the matrices have %d results of %d", result, size)}
	}
	p.sources = source / d.lanes
	p.bits = make([]uint64, (p.n+63)/64)
	return p, p.placed()
}

// done marks a column access, and reports whether it was done before.
func (p *productSet) done(i int) bool {
	w, b := &p.bits[i/64], uint64(1)<<(i%64)
	before := *w&b != 0
	*w |= b
	return before
}

// complete reports column accesses that were not computed and are not padding.
func (p *productSet) complete() error {
	n, first := 0, -1
	var of *matrixRun
	var last int       // the pixel that was asked for last, of these matrices
	var padding []bool // by column of K of that pixel
	for i, w := range p.bits {
		for w = ^w; w != 0; w &= w - 1 {
			bit := i*64 + bits.TrailingZeros64(w)
			if bit >= p.n {
				break
			}
			m := p.of(bit)
			if pixel := (bit - m.first) / m.k / m.groups; m != of || pixel != last {
				of, last, padding = m, pixel, padding[:0]
				for k := range m.k {
					padding = append(padding, p.padding(m, pixel%m.pixels, k))
				}
			}
			if padding[(bit-m.first)%m.k] {
				continue
			}
			if n++; first < 0 {
				first = bit
			}
		}
	}
	if n == 0 {
		return nil
	}
	m := p.of(first)
	k, lanes := (first-m.first)%m.k, m.lanes
	return &Violation{-1, -1, fmt.Sprintf("%d of %d column accesses are missing, the first with products %d to %d of %s",
		n, p.n, k*lanes, (k+1)*lanes, p.name(first-k))}
}

// of returns the matrices of a bit.
func (p *productSet) of(bit int) *matrixRun {
	i := len(p.blocks) - 1
	for p.blocks[i].first > bit {
		i--
	}
	return &p.blocks[i]
}

// name names the sum whose products begin with a bit.
func (p *productSet) name(sum int) string {
	m := p.of(sum)
	at := (sum - m.first) / m.k
	group := at % m.groups
	at /= m.groups
	return fmt.Sprintf("matrix %d, pixel %d, outputs from %d on", m.number+at/m.pixels, at%m.pixels, group*p.device.outputs)
}

// sumAt returns the first bit of the sums whose results begin at an element, -1 if
// none do.
func (p *productSet) sumAt(element int) int {
	for i := range p.blocks {
		m := &p.blocks[i]
		at := element - m.result
		if at < 0 || at >= m.count*m.pixels*m.outs {
			continue
		}
		if out := at % m.outs; out%p.device.outputs == 0 {
			return m.first + (at/m.outs*m.groups+out/p.device.outputs)*m.k
		}
	}
	return -1
}

// rowContents is the contents of a row of a channel's banks: columns of weights from k on for
// packs output groups of a matrix, side by side from group on, and the same again after period
// groups.
type rowContents struct {
	*matrixRun
	matrix, group int
	k, cols       int
	packs, period int
}

// layout says what the rows of a channel hold.
func (p *productSet) layout(s share) []rowContents {
	var all []rowContents
	rows := p.scheme.rows(s)
	for r := rows.Lo; r < rows.Hi; r++ {
		x := p.scheme.rowWeights(p.mapping, s, r)
		h := rowContents{matrix: x.matrix, group: x.group, k: x.k0 + x.chunk*x.cols, cols: x.cols, packs: x.groups, period: x.period}
		for i := range p.blocks {
			if p.blocks[i].result == x.block.result {
				h.matrixRun = &p.blocks[i]
			}
		}
		all = append(all, h)
	}
	return all
}
