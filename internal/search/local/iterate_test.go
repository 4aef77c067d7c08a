package local

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
)

// rough is a chain whose nodes take times that are drawn, on each device its own.
func rough(nodes int, seed uint64) *candidate.Store {
	random := rand.New(rand.NewPCG(seed, 0))
	var per [2][]device.Time
	for i := range per {
		for range nodes + 1 {
			per[i] = append(per[i], device.Time(5+random.IntN(30)))
		}
	}
	return store(fake.Chain(nodes, 12), duo(20, func(pim bool, k, lo, hi int) device.Time {
		lane := 0
		if pim {
			lane = 1
		}
		return 15 + per[lane][k%len(per[lane])]*device.Time((hi-lo+2)/3*3)
	}))
}

// cuts is a partition of each node in two, each on its device.
func cuts(s *candidate.Store) (list []*candidate.Partition) {
	for i := range s.Order {
		list = append(list, s.Cut(i, plan.Rows, []int{6, 12}, []int{0, 1}))
	}
	return list
}

// TestIterate: iterations never make a plan longer and shorten some; the plan depends on the effort
// alone; a context that ends leaves whole rounds, and the effort that is said to be reached repeats them.
func TestIterate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const nodes = 24
	o := candidate.Linear{Time: 1}
	shorter := 0
	never := func([]*candidate.Window, int64) (bool, int64) { return false, 1 << 40 }
	for seed := range uint64(2) {
		s := rough(nodes, seed)
		opt := Default()
		opt.Kicks, opt.patiences, opt.Heat = 1, [2]int{40, 60}, 0.1
		var list []*candidate.Window
		for i, c := range wholes(s) {
			list = append(list, s.NewWindow(i, c[:1], c[0].Tiles))
		}
		list = opt.Improve(t.Context(), s, wholes(s), list, o)
		from := s.Merge(list).Time
		another := func() []*candidate.Window {
			return opt.Improve(context.Background(), s, wholes(s), []*candidate.Window{(&candidate.Scheduler{Store: s}).Schedule(0, cuts(s))}, o)
		}
		iterate := func(ctx context.Context, effort int64, tell func(steps, of int64)) (device.Time, int64) {
			better, reached := opt.Iterate(ctx, s, wholes(s), list, o, effort, another, never, tell)
			return s.Merge(better).Time, reached
		}
		silent := func(int64, int64) {}
		if to, reached := iterate(t.Context(), 0, silent); to != from || reached != 0 {
			t.Errorf("no effort: from %v to %v, effort %d", from, to, reached)
		}
		rounds, last := int64(0), int64(0)
		to, reached := iterate(t.Context(), 2000, func(steps, of int64) {
			last = steps
			if rounds++; of != 2000*nodes || steps < rounds*nodes {
				t.Errorf("%d of %d steps after round %d", steps, of, rounds)
			}
		})
		if to > from || reached != 2000 || last < 2000*nodes {
			t.Errorf("from %v to %v, effort %d", from, to, reached)
		}
		if to < from {
			shorter++
		}
		runtime.GOMAXPROCS(1 + int(seed)%3)
		if again, _ := iterate(t.Context(), 2000, silent); again != to {
			t.Errorf("%v with other threads, %v before", again, to)
		}
		good, _ := opt.Iterate(t.Context(), s, wholes(s), list, o, 2000, nil, never, silent)
		opt.Alone = 0
		begun, _ := opt.Iterate(t.Context(), s, wholes(s), list, o, 1, func() []*candidate.Window { return good }, never, silent)
		if end := s.Merge(begun).Time; end > to {
			t.Errorf("%v from a start of %v", end, to)
		}
		opt.Alone = 1000
		questions := 0
		proven, reached := opt.Iterate(t.Context(), s, wholes(s), list, o, 1<<40, another, func(_ []*candidate.Window, effort int64) (bool, int64) {
			questions++
			return questions == 3, 2 * effort
		}, silent)
		if end := s.Merge(proven).Time; questions != 3 || reached != 1<<40 || end > from {
			t.Errorf("proven when it is asked for the third time: %d questions, effort %d, from %v to %v", questions, reached, from, end)
		}
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		cut, reached := iterate(ctx, 1<<40, func(int64, int64) {
			if n++; n == 2 {
				cancel()
			}
		})
		again := 0
		same, _ := iterate(t.Context(), reached, func(int64, int64) { again++ })
		if reached == 0 || same != cut || again != n {
			t.Errorf("%v after %d rounds, effort %d: %v after %d", cut, n, reached, same, again)
		}
	}
	if shorter == 0 {
		t.Error("iterations shorten no plan")
	}
}
