package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/tensor"
)

// The dynamic programme over split points. Its states are the ways to split a node; the label
// of a state says what any plan that splits the node so has certainly reached when the node
// is made.
//
// Gates. A gate is a node of which every later tile waits for some tile. A node is closed if
// it reads all earlier nodes in the end, through whole values. Transitions lead from each
// split of a gate to each split of the next gate. Nodes between gates are loose: they add
// their work, as much as their cheapest partition has.
//
// Starts. The need boxes of a split's tiles say which tiles of the gate before they wait for:
// of two tiles the first, the second or both; of more tiles all of them, if the need is the
// whole dimension, otherwise some. A label has:
//
//   - ends: the completion times of the first and the second tile, each its time after it can
//     start. Of other splits, of any tile.
//   - done: the completion time of the node. It is at least either end, and at least the
//     start of the first tile plus the work of the busier device. For a closed node, whose
//     tiles wait for all before, it is at least each of the sums.
//   - sums: λG + μP + (1-λ-μ)F, with multipliers λ, μ ≥ 0 and λ+μ ≤ 1. Suppose that nothing of a
//     gate and of what follows starts before time s. Then no plan has made the gate before s plus
//     the GPU's work on it. G is the largest such time over all gates so far, P the same
//     for the PIM, and F for tiles that wait for each other, one after the other. The makespan is
//     at least each of the three, so at least the sum. All three grow by what the tiles
//     of a node take; the least weighted sum of these is a shortest path, as for work.
//
// F. Some rows of each gate's value are followed from gate to gate: tracks. The row of a track
// reads the row of the same track in the gate before. A tile with that row waits for the
// earlier tile with that row, so times add up along each track. F is the mean over the
// tracks; a tile counts in proportion to the tracks that it contains. If a gate is not split
// along rows, no tile of it ends before what is counted, and it adds its shortest tile. If tracks
// cannot be followed, F is dropped: the sums continue from those of work alone, which are
// not negative.
//
// Synchronization. If every tile of a split waits for every tile of the split before, so do
// all later tiles (each waits for some tile of a gate). Nothing of them starts before done,
// so each sum is at least done, and continues from there. If the earlier gate is closed and
// nothing loose is in between, done is at least each sum and replaces them: the parts of the
// plan add up, each with its own best multipliers. A node that both devices synchronize at
// before and after then takes what its best partition takes; multipliers lose nothing.
// Otherwise no later tile starts before the least of what the tiles of the split wait for, and
// each sum is at least that.
//
// Meet. Several splits of the gate before share one label: the least of each of their numbers
// is certain for any of them. Labels meet if the tiles of a split wait for theirs in the same
// way, in the bound of two tiles only on the same devices; and again if they lead to the same
// split on the same devices. More than two tiles are one split of a dimension: its work is a
// shortest path of at least three edges. Without these splits the bound is one of plans that
// cut no node into more than two tiles.
//
// Launches. If launches can be fused, each tile counts as fused. A launch is certain, however,
// under three conditions: all of a split waits for all of a closed gate; nothing loose is
// between them; and the gate is on the GPU alone, or has a tile there and itself waits with
// all its tiles for all before it. Then the last GPU tile up to the gate is one of the gate's:
// tiles of other nodes are read by one of it, directly or through others. No PIM tile up to
// the gate waits for it, and all later ones do. So the first later PIM tile waits for
// something newly made and has a launch of its own: a split with a PIM tile adds a launch, of
// the least length. Two such splits add two launches, since all of the first is made before
// anything after the second begins. (Of other gates on both devices that is not
// certain: the GPU may have made its part before something that its other part waited for.)
// The first PIM tile of all has a launch as well.

// multiplier weighs the work of each device; the rest of 1 weighs tiles that follow each other.
type multiplier [candidate.Lanes]float64

// workShares are the weights of work in a multiplier, and balances the part of the first device in
// these. With others as many, bounds of five networks differ by up to 2 %
// (measured: BenchmarkMultipliers).
var (
	workShares = [...]float64{1, 0.9, 0.7}
	balances   = [...]float64{0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 1}
)

// multipliers are those of each share, by balance; then the one of following tiles alone.
type multipliers struct {
	of     [len(workShares)*len(balances) + 1]multiplier
	shares [len(workShares)]float64
}

func newMultipliers(work [len(workShares)]float64, between [len(balances)]float64) *multipliers {
	m := &multipliers{shares: work}
	for i, s := range work {
		for j, b := range between {
			m.of[i*len(balances)+j] = multiplier{s * b, s * (1 - b)}
		}
	}
	return m
}

// weights are the multipliers of the devices' work. If one device works at a time, each
// occupies the other, too.
func (s *instance) weights(k int) [candidate.Lanes]float64 {
	b := s.multipliers.of[k]
	if s.Serial {
		return [candidate.Lanes]float64{b[0] + b[1], b[0] + b[1]}
	}
	return b
}

// chainOnly is the multiplier without work.
const chainOnly = len(workShares) * len(balances)

// sums are bounds of a part of a plan, by multiplier.
type sums [chainOnly + 1]float64

func (s *sums) most() float64 { return slices.Max(s[:]) }

// split is a state: a node whole, in two tiles at a split point, or in more tiles.
//
// In the literature: a state of a dynamic programme.
type split struct {
	dim int // candidate.Uncut: whole
	at  int // the split point; 0: more tiles than two
	// reads is what both tiles, or each of more, read at least of the gate before, by
	// dimension; nil: not known.
	reads       [2][]tensor.Range
	assignments []assignment
}

// pairs is how many pairs of devices two tiles have.
const pairs = candidate.Lanes * candidate.Lanes

// assignment is the tiles of a split on devices. A split into more than two tiles has one
// assignment, which stands for all.
type assignment struct {
	time      [2]float64 // of both tiles; of more, the least
	busy      [candidate.Lanes]float64
	chain     float64                  // added to F
	alone     float64                  // the least time from the start of its first tile to its end
	cost      *sums                    // added to the sums by more than two tiles; nil: busy and chain say it
	launch    [candidate.Lanes]float64 // launches by device, 0 or 1, where a launch is certain
	pair      int                      // of devices
	onGPU     bool                     // all of it
	partlyGPU bool                     // some of it, certainly
	label     label
	// met is the finish time: [1] if every tile waits for the whole gate before, which is
	// closed, and [0] otherwise.
	met [2]float64
}

// label is what any plan has certainly reached in a state.
//
// In the literature: a label of label-setting algorithms (Desrochers & Soumis 1988).
type label struct {
	ends [2]float64 // of both tiles; of one or more than two, of any
	done float64    // of the node, and of those that it closes
	sums sums       // of all nodes so far
}

// unreached is the label of a state that no plan reaches.
var unreached = func() (s label) {
	s.ends, s.done = [2]float64{math.Inf(1), math.Inf(1)}, math.Inf(1)
	for k := range s.sums {
		s.sums[k] = math.Inf(1)
	}
	return s
}()

// meet makes a label hold for plans of either.
func (s *label) meet(o *label) {
	s.ends[0], s.ends[1], s.done = min(s.ends[0], o.ends[0]), min(s.ends[1], o.ends[1]), min(s.done, o.done)
	for k := range s.sums {
		s.sums[k] = min(s.sums[k], o.sums[k])
	}
}

// bySplits is the bound by split points: of all plans, and of those that cut no node into more
// than two tiles.
func (s *instance) bySplits(nodes []node, gate, closed []bool) (all, two float64) {
	start := func() []split { return []split{{dim: candidate.Uncut, assignments: []assignment{{onGPU: true}}}} }
	before := [2][]split{start(), start()} // of both bounds
	at, sealed := -1, true                 // the last gate; it is closed and nothing is loose since
	e := transition{s: s}
	launch := float64(s.Launch.Certain(slices.Concat(s.tiles...)))
	tracks := s.tracks(gate)
	for i := range nodes {
		g := &nodes[i]
		switch {
		case len(g.graphs) == 0:
		case !gate[i]:
			var add sums
			for k := range add {
				add[k], _ = g.shortestPath(s.weights(k), false)
			}
			for k := range before {
				addLoose(before[k], &add)
			}
			sealed = false
		default:
			after := [2][]split{s.splits(i, at, g, tracks[i])}
			for _, c := range after[0] {
				if c.dim == candidate.Uncut || c.at > 0 {
					c.assignments = slices.Clone(c.assignments)
					after[1] = append(after[1], c)
				}
			}
			for k := range before {
				e.begin(before[k], i, at, sealed, k > 0, tracks)
				for c := range after[k] {
					e.extend(&after[k][c], closed[i], launch)
				}
			}
			before, at, sealed = after, i, closed[i]
		}
	}
	return makespan(before[0]), makespan(before[1])
}

// addLoose adds the work of a loose node to all labels.
func addLoose(list []split, add *sums) {
	for c := range list {
		for v := range list[c].assignments {
			s := &list[c].assignments[v].label.sums
			for k := range s {
				s[k] += add[k]
			}
		}
	}
}

// makespan is the least makespan of a plan that ends in any of the states.
func makespan(list []split) float64 {
	least := math.Inf(1)
	for c := range list {
		for v := range list[c].assignments {
			st := &list[c].assignments[v].label
			least = min(least, max(st.done, st.sums.most()))
		}
	}
	return least
}

// least is the least time that a tile adds to its device.
func (s *instance) least(p *candidate.Tile) float64 { return float64(s.Launch.Marginal(p, true)) }

// worked is the sums without F.
func (m *multipliers) worked(s *sums) (out sums) {
	for k := range chainOnly {
		out[k] = m.shares[k/len(balances)] * s[k%len(balances)]
	}
	return out
}
