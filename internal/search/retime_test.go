package search_test

import (
	"context"
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
