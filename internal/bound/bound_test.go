package bound

import (
	"math/rand/v2"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
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
		bound, _ := Of(s, nil)
		for range 200 {
			divs := make([]*candidate.Partition, len(s.Order))
			for i := range divs {
				divs[i] = somePartition(s, rng, i, 1+rng.IntN(3))
			}
			took := serially(s, divs)
			if close = max(close, float64(bound)/float64(took)); bound > took {
				t.Fatalf("seed %d: bound %v, a plan takes %v", seed, bound, took)
			}
		}
	}
	if close < 0.99 {
		t.Errorf("no bound is within 1 %%: the closest is %.3f of a plan", close)
	}
}

// TestBoundHolds: no plan of any number of tiles is faster than the bound, none of two
// a node than that of two, whether or not PIM work can be launched together.
func TestBoundHolds(t *testing.T) {
	graphs := uint64(800)
	if testing.Short() {
		graphs = 120
	}
	joined := 0
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
		bound, two := Of(s, nil)
		any, n := fastest(s, rng, 4, 40, 8)
		if joined += n; bound > any {
			t.Errorf("seed %d: bound %v, a plan takes %v", seed, bound, any)
		}
		if halves, _ := fastest(s, rng, 4, 40, 2); two > halves {
			t.Errorf("seed %d: bound of two tiles %v, a plan takes %v", seed, two, halves)
		}
		s.Launch.Fuses = true
		if b, b2 := Of(s, nil); b > bound || b2 > two {
			t.Errorf("seed %d: bounds %v and %v with every launch, %v and %v together", seed, bound, two, b, b2)
		}
	}
	if joined < int(graphs)/10 {
		t.Errorf("%d launches of the plans are fused", joined)
	}
}
