package pim

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// way is one way to execute a layer.
type way struct {
	layer   *layer // in the order of K that it is for
	merge   int    // groups of the convolution in a matrix
	cutting string // of K, where it has a name
	teams   int    // of channels; 0: even shares
	parts   []part
}

// mapping is a way, and what the channels do then.
type mapping struct {
	way
	shares []share // by channel; kept while mappings are compared

	busiest work       // the most of each command that any channel issues
	most    int        // the channel that issues most commands
	total   int64      // commands of all channels
	moved   int64      // elements, to and from all channels
	slowest dram.Cycle // of the channels, as far as they were simulated
	elapsed dram.Cycle // slowest, or how long the link carries its bytes
	beaten  bool       // one was slower than another mapping's slowest: not all were
}

// choose returns the mapping that is done first (elapsed), on a tie the one that takes
// least energy; and all that were simulated. tried is in order of the rates' estimate,
// which decides nothing but ties of both.
// Their shares are in the room: those of best stay there.
func (d *Device) choose(l *layer, r *room) (best *mapping, tried []*mapping, err error) {
	if d.ops.dialect.column {
		return d.chooseColumns(l, r)
	}
	tried, need := d.mappings(l, r)
	if len(tried) == 0 {
		return nil, nil, fmt.Errorf("weights of %d rows in a bank of %d rows: %w", need, d.m.Rows, device.ErrUnsupported)
	}
	// The likely winner first: the others are given up at the channel that loses.
	slices.SortStableFunc(tried, func(a, b *mapping) int { return cmp.Compare(d.estimate(a), d.estimate(b)) })
	for _, m := range tried {
		if d.wins(m, best) {
			best = m
		}
	}
	return best, tried, nil
}

// wins simulates a mapping as far as it may be better than the best so far, and reports
// whether it is.
func (d *Device) wins(m, best *mapping) bool {
	limit := dram.Cycle(math.MaxInt64)
	if best != nil {
		limit = best.elapsed
	}
	var done bool
	m.slowest, done = d.slowest(m, limit)
	m.beaten = !done
	if m.elapsed = m.slowest; done && m.slowest != tooLate {
		m.elapsed = max(m.elapsed, d.link.cycles(d.bytes(m), d.m.Clock))
	}
	switch {
	case best == nil:
		return true
	case !done || m.elapsed != best.elapsed || m.elapsed == tooLate:
		return done && m.elapsed < best.elapsed
	}
	a, b := d.cost(m), d.cost(best)
	return a.Energy.Total().Value < b.Energy.Total().Value
}

// mappings lists the ways to execute a layer whose weights fit the banks, but
// those of which another asks no channel for more commands of any kind (only by
// where refreshes happen to fall could they be faster, by less than one of them).
// If none fits, need is the smallest number of rows that one wanted.
func (d *Device) mappings(l *layer, r *room) (kept []*mapping, need int) {
	var seen [][]part
	scratch := r.set(0, d.channels)
	for _, merge := range l.merges(d.m.Banks) {
		for _, c := range cuttings {
			ps := l.parts(d.m, d.channels, merge, c)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, ps)
			counts := teamCounts(ps, d.channels)
			if d.basic {
				counts = []int{1}
			}
			for _, teams := range counts {
				m := mapping{way: way{l, merge, c.name, teams, ps}, shares: scratch}
				m.assign(scratch)
				if rows := m.count(d); rows > d.m.Rows {
					if need == 0 || rows < need {
						need = rows
					}
					continue
				}
				if slices.ContainsFunc(kept, func(o *mapping) bool { return o.beats(&m) }) {
					continue
				}
				kept = slices.DeleteFunc(kept, func(o *mapping) bool { return m.beats(o) })
				keep := m
				keep.shares = clone(scratch)
				kept = append(kept, &keep)
			}
		}
	}
	return kept, need
}

// beats reports whether m asks no channel for more commands of any kind than o,
// and all together for no more if they are as many.
func (m *mapping) beats(o *mapping) bool {
	return m.busiest.within(o.busiest) && (m.busiest != o.busiest || m.total <= o.total)
}

// assign says what each channel does.
func (m *way) assign(shares []share) {
	for i := range shares {
		shares[i] = shares[i][:0]
	}
	if m.teams > 0 {
		teams(shares, m.parts, m.teams)
	} else {
		even(shares, m.parts)
	}
}

// estimate is about the cycles of the channel that issues most commands.
func (d *Device) estimate(m *mapping) float64 {
	w, r := d.work(m.shares[m.most]), d.rates
	return r.write*float64(w.writes) + r.act*float64(w.acts) + r.comp*float64(w.comps) + r.read*float64(w.reads)
}

// equal reports whether both parts are the same work.
func (p part) equal(o part) bool {
	same := *p.block == *o.block
	p.block, p.sums = o.block, o.sums
	return same && p == o
}

// count sets what the channels issue and returns the most rows one holds.
func (m *mapping) count(d *Device) (rows int) {
	var most, moved int64
	var w work
	for i, s := range m.shares {
		if i == 0 || !d.ops.dialect.column || !s.alike(m.shares[i-1]) {
			w = d.work(s)
			moved = d.moved(s, w)
		}
		n := w.commands()
		if n > most {
			m.most, most = i, n
		}
		m.busiest = m.busiest.max(w)
		m.total += n
		m.moved += moved
		rows = max(rows, d.rows(s).Len())
	}
	return rows
}

// teamCounts lists 0, for even shares, and the numbers of teams, ascending, of
// which none makes another pointless: more teams are better when the members have
// as many output groups, fewer when the teams have as many units.
func teamCounts(ps []part, n int) []int {
	counts := make([]int, 1, 16)
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
