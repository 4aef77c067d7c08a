package search

import (
	"context"
	"math"
	"sync"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// TestExactOrder: the exact mode tries orders that no list schedule is. Node 0 could start on the GPU at once,
// but node 2, ready on the GPU after 1, has 20 on the PIM behind it: 1 + 1 + 20 if the GPU waits, 10 + 1 + 20
// if it does not.
func TestExactOrder(t *testing.T) {
	g := fake.Branches(1, []int{-1}, []int{-1}, []int{1}, []int{2})
	times := []device.Time{10, 1, 1, 20}
	ds := fake.Pair(0, func(pim bool, k int, _ tensor.Box) device.Time {
		if pim != (k%2 == 1) {
			return 0
		}
		return times[k]
	})
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		full  bool // memory refuses every plan but the first
		want  device.Time
		exact bool
	}{{false, 22, true}, {true, 31, true}} {
		to := Target{Machine: "fake", PIMChannels: 1, Launch: plan.Fused, Devices: func(int, string) ([]device.Device, error) { return ds, nil }}
		s := newSearch(g, to)
		auto.launch = plan.Fused
		first, err := s.solve(context.Background(), auto)
		if err != nil {
			t.Fatal(err)
		}
		o := candidate.Linear{Time: 1}
		start := (&candidate.Scheduler{Store: first.store}).Schedule(0, partitionsOf(first.windows))
		first.plan = s.planOf(auto, []*candidate.Window{start})
		if first.timeline, err = s.time(first.plan); err != nil || first.timeline.Total != 31 {
			t.Fatalf("the list schedule takes %v, %v", first.timeline.Total, err)
		}
		if c.full {
			s.t.Fits = func(*program.Program) error { return &memory.FullError{} }
		}
		exact, err := s.branchAndBound(context.Background(), first, auto, o)
		if err != nil || exact != c.exact || first.timeline.Total != c.want {
			t.Errorf("full %t: %d, exact %t, %v; want %d and %t", c.full, first.timeline.Total, exact, err, c.want, c.exact)
		}
	}
	if optimum := fake.Optimum(g, ds, func(t device.Time, _ float64) float64 { return float64(t) }); optimum != 22 {
		t.Errorf("the optimum is %v", optimum)
	}
}

func partitionsOf(list []*candidate.Window) (parts []*candidate.Partition) {
	for _, w := range list {
		parts = append(parts, w.Partitions...)
	}
	return parts
}

// TestExactEvicted: where memory keeps nodes from the PIM, and where a search is stopped, a plan is not called
// exact.
func TestExactEvicted(t *testing.T) {
	g := fake.Chain(2, 1)
	ds := fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 10 })
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	auto.launch = plan.Fused
	to := Target{Machine: "fake", PIMChannels: 1, Launch: plan.Fused, Devices: func(int, string) ([]device.Device, error) { return ds, nil }}
	for _, c := range []struct{ evict, stop, want bool }{{false, false, true}, {true, false, false}, {false, true, false}} {
		s := newSearch(g, to)
		first, err := s.solve(context.Background(), auto)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		if c.stop {
			stop()
		}
		if c.evict {
			first.store.Evict(1)
		}
		exact, err := s.branchAndBound(ctx, first, auto, candidate.Linear{Time: 1})
		if stop(); err != nil || exact != c.want {
			t.Errorf("evicted %t, stopped %t: exact %t, %v", c.evict, c.stop, exact, err)
		}
	}
}

// TestProgress: each operation is counted once for each policy that is tried, of as many as are said.
func TestProgress(t *testing.T) {
	g := fake.Chain(3, 1)
	ds := fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 10 })
	for name, want := range map[string]int{"newton++": 3, "auto": 3 * len(policies)} {
		p, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		calls, last, least := 0, 0, math.MaxInt
		to := Target{Machine: "fake", PIMChannels: 1, Devices: func(int, string) ([]device.Device, error) { return ds, nil }}
		s := newSearch(g, to)
		var mu sync.Mutex
		s.t.Progress = func(done, total int) {
			mu.Lock()
			defer mu.Unlock()
			if total != want || done > total {
				t.Errorf("%s: %d of %d, of %d wanted", name, done, total, want)
			}
			calls, last, least = calls+1, max(last, done), min(least, done)
		}
		if _, err := s.best(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		if calls != want || last != want || least != 1 {
			t.Errorf("%s: %d calls, up to %d of %d", name, calls, last, want)
		}
	}
}

// TestExactEnergy: for the least energy the exact mode moves the one node to the PIM, which takes longer.
func TestExactEnergy(t *testing.T) {
	g := fake.Chain(1, 1)
	on := func(name string, time device.Time, energy float64) device.Device {
		return &fake.Func{Called: name, Of: func(graph.Cut) (device.Cost, bool) {
			return device.Cost{Time: time, Energy: device.Ledger{device.GPUMAC: {Value: energy}}}, true
		}}
	}
	ds := []device.Device{on(plan.GPU, 10, 10), on(plan.PIM, 20, 6)}
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	s := newSearch(g, Target{Machine: "fake", PIMChannels: 1, Objective: Energy, Devices: func(int, string) ([]device.Device, error) { return ds, nil }})
	first, err := s.solve(context.Background(), auto)
	if err != nil {
		t.Fatal(err)
	}
	first.plan = s.planOf(auto, []*candidate.Window{first.store.NewWindow(0, first.choices[0][:1], first.choices[0][0].Tiles)})
	first.plan.Segments[0].Tiles[0].Device = plan.GPU
	if first.timeline, err = s.time(first.plan); err != nil || s.value(first.timeline) != 10 {
		t.Fatalf("on the GPU %v, %v", s.value(first.timeline), err)
	}
	if exact, err := s.branchAndBound(context.Background(), first, auto, candidate.Linear{Energy: 1}); err != nil || !exact || s.value(first.timeline) != 6 {
		t.Errorf("%v, exact %t, %v; want 6", s.value(first.timeline), exact, err)
	}
}
