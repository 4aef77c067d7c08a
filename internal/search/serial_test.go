package search

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
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// wholeOn is a store of a graph whose node k takes gpu[k] or pim[k], 0: the device does not execute it,
// and on the PIM the launch beside it, which can be fused.
func wholeOn(g *graph.Graph, launch device.Time, gpu, pim []device.Time) *candidate.Store {
	s := candidate.NewStore(g, fake.Pair(launch, func(onPIM bool, k int, _ tensor.Box) device.Time {
		if onPIM {
			return pim[k]
		}
		return gpu[k]
	}))
	s.Launch.Fuses = true
	return s
}

// drawnRuns are two stores of a graph of six nodes on which the GPU of serial runs is mostly faster;
// one node is not for the PIM.
func drawnRuns(rng *rand.Rand, launch device.Time) *serialRuns {
	const n = 6
	inputs := [][]int{{-1}}
	for k := 1; k < n; k++ {
		inputs = append(inputs, []int{rng.IntN(k+1) - 1})
	}
	g := fake.Branches(1, inputs...)
	draw := func(least, most int) (list []device.Time) {
		for range n {
			list = append(list, device.Time(least+rng.IntN(most-least)))
		}
		return list
	}
	pim := draw(10, 80)
	pim[rng.IntN(n)] = 0
	return &serialRuns{o: candidate.Linear{Time: 1}, own: wholeOn(g, launch, draw(30, 80), pim), serial: wholeOn(g, launch, draw(10, 60), pim)}
}

// of is what a serial run from lo on takes on given lanes, by definition; +Inf: a device does not execute
// a layer.
func (x *serialRuns) of(lo int, lanes []int) (sum float64) {
	for k, lane := range lanes {
		from := x.serial
		for _, in := range x.own.Reads[lo+k] {
			if lane == 0 && in.Pos < lo { // the GPU's own channels have it
				from = x.own
			}
		}
		p := from.Whole(lo+k, lane)
		if p == nil {
			return math.Inf(1)
		}
		sum += float64(x.serial.Launch.Marginal(p, k > 0 && lanes[k-1] == lane))
	}
	return sum
}

// least is the best run from lo to hi, of all.
func (x *serialRuns) least(lo, hi int) float64 {
	least := math.Inf(1)
	for set := range 1 << (hi - lo) {
		lanes := make([]int, hi-lo)
		for k := range lanes {
			lanes[k] = set >> k & 1
		}
		least = min(least, x.of(lo, lanes))
	}
	return least
}

// TestSerialRuns: every serial run is the best of all of its length, and of windows and runs the best
// sequence is found, which trying all finds.
func TestSerialRuns(t *testing.T) {
	runs, kept := 0, 0
	for seed := range uint64(40) {
		x := drawnRuns(rand.New(rand.NewPCG(seed, 11)), 20)
		n := len(x.own.Order)
		for lo := range n {
			told := 0
			x.run(lo, n, func(hi int, value float64) {
				if told++; value != x.least(lo, hi) {
					t.Errorf("seed %d: from %d to %d %v, the best is %v", seed, lo, hi, value, x.least(lo, hi))
				}
			})
			if told != n-lo {
				t.Errorf("seed %d: %d runs from %d", seed, told, lo)
			}
			var lanes []int
			for k, w := range x.run(lo, n, nil) {
				if w.Lo != lo+k {
					t.Fatalf("seed %d: layer %d of the run from %d is %d", seed, k, lo, w.Lo)
				}
				lanes = append(lanes, w.Tiles[0].Lane)
			}
			if v := x.of(lo, lanes); len(lanes) != n-lo || v != x.least(lo, n) {
				t.Errorf("seed %d: from %d on lanes %v %v, the best is %v", seed, lo, lanes, v, x.least(lo, n))
			}
		}

		rng := rand.New(rand.NewPCG(seed, 12))
		x = drawnRuns(rng, 0) // without launches a run is its layers
		at := map[int]*candidate.Window{}
		var windows []*candidate.Window
		for lo := 0; lo < n; {
			var parts []*candidate.Partition
			for hi := lo + 1 + rng.IntN(n-lo); lo+len(parts) < hi; {
				p := x.own.Whole(lo+len(parts), rng.IntN(2))
				if p == nil {
					p = x.own.Whole(lo+len(parts), 0)
				}
				parts = append(parts, candidate.NewPartition(p))
			}
			at[lo] = (&candidate.Scheduler{Store: x.own}).Schedule(lo, parts)
			windows = append(windows, at[lo])
			lo = at[lo].Hi()
		}
		var from func(i int) float64
		from = func(i int) float64 {
			if i == n {
				return 0
			}
			least := math.Inf(1)
			if w := at[i]; w != nil {
				least = float64(w.Time) + from(w.Hi())
			}
			for hi := i + 1; hi <= n; hi++ {
				least = min(least, x.least(i, hi)+from(hi))
			}
			return least
		}
		sum, next := 0.0, 0
		for _, w := range x.best(windows) {
			if w.Lo != next {
				t.Fatalf("seed %d: a window from %d after one to %d", seed, w.Lo, next)
			}
			if sum, next = sum+float64(w.Time), w.Hi(); slices.Contains(windows, w) {
				kept++
			} else {
				runs++
			}
		}
		if want := from(0); next != n || sum != want {
			t.Errorf("seed %d: %v up to %d, the best is %v", seed, sum, next, want)
		}
	}
	if kept == 0 || runs == 0 {
		t.Errorf("%d windows kept, %d layers in runs", kept, runs)
	}
}

// TestSerialTail: a run ends before the first layer that no device executes.
func TestSerialTail(t *testing.T) {
	x := drawnRuns(rand.New(rand.NewPCG(3, 11)), 0)
	none := make([]device.Time, len(x.own.Order))
	one := slices.Clone(none)
	one[0], one[1], one[3] = 5, 7, 9
	x.serial = wholeOn(x.own.Graph, 0, one, none)
	x.own = wholeOn(x.own.Graph, 0, one, none)
	var told []int
	x.run(0, len(none), func(hi int, _ float64) { told = append(told, hi) })
	if !slices.Equal(told, []int{1, 2}) {
		t.Errorf("runs to %v", told)
	}
}

// TestAuto: what auto alone puts together. A convolution is fast on the GPU with every channel; two others,
// which read it, are made side by side, each on its faster device, or one after the other if memory has no
// room for one on the PIM.
func TestAuto(t *testing.T) {
	n := newNet()
	x := n.conv(n.x, 1, 1)
	g := n.graph(n.conv(x, 3, 1), n.conv(x, 3, 1))
	d := devices{
		all: costs{{100, 0, 0}, {50, 0, 0}, {50, 0, 0}}, shared: costs{{100, 0, 0}, {50, 0, 0}, {50, 0, 0}},
		every: costs{{20, 0, 0}, {50, 0, 0}, {50, 0, 0}}, extended: costs{{0, 0, 0}, {60, 0, 0}, {60, 0, 0}},
	}
	auto, err := Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	full := &memoryOf{}
	for _, c := range []struct {
		what      string
		fits      bool
		exclusive bool
		want      device.Time
	}{
		{"a serial run and a window", true, true, 20 + 60},
		{"without exclusive layers", true, false, 100 + 60},
		{"no room", false, true, 20 + 50 + 50},
	} {
		to := d.target(g)
		if !c.exclusive {
			e := d
			e.every = nil
			to = e.target(g)
		}
		if !c.fits {
			to.Fits = full.refuse
		}
		r, err := Best(context.Background(), g, auto, to)
		if err != nil {
			t.Fatal(err)
		}
		if r.Timeline.Total != c.want || r.Bound > c.want || r.Bound > r.BoundTwo {
			t.Errorf("%s: %d, want %d; bounds %d and %d", c.what, r.Timeline.Total, c.want, r.Bound, r.BoundTwo)
		}
		if !r.Exact || r.Stopped {
			t.Errorf("%s: exact %t, stopped %t", c.what, r.Exact, r.Stopped)
		}
		if err := r.Plan.Check(g); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		for _, tile := range r.Plan.Tiles() {
			if !c.fits && tile.Device == plan.PIM {
				t.Errorf("%s: %v", c.what, tile)
			}
		}
	}
	if full.asked == 0 {
		t.Error("memory was not asked")
	}
}
