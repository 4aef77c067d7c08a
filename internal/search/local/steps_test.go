package local

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
)

// chained is a chain whose nodes take 10 to 16 a row on either device, those whose number alone divides by on the PIM.
func chained(nodes, on int) *candidate.Store {
	return store(fake.Chain(nodes, 8), duo(3, func(pim bool, k, lo, hi int) device.Time {
		if pim && k%on > 0 {
			return 0
		}
		return device.Time((10 + k%7) * (hi - lo))
	}))
}

// climbed is the search of a store's graph from the whole nodes, and its makespan.
func climbed(t *testing.T, s *candidate.Store, opt *Options) (*improvement, device.Time) {
	t.Helper()
	var list []*candidate.Window
	for i, c := range wholes(s) {
		list = append(list, s.NewWindow(i, c[:1], c[0].Tiles))
	}
	r := opt.improvement(t.Context(), s, wholes(s), candidate.Linear{Time: 1})
	return r, s.Merge(r.best(s.Split(s.Merge(list)))).Time
}

// TestStepsLinear: a search has no more steps a node in a long chain than in a short one, where one device has work; where
// both have, its steps end.
func TestStepsLinear(t *testing.T) {
	a, _ := climbed(t, chained(60, 1<<20), Default())
	b, _ := climbed(t, chained(240, 1<<20), Default())
	if few, many := float64(a.steps.Load())/60, float64(b.steps.Load())/240; many > 1.1*few || few < 100 {
		t.Errorf("%.0f steps a node of 60, %.0f of 240", few, many)
	}
	opt := Default()
	opt.Steps, opt.FewerSteps, opt.Budget = 1000, 1000, 500
	for _, n := range []int64{50, 200} {
		r, _ := climbed(t, chained(int(n), 1), opt)
		if got := r.steps.Load() / n; got < 1000 || got > 1000+2*500+700 { // the phase that it ends with, and bands that no tile is placed for
			t.Errorf("%d steps a node of %d: 1000 and a phase wanted", got, n)
		}
	}
}

// TestStepsEnd: a search whose steps are used up ends with the phase that it is in, in the same plan for any number of
// threads, and no worse than it began.
func TestStepsEnd(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const nodes = 30
	whole, best := climbed(t, chained(nodes, 1), Default())
	none := Default()
	none.Steps, none.FewerSteps = 0, 0
	r, start := climbed(t, chained(nodes, 1), none)
	if r.steps.Load() > 0 || start <= best {
		t.Fatalf("%d steps of none lead from %v to %v", r.steps.Load(), start, best)
	}
	between := false
	for _, part := range []int64{50, 10, 3} {
		opt := Default()
		opt.Steps, opt.Many, opt.FewerSteps = int(2*whole.steps.Load()/part/nodes), nodes/2, 0
		var steps [2]int64
		var times [2]device.Time
		for i, threads := range []int{1, 4} {
			runtime.GOMAXPROCS(threads)
			r, times[i] = climbed(t, chained(nodes, 1), opt)
			steps[i] = r.steps.Load()
		}
		if steps[0] != steps[1] || times[0] != times[1] {
			t.Errorf("a %d. of the steps: %d and %d steps, makespans %v and %v", part, steps[0], steps[1], times[0], times[1])
		}
		if steps[0] >= whole.steps.Load() || times[0] > start || times[0] < best {
			t.Errorf("a %d. of %d steps: %d, from %v to %v, all steps to %v", part, whole.steps.Load(), steps[0], start, times[0], best)
		}
		between = between || times[0] < start
	}
	if !between {
		t.Error("no part of the steps gains")
	}
	if got, want := Default().maxSteps(1500), int64(500*Default().Steps+1000*Default().FewerSteps); got != want {
		t.Errorf("1500 nodes have %d steps, want %d", got, want)
	}
}

// TestPatternsDiffer: of the patterns of a chain those are tried that differ, and all of these.
func TestPatternsDiffer(t *testing.T) {
	for _, c := range []struct{ on, nodes, bands, want int }{
		{1, 2, 2, 16}, {1, 2, 3, 64}, {2, 2, 2, 4}, {2, 3, 2, 4}, {1 << 20, 2, 3, 1}, {1 << 20, 3, 4, 1}, {1, 3, 3, 5}, {2, 3, 3, 5},
	} {
		x := climberOf(chained(6, c.on), 0, 0, 0, 0, 0, 0)
		chain := []int{1, 2, 3}[:c.nodes]
		seen, tried := map[string]bool{}, 0
		x.patternsOf(chain, c.bands, make([]load, 1<<(c.nodes*c.bands)), func(*load) bool { return false }, func(p pattern) (work, bool) {
			tried++
			var lanes []int
			for k, i := range chain {
				for j := range c.bands {
					lanes = append(lanes, p(x, i, k, j))
				}
			}
			seen[fmt.Sprint(lanes)] = true
			return work{}, false
		})
		if tried != c.want || c.want != 5 && len(seen) != tried {
			t.Errorf("%d nodes in %d bands, each %d. on the PIM: %d patterns, %d of them differ, want %d", c.nodes, c.bands, c.on, tried, len(seen), c.want)
		}
	}
}

// TestLoads: the load of each assignment of a chain's tiles to devices is that of the tiles that are picked for it.
func TestLoads(t *testing.T) {
	missing := 0
	for _, on := range []int{1, 2} {
		x := climberOf(chained(6, on), 0, 0, 0, 0, 0, 0)
		for _, chain := range [][]int{{1, 2}, {2, 3, 4}, {0, 1}} {
			b := &x.bands
			b.begin(x.bandings.of(x, chain, plan.Rows, 0), chain)
			b.on = slices.Clone(b.on)
			b.on[1][0] = nil // a device does not execute one of the tiles
			loads := b.loadsOf(x)
			if len(loads) != 1<<(2*len(chain)) {
				t.Fatalf("%d assignments of %d tiles", len(loads), 2*len(chain))
			}
			for set, l := range loads {
				var least [candidate.Lanes]device.Time
				if b.pick(x, func(c *climber, i, k, j int) int { return c.orOther(i, set>>(2*k+j)&1) }) {
					for _, row := range b.tiles[:len(chain)] {
						for _, p := range row {
							least[p.Lane] += p.Least()
						}
					}
					if l.missing != 0 || l.least != least {
						t.Errorf("chain %v, assignment %b: %+v, want %v", chain, set, l, least)
					}
				} else if missing++; l.missing != 1 {
					t.Errorf("chain %v, assignment %b: %d tiles missing, want 1", chain, set, l.missing)
				}
			}
		}
	}
	if missing == 0 {
		t.Error("no tile is missing")
	}
}
