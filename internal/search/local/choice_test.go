package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// A choice is a row of a choice table. Each test here has, for each row of a table, one small
// graph on which the local search finds the optimum with the whole table and does not without
// the row. Devices are fake: a tile's time is set for its node, rows and device.

// less is a table without its i-th row, which it must have.
func less[T any](t *testing.T, table []T, i int) []T {
	t.Helper()
	if i < 0 || i >= len(table) {
		t.Fatalf("row %d of %d", i, len(table))
	}
	return slices.Delete(slices.Clone(table), i, i+1)
}

// duo is a GPU and a PIM on which time says what the rows [lo, hi) of node k, from 0, take; 0:
// the device does not execute the node. A PIM tile has a launch beside its time (fake.Pair).
func duo(launch device.Time, time func(pim bool, k, lo, hi int) device.Time) []device.Device {
	return fake.Pair(launch, func(pim bool, k int, box tensor.Box) device.Time {
		return time(pim, k, box[plan.Rows].Lo, box[plan.Rows].Hi)
	})
}

// store is a store of a graph under fused launches.
func store(g *graph.Graph, ds []device.Device) *candidate.Store {
	s := candidate.NewStore(g, ds)
	s.Launch.Fuses = true
	return s
}

// improved is the makespan after the local search, from the first choice of each node.
func improved(s *candidate.Store, choices [][]*candidate.Partition, opt *Options) device.Time {
	var first []*candidate.Partition
	for _, list := range choices {
		first = append(first, list[0])
	}
	return improvedFrom(s, first, choices, opt)
}

// improvedFrom is the makespan after the local search, from given partitions of each node.
func improvedFrom(s *candidate.Store, from []*candidate.Partition, choices [][]*candidate.Partition, opt *Options) device.Time {
	var start []*candidate.Window
	for i := range from {
		start = append(start, s.NewWindow(i, from[i:i+1], from[i].Tiles))
	}
	return s.Merge(opt.Improve(context.Background(), s, choices, start, candidate.Linear{Time: 1})).Time
}

// wholes are, as the only choice of each node, the node whole on its faster device.
func wholes(s *candidate.Store) (choices [][]*candidate.Partition) {
	for i := range s.Order {
		var best *candidate.Tile
		for lane := range s.Devices {
			if t := s.Whole(i, lane); t != nil && (best == nil || t.Time < best.Time) {
				best = t
			}
		}
		choices = append(choices, []*candidate.Partition{candidate.NewPartition(best)})
	}
	return choices
}

// check compares the makespans with the whole table and without a row with what they must be.
func check(t *testing.T, row string, all, without, optimum, local device.Time) {
	t.Helper()
	if all != optimum || without != local {
		t.Errorf("%s: makespan %d and %d without the row, want %d and %d", row, all, without, optimum, local)
	}
}

// TestLengths: on a chain of n nodes that are alternately on the GPU and on the PIM, halves take
// c percent of the whole. In two bands the chain takes (n+1)c instead of 100n. That is a gain for
// n nodes and for no shorter chain of the table.
func TestLengths(t *testing.T) {
	for n, c := range map[int]device.Time{2: 60, 3: 70, 4: 78, 5: 82, 6: 85, 8: 87, 12: 90} {
		ds := duo(0, func(pim bool, k, lo, hi int) device.Time {
			switch {
			case pim != (k%2 == 1):
				return 0
			case hi-lo == 2:
				return 100
			}
			return c
		})
		run := func(opt *Options) device.Time {
			s := store(fake.Chain(n, 2), ds)
			return improved(s, wholes(s), opt)
		}
		opt := Default()
		opt.lengths = less(t, lengths, slices.Index(lengths, n))
		check(t, fmt.Sprint(n, " nodes"), run(Default()), run(opt), device.Time(n+1)*c, device.Time(n)*100)
	}
}

// TestShares: of two nodes of 24 rows, on the GPU and on the PIM, the bands of one row of shares
// take little time and all other tiles much. In n bands the pipeline takes n+1 tiles.
func TestShares(t *testing.T) {
	for i, cuts := range [][]int{{12}, {6}, {18}, {9}, {15}, {8, 16}, {6, 12, 18}, {4, 8, 12, 16, 20}} {
		ends := append(append([]int{0}, cuts...), 24)
		tile := map[int]device.Time{2: 60, 3: 40, 4: 30, 6: 20}[len(cuts)+1]
		ds := duo(0, func(pim bool, k, lo, hi int) device.Time {
			at := slices.Index(ends, lo)
			switch {
			case pim != (k == 1):
				return 0
			case hi-lo == 24:
				return 100
			case at >= 0 && hi == ends[at+1]:
				return tile
			}
			return 1000
		})
		run := func(opt *Options) device.Time {
			s := store(fake.Chain(2, 24), ds)
			return improved(s, wholes(s), opt)
		}
		opt := Default()
		opt.shares = less(t, shares, i)
		check(t, fmt.Sprint("cuts ", cuts), run(Default()), run(opt), device.Time(len(cuts)+2)*tile, 200)
	}
}

// TestPatterns: four nodes in two bands are eight tiles, more than all patterns are tried of. The
// tiles of one pattern take little time, all others much.
//
//   - faster: the outer nodes on the GPU, the inner ones on the PIM. Halves of 65 take six steps,
//     6·65 instead of 400. (Chains of two nodes would gain, too, and are not tried.)
//   - nodes in turn: halves of 78 pipeline, 5·78 instead of 400; of three nodes 4·78 instead of
//     300.
//   - bands in turn: halves of 80 run side by side, 70 + 4·80 instead of 400 with the PIM's one
//     launch; of three nodes 70 + 3·80 instead of 300.
func TestPatterns(t *testing.T) {
	type row struct {
		lane    func(k, band int) int
		faster  func(k int) int // the device on which a whole node takes 100, 101 on the other
		launch  device.Time
		half    device.Time
		optimum device.Time
	}
	gpu := func(int) int { return 0 }
	rows := []row{
		{func(k, _ int) int { return (k + 1) / 2 % 2 }, func(k int) int { return (k + 1) / 2 % 2 }, 0, 65, 6 * 65},
		{func(k, _ int) int { return k % 2 }, gpu, 0, 78, 5 * 78},
		{func(k, _ int) int { return 1 - k%2 }, gpu, 0, 78, 5 * 78},
		{func(_, band int) int { return band }, gpu, 70, 80, 70 + 4*80},
		{func(_, band int) int { return 1 - band }, gpu, 70, 80, 70 + 4*80},
	}
	if len(rows) != len(patterns) {
		t.Fatalf("%d rows, %d patterns", len(rows), len(patterns))
	}
	for i, r := range rows {
		ds := duo(r.launch, func(pim bool, k, lo, hi int) device.Time {
			on := 0
			if pim {
				on = 1
			}
			switch {
			case hi-lo == 2 && on == r.faster(k):
				return 100
			case hi-lo == 2:
				return 101
			case on == r.lane(k, lo):
				return r.half
			}
			return 1000
		})
		run := func(opt *Options) device.Time {
			opt.lengths = []int{4}
			s := store(fake.Chain(4, 2), ds)
			return improved(s, wholes(s), opt)
		}
		opt := Default()
		opt.patterns = less(t, patterns, i)
		check(t, fmt.Sprint("pattern ", i), run(Default()), run(opt), r.optimum, 400)
	}
}

// TestOffsets: a node is cut at row 100 of 200; the cut at one offset from there takes less, all
// others more.
func TestOffsets(t *testing.T) {
	for _, by := range []int{-64, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 64} {
		ds := duo(0, func(pim bool, _, lo, hi int) device.Time {
			at := hi
			if pim {
				at = lo
			}
			switch {
			case hi-lo == 200 || pim != (hi == 200):
				return 1000
			case at == 100+by:
				return 9
			case at == 100:
				return 10
			}
			return 1000
		})
		run := func(opt *Options) device.Time {
			s := store(fake.Chain(1, 200), ds)
			return improved(s, [][]*candidate.Partition{{s.Cut(0, plan.Rows, []int{100, 200}, []int{0, 1})}}, opt)
		}
		opt := Default()
		opt.offsets = less(t, offsets, slices.Index(offsets, by))
		check(t, fmt.Sprint("offset ", by), run(Default()), run(opt), 9, 10)
	}
}

// drawn is a small graph and two devices that a seed draws: one where a move, or a pass, finds
// the optimum was looked for among the first thousands.
func drawn(seed uint64) (*graph.Graph, []device.Device) {
	rng := rand.New(rand.NewPCG(seed, 5))
	most, rows := 1+rng.IntN(4), 2+rng.IntN(3)
	g := fake.Chain(most, rows)
	if seed%2 == 0 {
		g = fake.Small(rng, most, 1, rows)
	}
	fusible := rng.IntN(2) == 1
	if rng.IntN(2) == 0 {
		return g, []device.Device{
			&fake.Hazard{Called: plan.GPU, Seed: seed, Slope: rng.IntN(30)},
			&fake.Hazard{Called: plan.PIM, Seed: seed + 1, Slope: rng.IntN(30), Fusible: fusible},
		}
	}
	launch := device.Time(rng.IntN(20))
	return g, []device.Device{
		&fake.Stairs{Called: plan.GPU, Seed: seed, Launch: launch},
		&fake.Stairs{Called: plan.PIM, Seed: seed + 1000, Launch: launch, Fusible: fusible},
	}
}

// searched is the makespan after the local search on a drawn graph, from the best partition of
// each node alone.
func searched(seed uint64, opt *Options) device.Time {
	s := store(drawn(seed))
	choices := make([][]*candidate.Partition, len(s.Order))
	for i := range choices {
		choices[i] = s.Choices(i, candidate.Linear{Time: 1})
	}
	return improved(s, choices, opt)
}

// optimumInTwo is the least makespan of all plans of a drawn graph that have at most two tiles a
// node, by trying all.
func optimumInTwo(seed uint64) device.Time {
	g, ds := drawn(seed)
	return device.Time(fake.Optimum(g, ds, func(t device.Time, _ float64) float64 { return float64(t) }))
}

// TestMoves: of each move but alone and follow, on a graph of one to four nodes. part makes a
// plan of three tiles; the others make the best plan of at most two tiles a node.
func TestMoves(t *testing.T) {
	rows := map[string]struct {
		seed           uint64
		optimum, local device.Time
	}{
		"band":   {9, 30, 34},
		"run":    {107, 164, 195},
		"divide": {562, 67, 76},
		"flip":   {35, 63, 83},
		"shift":  {706, 53, 68},
		"join":   {583, 35, 60},
		"part":   {38, 71, 81},
		"swap":   {470, 84, 85},
		"alone":  {}, // TestAlone
		"follow": {}, // TestFollow
	}
	if len(rows) != len(moves) {
		t.Errorf("%d rows, %d moves", len(rows), len(moves))
	}
	for i, m := range moves {
		r, ok := rows[m.name]
		if !ok {
			t.Errorf("no graph for %s", m.name)
		}
		if r.seed == 0 {
			continue
		}
		opt := Default()
		opt.moves = less(t, moves, i)
		check(t, m.name, searched(r.seed, Default()), searched(r.seed, opt), r.optimum, r.local)
		two := r.optimum
		if m.name == "part" {
			two = r.local
		}
		if best := optimumInTwo(r.seed); best != two {
			t.Errorf("%s: %d is the optimum of two tiles a node, not %d", m.name, best, two)
		}
	}
}

// without is the table of moves without one.
func without(t *testing.T, name string) *Options {
	i := slices.IndexFunc(moves, func(m move) bool { return m.name == name })
	if i < 0 {
		t.Fatalf("no move %s", name)
	}
	opt := Default()
	opt.moves = less(t, moves, i)
	return opt
}

// TestAlone: four nodes are whole on the PIM, 21 + 4·90. On the GPU each takes 10 + 85 in two tiles
// that no band has; the PIM's launch is saved only if all four are there: 4·95.
func TestAlone(t *testing.T) {
	run := func(opt *Options) device.Time {
		s := store(fake.Chain(4, 11), duo(21, func(pim bool, _, lo, hi int) device.Time {
			switch {
			case pim && hi-lo == 11:
				return 90
			case !pim && hi == 1:
				return 10
			case !pim && lo == 1 && hi == 11:
				return 85
			}
			return 1000
		}))
		var from []*candidate.Partition
		var choices [][]*candidate.Partition
		for i := range s.Order {
			onPIM := candidate.NewPartition(s.Whole(i, 1))
			from = append(from, onPIM)
			choices = append(choices, []*candidate.Partition{s.Cut(i, plan.Rows, []int{1, 11}, []int{0, 0}), onPIM})
		}
		return improvedFrom(s, from, choices, opt)
	}
	check(t, "alone", run(Default()), run(without(t, "alone")), 4*95, 21+4*90)
}

// TestFollow: a node on the PIM is cut at row 1 of 11, where no band is cut. Its input, on the GPU,
// is whole and takes 100. Cut alike, its tiles take 60 each and the two nodes pipeline.
func TestFollow(t *testing.T) {
	run := func(opt *Options) device.Time {
		s := store(fake.Chain(2, 11), duo(0, func(pim bool, k, lo, hi int) device.Time {
			switch {
			case pim != (k == 1):
				return 0
			case hi-lo == 11:
				return 100 + 30*device.Time(k)
			case hi == 1 || lo == 1 && hi == 11:
				return 60
			}
			return 1000
		}))
		return improved(s, [][]*candidate.Partition{{candidate.NewPartition(s.Whole(0, 0))}, {s.Cut(1, plan.Rows, []int{1, 11}, []int{1, 1})}}, opt)
	}
	check(t, "follow", run(Default()), run(without(t, "follow")), 180, 220)
}

// apart is a graph of a node, a chain of others that read the input, and a node that reads the
// first one.
func apart(between, rows int) *graph.Graph {
	inputs := [][]int{{-1}, {-1}}
	for k := 1; k < between; k++ {
		inputs = append(inputs, []int{k})
	}
	return fake.Branches(rows, append(inputs, []int{0})...)
}

// TestStarts: the first node, on the GPU, and the last, on the PIM, gain in two bands, which only
// groups of both have. In groups of 8 the last node is cut at row 23 instead, which excludes bands:
// 100 + 90. In the first row bands at row 12 are a way to bands at row 13, which pipeline
// in 3·50; in the second they take 3·65, and nothing leads from there. (The cut at row 23 is not
// the first choice, so that only divide makes it, after band.)
func TestStarts(t *testing.T) {
	const between = 11
	for i, at13 := range []device.Time{50, 1000} {
		run := func(opt *Options) device.Time {
			opt.final = nil // a perturbation leaves either plan
			s := store(apart(between, 24), duo(0, func(pim bool, k, lo, hi int) device.Time {
				switch at := max(lo, hi%24); {
				case pim != (k == between+1):
					return 0
				case k > 0 && k <= between:
					return 1
				case hi-lo == 24:
					return 100
				case (lo == 0 || hi == 24) && at == 12:
					return 65
				case (lo == 0 || hi == 24) && at == 13:
					return at13
				case k > 0 && hi == 23 && lo == 0:
					return 85
				case k > 0 && lo == 23:
					return 5
				}
				return 1000
			}))
			choices := wholes(s)
			choices[between+1] = append(choices[between+1], s.Cut(between+1, plan.Rows, []int{23, 24}, []int{1, 1}))
			return improved(s, choices, opt)
		}
		opt := Default()
		opt.starts = less(t, starts, i)
		check(t, fmt.Sprint("start ", i), run(Default()), run(opt), []device.Time{150, 190}[i], []device.Time{190, 195}[i])
	}
}

// TestFinal: the perturbation on a drawn graph; and two nodes so far apart that only groups of 40
// have both, which pipeline in two bands, 3·60 instead of 200.
func TestFinal(t *testing.T) {
	opt := Default()
	opt.final = less(t, final, 0)
	check(t, "perturbation", searched(1061, Default()), searched(1061, opt), 93, 95)
	if best := optimumInTwo(1061); best != 93 {
		t.Errorf("the optimum is %d", best)
	}
	const between = 28
	run := func(opt *Options) device.Time {
		s := store(apart(between, 2), duo(0, func(pim bool, k, lo, hi int) device.Time {
			switch {
			case pim != (k == between+1):
				return 0
			case k > 0 && k <= between:
				return 1
			case hi-lo == 2:
				return 100
			}
			return 60
		}))
		return improved(s, wholes(s), opt)
	}
	opt = Default()
	opt.final = less(t, final, 1)
	check(t, "climbing", run(Default()), run(opt), 180, 200)
}
