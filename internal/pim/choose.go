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
	scheme  scheme
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

// planned is a mapping that has not been simulated.
type planned struct {
	way
	foreseen     // of all channels
	size     int // of chunks, at most
}

// foreseen is what is known of a share without simulating it.
type foreseen struct {
	estimate int64 // cycles, without refreshes
	least    int64 // that it takes at least
	rows     int   // that it holds
	timely   bool  // no visit keeps refreshes waiting for too long
}

// choose returns the mapping that is done first (elapsed), on a tie the one that takes
// least energy; and all that were simulated, in order of the estimate, which decides nothing
// but ties of both. Their shares are in the scratch: those of best stay there.
func (d *Device) choose(l *layer, r *scratch) (best *mapping, tried []*mapping, err error) {
	plans, need := d.scheme.plans(l, r)
	if len(plans) == 0 && need > 0 {
		return nil, nil, fmt.Errorf("weights of %d rows in a bank of %d rows: %w", need, d.rows, device.ErrUnsupported)
	}
	// The likely winner first: the others are given up at the channel that loses.
	slices.SortStableFunc(plans, func(a, b planned) int { return cmp.Compare(a.estimate, b.estimate) })
	free, t := 0, &d.traits // the set of shares that best does not have
	for i := range plans {
		p := &plans[i]
		if len(tried) >= t.simulated && (len(tried) == t.atMost || t.refresh.with(p.estimate) >= int64(best.elapsed)) {
			break
		}
		if best != nil && p.least >= int64(best.elapsed) {
			continue
		}
		m := &mapping{way: p.way, shares: r.set(1+free, d.channels)}
		m.assign(m.shares)
		m.count()
		tried = append(tried, m)
		if d.wins(m, best) {
			best, free = m, 1-free
		}
	}
	if best == nil || best.slowest == tooLate {
		return nil, nil, fmt.Errorf("a refresh every %d cycles is later than allowed: %w", d.m.Timing["refi_ck"], device.ErrUnsupported)
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

// equal reports whether both parts are the same work.
func (p part) equal(o part) bool {
	same := *p.block == *o.block
	p.block, p.sums = o.block, o.sums
	return same && p == o
}

// count sets what the channels issue and returns the most rows one holds.
func (m *mapping) count() (rows int) {
	var most int64
	var w work
	for i, s := range m.shares {
		if i == 0 || !s.alike(m.shares[i-1]) {
			w = m.scheme.work(s)
		}
		n := w.commands()
		if n > most {
			m.most, most = i, n
		}
		m.busiest = m.busiest.max(w)
		m.total += n
		m.moved += w.moved
		rows = max(rows, m.scheme.rows(s).Len())
	}
	return rows
}

// teamCounts lists 0, for even shares, and the numbers of teams, ascending, of
// which none makes another pointless: more teams are better when the members have
// as many output groups, fewer when the teams have as many units.
func (d *Device) teamCounts(ps []part) []int {
	if d.basic {
		return []int{1}
	}
	n := d.channels
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
