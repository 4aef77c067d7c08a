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

// share is the work of one channel: spans in order.
type share []span

func (p *part) dims() [partDims]int { return [partDims]int{p.count, p.units, p.chunks, p.groups} }

func (p *part) items() int { return p.count * p.units * p.chunks * p.groups }

func (p *part) whole() [partDims]tensor.Range {
	var b [partDims]tensor.Range
	for d, n := range p.dims() {
		b[d].Hi = n
	}
	return b
}

// sharing is a way to share parts out, as numbers of teams; 0 stands for even shares.
type sharing struct {
	name   string
	counts func(d *Device, ps []part) []int
}

// sharings are the ways that are tried.
var sharings = []sharing{
	{"even", (*Device).evenCounts},
	{"teams", (*Device).teamCounts},
}

// counts are the numbers of teams that are tried.
func (d *Device) counts(ps []part) []int {
	all := make([]int, 0, 16)
	for _, s := range sharings {
		all = append(all, s.counts(d, ps)...)
	}
	return all
}

func (d *Device) evenCounts([]part) []int {
	if d.basic {
		return nil
	}
	return []int{0}
}

// teamCounts lists numbers of teams, ascending. A number is left out if another has as many
// output groups a member with more teams, or as many units a team with fewer.
func (d *Device) teamCounts(ps []part) (counts []int) {
	if d.basic {
		return []int{1}
	}
	n := d.channels
	lastUnits, lastGroups := 0, 0
	for c := 1; c <= n; c++ {
		units, groups := 0, 0
		for i := range ps {
			units += ceilDiv(ps[i].count*ps[i].units, c)
			groups += ceilDiv(ps[i].groups, n/c)
		}
		switch {
		case c > 1 && units == lastUnits:
			continue
		case c > 1 && groups == lastGroups:
			counts[len(counts)-1] = c
		default:
			counts = append(counts, c)
		}
		lastUnits, lastGroups = units, groups
	}
	return counts
}

// shares appends the ways to share parts out, evenly first. Of those with as many groups a member, one with the most teams is
// enough.
func (d *Device) shares(ps []part, all []option) []option {
	n := d.channels
	if d.basic {
		return append(all, option{teams: 1, used: n})
	}
	groups := func(size int) (g int) {
		for i := range ps {
			g += ceilDiv(ps[i].groups, size)
		}
		return g
	}
	all = append(all, option{used: n})
	for c := n; c >= 1; c-- {
		size := n / c
		if c == n || groups(size) < groups(n/(c+1)) {
			all = append(all, option{teams: c, used: c * size})
		}
		if n%c > 0 && groups(size+1) < groups(size) {
			all = append(all, option{teams: c, used: n})
		}
	}
	return all
}

// assign gives each channel its share.
func (m *way) assign(shares []share) {
	for i := range shares {
		shares[i] = shares[i][:0]
	}
	if m.used > 0 {
		shares = shares[:m.used]
	}
	if m.teams > 0 {
		shareByTeams(shares, m.parts, m.teams)
	} else {
		shareEvenly(shares, m.parts)
	}
}

// last appends the share of the last of n channels.
func (m *way) last(out share, n int) share {
	if m.used > 0 {
		n = m.used
	}
	if m.teams > 0 {
		return memberShare(out, m.parts, n-1, teams{n, m.teams})
	}
	return evenShare(out, m.parts, n-1, n)
}

// spans appends items lo to hi of the box of a part, counted in the order of its dimensions,
// as at most 7 boxes.
func (s share) spans(p *part, box [partDims]tensor.Range, lo, hi int) share {
	return s.split(&span{p, box}, 0, lo, hi)
}

// split appends items lo to hi of a box, counted from dimension dim on. It leaves sp as it
// was.
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

// alike reports whether two shares certainly take the same time.
func (s share) alike(o share) bool {
	return slices.EqualFunc(s, o, func(a, b span) bool {
		if a.classes != nil && (a.at[byUnit] != b.at[byUnit] || a.at[byChunk] != b.at[byChunk]) {
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

// short reports whether the span ends with a unit of fewer than fold pixels.
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

// shareEvenly shares each part out to n channels, none with more than one item more than
// another. Each first gets the same number of whole units, then its part of the items of the
// units left over. The items left over in a part go to the channels after those that had them
// in the part before. The shares are appended to out, by channel.
//
// In the literature: block distribution of a loop (static scheduling).
func shareEvenly(out []share, ps []part) {
	for c := range out {
		out[c] = evenShare(out[c], ps, c, len(out))
	}
}

// evenShare appends the even share of channel c of n.
func evenShare(out share, ps []part, c, n int) share {
	turn := 0
	for i := range ps {
		p := &ps[i]
		box := p.whole()
		if p.classes != nil {
			out = out.spans(p, box, p.itemAt(c, n), p.itemAt(c+1, n))
			continue
		}
		unit := p.chunks * p.groups
		each := p.count * p.units / n * unit
		rest := p.items() - n*each
		q, over := rest/n, rest%n
		j := (c - turn + n) % n
		lo := n*each + j*q + min(j, over)
		hi := lo + q
		if j < over {
			hi++
		}
		out = out.spans(p, box, j*each, (j+1)*each)
		out = out.spans(p, box, lo, hi)
		turn = (turn + over) % n
	}
	return out
}

// byClass are the pixels of a matrix by padding class.
func (p *part) byClass() []int {
	if p.classes == nil {
		return []int{p.pixels}
	}
	n := make([]int, len(*p.classes))
	for i, q := range *p.classes {
		n[i] = q.pixels
	}
	return n
}

// unitAt is the first unit after a portion of the part's work.
func (p *part) unitAt(portion, total int) int {
	if p.classes == nil {
		return p.count * p.units * portion / total
	}
	unit, _, _ := p.find(portion, total)
	return unit
}

// work is the work of a pixel in column accesses of an output group. A result read counts as
// one more.
func (s columnCount) work() int { return s.columns + s.chunks }

// find locates a portion of the part's work: the units before it, then, within the next unit,
// the padding class of its pixels and the work already done.
func (p *part) find(portion, total int) (unit, class, rest int) {
	all := 0
	var buf [maxClasses]int
	works := buf[:len(*p.classes)]
	for k, q := range *p.classes {
		works[k] = p.need(k, 0, p.chunks).work()
		all += works[k] * q.pixels
	}
	done := all * p.count * portion / total
	if all == 0 || portion == total {
		return p.count * p.units, 0, 0
	}
	unit, rest = done/all*p.units, done%all
	for k, q := range *p.classes {
		n, need := ceilDiv(q.pixels, p.fold), works[k]*p.fold
		if rest < works[k]*q.pixels {
			return unit + rest/need, k, rest % need
		}
		unit, rest = unit+n, rest-works[k]*q.pixels
	}
	panic("pim: more work than there is")
}

// itemAt is the first item of channel c of n when items of several padding classes are shared out in order, so that all
// channels have about the same work.
func (p *part) itemAt(c, n int) int {
	if c == 0 {
		return 0
	}
	unit, class, rest := p.find(c, n)
	if unit == p.count*p.units {
		return p.items()
	}
	at := unit * p.chunks * p.groups
	pixels := p.fold // of the unit, at most
	for chunk := range p.chunks {
		need := p.need(class, chunk, chunk+1).work() * pixels
		if rest < need {
			return at + rest*p.groups/need
		}
		rest -= need
		at += p.groups
	}
	return at
}

// estimate is what is known of a share without simulating it.
type estimate struct {
	cycles int64
	rows   int   // of the banks in use
	moved  int64 // elements, to and from the channel
	timely bool  // no visit delays refreshes for too long
}

// with is the estimate of channels that do the one share and the other.
func (f estimate) with(o estimate) estimate {
	return estimate{max(f.cycles, o.cycles), max(f.rows, o.rows), f.moved + o.moved, f.timely && o.timely}
}

// estimateAll is the estimate of all channels. It ends at the first that takes limit or longer, or has no time for refreshes.
func estimateAll(shares []share, limit int64, foresee func(s share) estimate) estimate {
	f := estimate{timely: true}
	var one estimate
	for i := len(shares) - 1; i >= 0; i-- {
		if s := shares[i]; i == len(shares)-1 || !s.alike(shares[i+1]) {
			one = foresee(s)
		}
		if f = f.with(one); f.cycles >= limit || !f.timely {
			break
		}
	}
	return f
}
