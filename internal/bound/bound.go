package bound

import (
	"math"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
)

// bound is a time below which no plan of the costed pieces can come, whatever
// divisions it makes of them, on whatever devices and in whatever order; and one for
// those plans that cut no node in more than two pieces.
//
// Work. Let a plan keep the devices busy for G and P. Neither works on two pieces at
// once, so it takes at least max(G, P) ≥ λG + (1-λ)P for any λ from 0 to 1. The right
// side is a sum over nodes, and each node's part is at least the least that any
// division of it into costed pieces has: a shortest way through its cuts, where a
// piece's length is its time, times λ or 1-λ. Every λ gives a bound; the best is
// where the shortest ways keep both devices equally busy.
//
// Waiting. A node starts no sooner than any piece of what each piece of it reads, or
// all of that where each piece reads all; it then takes at least its own bound of
// work, and ends no sooner than all it reads and its shortest piece after that.
//
// Barriers. Where all later pieces wait for all earlier ones, the bounds of both
// parts add up. In a part between two of them a device that works at all starts no
// sooner than any node that it executes can, and when it ends the shortest pieces of
// what reads its last piece are still to come: both add to G or P. Otherwise the
// other device does everything.
//
// Standing alone. Where all nodes before one are read by it in the end, and all after
// it read it, it keeps both devices from anything else while it is in one piece: its
// time counts for both. That and what a device waits for may be the same time; the
// larger of both bounds is taken.
//
// Cuttings. Whether pieces wait for each other depends on where nodes are cut; a
// dynamic programme over that (trellis.go) gives another bound. The larger counts.
//
// Where one device works at a time, a plan takes the sum of its pieces, and each keeps
// both devices.
//
// Times of link traffic and the like only make a plan later.
//
// instance is the pieces of a store, of which bounds are made.
type instance struct {
	*candidate.Store
	pieces [][]*candidate.Tile // costed, by position
}

// sole has the pieces of segments in which one device works at a time; nil: there are
// none, or none but those.
func Of(st, sole *candidate.Store) (any, two device.Time) {
	s := &instance{Store: st, pieces: make([][]*candidate.Tile, len(st.Order))}
	grounds := make([]ground, len(s.Order))
	for i := range grounds {
		s.pieces[i] = st.Costed(i)
		var more []*candidate.Tile
		if sole != nil {
			more = sole.Costed(i)
		}
		grounds[i] = s.ground(i, more)
	}
	barrier, gate, closed := barriers(grounds)
	base := 0.0
	if s.Serial {
		for i := range grounds {
			least, _ := grounds[i].shortest([candidate.Lanes]float64{1, 1}, false)
			base += least
		}
	} else {
		base = s.waited(grounds, barrier)
	}
	all, halves := s.trellis(grounds, gate, closed)
	return floor(max(base, all)), floor(max(base, all, halves))
}

// waited is the bound by work, waiting and barriers.
func (s *instance) waited(grounds []ground, barrier []bool) float64 {
	n := len(grounds)
	tail := make([]float64, n) // from the end of any piece of a node to that of the part
	parts := make([]int, n)
	for i := 1; i < n; i++ {
		if parts[i] = parts[i-1]; barrier[i-1] {
			parts[i]++
		}
	}
	for i := n - 1; i >= 0; i-- {
		for _, r := range grounds[i].reads {
			if r.ends && parts[r.at] == parts[i] {
				tail[r.at] = max(tail[r.at], grounds[i].least+tail[i])
			}
		}
	}
	start, first, end := make([]float64, n), make([]float64, n), make([]float64, n)
	base, from := 0.0, 0
	for i := range grounds {
		g := &grounds[i]
		start[i] = base
		for _, r := range g.reads {
			switch {
			case r.all:
				start[i] = max(start[i], end[r.at])
			case r.some:
				start[i] = max(start[i], first[r.at])
			}
		}
		first[i] = start[i] + g.least
		end[i] = start[i] + busiest(grounds[i:i+1], [candidate.Lanes]float64{}, true)
		for _, r := range g.reads {
			if r.ends {
				end[i] = max(end[i], end[r.at]+g.least)
			}
		}
		if barrier[i] || i == n-1 {
			base = max(base+s.part(grounds[from:i+1], start[from:i+1], tail[from:i+1], base), end[i])
			from = i + 1
		}
	}
	for _, e := range end {
		base = max(base, e)
	}
	return base
}

// floor is a bound in whole picoseconds. Sums of products of these are far more exact
// than what is taken off.
func floor(t float64) device.Time { return device.Time(math.Floor(t * (1 - 1e-12))) }

// part is the bound of the nodes between two barriers, the first of which is at base.
func (s *instance) part(grounds []ground, start, tail []float64, base float64) float64 {
	var wait [candidate.Lanes]float64
	for dev := range wait {
		head, rest := math.Inf(1), math.Inf(1)
		for i := range grounds {
			if grounds[i].works[dev] {
				head, rest = min(head, start[i]-base), min(rest, tail[i])
			}
		}
		if wait[dev] = head + rest; math.IsInf(head, 1) { // no node, so never busy
			wait[dev] = 0
		}
	}
	most := busiest(grounds, wait, false)
	for dev := range candidate.Lanes {
		if wait[dev] == 0 {
			continue
		}
		var weight [candidate.Lanes]float64 // of a plan in which the device does nothing
		for other := range weight {
			weight[other] = 1
		}
		weight[dev] = math.Inf(1)
		sum := 0.0
		for i := range grounds {
			v, _ := grounds[i].shortest(weight, false)
			sum += v
		}
		most = min(most, sum)
	}
	return max(most, busiest(grounds, [candidate.Lanes]float64{}, true))
}

// barriers says after which nodes every later piece waits for every earlier one: all
// nodes before are, through whole values, read by the last, and of the nodes after
// each reads some of another of these or all of the last. Where each only reads some of
// the last, it stands alone while it is in one piece: its edges are marked so. A gate is
// a node that every later piece waits for some piece of; a node is closed where it reads
// all before it in the end.
func barriers(grounds []ground) (barrier, gate, closed []bool) {
	n := len(grounds)
	reader := make([]int, n) // the first that reads all of a node's value when whole
	// How many nodes after do not wait for all, and for any, as differences.
	all, any := make([]int, n+1), make([]int, n+1)
	for i := range reader {
		reader[i] = n
	}
	for b := range grounds {
		latest, whole := -1, false
		for _, r := range grounds[b].reads {
			if r.ends {
				reader[r.at] = min(reader[r.at], b)
			}
			if r.some && r.at >= latest {
				latest, whole = r.at, r.all
			}
		}
		any[latest+1]++
		any[b]--
		if !whole {
			latest--
		}
		all[max(latest+1, 0)]++
		all[b]--
	}
	barrier, gate, closed = make([]bool, n), make([]bool, n), make([]bool, n)
	open, waitAll, waitAny := 0, 0, 0
	for i := range barrier {
		if i > 0 {
			open = max(open, reader[i-1])
		}
		waitAll += all[i]
		waitAny += any[i]
		barrier[i] = waitAll == 0 && open <= i
		gate[i], closed[i] = waitAny == 0, open <= i
		if gate[i] && closed[i] {
			for _, w := range grounds[i].ways {
				for k := range w.edges {
					e := &w.edges[k]
					e.alone = e.from == 0 && e.to == w.lines-1
				}
			}
		}
	}
	return barrier, gate, closed
}
