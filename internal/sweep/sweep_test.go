package sweep

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

func machine(t testing.TB, name string) *hw.Machine {
	m, err := hw.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func model(t testing.TB, m *hw.Machine, policy string) *Model {
	g, err := zoo.Build("toy", 1)
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := search.Lookup(policy)
	if err != nil {
		t.Fatal(err)
	}
	return &Model{Graph: g, Machine: m, Policy: p}
}

func all(string) bool { return true }

// TestVary: every number of the machine that is no energy is changed, and its rows are
// those of searches that share nothing.
func TestVary(t *testing.T) {
	in := model(t, machine(t, "newton"), "auto")
	ctx := context.Background()
	s, err := Vary(ctx, in, []int{20}, all)
	if err != nil {
		t.Fatal(err)
	}
	base := timesOf(s.Base)
	valid, last := 0, math.Inf(1)
	for i := range s.Constants {
		c := &s.Constants[i]
		e := math.Abs(c.Effect(base.Speedup()))
		if e > last {
			t.Errorf("%s has effect %v after %v", c.Path, e, last)
		}
		last = e
		ch := c.Changes[0]
		if c.Value == 0 && ch.Text == "0" { // no per cent of it is another value
			if ch.Err == nil {
				t.Errorf("%s: 0 was not changed, without a word", c.Path)
			}
			continue
		}
		changed, err := in.Machine.With(c.Path, ch.Text)
		if err != nil {
			if ch.Err == nil || ch.Err.Error() != err.Error() {
				t.Errorf("%s: %v: %v wanted", c.Path, ch.Err, err)
			}
			continue
		}
		to, err := platform.Target(changed, platform.Makers{})
		if err != nil {
			t.Fatalf("%s: %v", c.Path, err)
		}
		r, err := search.Best(ctx, in.Graph, in.Policy, to)
		if (err == nil) != (ch.Err == nil) {
			t.Fatalf("%s: %v, by itself %v", c.Path, ch.Err, err)
		}
		if err != nil {
			continue
		}
		valid++
		if want := timesOf(r); ch.Found != want || ch.Moved != moved(r.Plan, s.Base.Plan) {
			t.Errorf("%s = %s: %+v, by itself %+v", c.Path, ch.Text, ch, want)
		}
		if r, err = search.Given(in.Graph, to.On(s.Base.Plan), to); err != nil || ch.Kept != timesOf(r) {
			t.Errorf("%s = %s: plan kept %+v, by itself %+v, %v", c.Path, ch.Text, ch.Kept, timesOf(r), err)
		}
		if ch.Kept.Baseline != ch.Found.Baseline {
			t.Errorf("%s: baselines %v and %v", c.Path, ch.Kept.Baseline, ch.Found.Baseline)
		}
	}
	if valid < 40 {
		t.Errorf("%d changes are valid", valid)
	}
	want := 0
	for _, c := range in.Machine.Constants() {
		if Timed(in.Machine, c.Path) {
			want++
		}
	}
	if len(s.Constants) != want {
		t.Errorf("%d constants of %d", len(s.Constants), want)
	}
}

// TestUntimed: no time depends on the numbers that are said to be so, all of them have
// bounds, and a machine has each.
func TestUntimed(t *testing.T) {
	in := model(t, machine(t, "newton"), "newton++")
	to, err := platform.Target(in.Machine, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	base, err := search.Best(context.Background(), in.Graph, in.Policy, to)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, c := range in.Machine.Constants() {
		if Timed(in.Machine, c.Path) {
			if c.Range != nil && c.Range.Value == 0 {
				t.Errorf("%s has bounds and is 0", c.Path)
			}
			continue
		}
		for _, u := range energies {
			found[u] = found[u] || Within(c.Path, u)
		}
		if c.Range == nil {
			t.Errorf("%s is no energy: it has no bounds", c.Path)
		}
		text, _ := c.Changed(20)
		m, err := in.Machine.With(c.Path, text)
		if OfBounds(c.Path) {
			if err == nil {
				t.Errorf("%s, of which only the bounds have a meaning, is changed", c.Path)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if to, err = platform.Target(m, platform.Makers{}); err != nil {
			t.Fatal(err)
		}
		r, err := search.Given(in.Graph, base.Plan, to)
		if err != nil {
			t.Fatal(err)
		}
		if timesOf(r) != timesOf(base) {
			t.Errorf("%s: %+v, %+v before", c.Path, timesOf(r), timesOf(base))
		}
	}
	if len(found) != len(energies) {
		t.Errorf("of %v only %v are there", energies, found)
	}
}

// TestMoved: what a change moves, by hand.
func TestMoved(t *testing.T) {
	g := model(t, machine(t, "toy"), "gpu").Graph
	whole := func(dev string) *plan.Plan {
		p := &plan.Plan{}
		for id := range g.Nodes {
			if g.Nodes[id].Op != nil {
				p.Segments = append(p.Segments, plan.Whole(g, graph.ID(id), dev))
			}
		}
		return p
	}
	a, b := whole(plan.GPU), whole(plan.GPU)
	if n := moved(a, b); n != 0 {
		t.Errorf("a plan moves %d layers against itself", n)
	}
	conv := slices.IndexFunc(g.Nodes, func(n graph.Node) bool { return n.Op != nil })
	for i := range b.Segments {
		if b.Segments[i].Tiles[0].Node == graph.ID(conv) {
			s, ok := plan.Split(g, graph.ID(conv), plan.Rows, 4, plan.GPU, plan.PIM)
			if !ok {
				t.Fatal("no split")
			}
			slices.Reverse(s.Tiles)
			b.Segments[i] = s
		}
	}
	if n := moved(a, b); n != 1 {
		t.Errorf("a split moves %d layers", n)
	}
	if n, want := moved(a, whole(plan.PIM)), len(a.Segments); n != want {
		t.Errorf("all on the PIM moves %d layers of %d", n, want)
	}
}

// TestDeterministic: the same for any number of threads, and an interrupt ends it.
func TestDeterministic(t *testing.T) {
	in := model(t, machine(t, "newton"), "newton++")
	only := func(path string) bool { return Within(path, "link") || path == "gpu.launch_ck" }
	run := func(procs int) *Sensitivity {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		s, err := Vary(context.Background(), in, []int{-10, 10}, only)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := run(1), run(4)
	if d := cmp.Diff(a.Constants, b.Constants, cmpopts.IgnoreUnexported(hw.Constant{}), cmpopts.EquateErrors()); d != "" {
		t.Error(d)
	}
	ctx, stop := context.WithCancel(context.Background())
	in.Progress = func(done, total int) {
		if done == 2 {
			stop()
		}
	}
	if s, err := Vary(ctx, in, []int{-10, 10}, only); err != context.Canceled {
		t.Errorf("interrupted: %v, %v", s, err)
	}
}

// TestEnergies: a constant at its bound moves the ratio, and what all bounds together
// can do is no less.
func TestEnergies(t *testing.T) {
	in := model(t, machine(t, "newton"), "newton++")
	ctx := context.Background()
	s, err := Vary(ctx, in, nil, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	ratio, list, err := s.Energies(ctx, in, all)
	if err != nil {
		t.Fatal(err)
	}
	base, of := s.Base.Baseline.Energy(&s.Base.Standby), s.Base.Timeline.Energy(&s.Base.Standby)
	value, low, high := of.Ratio(&base)
	if ratio != value || len(list) != 20 {
		t.Errorf("ratio %v of %d constants, %v wanted", ratio, len(list), value)
	}
	const slack = 1e-12
	for _, e := range list {
		for _, r := range []float64{e.Low, e.High} {
			if r < low-slack || r > high+slack {
				t.Errorf("%s: ratio %v, all constants together %v to %v", e.Path, r, low, high)
			}
		}
	}
	if e := list[0]; e.Low == ratio && e.High == ratio {
		t.Errorf("%s changes most, and nothing", e.Path)
	}
}

// TestLaunches: what holds of the rows by definition.
func TestLaunches(t *testing.T) {
	for _, c := range []struct {
		machine string
		rows    int // 4 latencies, of which the one of 0 is the PIM's too, fused and not; each and joint; on newton one with kernels in a graph
		own     Launch
	}{
		{"newton", 21, Launch{Fused: true, GPU: 4014, PIM: 4014}},
		{"artifact", 20, Launch{Fused: false, GPU: 5010, PIM: 0}},
	} {
		in := model(t, machine(t, c.machine), "auto")
		list, err := Launches(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != c.rows {
			t.Errorf("%s: %d rows", c.machine, len(list))
		}
		to, err := platform.Target(in.Machine, platform.Makers{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := search.Best(context.Background(), in.Graph, in.Policy, to)
		if err != nil {
			t.Fatal(err)
		}
		owns := 0
		for i := range list {
			l := &list[i]
			if l.Own {
				owns++
				if l.Fused != c.own.Fused || l.GPU != c.own.GPU || l.PIM != c.own.PIM || l.Joint != c.own.Joint || l.Times != timesOf(r) {
					t.Errorf("%s: %+v, by itself %+v", c.machine, l, timesOf(r))
				}
				if b, p := r.Baseline.Busy(), r.Timeline.Busy(); l.Removed() != b.Launch-p.Launch-p.PIMLaunch {
					t.Errorf("%s: removed %v of %+v and %+v", c.machine, l.Removed(), b, p)
				}
			}
			if l.Joint && l.PIM > 0 && l.Total > list[i-1].Total {
				t.Errorf("%s: together %+v, each %+v", c.machine, l, list[i-1])
			}
			if l.GPU == 0 && (l.Free != l.Times || l.Removed() != 0 || l.BaseLaunches != 0) {
				t.Errorf("%s: without launches %+v", c.machine, l)
			}
			// The GPU alone does one kernel after another, so all its launches can be taken away.
			if l.Baseline-l.BaseLaunches-l.Free.Baseline > 100 || l.Free.Baseline-l.Baseline+l.BaseLaunches > 100 {
				t.Errorf("%s: baseline %v less launches %v, free %v", c.machine, l.Baseline, l.BaseLaunches, l.Free.Baseline)
			}
		}
		if owns != 1 {
			t.Errorf("%s: %d rows are the machine's", c.machine, owns)
		}
	}
}

// TestBest: every plan is timed on every machine, and each machine has the best.
func TestBest(t *testing.T) {
	m := model(t, machine(t, "newton"), "auto")
	slow, err := m.Machine.With("link.pim_launch_ck", "4500")
	if err != nil {
		t.Fatal(err)
	}
	broken := &point{err: context.DeadlineExceeded}
	p := platform.NewPool(nil)
	gpu := &point{machine: slow, pool: p}
	gpu.find(t.Context(), &Model{Graph: m.Graph, Policy: model(t, m.Machine, "gpu").Policy})
	alone := gpu.of
	own := &point{machine: m.Machine, pool: p}
	noise, err := best(t.Context(), m, []*point{broken, gpu, own})
	if err != nil || broken.plan != nil {
		t.Fatalf("%v: %+v", err, broken)
	}
	kept, err := gpu.kept(m, own.plan)
	if err != nil || gpu.of.Total != kept.Total || gpu.of.Total >= alone.Total || gpu.of.Baseline != alone.Baseline || placed(gpu.plan) != placed(own.plan) {
		t.Errorf("%v: %+v with a better plan, %+v before", err, gpu.of, alone)
	}
	if want := 1 - float64(gpu.of.Total)/float64(alone.Total); noise != want {
		t.Errorf("noise %v: %v wanted", noise, want)
	}
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := best(stop, m, []*point{gpu}); err != context.Canceled {
		t.Errorf("%v after the end", err)
	}
}
