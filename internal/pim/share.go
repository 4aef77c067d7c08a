package pim

import (
	"slices"

	"pimflow/internal/tensor"
)

// span is a box of a part's items.
type span struct {
	*part
	at [partDims]tensor.Range
}

// share is what one channel does: spans in order.
type share []span

// work is what a share issues, in commands that all standards have, how often it visits a
// row, and the elements that its commands move.
type work struct{ writes, acts, visits, comps, inits, reads, moved int64 }

// spans appends items lo to hi of the box of a part (counted in the order of its
// dimensions) as boxes: at most 7.
func (s share) spans(p *part, box [partDims]tensor.Range, lo, hi int) share {
	return s.split(&span{p, box}, 0, lo, hi)
}

// split appends items lo to hi of a box, counted from dimension dim on; sp is as it was
// afterwards.
func (s share) split(sp *span, dim, lo, hi int) share {
	if lo == hi {
		return s
	}
	inner := 1
	for d := dim + 1; d < partDims; d++ {
		inner *= sp.at[d].Len()
	}
	all := sp.at[dim]
	if all.Len() == 1 && hi-lo < inner {
		return s.split(sp, dim+1, lo, hi)
	}
	first, last := lo/inner, hi/inner
	from, to := lo-first*inner, hi-last*inner
	only := func(lo, hi int) *span {
		sp.at[dim] = tensor.Range{Lo: all.Lo + lo, Hi: all.Lo + hi}
		return sp
	}
	defer func() { sp.at[dim] = all }()
	if from > 0 {
		if first == last {
			return s.split(only(first, first+1), dim+1, from, to)
		}
		s = s.split(only(first, first+1), dim+1, from, inner)
		first++
	}
	if first < last {
		s = append(s, *only(first, last))
	}
	if to > 0 {
		s = s.split(only(last, last+1), dim+1, 0, to)
	}
	return s
}

// alike reports whether two shares clearly take the same time.
func (s share) alike(o share) bool {
	return slices.EqualFunc(s, o, func(a, b span) bool {
		if a.skips != nil && (a.at[byUnit] != b.at[byUnit] || a.at[byChunk] != b.at[byChunk]) {
			return false
		}
		if a.part != b.part || a.short() != b.short() || (a.at[byGroup].Hi == a.groups) != (b.at[byGroup].Hi == b.groups) {
			return false
		}
		for d := range a.at {
			if a.at[d].Len() != b.at[d].Len() {
				return false
			}
		}
		return true
	})
}

// short reports whether the span ends with a unit of less than fold pixels.
func (s *span) short() bool { return s.at[byUnit].Hi == s.units && s.tail < s.fold }

// full is the number of units of fold pixels.
func (s *span) full() int {
	n := s.at[byUnit].Len()
	if s.short() {
		n--
	}
	return n
}

// selected is the number of pixels in the units of the span.
func (s *span) selected() int {
	n := s.full() * s.fold
	if s.short() {
		n += s.tail
	}
	return n
}

// within reports whether no count of w is above that of o.
func (w work) within(o work) bool {
	return w.writes <= o.writes && w.acts <= o.acts && w.comps <= o.comps && w.inits <= o.inits && w.reads <= o.reads
}

func (w work) commands() int64 { return w.writes + w.acts + w.comps + w.inits + w.reads }

// max is the larger of both in each count of commands.
func (w work) max(o work) work {
	return work{
		writes: max(w.writes, o.writes), acts: max(w.acts, o.acts), visits: max(w.visits, o.visits),
		comps: max(w.comps, o.comps), inits: max(w.inits, o.inits), reads: max(w.reads, o.reads),
	}
}

// even shares each part out to n channels so that none has more than one item
// more than another: first as many whole units to each as there are, then the
// items of the units that are left. What is over in one part goes to the channels
// after those that had it in the part before. It appends to out, one a channel.
func even(out []share, ps []part) {
	n, turn := len(out), 0
	for i := range ps {
		p := &ps[i]
		if p.skips != nil {
			p.evenly(out)
			continue
		}
		box, unit := p.whole(), p.chunks*p.groups
		each := p.count * p.units / n * unit
		rest := p.items() - n*each
		q, over := rest/n, rest%n
		for j := range n {
			lo := n*each + j*q + min(j, over)
			hi := lo + q
			if j < over {
				hi++
			}
			c := (turn + j) % n
			out[c] = out[c].spans(p, box, j*each, (j+1)*each)
			out[c] = out[c].spans(p, box, lo, hi)
		}
		turn = (turn + over) % n
	}
}

func (p *part) whole() [partDims]tensor.Range {
	var b [partDims]tensor.Range
	for d, n := range p.dims() {
		b[d].Hi = n
	}
	return b
}

// teams shares the units of each part out to teams of channels; the members of a
// team share the output groups. A team that has a channel less than another, so
// that each member has more output groups, gets fewer units. It appends to out,
// one a channel.
func teams(out []share, ps []part, count int) {
	n := len(out)
	for i := range ps {
		p := &ps[i]
		long := n % count                                                          // teams with a channel more than the others
		groups := [2]int{ceilDiv(p.groups, n/count), ceilDiv(p.groups, n/count+1)} // of the busiest member
		total := long*groups[0] + (count-long)*groups[1]
		c, weight := 0, 0
		for t := range count {
			size, w := n/count, groups[1]
			if t < long {
				size, w = size+1, groups[0]
			}
			lo := p.unitAt(weight, total)
			weight += w
			hi := p.unitAt(weight, total)
			for m := range size {
				box := p.whole()
				box[byGroup] = tensor.Range{Lo: p.groups * m / size, Hi: p.groups * (m + 1) / size}
				inner := p.chunks * box[byGroup].Len()
				out[c] = out[c].spans(p, box, lo*inner, hi*inner)
				c++
			}
		}
	}
}

// work is about that of a pixel, in column accesses of a group: a result is one more.
func (s sum) work() int { return s.columns + s.chunks }

// unitAt is the number of the part's units that are about so much of its work.
func (p *part) unitAt(share, total int) int {
	if p.skips == nil {
		return p.count * p.units * share / total
	}
	unit, _, _ := p.find(share, total)
	return unit
}

// find divides the work of a part, of one group: units that are done, and of the next,
// of a kind, so much.
func (p *part) find(share, total int) (unit, kind, rest int) {
	all := 0
	var buf [maxKinds]int
	works := buf[:len(*p.skips)]
	for k, q := range *p.skips {
		works[k] = p.need(k, 0, p.chunks).work()
		all += works[k] * q.pixels
	}
	done := all * p.count * share / total
	if all == 0 || share == total {
		return p.count * p.units, 0, 0
	}
	unit, rest = done/all*p.units, done%all
	for k, q := range *p.skips {
		n, work := ceilDiv(q.pixels, p.fold), works[k]*p.fold
		if rest < works[k]*q.pixels {
			return unit + rest/work, k, rest % work
		}
		unit, rest = unit+n, rest-works[k]*q.pixels
	}
	panic("pim: more work than there is")
}

// evenly shares a part of several kinds of pixels out to channels, item by item in
// their order, each about as much work.
func (p *part) evenly(out []share) {
	lo := 0
	for c := range out {
		hi := p.items()
		if unit, kind, rest := p.find(c+1, len(out)); unit < p.count*p.units {
			hi = unit * p.chunks * p.groups
			pixels := p.fold // of the unit, at most
			for chunk := range p.chunks {
				work := p.need(kind, chunk, chunk+1).work() * pixels
				if rest < work {
					hi += rest * p.groups / work
					break
				}
				rest -= work
				hi += p.groups
			}
		}
		out[c] = out[c].spans(p, p.whole(), lo, max(lo, hi))
		lo = max(lo, hi)
	}
}

// clone returns a copy in memory of its own.
func clone(shares []share) []share {
	n := 0
	for _, s := range shares {
		n += len(s)
	}
	out, all := make([]share, len(shares)), make(share, 0, n)
	for i, s := range shares {
		at := len(all)
		all = append(all, s...)
		out[i] = all[at:len(all):len(all)]
	}
	return out
}
