package pim

import (
	"cmp"
	"math"
	"slices"
)

// What is a mapping for less of a resource is one for more of it: shorter chunks, fewer pixels in a unit, fewer units in a
// fill, teams that leave channels idle. Those that cannot be better are left out: by bounds from the numbers alone,
// then by the estimate of a channel.

// tiling is an order of K cut in chunks of at most size columns.
type tiling struct {
	*kOrder
	size   int
	last   int  // size of the tiling before; 0: none
	again  bool // the chunks are those of the tiling before
	missed int  // tilings before it in a row that cannot be better than the best
	parts  []part
	work   int64 // cycles of multiplications and reads of all pixels, for an output group
	cols   int   // of a read, in the mean
	chunks int   // that some pixel needs
	bound  int64 // on the cycles, shared to all channels evenly

	read    int64   // elements of results, of all channels
	columns []int64 // by part: columns that its pixels need
}

// option is a way to share a tiling out.
type option struct {
	teams, used int // teams 0: even shares
	fold        int
	boxes       [2]box
	bound       int64    // on the estimate, with any dataflow
	link        [2]int64 // bounds on the cycles of the link: weight-stationary, input-stationary
}

// box is work that some channel has at least: units that pass so many groups, counted once for each chunk, and the cycles of
// multiplications and reads.
type box struct {
	units, groups int
	cycles        int64
}

// columnSearch is a search for candidates of one layer.
type columnSearch struct {
	*columns
	memory *scratch
	list   []candidate
	need   int   // the fewest rows of those that do not fit
	limit  int64 // candidates with longer estimates are not wanted
	*columnRoom
}

// columnRoom is memory of a search.
type columnRoom struct {
	sharings []option
	options  []option
	twins    []twin
	folds    []int
	flows    []dataflow
	kinds    []shareKind // of the option that is estimated
	shared   bool        // its shares are made, and kinds are those of all
	loads    []spanLoad
	last     share
	teamRoom
}

// slack is how much longer than the best an estimate may be to be simulated: estimates are this exact, in the mean
// (TestEstimates).
const slack = 0.01

// mostMissed ends the search for shorter chunks: with fewer columns the bounds of tilings rise, but not at each step, since more groups fit
// a row. Estimated.
const mostMissed = 4

// candidates lists mappings by tilings, those with the least bounds first, until no other is likely to be faster
// than the best estimate.
func (c *columns) candidates(l *layer, m *scratch) (list []candidate, need int) {
	s := &columnSearch{columns: c, memory: m, list: m.candidates[:0], limit: math.MaxInt64, columnRoom: &m.columns}
	s.tilings(l, s.expand)
	m.candidates = s.list
	return s.list, s.need
}

// tilings expands the tilings that may be better than the best.
func (s *columnSearch) tilings(l *layer, expand func(t *tiling)) {
	orders := s.orders(l)
	next := make([]tiling, 0, len(orders))
	for i := range orders {
		next = append(next, s.tiling(&orders[i], s.mostColumns(), nil))
	}
	for len(next) > 0 {
		at := 0
		for i := range next {
			if next[i].bound < next[at].bound {
				at = i
			}
		}
		t := next[at]
		switch {
		case t.again:
		case t.bound < s.limit:
			expand(&t)
			t.missed = 0
		default:
			t.missed++
		}
		if t.size == 1 || t.missed == mostMissed {
			next = slices.Delete(next, at, at+1)
			continue
		}
		next[at] = s.tiling(t.kOrder, t.size-1, &t)
	}
}

// mostColumns is the longest chunk.
func (c *columns) mostColumns() int {
	if c.d.basic {
		return min(c.d.buffer, c.d.columns)
	}
	return min(c.d.buffer*c.d.buffers, c.d.columns)
}

// tiling cuts an order of K in as few chunks as have at most size columns.
func (s *columnSearch) tiling(o *kOrder, size int, last *tiling) tiling {
	k := widest(o.blocks).pitch / s.d.lanes
	t := tiling{kOrder: o, size: ceilDiv(k, ceilDiv(k, size))}
	t.parts = s.columns.parts(o.blocks, t.size)
	if last != nil {
		t.last, t.missed = longest(last.parts), last.missed
		same := func(a, b part) bool {
			return a.block == b.block && a.k0 == b.k0 && a.cols == b.cols && a.chunks == b.chunks
		}
		if t.again = slices.EqualFunc(t.parts, last.parts, same); t.again {
			t.bound = last.bound
			t.last = last.last
			return t
		}
	}
	all, columns, reads := int64(0), 0, 0
	t.columns = make([]int64, len(t.parts))
	for i := range t.parts {
		p := &t.parts[i]
		p.rowGroups = max(1, s.d.columns/p.cols)
		p.countColumns()
		work, chunks := int64(0), 0
		for k, q := range p.byClass() {
			need := p.need(k, 0, p.chunks)
			work += int64(q) * (int64(need.columns)*s.waits.comp + int64(need.chunks)*s.waits.read)
			columns, reads = columns+q*need.columns, reads+q*need.chunks
			chunks = max(chunks, need.chunks)
			t.columns[i] += int64(p.count * q * need.columns)
			t.read += int64(p.count*q*need.chunks) * int64(p.groups*s.d.results)
		}
		work *= int64(p.count)
		t.work += work
		t.chunks += chunks
		all += work*int64(p.groups) + int64(p.count*chunks*ceilDiv(p.groups, p.rowGroups))*s.visitCycles()
	}
	t.bound, t.cols = all/int64(s.d.channels), (columns+reads/2)/max(reads, 1)
	return t
}

// visitCycles is the fewest cycles from one visit to the next beside multiplications and reads.
func (c *columns) visitCycles() int64 {
	t := &c.waits
	return t.shut + t.open + int64(c.d.acts-1)*t.act - t.comp
}

// gains reports whether teams may gain by a tiling that the one before does not give: more groups fit a row, more pixels a
// buffer, or chunks fewer buffers.
func (s *columnSearch) gains(t *tiling) bool {
	b, cols := s.d.buffer, longest(t.parts)
	return t.last == 0 || s.d.columns/cols > s.d.columns/t.last || b/cols > b/t.last || ceilDiv(cols, b) < ceilDiv(t.last, b)
}

// expand estimates the mappings of a tiling that may be better than the best.
func (s *columnSearch) expand(t *tiling) {
	s.options = s.options[:0]
	p, gains := &t.parts[0], s.gains(t)
	for _, o := range s.share(t.parts) {
		if o.teams > 0 && !gains {
			break
		}
		o.link = [2]int64{s.linkBound(t, &o, false), s.linkBound(t, &o, true)}
		for _, o.fold = range s.fold(t.parts) {
			s.boxes(t, &o)
			if max(o.boxes[0].cycles, o.boxes[1].cycles) >= s.limit {
				continue
			}
			least := int64(math.MaxInt64)
			o.bound = least
			for _, f := range s.flow(t, &o) {
				b := s.bound(t, &o, &f)
				o.bound, least = min(o.bound, b), min(least, max(b, o.link[f.stays()]))
			}
			if least < s.limit {
				s.options = append(s.options, o)
			}
		}
	}
	slices.SortStableFunc(s.options, func(a, b option) int { return cmp.Compare(a.bound, b.bound) })
	fold := p.fold
	s.twins = s.twins[:0]
	for i := range s.options {
		o := &s.options[i]
		if o.bound >= s.limit {
			break
		}
		if o.fold != fold {
			fold = o.fold
			refold(t.parts, fold)
		}
		w := way{scheme: s.columns, layer: t.layer, merge: t.merge, teams: o.teams, parts: t.parts}
		if o.used < s.d.channels {
			w.used = o.used
		}
		s.kinds, s.loads = s.kinds[:0], s.loads[:0]
		done := s.twin(&w, o)
		for i, f := range s.flow(t, o) {
			if done != nil && *done>>i&1 > 0 {
				continue
			}
			if max(s.bound(t, o, &f), o.link[f.stays()]) < s.limit {
				s.estimate(w, f)
				if done != nil {
					*done |= 1 << i
				}
			}
		}
	}
}

// twin is shares of whole units that are the same evenly and in teams of a channel each.
type twin struct {
	fold int
	done uint64 // dataflows that were estimated
}

// twin returns the dataflows that were estimated of an option, or of another that gives each channel the same; nil where there is none, or where
// all candidates are wanted.
func (s *columnSearch) twin(w *way, o *option) *uint64 {
	p, n := &w.parts[0], s.d.channels
	if s.memory.every || o.used < n || o.teams != 0 && o.teams != n || p.classes != nil || p.count*p.units%n > 0 || w.parts[len(w.parts)-1].block != p.block {
		return nil
	}
	for i := range s.twins {
		if x := &s.twins[i]; x.fold == o.fold {
			return &x.done
		}
	}
	s.twins = append(s.twins, twin{fold: o.fold})
	return &s.twins[len(s.twins)-1].done
}

// refold puts so many pixels in a unit of parts.
func refold(ps []part, fold int) []part {
	for i := range ps {
		p := &ps[i]
		p.fold, p.units = fold, 0
		for _, q := range p.layer.classes {
			n := ceilDiv(q.pixels, fold)
			p.units += n
			p.tail = q.pixels - (n-1)*fold // where there is one class
		}
	}
	return ps
}

// share lists the ways to share parts out.
func (s *columnSearch) share(ps []part) []option {
	s.sharings = s.d.shares(ps, s.sharings[:0])
	return s.sharings
}

// fold lists numbers of pixels in a unit, the most that a buffer holds first: of those that make as many units, the fewest.
func (s *columnSearch) fold(ps []part) []int {
	p, all := &ps[0], s.folds[:0]
	defer func() { s.folds = all }()
	most := min(max(1, s.d.buffer/longest(ps)), p.pixels)
	for f := most; f > 0; f-- {
		f = ceilDiv(p.pixels, ceilDiv(p.pixels, f))
		all = append(all, f)
	}
	return all
}

// load is the most pixels of a team when each gets about as many units of fold pixels.
func (p *part) load(fold, teams int) int {
	units := ceilDiv(p.pixels, fold)
	k := ceilDiv(p.count*units, teams)
	switch {
	case p.count > 1:
		return max(ceilDiv(p.count*p.pixels, teams), (k-1)*fold+1)
	case units%teams == 1 || teams == 1: // the last team has the unit more, which is short
		return k*fold - (units*fold - p.pixels)
	}
	return k * fold
}

// boxes sets the boxes of an option.
func (s *columnSearch) boxes(t *tiling, o *option) {
	p, c, units := &t.parts[0], o.teams, 0
	o.boxes = [2]box{}
	if last := &t.parts[len(t.parts)-1]; p.block != last.block { // a channel may have work of one block only
		o.boxes[0].cycles = t.bound
		return
	}
	for i := range t.parts {
		p := &t.parts[i]
		if p.classes == nil {
			units += p.count * (p.pixels / o.fold) * p.chunks
			continue
		}
		for k, q := range *p.classes {
			units += p.count * (q.pixels / o.fold) * p.need(k, 0, p.chunks).chunks
		}
	}
	if c == 0 {
		b := box{0, p.groups, t.work * int64(p.groups) / int64(o.used)}
		if p.count*p.pixels/o.fold >= o.used {
			b.units = units / o.used
		} else { // no visit is for two units
			b.cycles += int64(units*p.groups/o.used/p.rowGroups) * s.visitCycles()
		}
		o.boxes[0] = b
		return
	}
	size, long := o.used/c, o.used%c
	groups := [2]int{ceilDiv(p.groups, size), ceilDiv(p.groups, size+1)} // of a member
	all := (c-long)*groups[1] + long*groups[0]
	for i, g := range groups {
		part := groups[1-i] // of the work, for a team
		if i == 1 && long == 0 {
			break
		}
		b := box{units * part / all, g, t.work * int64(part) / int64(all) * int64(g)}
		if p.classes == nil && long == 0 {
			b.cycles = t.work * int64(g) / int64(p.count*p.pixels) * int64(p.load(o.fold, c))
		}
		o.boxes[i] = b
	}
}

// bound is a lower bound on the estimate of an option with a dataflow.
func (s *columnSearch) bound(t *tiling, o *option, f *dataflow) (most int64) {
	p, chunks := &t.parts[0], t.chunks
	for _, b := range o.boxes {
		if b.units == 0 {
			most = max(most, b.cycles)
			continue
		}
		rows := int64(ceilDiv(b.groups, p.rowGroups))
		if f.inputStationary {
			most = max(most, b.cycles+rows*int64(max(b.units/f.fillUnits, min(chunks, b.units)))*s.visitCycles())
			continue
		}
		cycles := b.cycles + rows*int64(min(chunks, b.units))*s.visitCycles()
		if steps := b.units/f.fillUnits - chunks; steps > 0 && cycles < s.limit {
			cycles += int64(float64(rows*int64(steps)) * s.stall(f, t.cols, o.fold, min(p.rowGroups, b.groups), f.fillUnits*o.fold))
		}
		most = max(most, cycles)
	}
	return most
}
