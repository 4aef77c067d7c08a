package pim

import (
	"cmp"
	"math"
	"slices"
)

// filling is a way to fill the slots of a row for chunks, and to share the fills out to channels. What is a filling for less of a
// resource is one for more of it.
type filling struct {
	sharing option
	flow    *namedDataflow
	groups  int // output groups in a row, at most
	pixels  int // in a fill, where chunks are longest; shorter chunks have as many columns
	bound   int64
}

// accumulatorSearch is a search for candidates of one layer.
type accumulatorSearch struct {
	*accumulators
	memory *scratch
	list   []candidate
	need   int   // the fewest rows of those that do not fit
	limit  int64 // candidates with longer estimates are not wanted
	*accumulatorRoom
}

// accumulatorRoom is memory of a search.
type accumulatorRoom struct {
	sharings []option
	fillings []filling
	last     share
}

// candidates lists mappings by length of chunks, the longest first, until shorter ones cannot be faster. Of each length, those
// fillings are estimated whose bounds are below the best estimate.
func (c *accumulators) candidates(l *layer, m *scratch) (list []candidate, need int) {
	s := &accumulatorSearch{accumulators: c, memory: m, list: m.candidates[:0], limit: math.MaxInt64, accumulatorRoom: &m.accumulators}
	for _, merge := range l.merges(c.d.outputs) {
		blocks := l.blocks(merge, c.d.lanes)
		k := widest(blocks).pitch / c.d.lanes
		for size := min(c.d.buffer, c.d.columns, k); size > 0; {
			ps := c.parts(blocks, ceilDiv(k, ceilDiv(k, size)))
			if c.leastOf(ps) >= s.limit {
				break
			}
			s.expand(way{scheme: c, layer: l, merge: merge, parts: ps})
			size = longest(ps) - 1
		}
	}
	m.candidates = s.list
	return s.list, s.need
}

// expand estimates the fillings of chunks that may be better than the best.
func (s *accumulatorSearch) expand(w way) {
	ps, all := w.parts, s.fillings[:0]
	cols, groups, pixels := longest(ps), 0, 0
	for i := range ps {
		groups, pixels = max(groups, ps[i].groups), max(pixels, ps[i].pixels)
	}
	slots := min(s.d.buffer, s.d.columns) / cols
	s.sharings = s.d.shares(ps, s.sharings[:0])
	for _, o := range s.sharings {
		member := groups
		if o.teams > 0 {
			member = ceilDiv(groups, o.used/o.teams)
		}
		for i := range accumulatorDataflows {
			flow := &accumulatorDataflows[i]
			if flow.outputStationary && (len(ps) > 1 || ps[0].chunks == 1) {
				continue // sums stay only between equal chunks
			}
			for g := fewer(member, min(member, slots)+1); g > 0; g = fewer(member, g) {
				f := min(slots/g, pixels)
				if !flow.inputStationary {
					f = min(f, s.d.sums) // a longer fill is several blocks, as several fills are
				}
				for ; f > 0; f-- {
					x := filling{sharing: o, flow: flow, groups: g, pixels: f}
					var fewest int64
					if x.bound, fewest = s.bound(ps, &x); x.bound < s.limit {
						all = append(all, x)
					} else if fewest >= s.limit {
						break
					}
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b filling) int { return cmp.Compare(a.bound, b.bound) })
	for i := range all {
		if all[i].bound >= s.limit {
			break
		}
		s.estimateFilling(w, &all[i])
	}
	s.fillings = all
}

// fewer is the least number below g of groups in a row for which all of them need as many rows as for the largest below g; 0: none.
func fewer(groups, g int) int {
	if g == 1 {
		return 0
	}
	return ceilDiv(groups, ceilDiv(groups, g-1))
}

// fill sets how a part fills the slots of its rows.
func (x *filling) fill(p *part, cols, sums int) {
	p.dataflow = x.flow.dataflow
	p.accumulators = sums
	p.rowGroups = min(p.groups, x.groups)
	p.fold = max(1, min(p.pixels, cols*x.groups*x.pixels/(p.cols*p.rowGroups)))
	p.units = ceilDiv(p.pixels, p.fold)
	p.tail = p.pixels - (p.units-1)*p.fold
}

// estimateFilling adds a candidate unless its estimate reaches the limit. Most do so in the last channel.
func (s *accumulatorSearch) estimateFilling(w way, x *filling) {
	cols := longest(w.parts)
	for i := range w.parts {
		x.fill(&w.parts[i], cols, s.d.sums)
	}
	w.teams = x.sharing.teams
	if x.sharing.used < s.d.channels {
		w.used = x.sharing.used
	}
	s.last = w.last(s.last[:0], s.d.channels)
	if !staying(s.last) || s.accumulators.estimate(s.last).cycles >= s.limit {
		return
	}
	shares := s.memory.shares[0]
	w.assign(shares)
	if !slices.ContainsFunc(shares, func(s share) bool { return !staying(s) }) {
		p := candidate{way: w, estimate: estimateAll(shares, s.limit, s.accumulators.estimate)}
		s.d.afterLink(&p)
		switch {
		case p.cycles >= s.limit:
		case p.rows > s.d.rows:
			if s.need == 0 || p.rows < s.need {
				s.need = p.rows
			}
		default:
			if w.layer.dynamic {
				p.cycles += s.d.writingOf(&p.way, shares)
			}
			p.parts = slices.Clone(w.parts)
			s.list = append(s.list, p)
			s.limit = min(s.limit, int64(float64(p.cycles)*(1+slack)))
		}
	}
}

// staying reports whether there are accumulators for all groups of a fill's pixels wherever
// sums stay from chunk to chunk.
func staying(s share) bool {
	for i := range s {
		if sp := &s[i]; sp.outputStationary && sp.fold*sp.at[byGroup].Len() > sp.accumulators {
			return false
		}
	}
	return true
}

// leastOf is a lower bound on the cycles of any filling of chunks, shared to all channels evenly. It never falls where
// chunks are shorter.
func (c *accumulators) leastOf(ps []part) int64 {
	t, all := &c.waits, 0.0
	least := float64(min(c.block(), c.block()-c.unread())) / float64(c.d.sums)
	for i := range ps {
		p := &ps[i]
		sums := float64(p.count*p.pixels) * float64(p.chunks*p.groups)
		all += sums * (float64(int64(p.cols)*t.comp) + least)
		all += sums / float64(p.chunks) * float64(t.write+c.read)
	}
	return int64(all / float64(c.d.channels))
}

// unread is by how many cycles a block without reads is shorter, beside the reads.
func (c *accumulators) unread() int64 { return c.fromComp + c.waits.toWrite - c.read - 1 }

// bound is a lower bound on the estimate of a filling: what the last member of a team has to do, in the mean of the teams
// with as many members. fewest is what it cannot fall below with fewer pixels in a fill.
func (s *accumulatorSearch) bound(ps []part, x *filling) (bound, fewest int64) {
	t, o, cols := &s.waits, &x.sharing, longest(ps)
	var cycles, visits, turned, blocks, unread, moved float64
	for i := range ps {
		p := &ps[i]
		x.fill(p, cols, s.d.sums)
		groups, portion := p.groups, 1/float64(o.used)
		size := 1
		if o.teams > 0 {
			var long int
			size, long = o.used/o.teams, o.used%o.teams
			groups = ceilDiv(p.groups, size)
			more := ceilDiv(p.groups, size+1) // of the members of a longer team
			portion = float64(more) / float64((o.teams-long)*more+long*groups)
		}
		if x.flow.outputStationary && o.teams > 0 && p.fold*groups > s.d.sums {
			return math.MaxInt64, 0
		}
		k := packed(groups, p.rowGroups)
		k.acts = s.d.acts
		pixels := float64(p.count*p.pixels) * float64(p.chunks) // of all chunks
		sums := pixels
		if x.flow.outputStationary {
			sums /= float64(p.chunks)
		}
		mine := portion * float64(groups)
		cycles += mine * (pixels*float64(int64(p.cols)*t.comp) + sums*float64(t.write+s.read))
		moved += float64(2*s.d.results*p.groups) * sums
		full, rest := p.pixels/p.fold, p.pixels%p.fold
		of := func(blocks func(pixels int) int) float64 {
			n := full * blocks(p.fold)
			if rest > 0 {
				n += blocks(rest)
			}
			return float64(n) * float64(p.count*p.chunks) * portion
		}
		n := pixels * mine / float64(s.d.sums)
		if x.flow.inputStationary && k.rows*p.chunks > 1 {
			cycles += portion * pixels * float64(k.groups*p.cols) * float64(t.write)
			v := portion * float64(p.count*p.units*p.chunks) * float64(k.rows)
			visits, turned = visits+v, turned+v
			if o.teams > 0 {
				sp := span{part: p}
				n = of(func(pixels int) int { return sp.blocks(s.d.acts, k, pixels) })
			}
			moved += pixels * float64(p.cols*s.d.lanes*members(p, size))
		} else {
			cycles += mine * pixels * float64(p.cols) * float64(t.write)
			if v := float64(p.chunks * k.rows); o.teams > 0 && p.count == 1 && float64(p.units)*portion >= 1 {
				visits += v
			} else {
				visits += v * float64(p.count) * min(portion, 1)
			}
			if o.teams > 0 {
				n = of(func(pixels int) int {
					n, _, _ := sumBlocks(pixels, k.groups, s.d.sums)
					m, _, _ := sumBlocks(pixels, k.last, s.d.sums)
					return (k.rows-1)*n + m
				})
			}
			moved += pixels * float64(p.cols*s.d.lanes*p.groups)
		}
		blocks += n
		if x.flow.outputStationary {
			unread += n / float64(p.chunks) * float64(p.chunks-1)
		}
	}
	opened := float64(s.opening())
	fewest = int64(cycles + turned*opened)
	cycles += blocks*float64(s.block()) + visits*opened + max(visits-blocks, 0)*float64(t.close-t.comp) - unread*float64(s.unread())
	return max(int64(cycles), int64(s.d.link.cycles(int64(moved)*int64(s.d.element), s.d.m.Clock))), fewest
}

// packed is the packing of so many groups in rows of at most each.
func packed(groups, each int) (p rowPacking) {
	p.rows = ceilDiv(groups, each)
	p.groups = ceilDiv(groups, p.rows)
	p.rows = ceilDiv(groups, p.groups)
	p.last = groups - (p.rows-1)*p.groups
	return p
}

// members is how often the fewest columns of a pixel are written for all members of a team, input-stationary.
func members(p *part, size int) int {
	of := func(size int) int {
		more, few := p.groups%size, p.groups/size
		n := 0
		if more > 0 {
			n = more * packed(few+1, p.rowGroups).groups
		}
		if few > 0 {
			n += (size - more) * packed(few, p.rowGroups).groups
		}
		return n
	}
	return min(of(size), of(size+1))
}
