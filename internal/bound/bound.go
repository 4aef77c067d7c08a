package bound

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
)

// instance is a store with the tiles that it has costed.
type instance struct {
	*candidate.Store
	Order       []graph.ID          // the operations in the bound's order (criticalFirst); in place of the store's, as Pos and Reads
	Pos         []int               // by node
	Reads       [][]candidate.Input // by position
	tiles       [][]*candidate.Tile // by position
	multipliers *multipliers
}

// newInstance returns an instance and its nodes. serial is Of's.
func newInstance(st, serial *candidate.Store) (*instance, []node) {
	s := &instance{Store: st, tiles: make([][]*candidate.Tile, len(st.Order)), multipliers: newMultipliers(workShares, balances)}
	order := criticalFirst(st)
	s.reorder(order)
	nodes := make([]node, len(s.Order))
	for i, x := range order {
		s.tiles[i] = st.Costed(x)
		var more []*candidate.Tile
		if serial != nil {
			more = serial.Costed(x)
		}
		nodes[i] = s.node(i, more)
	}
	return s, nodes
}

// Options say how much work a bound is worth.
type Options struct {
	// Below is the makespan of a known plan; 0: none is known. Plans that certainly take longer are not followed, and the bound of
	// plans in at most two tiles is at most that, unless a simpler bound is above.
	Below device.Time
	// Histories is how many histories are kept of each way to cut a node (forward.go), half as many, ofMany at most, in the bound of all plans; 0:
	// none, which leaves the simpler bounds.
	Histories int
	// Two asks for histories of plans in at most two tiles a node only: the bound of all plans is the simpler one.
	Two bool
}

// Histories of bounds: as many as take less time than a search, and as many as take up to a minute (measured: BenchmarkGaps of
// package search).
const (
	Normal = 2
	High   = 150
)

// ofMany is how many histories the bound of all plans keeps at most. Its sums have three times as many terms, so that it keeps half
// as many as the other (measured: with 40, the bounds of MobileNet-v2 and MnasNet on newton are 0.6 and 0.9 % higher than with 2, those
// of ResNet-50 and VGG-16 0.4 %).
const ofMany = 40

// Of returns two lower bounds of the makespan of plans of the tiles that a store has costed:
// for all plans, and for plans that cut no node into more than two tiles. Plans may also have
// serial segments of the tiles of a second store; nil: there are none, or the first store is
// serial itself. If ctx ends, the bounds are lower.
func Of(ctx context.Context, st, serial *candidate.Store, o Options) (all, two device.Time) {
	s, nodes := newInstance(st, serial)
	return s.bounds(ctx, nodes, o)
}

// bounds are Of's.
func (s *instance) bounds(ctx context.Context, nodes []node, o Options) (all, two device.Time) {
	barrier, gate, closed := barriers(nodes)
	base := 0.0
	if s.Serial {
		for i := range nodes {
			least, _ := nodes[i].shortestPath([candidate.Lanes]float64{1, 1}, false)
			base += least
		}
	} else {
		base = s.byPrecedence(nodes, barrier)
	}
	many, halves := s.bySplits(nodes, gate, closed)
	many, halves = max(base, many), max(base, many, halves)
	below := math.Inf(1)
	if o.Below > 0 {
		below = float64(o.Below)
	}
	if o.Histories > 0 && many < below && !o.Two {
		many = max(many, s.byHistories(ctx, nodes, gate, closed, true, max(1, min(o.Histories/2, ofMany)), below))
		halves = max(halves, many)
	}
	if o.Histories > 0 && halves < below {
		halves = max(halves, s.byHistories(ctx, nodes, gate, closed, false, o.Histories, below))
	}
	return picoseconds(many), picoseconds(halves)
}

// byHistories is the least makespan of all plans, or only of those in at most two tiles a node: a lower bound. It is the known
// time if no plan takes less, and 0 if the context ends.
func (s *instance) byHistories(ctx context.Context, nodes []node, gate, closed []bool, many bool, kept int, known float64) float64 {
	stages, first, loose := s.stages(nodes, gate, closed, many, kept >= zonesKept)
	x := &forward{instance: s, ctx: ctx, stages: stages, best: known, kept: kept, terms: len(balances), launch: float64(s.Launch.Certain(slices.Concat(s.tiles...)))}
	if many {
		x.terms = len(s.multipliers.of)
	}
	if v := x.run(first, loose); !math.IsInf(v, 1) {
		return v
	}
	return 0
}

// byPrecedence is the bound by work, precedence and barriers.
func (s *instance) byPrecedence(nodes []node, barrier []bool) float64 {
	n := len(nodes)
	tail := make([]float64, n) // by node: the least time from the end of any tile to the next barrier
	parts := make([]int, n)    // by node: how many barriers are before it
	for i := 1; i < n; i++ {
		if parts[i] = parts[i-1]; barrier[i-1] {
			parts[i]++
		}
	}
	for i := n - 1; i >= 0; i-- {
		for _, r := range nodes[i].reads {
			if r.ends && parts[r.on] == parts[i] {
				tail[r.on] = max(tail[r.on], nodes[i].least+tail[i])
			}
		}
	}
	start, first, end := make([]float64, n), make([]float64, n), make([]float64, n)
	base, from := 0.0, 0
	for i := range nodes {
		g := &nodes[i]
		start[i] = base
		for _, r := range g.reads {
			switch {
			case r.all:
				start[i] = max(start[i], end[r.on])
			case r.some:
				start[i] = max(start[i], first[r.on])
			}
		}
		first[i] = start[i] + g.least
		end[i] = start[i] + lagrangian(nodes[i:i+1], [candidate.Lanes]float64{}, true)
		for _, r := range g.reads {
			if r.ends {
				end[i] = max(end[i], end[r.on]+g.least)
			}
		}
		if barrier[i] || i == n-1 {
			base = max(base+s.betweenBarriers(nodes[from:i+1], start[from:i+1], tail[from:i+1], base), end[i])
			from = i + 1
		}
	}
	for _, e := range end {
		base = max(base, e)
	}
	return base
}

// picoseconds is the least makespan that is not below a bound: makespans are whole picoseconds. The share that it takes off is far
// more than the rounding of sums of picoseconds.
func picoseconds(t float64) device.Time { return device.Time(math.Ceil(t * (1 - 1e-12))) }

// betweenBarriers is the bound of the nodes between two barriers, the first at time base.
func (s *instance) betweenBarriers(nodes []node, start, tail []float64, base float64) float64 {
	var wait [candidate.Lanes]float64
	for dev := range wait {
		head, rest := math.Inf(1), math.Inf(1)
		for i := range nodes {
			if nodes[i].worksOn[dev] {
				head, rest = min(head, start[i]-base), min(rest, tail[i])
			}
		}
		if wait[dev] = head + rest; math.IsInf(head, 1) { // it executes no node
			wait[dev] = 0
		}
	}
	most := lagrangian(nodes, wait, false)
	for dev := range candidate.Lanes {
		if wait[dev] == 0 {
			continue
		}
		var weight [candidate.Lanes]float64 // for a plan in which the device does nothing
		for other := range weight {
			weight[other] = 1
		}
		weight[dev] = math.Inf(1)
		sum := 0.0
		for i := range nodes {
			v, _ := nodes[i].shortestPath(weight, false)
			sum += v
		}
		most = min(most, sum)
	}
	return max(most, lagrangian(nodes, [candidate.Lanes]float64{}, true))
}

// barriers says of each node whether it is a barrier, a gate, closed.
//
//   - Barrier: every later tile waits for every tile up to it. The node reads all earlier
//     nodes in the end, through whole values, and every later tile reads another later node
//     or all of the node.
//   - Gate: every later tile waits for some tile of the node.
//   - Closed: the node reads all earlier nodes in the end, through whole values.
//
// A closed gate blocks both devices while it is whole: its edges are marked so.
func barriers(nodes []node) (barrier, gate, closed []bool) {
	n := len(nodes)
	reader := make([]int, n) // by node: the first that reads all of it, if that is whole
	// By node: how many later nodes do not wait for all of it, or for any, as differences.
	all, some := make([]int, n+1), make([]int, n+1)
	for i := range reader {
		reader[i] = n
	}
	for b := range nodes {
		latest, whole := -1, false
		for _, r := range nodes[b].reads {
			if r.ends {
				reader[r.on] = min(reader[r.on], b)
			}
			if r.some && r.on >= latest {
				latest, whole = r.on, r.all
			}
		}
		some[latest+1]++
		some[b]--
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
		waitAny += some[i]
		barrier[i] = waitAll == 0 && open <= i
		gate[i], closed[i] = waitAny == 0, open <= i
		if gate[i] && closed[i] {
			for _, w := range nodes[i].graphs {
				for k := range w.edges {
					e := &w.edges[k]
					e.blocks = e.from == 0 && e.to == w.points-1
				}
			}
		}
	}
	return barrier, gate, closed
}
