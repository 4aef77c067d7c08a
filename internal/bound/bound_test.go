package bound

import (
	"context"
	"flag"
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

// costAll costs every tile of every node.
func costAll(s *candidate.Store) {
	for i := range s.Order {
		for dev := range s.Devices {
			s.Whole(i, dev)
			for _, dim := range s.Dims(i) {
				for lo := range s.Node(i).Shape[dim] {
					for hi := lo + 1; hi <= s.Node(i).Shape[dim]; hi++ {
						s.Tile(i, candidate.Span{Lane: dev, Dim: dim, Range: tensor.Range{Lo: lo, Hi: hi}})
					}
				}
			}
		}
	}
}

// somePartition draws a partition of a node in at most so many tiles.
func somePartition(s *candidate.Store, rng *rand.Rand, i, tiles int) *candidate.Partition {
	for {
		dims := s.Dims(i)
		k := rng.IntN(len(dims) + 1)
		if k == len(dims) {
			if p := s.Whole(i, rng.IntN(len(s.Devices))); p != nil {
				return candidate.NewPartition(p)
			}
			continue
		}
		extent := s.Node(i).Shape[dims[k]]
		var ends, devs []int
		n := 1 + rng.IntN(min(tiles, extent))
		for at := 1; at <= extent; at++ {
			if at == extent || len(ends) < n-1 && rng.IntN(extent) < n {
				ends, devs = append(ends, at), append(devs, rng.IntN(len(s.Devices)))
			}
		}
		if d := s.Cut(i, dims[k], ends, devs); d != nil {
			return d
		}
	}
}

// fastest tries random partitions, changes one at a time, and returns the least time, and
// how many launches are then fused.
func fastest(s *candidate.Store, rng *rand.Rand, starts, steps, tiles int) (least device.Time, joined int) {
	least = device.Time(1 << 62)
	for range starts {
		divs := make([]*candidate.Partition, len(s.Order))
		for i := range divs {
			divs[i] = somePartition(s, rng, i, tiles)
		}
		best := (&candidate.Scheduler{Store: s}).Schedule(0, divs)
		for range steps {
			i := rng.IntN(len(divs))
			old := divs[i]
			divs[i] = somePartition(s, rng, i, tiles)
			if t := (&candidate.Scheduler{Store: s}).Schedule(0, divs); t.Time <= best.Time {
				best = t
			} else {
				divs[i] = old
			}
		}
		if best.Time < least {
			least, joined = best.Time, 0
			for _, j := range best.Fused {
				if j {
					joined++
				}
			}
		}
	}
	return least, joined
}

// serially is what partitioned nodes take if one device works at a time, their tiles in
// the order of the list scheduler.
func serially(s *candidate.Store, divs []*candidate.Partition) (sum device.Time) {
	last := ""
	for _, p := range (&candidate.Scheduler{Store: s}).Schedule(0, divs).Tiles {
		if sum += p.Time; p.Device == last {
			sum -= p.Time - p.Least()
		}
		last = p.Device
	}
	return sum
}

// TestSerialBound: where one device works at a time, no plan is faster than the bound.
func TestSerialBound(t *testing.T) {
	close := 0.0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 13))
		g := fake.Wild(rng, 2+rng.IntN(6), 1, 1+rng.IntN(3), 1+rng.IntN(4))
		s := candidate.NewStore(g, []device.Device{
			&fake.Stairs{Called: plan.GPU, Seed: seed, Launch: 5},
			&fake.Stairs{Called: plan.PIM, Seed: seed + 1000, Launch: 5, Fusible: true, Only: map[string]bool{"Conv": true}},
		})
		s.Serial, s.Launch.Fuses = true, true
		costAll(s)
		bound, two := Of(context.Background(), s, nil, Options{Histories: 4})
		for range 200 {
			divs := make([]*candidate.Partition, len(s.Order))
			for i := range divs {
				divs[i] = somePartition(s, rng, i, 1+rng.IntN(3))
			}
			took := serially(s, divs)
			if two > took && !slices.ContainsFunc(divs, func(p *candidate.Partition) bool { return len(p.Tiles) > 2 }) {
				t.Fatalf("seed %d: bound of two tiles %v, a plan takes %v", seed, two, took)
			}
			if close = max(close, float64(bound)/float64(took)); bound > took {
				t.Fatalf("seed %d: bound %v, a plan takes %v", seed, bound, took)
			}
		}
	}
	if close < 0.99 {
		t.Errorf("no bound is within 1 %%: the closest is %.3f of a plan", close)
	}
}

var long = flag.Bool("long", false, "hold thousands of graphs against their bounds")

// TestBoundHolds: no plan of any number of tiles is faster than the bound, none of two
// a node than that of two, whether or not PIM work can be launched together, and whatever the bound keeps.
func TestBoundHolds(t *testing.T) {
	graphs := uint64(200)
	if *long {
		graphs = 4000
	}
	joined, close, closer := 0, 0.0, 0.0
	for seed := range graphs {
		rng := rand.New(rand.NewPCG(seed, 11))
		g := fake.Wild(rng, 2+rng.IntN(6), 1+rng.IntN(5)/4, 1+rng.IntN(3), 1+rng.IntN(7))
		joint, launch := seed%4 >= 2, device.Time(rng.IntN(2)*rng.IntN(20))
		ds := []device.Device{
			&fake.Stairs{Called: plan.GPU, Seed: seed, Launch: launch},
			&fake.Stairs{Called: plan.PIM, Seed: seed + 1000, Launch: launch, Fusible: joint, Only: map[string]bool{"Conv": true}},
		}
		if seed%2 == 1 {
			size := 4 * rng.IntN(5)
			ds = []device.Device{
				&fake.Hazard{Called: plan.GPU, Seed: seed, Slope: size},
				&fake.Hazard{Called: plan.PIM, Seed: seed + 1, Slope: size, Fusible: joint, Only: map[string]bool{"Conv": true, "MaxPool": true}},
			}
		}
		s := candidate.NewStore(g, ds)
		s.Launch.Fuses = joint
		costAll(s)
		any, n := fastest(s, rng, 4, 40, 8)
		joined += n
		halves, _ := fastest(s, rng, 4, 40, 2)
		for _, o := range []Options{{}, {Histories: 1}, {Histories: 16}, {Histories: 3, Below: halves + halves/20}} {
			bound, two := Of(context.Background(), s, nil, o)
			if bound > any {
				t.Errorf("seed %d, %+v: bound %v, a plan takes %v", seed, o, bound, any)
			}
			if two > halves {
				t.Errorf("seed %d, %+v: bound of two tiles %v, a plan takes %v", seed, o, two, halves)
			}
			if o.Histories == 0 {
				close += float64(two) / float64(halves)
			} else if o.Histories == 16 {
				closer += float64(two) / float64(halves)
			}
		}
		bound, two := Of(context.Background(), s, nil, Options{Histories: 16})
		s.Launch.Fuses = true
		if b, b2 := Of(context.Background(), s, nil, Options{}); b > bound || b2 > two {
			t.Errorf("seed %d: bounds %v and %v with every launch, %v and %v together", seed, bound, two, b, b2)
		}
	}
	if joined < int(graphs)/10 {
		t.Errorf("%d launches of the plans are fused", joined)
	}
	if closer < close+0.01*float64(graphs) {
		t.Errorf("with histories bounds are %.3f of plans, without %.3f", closer/float64(graphs), close/float64(graphs))
	}
}

// TestChains: chains of convolutions of four rows that each take 70 on the GPU, whatever their size, and 1 and 16 a row on the
// PIM, after a launch of 4 that can be fused. Of all plans that cut a convolution in at most two tiles the optimum is found by
// trying all where that is a matter of milliseconds.
func TestChains(t *testing.T) {
	for _, c := range []struct {
		layers, kernel         int
		simple, bound, optimum device.Time
	}{
		{2, 1, 103, 107, 107}, {2, 3, 119, 119, 119}, {3, 1, 138, 140, 140}, {3, 3, 168, 168, 172}, {4, 1, 182, 202, 206}, {4, 3, 217, 234, 237},
	} {
		g := convolutions(t, c.layers, c.kernel, 4)
		ds := fake.Pair(4, func(pim bool, _ int, box tensor.Box) device.Time {
			if pim {
				return 1 + 16*rows(box)
			}
			return 70
		})
		s := costed(g, ds, true)
		_, simple := Of(context.Background(), s, nil, Options{})
		_, bound := Of(context.Background(), s, nil, Options{Histories: High})
		if simple != c.simple || bound != c.bound {
			t.Errorf("%d layers, kernel %d: %d and %d, want %d and %d", c.layers, c.kernel, simple, bound, c.simple, c.bound)
		}
		if c.layers < 3 {
			if got := fake.Optimum(g, ds, func(t device.Time, _ float64) float64 { return float64(t) }); got != float64(c.optimum) {
				t.Errorf("%d layers, kernel %d: the optimum is %v, want %v", c.layers, c.kernel, got, c.optimum)
			}
		}
		for _, below := range []device.Time{c.bound - 1, c.bound + 5} { // a plan in more tiles may be known
			if _, got := Of(context.Background(), s, nil, Options{Histories: High, Below: below}); got != max(c.simple, min(below, c.bound)) {
				t.Errorf("%d layers, kernel %d, below %d: %d", c.layers, c.kernel, below, got)
			}
		}
	}
}

// TestOptimum: on chains of convolutions whose tiles take any time no bound is above the optimum of plans in at most two tiles a
// node, which is found by trying all, and most are equal to it.
func TestOptimum(t *testing.T) {
	graphs, equal := uint64(150), 0
	if *long {
		graphs = 5000
	}
	for seed := range graphs {
		rng := rand.New(rand.NewPCG(seed, 17))
		layers, rows := 2+rng.IntN(2), 2+rng.IntN(3)
		if layers == 3 {
			rows = 2
		}
		g := convolutions(t, layers, 1+2*rng.IntN(2), rows)
		slope := rng.IntN(3) * 10
		ds := []device.Device{&fake.Hazard{Called: plan.GPU, Seed: seed, Slope: slope}, &fake.Hazard{Called: plan.PIM, Seed: seed + 1, Slope: slope, Fusible: rng.IntN(2) == 0}}
		if seed%3 == 0 {
			launch := device.Time(rng.IntN(20))
			ds = []device.Device{&fake.Stairs{Called: plan.GPU, Seed: seed}, &fake.Stairs{Called: plan.PIM, Seed: seed + 1, Launch: launch, Fusible: true}}
		}
		s := costed(g, ds, true)
		best := fake.Optimum(g, ds, func(t device.Time, _ float64) float64 { return float64(t) })
		for _, o := range []Options{{Histories: 1}, {Histories: 2}, {Histories: High}} {
			_, two := Of(context.Background(), s, nil, o)
			if float64(two) > best {
				t.Errorf("seed %d, %+v: bound %d, the optimum is %v", seed, o, two, best)
			}
			if o.Histories == High && float64(two) >= best {
				equal++
			}
		}
	}
	if equal < int(graphs)*2/3 {
		t.Errorf("%d of %d bounds are the optimum", equal, graphs)
	}
}

// convolutions is a chain of convolutions of one channel over so many rows, of a kernel so high.
func convolutions(t *testing.T, layers, kernel, rows int) *graph.Graph {
	b := graph.NewBuilder("convolutions")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 1, rows, 1})
	for range layers {
		w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{1, 1, kernel, 1}))
		pad, k := int64(kernel-1)/2, int64(kernel)
		y, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{1, 1}, "dilations": []int64{1, 1}, "pads": []int64{pad, 0, pad, 0}, "group": int64(1)}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		x = y
	}
	b.Output("y", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestLoose: four nodes between two take 500 each on either device. Together they take 1000 of both devices, and what is before and
// after takes 3; those of the longest path alone take half of that.
func TestLoose(t *testing.T) {
	inputs := [][]int{{-1}, {0}, {0}, {0}, {0}, {1, 2}, {3, 4}, {5, 6}}
	s := costed(fake.Branches(1, inputs...), whole(0, []device.Time{1, 500, 500, 500, 500, 1, 1, 1}, []device.Time{0, 500, 500, 500, 500, 0, 0, 0}), false)
	x, nodes := newInstance(s, nil)
	_, gate, closed := barriers(nodes)
	for _, many := range []bool{false, true} {
		if got := x.byHistories(t.Context(), nodes, gate, closed, many, 4, math.Inf(1)); !near(got, 1003) {
			t.Errorf("many %t: %v, want 1003", many, got)
		}
	}
}

// TestStopped: a bound whose context has ended is that without histories.
func TestStopped(t *testing.T) {
	s := costed(fake.Chain(4, 4), fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
		if pim {
			return 1 + 16*rows(box)
		}
		return 70
	}), false)
	ctx, stop := context.WithCancel(context.Background())
	stop()
	all, two := Of(ctx, s, nil, Options{Histories: High})
	_, better := Of(context.Background(), s, nil, Options{Histories: High})
	if a, b := Of(context.Background(), s, nil, Options{}); a != all || b != two || better <= two {
		t.Errorf("%v and %v, want %v and %v, less than %v", all, two, a, b, better)
	}
}
