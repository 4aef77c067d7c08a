package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/tensor"
)

// The trellis is a bound of plans by where they cut nodes: for each way to cut a node,
// what a plan that cuts it so has reached at least when it has made it.
//
// Gates. A gate is a node of which every later piece waits for some piece; a node is
// closed where all before it are, through whole values, read by it. From gate to gate
// each cutting follows each of the one before. Nodes between are loose: they add their
// work, as whatever division of them has at least.
//
// Starts. What a piece of a cutting reads (its need boxes, as costed) says whether it
// waits for the first piece of two of the gate before, the second, or both, and of more
// pieces for all where it reads all of that dimension, otherwise for some piece. A plan
// then reaches at least:
//
//   - ends: when the first and the second piece are made, each its time after it can
//     start; of other cuttings, when any piece is.
//   - done: when all of the node is made. That is no sooner than either end, nor than
//     the busier device has worked since the first of its pieces could start; of a
//     closed node, whose pieces wait for all before, nor than the sums below.
//   - sums: λG + μP + (1-λ-μ)F for weights λ, μ ≥ 0 with λ+μ ≤ 1. If nothing of a gate
//     and what follows starts before s, no plan has made it before s and what the GPU
//     works on it: the largest such time, of all gates so far, is G. P is that of the
//     PIM, and F of pieces that wait for each other, one after the other. A plan takes at
//     least each of the three, so at least the sum. All grow by what the pieces of a node
//     take, whose least weighted sum is a shortest way, as it is of work.
//
// F. Some rows of each gate's value are followed: tracks, each of which reads that of
// the gate before. The piece with a track's row waits for the one before that has the
// track, so along each track times add up; F is the mean of the tracks, to which a piece
// counts as much as it has of them. Where a gate is not cut along rows, no piece of it
// ends before what is counted, and it adds its shortest piece. Where tracks cannot be
// followed, what is counted of F is dropped: the sums go on from those of work alone,
// which is not negative.
//
// Meeting. Where every piece of a cutting waits for every piece of the one before, all
// later ones do, too (each waits for some piece of a gate): nothing of them starts
// before done, so each sum is at least that, and goes on from there. If done is that of a
// closed gate, and nothing loose is in between, it is at least each sum and takes their
// place: parts of the plan add up, each with the weights that are best for it, and of a
// node that both devices meet at before and after, nothing is lost by weights: it takes
// what its better division takes. Otherwise no later piece starts before the least of
// what those of the cutting wait for, and each sum is at least that.
//
// Least. What several cuttings of the gate before have reached is, as a bound for any of
// them, the least of each number. That is done for those that the pieces of a cutting
// wait for in the same way, in the bound of two pieces by their devices, and again for
// all that reach the same cutting on the same devices. More than two pieces are one cutting of a
// dimension: their work is a shortest way of three edges or more. Without them it is a
// bound of plans that cut no node in more than two.
//
// Launches. Where PIM pieces can share launches each counts without. Let all of a
// cutting wait for all of a closed gate, with nothing loose in between, and let the gate be
// on the GPU alone, or have a piece there and itself wait in all its pieces for all before
// it. Then the last piece on the GPU up to the gate is one of the gate: those of other
// nodes are, through others, read by one of it. No piece on the PIM up to the gate waits
// for it, and all after it do. So the first on the PIM after it waits for something newly
// made, and is launched: a cutting that has a piece on the PIM adds a launch, of the
// least length. Two that do so add two, as all of the first is made before what follows
// the second meeting begins. (Of other gates on both devices that is not certain: the GPU
// may have made its part before something that its other part has waited for.) The first
// work of all on the PIM is launched as well.

// blend weighs what a plan takes at least: the work of each device and, with the rest
// of 1, pieces that follow each other.
type blend [candidate.Lanes]float64

// workShares are the parts of blends that are work, and workBalances those of the first
// device in it. Of others as many, bounds of five networks differ by up to 2 % (measured).
var (
	workShares   = [...]float64{1, 0.9, 0.7}
	workBalances = [...]float64{0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 1}
)

// blends are those of each share, by balance, and following alone.
var blends = func() (list [len(workShares)*len(workBalances) + 1]blend) {
	for i, s := range workShares {
		for j, b := range workBalances {
			list[i*len(workBalances)+j] = blend{s * b, s * (1 - b)}
		}
	}
	return list
}()

// weights are what a blend makes of the devices' work: where one works at a time, each
// keeps the other, too.
func (s *instance) weights(k int) [candidate.Lanes]float64 {
	b := blends[k]
	if s.Serial {
		return [candidate.Lanes]float64{b[0] + b[1], b[0] + b[1]}
	}
	return b
}

// following is the blend that is no work.
const following = len(workShares) * len(workBalances)

// sums are bounds of a plan's part by blend.
type sums [len(blends)]float64

func (s *sums) most() float64 { return slices.Max(s[:]) }

// cutting is a way to cut a node: not at all, in two somewhere, or in more pieces.
type cutting struct {
	dim, at int // whole: no cut; at is 0 where there are more pieces than two
	// takes is what both pieces, or each of more, read of the gate before at least, by
	// dimension; nil: nothing that is known.
	takes [2][]tensor.Range
	ways  []variant
}

// keys is how many choices of devices two pieces have.
const keys = candidate.Lanes * candidate.Lanes

// variant is a cutting on devices. Ways with more pieces than two are one variant.
type variant struct {
	time    [2]float64 // of both pieces; of more the least of any
	busy    [candidate.Lanes]float64
	follow  float64 // what it adds to what follows each other
	alone   float64 // what it takes at least when all of it begins
	cost    *sums   // of more pieces than two; otherwise it follows from busy and follow
	launch  [candidate.Lanes]float64
	key     int  // which of keys
	gpu     bool // all of it is on the GPU
	mixed   bool // certainly some of it is
	reached stage
	met     [2]float64 // done of reached: of what meets the gate before and closes all, and of the rest, which is [0]
}

// stage is what a plan has reached at least.
type stage struct {
	ends [2]float64 // of the pieces of a cutting in two; of others of any
	done float64    // when all of the node is made, and all of those that it closes
	sums sums       // of all nodes so far
}

// never is what no plan reaches.
var never = func() (s stage) {
	s.ends, s.done = [2]float64{math.Inf(1), math.Inf(1)}, math.Inf(1)
	for k := range s.sums {
		s.sums[k] = math.Inf(1)
	}
	return s
}()

// join makes a stage hold for what reaches either.
func (s *stage) join(o *stage) {
	s.ends[0], s.ends[1], s.done = min(s.ends[0], o.ends[0]), min(s.ends[1], o.ends[1]), min(s.done, o.done)
	for k := range s.sums {
		s.sums[k] = min(s.sums[k], o.sums[k])
	}
}

// trellis is the bound by cuttings of all plans, and of those that cut no node in more
// pieces than two.
func (s *instance) trellis(grounds []ground, gate, closed []bool) (any, two float64) {
	start := func() []cutting { return []cutting{{dim: candidate.Uncut, ways: []variant{{gpu: true}}}} }
	before := [2][]cutting{start(), start()} // of both bounds
	at, tidy := -1, true                     // the last gate; nothing is loose since, and it closes all before
	e := enter{s: s}
	launch := float64(s.Launch.Certain(slices.Concat(s.pieces...)))
	tracks := s.tracks(gate)
	for i := range grounds {
		g := &grounds[i]
		switch {
		case len(g.ways) == 0:
		case !gate[i]:
			var add sums
			for k := range blends {
				add[k], _ = g.shortest(s.weights(k), false)
			}
			for k := range before {
				loosen(before[k], &add)
			}
			tidy = false
		default:
			after := [2][]cutting{s.cuttings(i, at, g, tracks[i])}
			for _, c := range after[0] {
				if c.dim == candidate.Uncut || c.at > 0 {
					c.ways = slices.Clone(c.ways)
					after[1] = append(after[1], c)
				}
			}
			for k := range before {
				e.set(before[k], i, at, tidy, k > 0, tracks)
				for c := range after[k] {
					e.enter(&after[k][c], closed[i], launch)
				}
			}
			before, at, tidy = after, i, closed[i]
		}
	}
	return end(before[0]), end(before[1])
}

// loosen adds the work of a loose node.
func loosen(list []cutting, add *sums) {
	for c := range list {
		for v := range list[c].ways {
			s := &list[c].ways[v].reached.sums
			for k := range s {
				s[k] += add[k]
			}
		}
	}
}

// end is when a plan ends at least that ends with any of the cuttings.
func end(list []cutting) float64 {
	least := math.Inf(1)
	for c := range list {
		for v := range list[c].ways {
			st := &list[c].ways[v].reached
			least = min(least, max(st.done, st.sums.most()))
		}
	}
	return least
}

// timeOf is the least that a piece adds to the time of its device.
func (s *instance) timeOf(p *candidate.Tile) float64 { return float64(s.Launch.Marginal(p, true)) }

// worked is what is left without pieces that follow each other.
func (s *sums) worked() (out sums) {
	for k := range following {
		out[k] = workShares[k/len(workBalances)] * s[k%len(workBalances)]
	}
	return out
}
