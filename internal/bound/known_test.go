package bound

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// costed is a store of which every tile is costed.
func costed(g *graph.Graph, ds []device.Device, fuses bool) *candidate.Store {
	s := candidate.NewStore(g, ds)
	s.Launch.Fuses = fuses
	costAll(s)
	return s
}

// whole are devices on which node k, whole, takes gpu[k] or pim[k]; 0: the device does not execute
// it. Values have one row.
func whole(launch device.Time, gpu, pim []device.Time) []device.Device {
	return fake.Pair(launch, func(onPIM bool, k int, _ tensor.Box) device.Time {
		if onPIM {
			return pim[k]
		}
		return gpu[k]
	})
}

// rows is how many rows a tile has.
func rows(box tensor.Box) device.Time { return device.Time(box[plan.Rows].Len()) }

// near reports whether a bound is a number, to a millionth.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*want }

// diamond is a node, two that read it, and one that reads both.
var diamond = [][]int{{-1}, {0}, {0}, {1, 2}}

// ladder is a node, two that read it, one that reads each of these, and one that reads both.
var ladder = [][]int{{-1}, {0}, {0}, {1}, {2}, {3, 4}}

// TestKnown: on these graphs each part of the bound is a number that follows from its definition.
// The larger one is the optimum of all plans, which are tried, but where it says otherwise.
func TestKnown(t *testing.T) {
	type times = []device.Time
	half := func(pim bool, k int, box tensor.Box) device.Time { // on the GPU and the PIM in turn
		switch {
		case pim != (k%2 == 1):
			return 0
		case rows(box) == 2:
			return 100
		}
		return 60
	}
	for _, c := range []struct {
		what               string
		graph              *graph.Graph
		devices            []device.Device
		fuses              bool
		precedence, splits float64
		optimum            device.Time
	}{
		// Two rows on the GPU take as long as one on the PIM: 30·60/(30+60) a row, three rows.
		{"work", fake.Chain(1, 3), fake.Pair(0, func(pim bool, _ int, box tensor.Box) device.Time {
			if pim {
				return 60 * rows(box)
			}
			return 30 * rows(box)
		}), false, 60, 60, 60},
		{"a chain", fake.Chain(2, 1), whole(0, times{10, 0}, times{0, 20}), false, 30, 30, 30},
		{"branches", fake.Branches(1, diamond...), whole(0, times{10, 20, 0, 5}, times{0, 0, 30, 0}), false, 10 + 30 + 5, 45, 45},
		// A whole node blocks both devices, though half of each could be anywhere.
		{"blocking", fake.Chain(3, 1), whole(0, times{100, 100, 100}, times{100, 100, 100}), false, 300, 300, 300},
		// The PIM works 20 + 20; the least of what follows its nodes, 5 and 12, is still to come.
		{"the least tail", fake.Branches(1, ladder...), whole(0, times{10, 1e9, 1e9, 5, 12, 1}, times{0, 20, 20, 0, 0, 0}), false, 10 + 40 + 5 + 1, 43, 56},
		// The PIM works 20 + 20 after the least of 5 and 12.
		{"the least head", fake.Branches(1, ladder...), whole(0, times{10, 12, 5, 1e9, 1e9, 1}, times{0, 0, 0, 20, 20, 0}), false, 10 + 5 + 40 + 1, 43, 56},
		// Halves pipeline: 60 and then 60 + 60 on the PIM.
		{"a pipeline", fake.Chain(2, 2), fake.Pair(0, half), false, 160, 180, 180},
		{"a longer pipeline", fake.Chain(3, 2), fake.Pair(0, half), false, 220, 240, 240},
		// The second node ends after the first and one of its own tiles: 100 + 30.
		{"a shorter second node", fake.Chain(2, 2), fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
			switch {
			case pim != (k == 1):
				return 0
			case rows(box) == 2:
				return []device.Time{100, 50}[k]
			}
			return []device.Time{60, 30}[k]
		}), false, 130, 120, 150},
		// Cut at row 1, tiles take 10 and 100, then 50 and 60: the last one starts at 110, of which
		// the bound knows 100, its own tile's time.
		{"the first tile is early", fake.Chain(2, 4), fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
			switch {
			case pim != (k == 1):
				return 0
			case rows(box) == 4:
				return 150
			case box[plan.Rows].Hi == 1:
				return []device.Time{10, 50}[k]
			case box[plan.Rows].Lo == 1 && rows(box) == 3:
				return []device.Time{100, 60}[k]
			}
			return 1000
		}), false, 160, 160, 170},
		// The PIM works on both halves before the last node starts.
		{"a branch in halves", fake.Branches(2, diamond...), fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
			switch {
			case pim != (k == 2) || k != 2 && rows(box) < 2:
				return 0
			case k == 2 && rows(box) == 2:
				return 200
			}
			return []device.Time{10, 10, 60, 5}[k]
		}), false, 135, 135, 135},
		// The PIM is launched anew after the GPU, and once for nodes that follow each other.
		{"two launches", fake.Chain(3, 1), whole(7, times{0, 20, 0}, times{10, 0, 10}), true, 40, 7 + 10 + 20 + 7 + 10, 54},
		{"one launch", fake.Chain(3, 1), whole(7, times{0, 0, 0}, times{10, 20, 10}), true, 40, 7 + 40, 47},
		{"every launch", fake.Chain(3, 1), whole(7, times{0, 0, 0}, times{10, 20, 10}), false, 40 + 3*7, 61, 61},
	} {
		s := costed(c.graph, c.devices, c.fuses)
		x, nodes := newInstance(s, nil)
		barrier, gate, closed := barriers(nodes)
		if got := x.byPrecedence(nodes, barrier); !near(got, c.precedence) {
			t.Errorf("%s: by precedence %v, want %v", c.what, got, c.precedence)
		}
		if _, got := x.bySplits(nodes, gate, closed); !near(got, c.splits) {
			t.Errorf("%s: by split points %v, want %v", c.what, got, c.splits)
		}
		want := device.Time(math.Ceil(max(c.precedence, c.splits) * (1 - 1e-6))) // up to picoseconds
		if all, two := Of(context.Background(), s, nil, Options{}); all > two || two != want {
			t.Errorf("%s: bounds %d and %d, want %d", c.what, all, two, want)
		}
		if c.fuses || c.what == "every launch" { // fake.Optimum fuses
			continue
		}
		if got := fake.Optimum(c.graph, c.devices, func(t device.Time, _ float64) float64 { return float64(t) }); got != float64(c.optimum) {
			t.Errorf("%s: the optimum is %v, not %d", c.what, got, c.optimum)
		}
	}
}

// TestBarriers: which nodes are barriers, gates and closed, on a diamond between two nodes.
func TestBarriers(t *testing.T) {
	inputs := append(slices.Clone(diamond), []int{3})
	is := func(list ...int) []bool {
		out := make([]bool, len(list))
		for i, x := range list {
			out[i] = x == 1
		}
		return out
	}
	for _, c := range []struct {
		what                  string
		rows                  int
		barrier, gate, closed []bool
	}{
		// The second branch is a gate: what follows waits for it. It does not read the first.
		{"whole", 1, is(1, 0, 0, 1, 1), is(1, 0, 1, 1, 1), is(1, 1, 0, 1, 1)},
		// Cut nodes are no barriers, but the last, after which there is nothing.
		{"in rows", 2, is(0, 0, 0, 0, 1), is(1, 0, 1, 1, 1), is(1, 1, 0, 1, 1)},
	} {
		s := costed(fake.Branches(c.rows, inputs...), fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 1 }), false)
		_, nodes := newInstance(s, nil)
		barrier, gate, closed := barriers(nodes)
		if !slices.Equal(barrier, c.barrier) || !slices.Equal(gate, c.gate) || !slices.Equal(closed, c.closed) {
			t.Errorf("%s: barriers %v, gates %v, closed %v", c.what, barrier, gate, closed)
		}
		for i := range nodes {
			for _, w := range nodes[i].graphs {
				for _, e := range w.edges {
					if e.blocks != (gate[i] && closed[i] && e.to-e.from == w.points-1) {
						t.Errorf("%s: node %d, an edge from %d to %d blocks: %v", c.what, i, e.from, e.to, e.blocks)
					}
				}
			}
		}
	}
}

// TestTiles: a node of three rows takes 10 a row in single rows and 100 in any other tile. In
// three tiles the devices take 20 and 10, so that the balance is 15; in two it takes 100.
func TestTiles(t *testing.T) {
	s := costed(fake.Chain(1, 3), fake.Pair(0, func(_ bool, _ int, box tensor.Box) device.Time {
		if rows(box) == 1 {
			return 10
		}
		return 100
	}), false)
	x, nodes := newInstance(s, nil)
	_, gate, closed := barriers(nodes)
	if all, two := x.bySplits(nodes, gate, closed); !near(all, 15) || !near(two, 100) {
		t.Errorf("%v and %v, want 15 and 100", all, two)
	}
	if all, two := Of(context.Background(), s, nil, Options{}); all != 15 || two != 100 {
		t.Errorf("%d and %d, want 15 and 100", all, two)
	}
	if v, busy := nodes[0].shortestPath([candidate.Lanes]float64{1, math.Inf(1)}, false); v != 30 || busy != [candidate.Lanes]float64{30, 0} {
		t.Errorf("on the GPU alone %v, %v", v, busy)
	}
}

// TestSerial: if one device works at a time, times add up: each node on its faster device.
func TestSerial(t *testing.T) {
	s := candidate.NewStore(fake.Branches(1, diamond...), whole(0, []device.Time{10, 20, 40, 5}, []device.Time{20, 30, 30, 50}))
	s.Serial = true
	costAll(s)
	if all, two := Of(context.Background(), s, nil, Options{}); all != 65 || two != 65 {
		t.Errorf("%d and %d, want 65", all, two)
	}
	x, nodes := newInstance(s, nil)
	_, gate, closed := barriers(nodes)
	if many, halves := x.bySplits(nodes, gate, closed); !near(many, 65) || !near(halves, 65) {
		t.Errorf("by split points %v and %v, want 65", many, halves)
	}
	// In a plan of another store, whose tiles take twice as much, a serial run of these may be
	// better: the bound has both.
	other := costed(fake.Branches(1, diamond...), whole(0, []device.Time{20, 40, 80, 10}, []device.Time{40, 60, 60, 100}), false)
	alone, _ := Of(context.Background(), other, nil, Options{})
	both, _ := Of(context.Background(), other, s, Options{})
	if alone != 90 || both != 45 { // 20+60+10 and, side by side, 10+30+5
		t.Errorf("%d, and %d with serial runs; want 90 and 45", alone, both)
	}
}

// TestBalances: between two nodes on the GPU there are four loose ones, of which each takes 1-b
// on the GPU and b on the PIM, times 100. Only the balance b finds that together they take at
// least 4·100·b·(1-b); at 0 and 1, where one device executes them, 400.
func TestBalances(t *testing.T) {
	inputs := [][]int{{-1}, {0}, {0}, {0}, {0}, {1, 2}, {3, 4}, {5, 6}}
	for _, b := range []float64{0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 1} {
		i := slices.Index(balances[:], b)
		if i < 0 {
			t.Fatalf("no balance %v", b)
		}
		gpu, pim := device.Time(math.Round(1e6*(1-b))), device.Time(math.Round(1e6*b))
		want := 4e6 * b * (1 - b)
		if b == 0 || b == 1 {
			gpu, pim, want = pim, gpu, 4e6
		}
		s := costed(fake.Branches(1, inputs...), whole(0, []device.Time{1, gpu, gpu, gpu, gpu, 1, 1, 1}, []device.Time{0, pim, pim, pim, pim, 0, 0, 0}), false)
		at := func(table [len(balances)]float64) float64 {
			x, nodes := newInstance(s, nil)
			_, gate, closed := barriers(nodes)
			x.multipliers = newMultipliers(workShares, table)
			all, _ := x.bySplits(nodes, gate, closed)
			return all
		}
		less := balances
		less[i] = less[(i+1)%len(less)]
		if with, without := at(balances), at(less); math.Abs(with-want) > 5 || without > 0.999*want {
			t.Errorf("balance %v: %v, without it %v; want %v", b, with, without, want)
		}
	}
}

// TestShares: for each share of work but 1 there is a drawn graph whose bound only it raises so
// far; 1 is the work of TestBalances.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		share         float64
		seed          uint64
		with, without float64
	}{{0.9, 9, 253.7325, 252.9}, {0.7, 623, 162.545, 158.375}} {
		rng := rand.New(rand.NewPCG(c.seed, 23))
		g := fake.Wild(rng, 3+rng.IntN(4), 1, 1, 3+rng.IntN(3))
		slope := 4 * rng.IntN(5)
		s := costed(g, []device.Device{&fake.Hazard{Called: plan.GPU, Seed: c.seed, Slope: slope}, &fake.Hazard{Called: plan.PIM, Seed: c.seed + 1, Slope: 4 * rng.IntN(5)}}, false)
		at := func(table [len(workShares)]float64) float64 {
			x, nodes := newInstance(s, nil)
			_, gate, closed := barriers(nodes)
			x.multipliers = newMultipliers(table, balances)
			all, _ := x.bySplits(nodes, gate, closed)
			return all
		}
		i := slices.Index(workShares[:], c.share)
		if i < 0 || workShares[0] != 1 {
			t.Fatalf("no share %v or 1", c.share)
		}
		less := workShares
		less[i] = less[(i+1)%len(less)]
		if with, without := at(workShares), at(less); !near(with, c.with) || !near(without, c.without) {
			t.Errorf("share %v: %v, without it %v; want %v and %v", c.share, with, without, c.with, c.without)
		}
	}
}

// TestReadsAll: a node that reads all of one in two tiles of 30 and 70 starts when that has kept
// both devices busy, not when its first tile is made.
func TestReadsAll(t *testing.T) {
	b := graph.NewBuilder("pool")
	op := func(name string, in ...graph.ID) graph.ID {
		id, err := b.Op("", name, nil, in...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	x := op("Relu", b.Input("x", tensor.Float32, tensor.Shape{1, 1, 2, 1}))
	b.Output("y", op("Mul", op("Relu", x), op("GlobalAveragePool", x)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s := costed(g, fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
		switch {
		case k == 0 && rows(box) == 2:
			return 200
		case k == 0:
			return 30 + 40*device.Time(box[plan.Rows].Lo)
		case pim != (k == 1):
			return 0
		case k == 2:
			return 100
		}
		return 1
	}), false)
	z, nodes := newInstance(s, nil)
	barrier, _, _ := barriers(nodes)
	if got := z.byPrecedence(nodes, barrier); !near(got, 50+100+1) {
		t.Errorf("%v, want 151", got)
	}
}

// TestReadsAllInTiles: a convolution in two tiles of one channel each, 100 a tile on the GPU alone, starts when
// the node of 30 and 70 that it reads all of has kept both devices busy for 50. What is beside it does not
// wait, so that no barrier is between.
func TestReadsAllInTiles(t *testing.T) {
	b := graph.NewBuilder("conv")
	x, err := b.Op("", "Relu", nil, b.Input("x", tensor.Float32, tensor.Shape{1, 2, 1, 1}))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := b.Op("", "Relu", nil, x)
	if err != nil {
		t.Fatal(err)
	}
	w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{2, 2, 1, 1}))
	conv, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{1, 1}, "strides": []int64{1, 1}, "dilations": []int64{1, 1}, "pads": []int64{0, 0, 0, 0}, "group": int64(1)}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", beside)
	b.Output("z", conv)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	on := func(pim bool) *fake.Func {
		name := plan.GPU
		if pim {
			name = plan.PIM
		}
		return &fake.Func{Called: name, Of: func(c graph.Cut) (device.Cost, bool) {
			whole := c.Box[plan.Channels].Len() == 2
			switch {
			case c.Node == x && whole:
				return device.Cost{Time: 200}, true
			case c.Node == x:
				return device.Cost{Time: 30 + 40*device.Time(c.Box[plan.Channels].Lo)}, true
			case c.Node == beside:
				return device.Cost{Time: 1}, pim
			case whole:
				return device.Cost{Time: 1000}, !pim
			}
			return device.Cost{Time: 100}, !pim
		}}
	}
	s := costed(g, []device.Device{on(false), on(true)}, false)
	z, nodes := newInstance(s, nil)
	barrier, _, _ := barriers(nodes)
	if got := z.byPrecedence(nodes, barrier); barrier[0] || !near(got, 50+200) {
		t.Errorf("%v, want 250; barriers %v", got, barrier)
	}
}

// TestBlocking: two whole nodes of 100 block both devices. Between them, where rows are cut, four nodes take
// 100 each on any device and two take 2: together 202 of both. No barrier is in between.
func TestBlocking(t *testing.T) {
	inputs := [][]int{{-1}, {0}, {0}, {0}, {0}, {1, 2}, {3, 4}, {5, 6}}
	s := costed(fake.Branches(2, inputs...), fake.Pair(0, func(_ bool, k int, box tensor.Box) device.Time {
		switch {
		case k == 5 || k == 6:
			return rows(box)
		case k > 0 && k < 7:
			return 50 * rows(box)
		case rows(box) == 2:
			return 100
		}
		return 1000
	}), false)
	x, nodes := newInstance(s, nil)
	barrier, _, _ := barriers(nodes)
	if got := x.byPrecedence(nodes, barrier); slices.Index(barrier, true) != 7 || !near(got, 100+202+100) {
		t.Errorf("%v, want 402; barriers %v", got, barrier)
	}
}
