package pim

import (
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// mapping is one way to execute a layer.
type mapping struct {
	merge   int    // groups of the convolution in a matrix
	cutting string // of K
	sharing string
	parts   []part
	shares  []share // by channel

	busiest work       // the most of each command that any channel issues
	total   int64      // commands of all channels
	slowest dram.Cycle // of the channels, 0 before it is simulated
}

// choose returns the mapping whose slowest channel is done first, on a tie the
// one with fewest commands, then the first; and all that were simulated. A
// mapping is left out if another asks no channel for more commands of any kind.
func (d *Device) choose(l *layer) (best *mapping, tried []*mapping, err error) {
	all, need := d.mappings(l)
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("weights of %d rows in a bank of %d rows: %w", need, d.m.Rows, device.ErrUnsupported)
	}
	for i, m := range all {
		beaten := func(by *mapping) bool { return by.busiest.within(m.busiest) }
		strictly := func(by *mapping) bool { return beaten(by) && by.busiest != m.busiest }
		if slices.ContainsFunc(all[:i], beaten) || slices.ContainsFunc(all[i+1:], strictly) {
			continue
		}
		m.slowest = d.slowest(m)
		tried = append(tried, m)
		if best == nil || m.slowest < best.slowest || m.slowest == best.slowest && m.total < best.total {
			best = m
		}
	}
	return best, tried, nil
}

// mappings lists the ways to execute a layer whose weights fit the banks; if
// there is none, need is the smallest number of rows that one wanted.
func (d *Device) mappings(l *layer) (all []*mapping, need int) {
	n := d.channels
	var seen [][]part
	for _, merge := range l.merges(d.m.Banks) {
		for _, c := range cuttings {
			ps := l.parts(d.m, n, merge, c)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, ps)
			add := func(sharing string, shares []share) {
				m := &mapping{merge: merge, cutting: c.name, sharing: sharing, parts: ps, shares: shares}
				if rows := m.count(d); rows <= d.m.Rows {
					all = append(all, m)
				} else if need == 0 || rows < need {
					need = rows
				}
			}
			for _, count := range teamCounts(ps, n) {
				add(fmt.Sprintf("%d teams", count), teams(ps, n, count))
			}
			add("even", even(ps, n))
		}
	}
	return all, need
}

// equal reports whether both parts are the same work.
func (p part) equal(o part) bool {
	same := *p.block == *o.block
	p.block = o.block
	return same && p == o
}

// count sets what the channels issue and returns the most rows one holds.
func (m *mapping) count(d *Device) (rows int) {
	for _, s := range m.shares {
		w := s.work(d.m.Banks / quads)
		m.busiest = m.busiest.max(w)
		m.total += w.writes + w.acts + w.comps + w.reads
		rows = max(rows, s.rows().Len())
	}
	return rows
}

// teamCounts lists the numbers of teams, ascending, of which none makes another
// pointless: more teams are better when the members have as many output groups,
// fewer when the teams have as many units.
func teamCounts(ps []part, n int) []int {
	var counts []int
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
