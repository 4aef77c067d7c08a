package pim

// with is what is known of channels that do one or the other.
func (f foreseen) with(o foreseen) foreseen {
	return foreseen{max(f.estimate, o.estimate), max(f.least, o.least), max(f.rows, o.rows), f.timely && o.timely}
}

// foresee estimates the cycles of a share.
func (c *columns) foresee(s share) foreseen {
	f := foreseen{timely: true}
	t, w := &c.waits, work{}
	var visits, acts int64 // beyond those of w
	var buf [usualKinds]batch
	for i := range s {
		sp := &s[i]
		p, bs := sp.packed(&c.d.geometry), sp.batches(buf[:0])
		lo, hi := sp.at[byChunk].Lo, sp.at[byChunk].Hi
		f.rows += sp.at[byMatrix].Len() * sp.at[byChunk].Len() * p.rows
		f.timely = f.timely && c.timely(sp, p)
		matrices, rows, groups := int64(sp.at[byMatrix].Len()), int64(p.rows), int64(sp.at[byGroup].Len())
		first, short := c.runs(sp, p.groups), c.runs(sp, p.last)
		all := sp.at[byUnit].Len()
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
			before = max(before, int64(need.chunks*first.visits(b.units())))
			last = max(last, int64(need.chunks*short.visits(b.units())))
			b.cols = need.columns / need.chunks
			written := int64(min(sp.depth, b.units()) * sp.fold * b.cols) // of a fill
			wait := max(0, (written*t.write+t.ready)-(t.shut-t.toWrite+int64(c.d.acts-1)*t.act+t.open))
			if sp.inputs {
				late, _ := c.late(sp, p.groups, []batch{{load: load{full: min(sp.depth, b.units())}, cols: b.cols}})
				wait = max(0, wait-int64(late)*t.write)
				stalls += n * wait / int64(sp.depth)
				continue
			}
			stall := t.toWrite + written*t.write + t.ready
			if sp.double {
				stall = 0
				if room := c.room(b.cols); room <= 0 {
					stall = max(0, t.toWrite+written*t.write+t.toRead-int64(b.cols)*t.comp)
				} else {
					stall = max(0, written-int64(room*sp.depth*sp.fold*p.groups)) * t.write
				}
			}
			stalls += rows * (stall*(n-int64(need.chunks))/int64(sp.depth) + wait*int64(need.chunks)*int64(b.units())/int64(all))
		}
		if !sp.inputs {
			columns *= rows
		}
		w.writes += columns
		w.visits += matrices * (before*(rows-1) + last)
		w.acts += matrices * (before*(rows-1)*int64(c.d.acts) + last*int64(p.acts))
		if len(bs) > 1 { // visits that no kind of pixels needs alone
			more := matrices * rows * max(0, units*int64(first.visits(all))/int64(all)-before)
			visits, acts = visits+more, acts+more*int64(c.d.acts)
		}
		f.estimate += matrices * stalls
	}
	f.least = t.comp*(w.comps+w.reads) + w.visits*(t.shut+t.open-t.act-t.comp) + w.acts*t.act - t.shut
	if r := &c.refresh; r.cycles < r.interval { // nothing is open during one; some may still wait at the end
		f.least = max(f.least, int64((float64(f.least)-r.cycles*float64(t.postpone)/r.interval-2*r.cycles)/(1-r.cycles/r.interval)))
	}
	f.least = max(f.least, t.write*(w.writes+w.reads))
	f.estimate += t.comp*(w.comps+w.reads) + (w.visits+visits)*(t.close+t.shut+t.open-t.act) + (w.acts+acts)*t.act
	return f
}
