package search

import (
	"context"
	"math/rand/v2"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
)

// synthetic is a machine of stairs, the same with any number of PIM channels.
func synthetic(seed uint64, launch device.Time) Target {
	gpu := &fake.Stairs{Called: plan.GPU, Seed: seed, Launch: launch}
	pim := &fake.Stairs{Called: plan.PIM, Seed: seed + 1000, Launch: launch, Fusible: launch > 0, Only: map[string]bool{"Conv": true}}
	devices := Devices(func(n int, _ string) ([]device.Device, error) {
		if n == 0 {
			return []device.Device{gpu}, nil
		}
		return []device.Device{gpu, pim}, nil
	})
	standby := device.Ledger{device.GPUStandby: {Value: 5000, Low: 5000, High: 5000}}
	return Target{Machine: "stairs", PIMChannels: 1, Launch: plan.Fused, Devices: devices.Memo(), Standby: standby}
}

// TestBruteForce: on small graphs the exact mode, which they are decided by without
// being asked for, finds what trying everything finds; and the bound is not above.
func TestBruteForce(t *testing.T) {
	tight := 0.0
	graphs := 240
	if testing.Short() {
		graphs = 60
	}
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(graphs) {
		rng := rand.New(rand.NewPCG(seed, 7))
		most, channels, rows := 6, 1, 2
		switch seed % 4 {
		case 1:
			most, channels = 4, 2
		case 2:
			most, rows = 3, 4
		case 3:
			rows = 1
		}
		g := fake.Small(rng, most, channels, rows)
		to := synthetic(seed, device.Time(rng.IntN(2)*rng.IntN(20)))
		to.Objective = Objective(rng.IntN(5) % len(objectives)) // latency most
		r, err := Best(context.Background(), g, auto, to)
		if err != nil {
			t.Fatal(seed, err)
		}
		if err := r.Plan.Check(g); err != nil {
			t.Fatal(seed, err)
		}
		ds, _ := to.Devices(1, plan.Extended)
		want := fake.Optimum(g, ds, func(end device.Time, energy float64) float64 {
			return to.Objective.value(end, energy, to.Standby.Total().Value)
		})
		got := to.Objective.value(r.Timeline.Total, energyOf(r.Timeline), to.Standby.Total().Value)
		if !r.Exact || got > want*(1+1e-12) || rows < 4 && channels == 1 && got < want*(1-1e-12) {
			t.Errorf("seed %d, %v: %v, %v by brute force, exact %v", seed, to.Objective, got, want, r.Exact)
		}
		if to.Objective == Latency {
			if float64(r.Bound) > got || float64(r.Bound) > want {
				t.Errorf("seed %d: bound %v above %v", seed, r.Bound, got)
			}
			if r.BoundTwo != r.Timeline.Total {
				t.Errorf("seed %d: exact, %v, but the bound of two tiles is %v", seed, r.Timeline.Total, r.BoundTwo)
			}
			if r.Bound <= 0 {
				t.Errorf("seed %d: no bound", seed)
			}
			tight = max(tight, float64(r.Bound)/got)
		}
	}
	if tight < 0.99 && !testing.Short() { // of the few graphs then none may be
		t.Errorf("no bound is within 1 %%: the best is %.2f of the optimum", tight)
	}
}

// TestExactLarge: chains of twelve nodes, and graphs of ten with branches, are proven to be exact when that is asked for: the bound
// of two tiles is the time.
func TestExactLarge(t *testing.T) {
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []uint64{0, 1, 2, 3, 4, 6, 7} {
		g, rng := fake.Chain(12, 2+int(seed)%3*5), rand.New(rand.NewPCG(seed, 5))
		if seed >= 4 {
			for n := 0; n != 10; n = len(candidate.Operations(g)) {
				g = fake.Wild(rng, 10, 1, 2, 4)
			}
		}
		to := synthetic(seed%4, 5)
		to.Exact = true
		r, err := Best(t.Context(), g, auto, to)
		if err != nil || !r.Exact || r.BoundTwo != r.Timeline.Total || r.Bound > r.BoundTwo {
			t.Errorf("seed %d: %+v, %v", seed, r, err)
		}
	}
}
