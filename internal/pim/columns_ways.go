package pim

import "slices"

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
