package sweep

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pimflow"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

func model(t testing.TB, on, policy string) *Model {
	s, err := pimflow.Open(t.Context(), "toy", pimflow.Options{Machine: on})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Model{Name: "toy", Session: s, Policy: policy}
}

// searched is the result of a search that shares nothing with others.
func searched(t testing.TB, in *Model, on *hw.Machine) (*search.Result, search.Target, error) {
	p, err := search.Lookup(in.Policy)
	if err != nil {
		t.Fatal(err)
	}
	to, err := platform.Target(on, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Best(t.Context(), in.graph(), p, to)
	return r, to, err
}

// times are those of a result.
func times(r *search.Result) Times { return Times{r.Baseline.Total, r.Timeline.Total} }

func all(string) bool { return true }

// TestVary: every number of the machine that is no energy is changed, and its rows are
// those of searches that share nothing.
func TestVary(t *testing.T) {
	in := model(t, "newton", "auto")
	ctx := context.Background()
	s, err := Vary(ctx, in, []int{20}, all)
	if err != nil {
		t.Fatal(err)
	}
	base := timesOf(&s.Base.Row)
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
		changed, err := in.machine().With(c.Path, ch.Text)
		if err != nil {
			if ch.Err == nil || ch.Err.Error() != err.Error() {
				t.Errorf("%s: %v: %v wanted", c.Path, ch.Err, err)
			}
			continue
		}
		r, to, err := searched(t, in, changed)
		if (err == nil) != (ch.Err == nil) {
			t.Fatalf("%s: %v, by itself %v", c.Path, ch.Err, err)
		}
		if err != nil {
			continue
		}
		valid++
		if want := times(r); ch.Found != want || ch.Moved != moved(r.Plan, s.Base.Plan) {
			t.Errorf("%s = %s: %+v, by itself %+v", c.Path, ch.Text, ch, want)
		}
		if r, err = search.Given(in.graph(), to.On(s.Base.Plan), to); err != nil || ch.Kept != times(r) {
			t.Errorf("%s = %s: plan kept %+v, by itself %+v, %v", c.Path, ch.Text, ch.Kept, times(r), err)
		}
		if ch.Kept.Baseline != ch.Found.Baseline {
			t.Errorf("%s: baselines %v and %v", c.Path, ch.Kept.Baseline, ch.Found.Baseline)
		}
	}
	if valid < 40 {
		t.Errorf("%d changes are valid", valid)
	}
	want := 0
	for _, c := range in.machine().Constants() {
		if Timed(in.machine(), c.Path) {
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
	in := model(t, "newton", "newton++")
	base, _, err := searched(t, in, in.machine())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, c := range in.machine().Constants() {
		if Timed(in.machine(), c.Path) {
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
		m, err := in.machine().With(c.Path, text)
		if OfBounds(c.Path) {
			if err == nil {
				t.Errorf("%s, of which only the bounds have a meaning, is changed", c.Path)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		to, err := platform.Target(m, platform.Makers{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := search.Given(in.graph(), base.Plan, to)
		if err != nil {
			t.Fatal(err)
		}
		if times(r) != times(base) {
			t.Errorf("%s: %+v, %+v before", c.Path, times(r), times(base))
		}
	}
	if len(found) != len(energies) {
		t.Errorf("of %v only %v are there", energies, found)
	}
}

// TestMoved: what a change moves, by hand.
func TestMoved(t *testing.T) {
	g := model(t, "toy", "gpu").graph()
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
	in := model(t, "newton", "newton++")
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
	in := model(t, "newton", "newton++")
	ctx := context.Background()
	s, err := Vary(ctx, in, nil, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	ratio, list, err := s.Energies(ctx, in, all)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := searched(t, in, in.machine())
	if err != nil {
		t.Fatal(err)
	}
	base, of := r.Baseline.Energy(&r.Standby), r.Timeline.Energy(&r.Standby)
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
		in := model(t, c.machine, "auto")
		list, err := Launches(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != c.rows {
			t.Errorf("%s: %d rows", c.machine, len(list))
		}
		r, _, err := searched(t, in, in.machine())
		if err != nil {
			t.Fatal(err)
		}
		owns := 0
		for i := range list {
			l := &list[i]
			if l.Own {
				owns++
				if l.Fused != c.own.Fused || l.GPU != c.own.GPU || l.PIM != c.own.PIM || l.Joint != c.own.Joint || l.Times != times(r) {
					t.Errorf("%s: %+v, by itself %+v", c.machine, l, times(r))
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
