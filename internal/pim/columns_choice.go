package pim

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// simulated is how many mappings are simulated, those of the best estimates, and at most
// how many where their estimates are better than the best of them turned out: on the golden
// layers of MobileNetV2 and ResNet-50 one gives cycles within 0.3 % of those that 12 give in
// the mean, three within 0.05 %; on drawn small ones more of them are worth 0.3 %.
const simulated, atMost = 3, 8

// planned is a mapping that has not been simulated.
type planned struct {
	mapping
	estimate int64 // cycles of the slowest channel, without refreshes
	least    int64 // that it takes at least
	size     int   // of chunks, at most
}

// cutSize is a number of teams and a size of chunks.
type cutSize struct{ teams, size int }

// chooseColumns is choose where buffer writes move single columns.
func (d *Device) chooseColumns(l *layer) (best *mapping, tried []*mapping, err error) {
	plans, need := d.plans(l)
	if len(plans) == 0 && need > 0 {
		return nil, nil, fmt.Errorf("weights of %d rows in a bank of %d rows: %w", need, d.m.Rows, device.ErrUnsupported)
	}
	slices.SortStableFunc(plans, func(a, b planned) int { return cmp.Compare(a.estimate, b.estimate) })
	for i := range plans {
		p := &plans[i]
		if len(tried) >= simulated && (len(tried) == atMost || d.refreshed(p.estimate) >= int64(best.slowest)) {
			break
		}
		if best != nil && p.least >= int64(best.slowest) {
			continue
		}
		m := &mapping{}
		*m = p.mapping // the other plans can go
		m.cutting = fmt.Sprintf("%d columns", m.parts[0].cols)
		m.shares = make([]share, d.channels)
		m.assign(m.shares)
		m.count(d)
		limit, done := dram.Cycle(math.MaxInt64), false
		if best != nil {
			limit = best.slowest
		}
		m.slowest, done = d.slowest(m, limit)
		m.beaten = !done
		tried = append(tried, m)
		if best == nil || done && (m.slowest < limit || m.total < best.total) {
			best = m
		}
	}
	if best == nil || best.slowest == tooLate {
		return nil, nil, fmt.Errorf("a refresh every %d cycles is later than allowed: %w", d.m.Timing["refi_ck"], device.ErrUnsupported)
	}
	return best, tried, nil
}

// plans lists the ways to execute a layer whose weights fit the banks. If none
// fits, need is the smallest number of rows that one wanted.
func (d *Device) plans(l *layer) (plans []planned, need int) {
	var seen [][]part
	const spans = 6 // of a channel, usually
	scratch, all := make([]share, d.channels), make(share, 0, d.channels*spans)
	for i := range scratch {
		scratch[i] = all[i*spans : i*spans : (i+1)*spans]
	}
	var likely []cutSize
	for _, o := range d.orders(l) {
		l, merge, before := o.layer, o.merge, len(plans)
		for _, size := range d.sizes(l, o.blocks) {
			ps := d.columnParts(l, o.blocks, size)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, slices.Clone(ps))
			for i := range ps {
				ps[i].sumUp()
			}
			counts := teamCounts(ps, d.channels)
			if d.basic {
				counts = []int{1}
			}
			if l.byTap { // the others are not likely to be better now
				counts = slices.DeleteFunc(counts, func(n int) bool { return !slices.Contains(likely, cutSize{n, size}) })
			}
			for _, teams := range counts {
				p := planned{mapping: mapping{layer: l, merge: merge, teams: teams, parts: ps}, size: size}
				p.assign(scratch)
				for _, pattern := range d.patterns(ps[0].cols) {
					for i := range ps {
						ps[i].pattern = pattern
						ps[i].pack = max(1, d.m.Columns/ps[i].cols)
					}
					p.estimate, p.least = 0, 0
					rows, timely := 0, true
					for i, s := range scratch {
						if i > 0 && s.alike(scratch[i-1]) {
							continue
						}
						estimate, least := d.foresee(s)
						p.estimate, p.least = max(p.estimate, estimate), max(p.least, least)
						rows, timely = max(rows, d.rows(s).Len()), timely && s.timely(d)
					}
					if rows <= d.m.Rows && timely {
						q := p
						q.parts = slices.Clone(ps)
						plans = append(plans, q)
					} else if rows > d.m.Rows && (need == 0 || rows < need) {
						need = rows
					}
				}
			}
		}
		if !l.byTap {
			likely = best(plans[before:])
		}
	}
	return plans, need
}

// best are teams and sizes of the plans with the best estimates.
func best(plans []planned) (all []cutSize) {
	const most = 8 // of 20 and more, with which golden layers are no faster
	for len(all) < most {
		best := -1
		for i := range plans {
			if p := &plans[i]; (best < 0 || p.estimate < plans[best].estimate) && !slices.Contains(all, cutSize{p.teams, p.size}) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		all = append(all, cutSize{plans[best].teams, plans[best].size})
	}
	return all
}

// order is a layer in an order of K, its groups taken together.
type order struct {
	*layer
	merge  int
	blocks []block
}

// orders are those that are tried: channel by channel, and tap by tap where padding can
// be left out.
func (d *Device) orders(l *layer) (all []order) {
	for _, merge := range l.merges(d.m.Banks) {
		for _, l := range []*layer{l, l.skipping(merge, d.m.Lanes)} {
			if l == nil {
				continue
			}
			o := order{l, merge, l.blocks(merge, d.m.Lanes)}
			for i := range o.blocks {
				o.blocks[i].skips = l.skips(&o.blocks[i])
			}
			all = append(all, o)
		}
	}
	return all
}

// refreshed is about the cycles of a stream with refreshes.
func (d *Device) refreshed(cycles int64) int64 {
	if float64(cycles) < d.interval || d.refresh >= d.interval {
		return cycles
	}
	return int64(float64(cycles) / (1 - d.refresh/d.interval))
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

// patterns are the ways to use the machine's buffers for chunks of so many columns.
func (d *Device) patterns(cols int) []pattern {
	wide := ceilDiv(cols, d.buffer())
	n := d.m.Buffers / wide
	if d.basic || n == 1 {
		return []pattern{{depth: 1, wide: wide}, {inputs: true, depth: 1, wide: wide}}
	}
	p := []pattern{{depth: 1, wide: wide, double: true}, {inputs: true, depth: n, wide: wide}}
	if n >= 4 && d.room(cols) <= 0 { // the bus turns seldom
		p = append(p, pattern{depth: n / 2, wide: wide, double: true})
	}
	return p
}

// buffer is the columns of a buffer.
func (d *Device) buffer() int { return d.m.Buffer / d.m.Lanes }

// sizes are the lengths of chunks, in columns, that are tried: of which so many
// groups fit a row, and those that leave no channel idle.
func (d *Device) sizes(l *layer, blocks []block) []int {
	most := min(d.buffer()*d.m.Buffers, d.m.Columns)
	if d.basic {
		most = min(d.buffer(), d.m.Columns)
	}
	var sizes []int
	add := func(size int) {
		if size = min(size, most); size > 0 && !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	for _, groups := range []int{1, 2, 3, 4} {
		add(d.m.Columns / groups)
	}
	b := &blocks[0]
	add(spread(b.pitch/d.m.Lanes, most, b.count*l.pixels*ceilDiv(b.outs, d.m.Banks), d.channels))
	return sizes
}

// columnParts cuts a layer in chunks of at most size columns, of about one length.
// Of chunks too short to hide the writes of the next one pixel, several pixels fill a
// buffer.
func (d *Device) columnParts(l *layer, blocks []block, size int) []part {
	var ps []part
	for i := range blocks {
		b := &blocks[i]
		groups := ceilDiv(b.outs, d.m.Banks)
		k := b.pitch / d.m.Lanes
		grain := l.grain(b, size)
		n := ceilDiv(k/grain, size/grain)
		short := k / grain / n
		long := k/grain - n*short // chunks of a grain more
		for _, pc := range []piece{{0, (short + 1) * grain, long}, {long * (short + 1) * grain, short * grain, n - long}} {
			if pc.chunks == 0 {
				continue
			}
			p := part{block: b, k0: pc.k0, cols: pc.cols, chunks: pc.chunks, groups: groups, ends: b.outs - (groups-1)*d.m.Banks, fold: 1}
			if d.m.Buffers == 1 || d.room(p.cols) <= 0 {
				p.fold = l.level(max(1, d.buffer()/p.cols), p.rows(), d.channels)
			}
			for _, q := range l.kinds {
				p.units += ceilDiv(q.pixels, p.fold)
				p.tail = q.pixels - (ceilDiv(q.pixels, p.fold)-1)*p.fold // where there is one kind
			}
			ps = append(ps, p)
		}
	}
	return ps
}

// grain is the number of columns that chunks of at most size columns are cut by: tap by
// tap whole taps where they are whole columns, or equal pieces of one.
func (l *layer) grain(b *block, size int) int {
	width := b.merge * l.channels()
	if !l.byTap || width%b.lanes != 0 {
		return 1
	}
	if n := width / b.lanes; n%ceilDiv(n, size) == 0 {
		return n / ceilDiv(n, size)
	}
	return 1
}

// foresee estimates the cycles of a share without refreshes, and says how many it
// takes at least.
func (d *Device) foresee(s share) (estimate, least int64) {
	t, w := &d.waits, work{}
	var visits, acts int64 // beyond those of w
	var buf [8]batch
	for i := range s {
		sp := &s[i]
		p, bs := sp.packed(d), sp.batches(buf[:0])
		lo, hi := sp.at[byChunk].Lo, sp.at[byChunk].Hi
		matrices, rows, groups := int64(sp.at[byMatrix].Len()), int64(p.rows), int64(sp.at[byGroup].Len())
		var units, before, last, stalls, columns int64 // before, last: visits to those rows for the pixels that need most
		for i := range bs {
			b := &bs[i]
			need := sp.need(b.kind, lo, hi)
			if need.chunks == 0 {
				continue
			}
			pixels := matrices * int64(b.pixels(sp.fold))
			w.comps += pixels * int64(need.columns) * groups
			w.reads += pixels * int64(need.chunks) * groups
			columns += pixels * int64(need.columns)
			n := int64(b.units() * need.chunks)
			units += n
			before = max(before, int64(need.chunks*sp.visits(d, p.groups, b.units())))
			last = max(last, int64(need.chunks*sp.visits(d, p.last, b.units())))
			b.cols = need.columns / need.chunks
			written := int64(min(sp.depth, b.units()) * sp.fold * b.cols) // of a fill
			first := max(0, (written*t.write+t.ready)-(t.shut-t.toWrite+int64(d.acts()-1)*t.act+t.open))
			if sp.inputs {
				late := d.late(sp, p.groups, []batch{{load: load{full: min(sp.depth, b.units())}, cols: b.cols}})
				first = max(0, first-int64(late)*t.write)
				stalls += n * first / int64(sp.depth)
				continue
			}
			stall := t.toWrite + written*t.write + t.ready
			if sp.double {
				stall = 0
				if room := d.room(b.cols); room <= 0 {
					stall = max(0, t.toWrite+written*t.write+t.toRead-int64(b.cols)*t.comp)
				} else {
					stall = max(0, written-int64(room*sp.depth*sp.fold*p.groups)) * t.write
				}
			}
			stalls += rows * (stall*(n-int64(need.chunks))/int64(sp.depth) + first*int64(need.chunks)*int64(b.units())/int64(unitsOf(bs)))
		}
		if !sp.inputs {
			columns *= rows
		}
		w.writes += columns
		w.visits += matrices * (before*(rows-1) + last)
		w.acts += matrices * (before*(rows-1)*int64(d.acts()) + last*int64(p.acts))
		if len(bs) > 1 { // visits that no kind of pixels needs alone
			all := int64(sp.visits(d, p.groups, unitsOf(bs)))
			more := matrices * rows * max(0, units*all/int64(unitsOf(bs))-before)
			visits, acts = visits+more, acts+more*int64(d.acts())
		}
		estimate += matrices * stalls
	}
	least = t.comp*(w.comps+w.reads) + w.visits*(t.shut+t.open-t.act-t.comp) + w.acts*t.act - t.shut
	if interval := d.interval; d.refresh < interval { // nothing is open during one; some may still wait at the end
		least = max(least, int64((float64(least)-d.refresh*float64(t.postpone)/interval-2*d.refresh)/(1-d.refresh/interval)))
	}
	least = max(least, t.write*(w.writes+w.reads))
	estimate += t.comp*(w.comps+w.reads) + (w.visits+visits)*(t.close+t.shut+t.open-t.act) + (w.acts+acts)*t.act
	return estimate, least
}
