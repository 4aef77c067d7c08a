package pim

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
)

// comparison finds the best of the candidates of a layer.
type comparison struct {
	*Device
	memory *scratch
	keep   bool // simulates all, and keeps them
	best   *mapping
	tried  []*mapping
	free   int // the set of shares and results that best does not use
	spare  *mapping
}

// compare chooses the best.
func (c *comparison) compare(l *layer) error {
	c.memory.every = c.keep
	list, need := c.scheme.candidates(l, c.memory)
	if len(list) == 0 && need > 0 {
		return fmt.Errorf("weights of %d rows in a bank of %d rows: %w", need, c.rows, device.ErrUnsupported)
	}
	// The likely winner first: the others are given up at the first slower channel. What moves less takes less energy.
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.cycles, b.cycles), cmp.Compare(a.moved, b.moved))
	})
	for i := 0; i < len(list); {
		if c.best != nil && float64(list[i].cycles) >= (1+c.traits.beyond)*float64(c.best.elapsed) {
			break
		}
		if n := c.ties(list[i:]); n > 0 {
			c.among(list, i, i+n)
			i += n
			continue
		}
		c.try(c.mapping(list, i))
		i++
	}
	if c.best == nil || c.best.slowest == tooLate {
		return fmt.Errorf("a refresh every %d cycles is later than allowed: %w", c.m.Timing["refi_ck"], device.ErrUnsupported)
	}
	return nil
}

// mapping is a candidate's, with the shares of each channel.
func (c *comparison) mapping(list []candidate, i int) *mapping {
	m := c.spare
	if c.spare = nil; m == nil {
		m = new(mapping)
	}
	*m = mapping{way: list[i].way, shares: c.memory.shares[1+c.free], place: i}
	m.assign(m.shares)
	m.count()
	return m
}

// try simulates a mapping unless it certainly loses.
func (c *comparison) try(m *mapping) {
	if !c.keep && (c.again(m) || c.loses(m)) {
		c.spare = m
		return
	}
	if c.keep {
		c.tried = append(c.tried, m)
	}
	m.results = c.memory.results[c.free]
	if c.wins(m) {
		m, c.best = c.best, m
		c.free = 1 - c.free
	}
	if m != nil {
		m.results = nil
	}
	if !c.keep {
		c.spare = m
	}
}

// tied is one of several candidates that the link takes as long for.
type tied struct {
	place int
	least float64 // energy
}

// ties is the number of candidates, from the first on, that the link decides alike: all take its time at least, so that none ends the
// comparison before the others.
func (c *comparison) ties(list []candidate) int {
	if !c.traits.counted || c.keep || c.traits.beyond <= 0 {
		return 0
	}
	n := 0
	for n < len(list) && list[n].cycles == list[0].cycles && list[n].cycles == int64(c.link.cycles(list[n].moved*int64(c.element), c.m.Clock)) {
		n++
	}
	return n
}

// among tries candidates from one on up to another, those that may take least energy first.
func (c *comparison) among(list []candidate, from, to int) {
	all := c.memory.tied[:0]
	for i := from; i < to; i++ {
		w := &list[i].work
		if w.comps == 0 {
			m := c.mapping(list, i)
			c.spare, w = m, &m.work
		}
		all = append(all, tied{i, c.leastEnergy(w)})
	}
	slices.SortStableFunc(all, func(a, b tied) int { return cmp.Compare(a.least, b.least) })
	for _, x := range all {
		if c.best != nil && c.best.elapsed == dram.Cycle(list[x.place].cycles) && c.exceeds(x.least) {
			break
		}
		c.try(c.mapping(list, x.place))
	}
	c.memory.tied = all
}

// again reports whether a mapping shares the work out as the best one does, which was a candidate before it.
func (c *comparison) again(m *mapping) bool {
	b := c.best
	return b != nil && b.place < m.place && b.total == m.total && b.moved == m.moved &&
		slices.EqualFunc(m.shares, b.shares, func(s, o share) bool { return slices.EqualFunc(s, o, span.equal) })
}

// equal reports whether both spans are the same work.
func (s span) equal(o span) bool { return s.at == o.at && (s.part == o.part || s.part.equal(*o.part)) }

// loses reports whether the link alone takes longer than the best mapping.
func (c *comparison) loses(m *mapping) bool {
	return c.best != nil && c.link.cycles(c.bytes(m), c.Device.m.Clock) > c.best.elapsed
}

// exceeds reports whether a lower bound on the energy is above that of the best, whatever the order of its sum.
func (c *comparison) exceeds(least float64) bool {
	const rounding = 1e-9
	return least > (1+rounding)*c.costOf(c.best).Energy.Total().Value
}

// wins simulates a mapping until it is slower than the best so far, and reports whether it is
// better.
func (c *comparison) wins(m *mapping) bool {
	d, best := c.Device, c.best
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
	a, b := d.costOf(m).Energy.Total().Value, d.costOf(best).Energy.Total().Value
	return a < b || a == b && m.place < best.place
}

// costOf is the cost of a mapping that is compared.
func (d *Device) costOf(m *mapping) *device.Cost {
	if m.costed == nil {
		c := d.cost(m)
		m.costed = &c
	}
	return m.costed
}
