package search_test

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

// TestRetime: a plan of one machine has the channels and the better launches of another; a plan that does not fit has no time; the least is
// the first of the best.
func TestRetime(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	g := network(t, "toy")
	target := func(changes ...string) search.Target {
		c, err := m.Set(changes...)
		if err != nil {
			t.Fatal(err)
		}
		to, err := platform.Target(c, platform.Makers{})
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	at, to := target(), target("memory.pim_channels=8", "launch.pim=joint")
	var plans []*plan.Plan
	for _, name := range []string{"gpu", "by-operator", "newton++"} {
		p, err := search.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := search.Best(t.Context(), g, p, at)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, r.Plan)
	}
	other := *plans[0]
	other.Graph = "another graph"
	list, err := search.Retime(t.Context(), g, append(plans, &other), to)
	if err != nil || len(list) != 4 || list[3] != nil {
		t.Fatalf("%v: %v", err, list)
	}
	for i, r := range list[:3] {
		given, err := search.Given(g, r.Plan, to)
		if err != nil || given.Timeline.Total != r.Timeline.Total || given.Value != r.Value {
			t.Errorf("%s: %v, given %v: %v", plans[i].Policy, r.Timeline.Total, given.Timeline.Total, err)
		}
		if r.Plan.PIMChannels != min(8, plans[i].PIMChannels) {
			t.Errorf("%s: %d channels", plans[i].Policy, r.Plan.PIMChannels)
		}
		each := *r.Plan
		each.Launch = plan.Each
		if given, err = search.Given(g, &each, to); err != nil || given.Value < r.Value {
			t.Errorf("%s: %v, with launches of each work %v: %v", plans[i].Policy, r.Value, given.Value, err)
		}
	}
	if list[1].Plan.Launch != plan.Fused {
		t.Errorf("all on the PIM is launched %s", list[1].Plan.Launch)
	}
	best := search.Least(list)
	for _, r := range list[:3] {
		if best == nil || r.Value < best.Value {
			t.Fatalf("%v is less than the least, %v", r, best)
		}
	}
	if best == list[2] && list[1].Value < list[2].Value || search.Least([]*search.Retimed{list[0], list[0]}) != list[0] || search.Least(nil) != nil {
		t.Error("the least is not the first of the best")
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := search.Retime(stopped, g, plans, to); err != context.Canceled {
		t.Errorf("%v after the end", err)
	}
}

// TestRefine: from plans of other machines a short search comes to a plan of its policy that is better than they and than the best of whole nodes, the same
// whatever the number of threads, and from the plan of a search of the same machine to none that is worse.
func TestRefine(t *testing.T) {
	g := network(t, "mobilenet-v2")
	auto, err := search.Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	changed := func(changes ...string) search.Target {
		c, err := m.Set(changes...)
		if err != nil {
			t.Fatal(err)
		}
		return targetOf(t, c)
	}
	plans := []*plan.Plan{best(t, g, "mddp", changed("memory.pim_channels=6")).Plan}
	to := changed("memory.pim_channels=12", "pim.timing.ccds_ck=3")
	list, err := search.Retime(t.Context(), g, plans, to)
	if err != nil {
		t.Fatal(err)
	}
	refined := func(list []*search.Retimed) *search.Retimed {
		r, err := search.Refine(t.Context(), g, auto, list, to)
		if err != nil {
			t.Fatal(err)
		}
		if given, err := search.Given(g, r.Plan, to); err != nil || given.Value != r.Value || r.Plan.Policy != "auto" {
			t.Errorf("%v of policy %s, given %v: %v", r.Value, r.Plan.Policy, given.Value, err)
		}
		return r
	}
	r, least := refined(list), search.Least(list)
	if whole := best(t, g, "newton++", to); r.Value >= min(least.Value, whole.Value) {
		t.Errorf("%v from %v, and %v of whole nodes", r.Value, least.Value, whole.Value)
	}
	procs := runtime.GOMAXPROCS(1)
	again := refined(list)
	runtime.GOMAXPROCS(procs)
	if again.Value != r.Value || len(again.Plan.Segments) != len(r.Plan.Segments) {
		t.Errorf("%v with one thread, %v with %d", again.Value, r.Value, procs)
	}
	own := best(t, g, "mddp", to)
	if list, err = search.Retime(t.Context(), g, append(plans, own.Plan), to); err != nil {
		t.Fatal(err)
	}
	if r = refined(list); r.Value > own.Value || search.Least(list).Value > own.Value {
		t.Errorf("%v from %v", r.Value, own.Value)
	}
	few := changed("memory.pim_channels=30") // the GPU has two: layers that run alone have all
	if list, err = search.Retime(t.Context(), g, plans, few); err != nil {
		t.Fatal(err)
	}
	alone := best(t, g, "exclusive", few).Value
	if r, err := search.Refine(t.Context(), g, auto, list, few); err != nil || r.Value > alone || !slices.ContainsFunc(r.Plan.Segments, func(s plan.Segment) bool { return s.Exclusive }) {
		t.Errorf("%v, %v: no more than %v of layers alone wanted, and some of them", r.Value, err, alone)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := search.Refine(stopped, g, auto, list, to); err != context.Canceled {
		t.Errorf("%v after the end", err)
	}
}
