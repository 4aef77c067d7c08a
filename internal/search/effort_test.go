package search_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"pimflow/internal/bound"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

// TestParseEffort: names and numbers are read as they are printed; others are refused.
func TestParseEffort(t *testing.T) {
	for _, text := range []string{"low", "normal", "high", "1", "137204"} {
		e, err := search.ParseEffort(text)
		if err != nil || e.String() != text {
			t.Errorf("%s: %v, %v", text, e, err)
		}
	}
	for e, want := range map[search.Effort]int{0: 0, 1: 0, 199_999: 0, 200_000: bound.Normal, search.Normal: bound.Normal, search.High - 1: bound.Normal, search.High + 1: bound.High} {
		if got := e.Histories(); got != want {
			t.Errorf("effort %v has %d histories, want %d", e, got, want)
		}
	}
	for _, text := range []string{"", "-1", "hi", "1e5", "99999999999999999"} {
		if e, err := search.ParseEffort(text); err == nil {
			t.Errorf("%q is %v", text, e)
		}
	}
}

// TestEffort: the plan is the same for any number of threads, and the effort that a time limit
// reached finds the plan that the limit left.
func TestEffort(t *testing.T) {
	g := network(t, "toy")
	to := target(t, "newton")
	to.Unbounded = true
	first := best(t, g, "auto", to)
	to.Effort = 3_000
	before := runtime.GOMAXPROCS(1)
	one := best(t, g, "auto", to)
	runtime.GOMAXPROCS(4)
	four := best(t, g, "auto", to)
	runtime.GOMAXPROCS(before)
	if a, b := fmt.Sprint(one.Plan), fmt.Sprint(four.Plan); a != b {
		t.Errorf("plans of 1 and 4 threads differ:\n%s\n%s", a, b)
	}
	if one.Timeline.Total > first.Timeline.Total || one.Effort != to.Effort || first.Effort != 0 {
		t.Errorf("%v with effort %v, %v with %v", one.Timeline.Total, one.Effort, first.Timeline.Total, first.Effort)
	}
	to.Effort, to.TimeLimit = search.High, time.Nanosecond
	limited := best(t, g, "auto", to)
	if limited.Effort != 0 || limited.Stopped || limited.Timeline.Total != first.Timeline.Total {
		t.Errorf("after a nanosecond: effort %v, stopped %v, %v", limited.Effort, limited.Stopped, limited.Timeline.Total)
	}
	to.TimeLimit = first.Elapsed + 100*time.Millisecond
	limited = best(t, g, "auto", to)
	to.Effort, to.TimeLimit = limited.Effort, 0
	if again := best(t, g, "auto", to); fmt.Sprint(again.Plan) != fmt.Sprint(limited.Plan) || again.Effort != limited.Effort {
		t.Errorf("effort %v, which the limit reached, gives another plan", limited.Effort)
	}
}

// BenchmarkEffort prints how much shorter plans are with more effort than with none: what Normal and
// High are chosen from. -benchtime 1x is enough.
func BenchmarkEffort(b *testing.B) {
	for _, machine := range []string{"newton", "aim"} {
		for _, name := range []string{"mobilenet-v2", "mnasnet-1.0", "efficientnet-b0", "resnet-50", "vgg-16"} {
			g, to := network(b, name), target(b, machine)
			to.Unbounded = true
			first := best(b, g, "auto", to).Timeline.Total
			for _, e := range []search.Effort{50_000, 200_000, search.Normal, search.High} {
				b.Run(fmt.Sprintf("%s/%s/%v", machine, name, e), func(b *testing.B) {
					to.Effort = e
					var r *search.Result
					for b.Loop() {
						r = best(b, g, "auto", to)
					}
					b.ReportMetric(100*(1-float64(r.Timeline.Total)/float64(first)), "%shorter")
				})
			}
		}
	}
}

// TestEffortFull: more effort makes no plan worse where memory has no room for all weights.
func TestEffortFull(t *testing.T) {
	m, err := hw.Load("newton")
	if err == nil {
		m, err = m.With("pim.rows_per_bank", "416")
	}
	if err != nil {
		t.Fatal(err)
	}
	to, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	to.Unbounded = true
	g := network(t, "vgg-16")
	low := best(t, g, "auto", to).Timeline.Total
	to.Effort = 20_000
	if more := best(t, g, "auto", to).Timeline.Total; more > low {
		t.Errorf("%v with effort, %v with none", more, low)
	}
}

// TestProven: no effort is too much where the plan takes as long as its lower bound. Two layers on the GPU alone are whole in the
// best plan, and no tile is idle.
func TestProven(t *testing.T) {
	to := target(t, "newton")
	g := tower(t, 2, 16, 14, 14)
	to.Pins = map[graph.ID]string{}
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil {
			to.Pins[graph.ID(i)] = plan.GPU
		}
	}
	low := best(t, g, "auto", to)
	if low.Timeline.Total != low.Bound {
		t.Fatalf("%v, the bound is %v", low.Timeline.Total, low.Bound)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	to.Effort = 1_000_000_000_000 // days
	auto, err := search.Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Best(ctx, g, auto, to)
	if err != nil || r.Stopped || r.Timeline.Total != low.Timeline.Total || r.Effort != to.Effort {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestNormal: the normal effort is cut short where the plan is near its lower bound, and is spent where it is not. The plan is that of
// the steps that were spent.
func TestNormal(t *testing.T) {
	for _, c := range []struct {
		launch      string
		spent       search.Effort
		least, most float64 // share of the effort that progress has told
	}{{"1000", 200_000, 0.2, 0.3}, {"10", search.Normal, 0.9, 1}} {
		m, err := hw.Load("toy")
		if err == nil {
			m, err = m.With("gpu.launch_ck", c.launch)
		}
		if err == nil {
			m, err = m.With("memory.pim_channels", "1")
		}
		if err != nil {
			t.Fatal(err)
		}
		to, err := platform.Target(m, platform.Makers{})
		if err != nil {
			t.Fatal(err)
		}
		g := network(t, "toy")
		to.Effort, to.Histories = search.Normal, bound.Normal
		last, total := 0, 0
		to.Progress = func(done, of int) { last, total = done, of }
		normal := best(t, g, "auto", to)
		to.Progress, to.Effort = nil, c.spent
		same := best(t, g, "auto", to)
		gap, share := float64(normal.Timeline.Total)/float64(normal.BoundTwo), 1-float64(total-last)/13 // of 13 layers
		if fmt.Sprint(normal.Plan) != fmt.Sprint(same.Plan) || normal.Effort != search.Normal || share < c.least || share > c.most {
			t.Errorf("launches of %s cycles, %.3f of the bound: effort %v gives another plan than %v, or %.2f is not the share of it", c.launch, gap, normal.Effort, c.spent, share)
		}
	}
}
