package pim

// foresee estimates the cycles of a share without refreshes, and says how many it
// takes at least.
func (d *Device) foresee(s share) (estimate, least int64) {
	if d.ops.sets() {
		return d.foreseeRegisters(s)
	}
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
				late, _ := d.late(sp, p.groups, []batch{{load: load{full: min(sp.depth, b.units())}, cols: b.cols}})
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

// refreshed is about the cycles of a stream with refreshes.
func (d *Device) refreshed(cycles int64) int64 {
	if float64(cycles) < d.interval || d.refresh >= d.interval {
		return cycles
	}
	return int64(float64(cycles) / (1 - d.refresh/d.interval))
}
