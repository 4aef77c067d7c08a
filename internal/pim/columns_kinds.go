package pim

import "slices"

// Most estimates are of mappings that are not wanted. So the last channel's share is estimated first, and all are made only
// where it is short enough; of shares that are alike one is estimated, from numbers that are the same for all dataflows.

// spanLoad is what the visits of a span are made of, whatever the dataflow.
type spanLoad struct {
	*span
	packed rowPacking
	load   load // where pixels are of one padding class
	mixed  bool // they are of several
	needs  mix
	cols   int // of a pixel's chunk, in the mean
}

// shareKind is a share, the channels with one alike, and its spans.
type shareKind struct {
	share    share
	channels int64
	loads    []spanLoad
	rows     int
}

// newKind is the kind of a share.
func (s *columnSearch) newKind(sh share) shareKind {
	k, first := shareKind{share: sh, channels: 1}, len(s.loads)
	var buf [usualClasses]batch
	for i := range sh {
		sp := &sh[i]
		bs, chunks := sp.batches(buf[:0]), sp.at[byChunk]
		x := spanLoad{span: sp, packed: sp.packing(&s.d.geometry), mixed: len(bs) > 1}
		for i := range bs {
			x.needs.add(&bs[i], sp.need(bs[i].class, chunks.Lo, chunks.Hi), sp.fold)
		}
		if !x.mixed {
			x.load = bs[0].load
		}
		if m := &x.needs; m.reads > 0 {
			x.cols = int((m.columns + m.reads/2) / m.reads)
		}
		k.rows += sp.at[byMatrix].Len() * chunks.Len() * x.packed.rows
		s.loads = append(s.loads, x)
	}
	k.loads = s.loads[first:]
	return k
}

// addKinds adds the kinds of all shares but the last channel's, which is there.
func (s *columnSearch) addKinds(shares []share) {
	for c := len(shares) - 2; c >= 0; c-- {
		if len(shares[c]) > 0 {
			s.addKind(shares[c], 1)
		}
	}
}

// addKind counts a share with those alike. These are mostly of channels nearby.
func (s *columnSearch) addKind(sh share, channels int64) {
	for i := len(s.kinds) - 1; i >= 0; i-- {
		if k := &s.kinds[i]; k.share.alike(sh) {
			k.channels += channels
			return
		}
	}
	k := s.newKind(sh)
	k.channels = channels
	s.kinds = append(s.kinds, k)
}

// estimate adds a candidate unless its estimate reaches the limit.
func (s *columnSearch) estimate(w way, f dataflow) {
	for i := range w.parts {
		f.rowGroups = w.parts[i].rowGroups
		w.parts[i].dataflow = f
	}
	n := s.d.channels
	if w.used > 0 {
		n = w.used
	}
	if len(s.kinds) == 0 {
		s.last, s.shared = w.last(s.last[:0], s.d.channels), false
		s.kinds = append(s.kinds, s.newKind(s.last))
	}
	first := s.estimateKind(&s.kinds[0])
	if !first.timely || first.cycles >= s.limit {
		return
	}
	if !s.shared {
		s.shared = true
		if !s.addTeams(&w, n) {
			w.assign(s.memory.shares[0])
			s.addKinds(s.memory.shares[0][:n])
		}
	}
	p := candidate{way: w, estimate: first}
	p.moved *= s.kinds[0].channels
	for i := 1; i < len(s.kinds); i++ {
		k := &s.kinds[i]
		one := s.estimateKind(k)
		one.moved *= k.channels
		if p.estimate = p.with(one); !p.timely || p.cycles >= s.limit {
			s.kinds[0], s.kinds[i] = s.kinds[i], s.kinds[0] // is looked at first with the next dataflow
			return
		}
	}
	visits := p.cycles
	s.d.afterLink(&p)
	switch {
	case p.cycles >= s.limit:
	case p.rows > s.d.rows:
		if s.need == 0 || p.rows < s.need {
			s.need = p.rows
		}
	default:
		if w.layer.dynamic {
			w.assign(s.memory.shares[0])
			p.cycles += s.d.writingOf(&p.way, s.memory.shares[0])
		}
		if p.cycles > visits && !w.layer.dynamic {
			for i := range s.kinds {
				p.work = p.work.with(s.work(s.kinds[i].share).times(s.kinds[i].channels))
			}
		}
		p.parts = slices.Clone(w.parts)
		s.list = append(s.list, p)
		s.limit = min(s.limit, int64(float64(p.cycles)*(1+slack)))
	}
}

// stays is 1 where a fill stays, 0 where a row does.
func (p *dataflow) stays() int {
	if p.inputStationary {
		return 1
	}
	return 0
}

// linkBound is a lower bound on the cycles of the link. Each result is read once a chunk, however work is shared out; a pixel's
// columns are written once for each member of its team, weight-stationary for each row of each.
func (s *columnSearch) linkBound(t *tiling, o *option, inputStationary bool) int64 {
	moved := t.read
	for i := range t.parts {
		p := &t.parts[i]
		moved += t.columns[i] * int64(s.d.lanes) * int64(p.fewestPasses(o, inputStationary))
	}
	return int64(s.d.link.cycles(moved*int64(s.d.element), s.d.m.Clock))
}

// fewestPasses is how often a pixel's columns are written at least.
func (p *part) fewestPasses(o *option, inputStationary bool) int {
	of := func(size int) int { // the members of a team: some have a group more than the others
		few := p.groups / size
		more := p.groups % size
		if inputStationary {
			return min(p.groups, size)
		}
		return more*ceilDiv(few+1, p.rowGroups) + (size-more)*ceilDiv(few, p.rowGroups)
	}
	if o.teams == 0 {
		return of(1)
	}
	n := of(o.used / o.teams)
	if o.used%o.teams > 0 {
		n = min(n, of(o.used/o.teams+1))
	}
	return n
}
