package pim

// A visit to a row takes the time to close the row before and to open this one, that of its multiplications and
// reads, and what writes of the buffers add: those before the first multiplication, and those of each later step.
// The first and the last are measured with short streams, once.

// openKey is an opening: activations, and columns that are written meanwhile, of one unit or of several.
type openKey struct {
	acts, writes int
	cols         int // of a result, up to those that hide the turn of the bus
	several      bool
}

// openTime is the cycles of a visit beside multiplications and reads, of the shortest visit, and by how much a run of
// visits is longer than their sum.
type openTime struct{ beside, shortest, edge float64 }

// stepKey is a step: so many pixels of so many columns and results, and the pixels that are written for the next.
type stepKey struct {
	cols, pixels, next, groups, wide int
	double                           bool
}

// packedKey is a key in few bits, which are quick to look up.
type packedKey [2]uint64

func (k *openKey) packed() packedKey {
	p := packedKey{uint64(k.writes), uint64(k.cols)<<8 | uint64(k.acts)<<1}
	if k.several {
		p[1]++
	}
	return p
}

func (k *stepKey) packed() packedKey {
	p := packedKey{uint64(k.cols)<<32 | uint64(k.pixels), uint64(k.next)<<32 | uint64(k.groups)<<8 | uint64(k.wide)<<1}
	if k.double {
		p[1]++
	}
	return p
}

// dot is the cycles of a result of so many columns.
func (c *columns) dot(cols int) int { return cols*int(c.waits.comp) + int(c.waits.read) }

// openTime measures an opening.
func (c *columns) openTime(k openKey) openTime {
	return c.d.opens.get(k.packed(), func() openTime { return c.measureOpening(k) })
}

func (c *columns) measureOpening(k openKey) (t openTime) {
	const groups = 4 // of a visit that is long enough
	one := func(cols, groups int) (float64, float64) {
		fill := []batch{{load: load{full: 1}, cols: k.writes}}
		if k.several {
			fill = []batch{{load: load{full: 1}, cols: 1}, {load: load{full: 1}, cols: k.writes - 1}}
		}
		if k.writes == 0 {
			fill = nil
		}
		v, w := c.visitor(dataflow{fillUnits: 1, unitBuffers: 1, bufferColumns: max(cols, k.writes)}, cols, 1, groups, k.acts)
		st := v.writeOpen(w, k.acts, fill, 0)
		return c.d.channel.Period(append(append(st, v.writeStep(w, groups, []batch{{load: load{full: 1}, cols: cols}}, nil, 0, 0)...), v.close(w)))
	}
	t.beside, t.edge = one(k.cols, groups)
	t.beside -= float64(groups * c.dot(k.cols))
	t.shortest, _ = one(1, 1)
	return t
}

// stepTime measures by how many cycles the writes for the next step lengthen one.
func (c *columns) stepTime(k stepKey) float64 {
	return c.d.steps.get(k.packed(), func() float64 { return c.measureStep(k) })
}

func (c *columns) measureStep(k stepKey) (t float64) {
	flow := dataflow{fillUnits: 1, unitBuffers: k.wide, bufferColumns: ceilDiv(k.cols*k.pixels, k.wide), doubleBuffered: k.double}
	v, w := c.visitor(flow, k.cols, k.pixels, k.groups, c.d.acts)
	now, next := []batch{{load: load{full: 1}, cols: k.cols}}, []batch{{load: load{tail: k.next}, cols: k.cols}}
	st := v.writeStep(w, k.groups, now, next, 0, 0)
	if t, _ = c.d.channel.Period(st); k.double {
		t, _ = c.d.channel.Period(append(st, v.writeStep(w, k.groups, now, next, k.wide, 0)...))
		t /= 2
	}
	return t - float64(k.pixels*k.groups*c.dot(k.cols))
}

// visitor writes visits to a row of so many groups.
func (c *columns) visitor(flow dataflow, cols, fold, groups, acts int) (visitor, writer) {
	b := block{lanes: c.d.lanes, outs: groups * c.d.outputs, pitch: cols * c.d.lanes}
	p := part{block: &b, cols: cols, chunks: 1, fold: fold, groups: groups, dataflow: flow}
	room := new(batchArena)
	return visitor{c, &span{part: &p}, rowPacking{rows: 1, groups: groups, last: groups, acts: acts}, room}, writer{d: c.d, bare: true, batches: room}
}

// estimator adds up the visits of a share.
type estimator struct {
	*columns
	timeline
	edge  float64
	spare float64 // by how much the last visit is shorter than one that another follows
}

// estimateKind adds up the visits of a share, each as long as among others like it.
func (c *columns) estimateKind(k *shareKind) estimate {
	e, f := estimator{columns: c, timeline: newTimeline(&c.refresh)}, estimate{timely: true, rows: k.rows}
	for i := range k.loads {
		x := &k.loads[i]
		if !c.timely(x.span, x.packed) {
			f.timely = false
			return f
		}
		f.moved += e.span(x)
	}
	f.cycles = int64(e.end() + e.edge - e.spare)
	return f
}

// rowKind is a number of rows of so many groups.
type rowKind struct{ rows, groups, acts int }

// rowKinds are the rows of a packing: those alike, and the last where it differs.
func (c *columns) rowKinds(p rowPacking) [2]rowKind {
	if p.last < p.groups || p.acts < c.d.acts {
		return [2]rowKind{{p.rows - 1, p.groups, c.d.acts}, {1, p.last, p.acts}}
	}
	return [2]rowKind{{p.rows, p.groups, c.d.acts}}
}

// span adds a span, and returns the elements that it moves.
func (e *estimator) span(x *spanLoad) (moved int64) {
	m, s := &x.needs, x.span
	if m.reads == 0 {
		return 0
	}
	v := visits{estimator: e, s: s, cols: x.cols}
	n := float64(s.at[byMatrix].Len())
	switch {
	case x.mixed:
		v.mixed(x.packed, m, n)
	case s.inputStationary:
		v.fills(x.packed, x.load, n*float64(m.chunks))
	default:
		v.rows(x.packed, x.load, n*float64(m.chunks))
	}
	writes := m.columns
	if !s.inputStationary {
		writes *= int64(x.packed.rows)
	}
	return int64(s.at[byMatrix].Len()) * (writes*int64(e.d.lanes) + m.reads*int64(s.at[byGroup].Len()*e.d.results))
}

// mix is what padding classes need together.
type mix struct {
	units, chunks, chunkUnits int // chunks of the class that needs most, units once for each chunk
	columns, reads            int64
}

func (m *mix) add(b *batch, need columnCount, fold int) {
	pixels := int64(b.pixels(fold))
	m.units += b.units()
	m.chunks = max(m.chunks, need.chunks)
	m.chunkUnits += b.units() * need.chunks
	m.columns += pixels * int64(need.columns)
	m.reads += pixels * int64(need.chunks)
}

// visits are those of pixels that need so many columns of a chunk.
type visits struct {
	*estimator
	s    *span
	cols int
}

// opening adds n visits with so many writes before the first multiplication and cycles of multiplications, reads and stalls.
func (v *visits) opening(n float64, acts, writes, units int, cycles float64) {
	if n == 0 {
		return
	}
	t := v.openTime(openKey{acts, writes, min(v.cols, int(v.waits.toRead/v.waits.comp)+2), units > 1 && writes > 1})
	if v.t == 0 {
		v.edge = t.edge
	}
	v.spare = max(0, t.shortest-t.beside-cycles)
	v.add(n, t.beside+cycles+v.spare)
}

// dots is the cycles of pixels that pass so many groups.
func (v *visits) dots(pixels float64, groups int) float64 {
	return pixels * float64(groups*v.dot(v.cols))
}

// early is the writes of a fill before the first multiplication.
func (v *visits) early(l load, groups int) int {
	bs := [1]batch{{load: l, cols: v.cols}}
	late, _ := v.overlapped(v.s, groups, bs[:])
	return l.pixels(v.s.fold)*v.cols - late
}

// fills adds n times the fills of a load, each with the visits of all rows to it.
func (v *visits) fills(p rowPacking, l load, n float64) {
	h := v.s.fillUnits
	fill := func(n float64, l load) {
		if n == 0 || l.units() == 0 {
			return
		}
		filled, pixels := true, float64(l.pixels(v.s.fold))
		for _, r := range v.rowKinds(p) {
			if r.rows == 0 {
				continue
			}
			cycles := v.dots(pixels, r.groups)
			if filled {
				v.opening(n, r.acts, v.early(l, r.groups), l.units(), cycles)
				r.rows--
				filled = false
			}
			v.opening(n*float64(r.rows), r.acts, 0, 0, cycles)
		}
	}
	fill(n*float64(l.full/h), load{full: h})
	fill(n, load{l.full % h, l.tail})
}

// stall is the cycles that a step takes more for the writes of so many pixels for the next. Beyond the results that carry
// them more groups make no difference.
func (c *columns) stall(f *dataflow, cols, fold, groups, next int) float64 {
	k := stepKey{cols, f.fillUnits * fold, next, groups, f.unitBuffers, f.doubleBuffered}
	most := 1
	if room := c.overlapSlots(cols); room > 0 && f.doubleBuffered {
		most = ceilDiv(ceilDiv(cols*next, room), k.pixels)
	}
	k.groups = min(groups, most+1)
	return c.stepTime(k)
}

// rows adds n times the visits of all rows that a load passes.
func (v *visits) rows(p rowPacking, l load, n float64) {
	s, h := v.s, v.s.fillUnits
	for _, r := range v.rowKinds(p) {
		if r.rows == 0 {
			continue
		}
		pass := func(n float64, l load) {
			if n == 0 {
				return
			}
			cycles := v.dots(float64(l.pixels(s.fold)), r.groups)
			first := l
			if l.units() > h {
				first = load{full: h}
				if n := l.full/h - 1; n > 0 {
					cycles += float64(n) * v.stall(&s.dataflow, v.cols, s.fold, r.groups, h*s.fold)
				}
				if rest := (load{l.full % h, l.tail}); rest.units() > 0 {
					cycles += v.stall(&s.dataflow, v.cols, s.fold, r.groups, rest.pixels(s.fold))
				}
			}
			v.opening(n, r.acts, first.pixels(s.fold)*v.cols, first.units(), cycles)
		}
		length := v.runs(s, r.groups).length(l.units())
		long := (l.units() - 1) / length
		pass(n*float64(r.rows*long), load{full: length})
		pass(n*float64(r.rows), load{l.full - long*length, l.tail})
	}
}

// mixed adds n times the visits of pixels of several padding classes, as if each needed as many columns.
func (v *visits) mixed(p rowPacking, m *mix, n float64) {
	s, h := v.s, v.s.fillUnits
	fill, filled := load{full: min(h, m.units)}, true
	each := m.columns*v.waits.comp + m.reads*v.waits.read // cycles of a group
	for _, r := range v.rowKinds(p) {
		if r.rows == 0 {
			continue
		}
		cycles := float64(each * int64(r.groups))
		if s.inputStationary {
			fills := float64(ceilDiv(m.units, h)) * float64(m.chunkUnits) / float64(m.units)
			if filled {
				v.opening(n*fills, r.acts, v.early(fill, r.groups), fill.units(), cycles/fills)
				r.rows--
				filled = false
			}
			v.opening(n*fills*float64(r.rows), r.acts, 0, 0, cycles/fills)
			continue
		}
		times := float64(v.runs(s, r.groups).visits(m.units) * m.chunks)
		if steps := float64(m.chunkUnits)/float64(h) - times; steps > 0 {
			cycles += steps * v.stall(&s.dataflow, v.cols, s.fold, r.groups, h*s.fold)
		}
		v.opening(n*float64(r.rows)*times, r.acts, fill.pixels(s.fold)*v.cols, fill.units(), cycles/times)
	}
}
