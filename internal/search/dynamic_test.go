package search

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestDynamic: of drawn segments of up to three nodes the best sequence is found, which trying all finds.
// A PIM tile may share the launch of a node before that is wholly on the PIM.
func TestDynamic(t *testing.T) {
	shared, split := 0, 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 13))
		const n = 5
		st := candidate.NewStore(fake.Chain(n, 2), fake.Pair(30, func(bool, int, tensor.Box) device.Time { return device.Time(10 + rng.IntN(60)) }))
		st.Launch.Fuses = seed%4 > 0
		o := candidate.Linear{Time: 1, Energy: float64(rng.IntN(3))}
		segments := make([][]segment, n)
		for i := range segments {
			for length := 1; length <= min(3, n-i); length++ {
				for range 2 {
					var parts []*candidate.Partition
					for k := range length {
						p := candidate.NewPartition(st.Whole(i+k, rng.IntN(2)))
						if rng.IntN(3) == 0 {
							p = st.Cut(i+k, plan.Rows, []int{1, 2}, []int{rng.IntN(2), rng.IntN(2)})
						}
						parts = append(parts, p)
					}
					segments[i] = append(segments[i], segment{"", (&candidate.Scheduler{Store: st}).Schedule(i, parts)})
				}
			}
		}
		// The value of a segment behind another one; nil: none.
		value := func(before, w *candidate.Window) float64 {
			last := 0
			if before != nil && st.Launch.Fuses && before.Partitions[len(before.Partitions)-1].Kind() == plan.PIM {
				last = 1
			}
			return o.Of(st.Launch.After(w, last), w.Energy)
		}
		var least func(i int, before *candidate.Window) float64
		least = func(i int, before *candidate.Window) float64 {
			if i == n {
				return 0
			}
			v := math.Inf(1)
			for _, x := range segments[i] {
				v = min(v, value(before, x.Window)+least(x.Hi(), x.Window))
			}
			return v
		}
		list, err := newSearch(st.Graph, Target{}).dynamic(st, Policy{}, segments, o)
		if err != nil {
			t.Fatal(err)
		}
		sum, next := 0.0, 0
		var before *candidate.Window
		for _, w := range list {
			if w.Lo != next {
				t.Fatalf("seed %d: a segment from %d after one to %d", seed, w.Lo, next)
			}
			v := value(before, w)
			if v < value(nil, w) {
				shared++
			}
			if slices.ContainsFunc(w.Partitions, func(p *candidate.Partition) bool { return p.Kind() == "split" }) {
				split++
			}
			sum, next, before = sum+v, w.Hi(), w
		}
		if want := least(0, nil); next != n || sum != want {
			t.Errorf("seed %d: %v up to %d, the best is %v", seed, sum, next, want)
		}
	}
	if shared == 0 || split == 0 {
		t.Errorf("%d launches shared, %d segments with split nodes", shared, split)
	}
}
