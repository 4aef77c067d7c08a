package pim

import (
	"encoding/binary"
	"math"

	"pimflow/internal/dram"
)

func (c *accumulators) work(s share) work {
	w, _, _ := c.count(s)
	return w
}

// count counts the commands of a share, its blocks, and those of them without reads.
func (c *accumulators) count(s share) (w work, n, unread int64) {
	for i := range s {
		sp := &s[i]
		one, blocks, some := c.countSpan(sp, sp.packing(&c.d.geometry))
		w, n, unread = w.with(one), n+blocks, unread+some
	}
	return w, n, unread
}

// countSpan counts those of a span.
func (c *accumulators) countSpan(sp *span, p rowPacking) (w work, n, unread int64) {
	all := sp.fills()
	matrices, chunks := int64(sp.at[byMatrix].Len()), int64(sp.at[byChunk].Len())
	pixels, groups := matrices*chunks*int64(sp.selected()), int64(sp.at[byGroup].Len())
	w.comps = pixels * groups * int64(sp.cols)
	w.inits = pixels * groups
	if sp.outputStationary {
		w.inits /= chunks
	}
	w.reads = w.inits
	if sp.turns(p) {
		fill := func(units, pixels int) {
			k := matrices * chunks * int64(units)
			w.visits += k * int64(p.rows)
			w.acts += k * int64((p.rows-1)*c.d.acts+p.acts)
			blocks := k * int64(sp.blocks(c.d.acts, p, pixels))
			if n += blocks; sp.outputStationary {
				unread += blocks / chunks * (chunks - 1)
			}
		}
		w.writes = pixels * int64(p.groups*sp.cols)
		fill(all.full, sp.fold)
		if all.tail > 0 {
			fill(1, all.tail)
		}
	} else {
		w.writes = pixels * groups * int64(sp.cols)
		row := func(rows, groups, acts int) {
			if rows == 0 {
				return
			}
			k := matrices * chunks * int64(rows)
			visits := k * int64(ceilDiv(all.units(), c.passes(sp, groups)))
			w.visits += visits
			w.acts += visits * int64(acts)
			b, _, _ := sumBlocks(sp.fold, groups, sp.accumulators)
			n += k * int64(all.full*b)
			if all.tail > 0 {
				b, _, _ := sumBlocks(all.tail, groups, sp.accumulators)
				n += k * int64(b)
			}
		}
		row(p.rows-1, p.groups, c.d.acts)
		row(1, p.last, p.acts)
	}
	w.moved = w.writes*int64(c.d.lanes) + (w.inits+w.reads)*int64(c.d.results)
	return w, n, unread
}

// turns reports whether rows pass fills. A lone row stays open in any case.
func (s *span) turns(p rowPacking) bool { return s.inputStationary && p.rows*s.at[byChunk].Len() > 1 }

// blocks is the number of blocks that the visits of all rows of a chunk to a fill need.
func (s *span) blocks(acts int, p rowPacking, pixels int) int {
	full, last := p.rows, 0
	if p.last < p.groups || p.acts < acts {
		full, last = full-1, p.last
	}
	each := pixels * p.groups
	if each > s.accumulators {
		n, _, _ := sumBlocks(pixels, p.groups, s.accumulators)
		m, _, _ := sumBlocks(pixels, last, s.accumulators)
		return full*n + m
	}
	if full*each+last*pixels <= s.accumulators {
		return 1
	}
	n := s.accumulators / each
	if full%n+last > 0 {
		return full/n + 1
	}
	return full / n
}

// sumBlocks is how many blocks of at most accs sums the slots of a row need, pixels × groups,
// and the pixels and groups of each.
func sumBlocks(pixels, groups, accs int) (n, b, c int) {
	for g := min(groups, accs); g > 0; g-- {
		p := min(pixels, accs/g)
		if k := ceilDiv(pixels, p) * ceilDiv(groups, g); n == 0 || k < n {
			n, b, c = k, p, g
		}
	}
	return n, b, c
}

// passes is the number of fills that pass a row before it is closed: few enough that refreshes
// are in time, in runs of about equal length.
func (c *accumulators) passes(s *span, groups int) int {
	t := &c.waits
	n, _, _ := sumBlocks(s.fold, groups, s.accumulators)
	slots := int64(s.fold * groups)
	fill := slots*(int64(s.cols)*(t.write+t.comp)+t.write+c.read) + int64(n)*c.block()
	around := c.opening() + t.close + int64(c.d.acts)*t.act + fill
	most := max(1, int((t.postpone-around)/fill))
	units := s.fills().units()
	return ceilDiv(units, ceilDiv(units, most))
}

// block is the cycles of a block beside its commands: two changes of mode, and the difference
// that they make to the waits of the commands around them.
func (c *accumulators) block() int64 {
	t := &c.waits
	return c.mode + c.back + 1 - t.write + c.fromComp - t.comp + t.toWrite - c.read
}

// opening is the cycles that a block takes longer if it opens a row.
func (c *accumulators) opening() int64 { return c.waits.shut + c.waits.open }

// estimate adds up the waits of all commands, since nothing overlaps. It is off by the place of refreshes only: visits of a span
// are taken to be equally long.
func (c *accumulators) estimate(s share) estimate {
	t, x, f := &c.waits, newTimeline(&c.refresh), estimate{timely: true}
	for i := range s {
		sp := &s[i]
		p := sp.packing(&c.d.geometry)
		w, n, unread := c.countSpan(sp, p)
		cycles := t.write*(w.writes+w.inits) + t.comp*w.comps + c.read*w.reads + w.visits*c.opening() + n*c.block() - unread*c.unread()
		cycles += max(w.visits-n, 0) * (t.close - t.comp) // rows that are opened inside a block
		if i == len(s)-1 {
			cycles += c.ends
		}
		x.add(float64(w.visits), float64(cycles)/float64(w.visits))
		f.rows += sp.at[byMatrix].Len() * sp.at[byChunk].Len() * p.rows
		f.moved += w.moved
	}
	f.cycles = int64(math.Round(x.end()))
	return f
}

// breakdown charges each command with the cycles from another of its kind, and counts
// refreshes. The rest is waits that no command explains.
func (c *accumulators) breakdown(w work, r dram.Result) (list []cycleTerm, rest string) {
	t, modes := &c.waits, int64(0)
	for _, o := range c.d.ops.mode {
		modes += r.Issued[o]
	}
	return []cycleTerm{
		{"mac", float64(t.comp * w.comps)},
		{"activate", float64((t.close + c.opening()) * w.visits)},
		{"write", float64(t.write * (w.writes + w.inits))},
		{"read", float64(c.read * w.reads)},
		{"mode", float64(c.mode * modes)},
		{"refresh", c.refresh.cycles * float64(r.Issued[c.refresh.op])},
	}, "wait"
}

func (c *accumulators) shape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		p, all := sp.packing(&c.d.geometry), sp.fills()
		mode := 0
		for i, set := range []bool{sp.inputStationary, sp.outputStationary, sp.cols*sp.lanes == sp.pitch} {
			if set {
				mode |= 1 << i
			}
		}
		for _, v := range [...]int{
			sp.at[byMatrix].Len(), sp.at[byChunk].Len(), p.rows, p.groups, p.last, p.acts, sp.cols, all.full, all.tail, sp.fold, mode,
		} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}
