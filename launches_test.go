package pimflow

import (
	"context"
	"flag"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var long = flag.Bool("long", false, "also the searches of large networks")

// TestLaunches: each search of the table is that of a machine that is set so, plan by plan.
func TestLaunches(t *testing.T) {
	models := []string{"toy"}
	if *long {
		models = append(models, "mobilenet-v2", "resnet-50")
	}
	for _, model := range models {
		p := planOn(t, model)
		plans, err := p.relaunch(context.Background())
		if err != nil || len(plans) != 4 || plans[0] != p {
			t.Fatalf("%s: %d plans, %v", model, len(plans), err)
		}
		for i, way := range [][]string{nil, {"launch.pim=joint"}, {"launch.gpu=graph"}, {"launch.gpu=graph", "launch.pim=joint"}} {
			want := planOn(t, model, way...)
			got, w := plans[i].result, want.result
			if d := cmp.Diff(w.Plan.Segments, got.Plan.Segments); d != "" || got.Plan.Launch != w.Plan.Launch {
				t.Errorf("%s %v: %s", model, way, d)
			}
			if d := cmp.Diff(w.Timeline.Spans, got.Timeline.Spans); d != "" || got.Baseline.Total != w.Baseline.Total {
				t.Errorf("%s %v: %s", model, way, d)
			}
			if m := plans[i].home.machine; m.Launch != want.home.machine.Launch || m.GPU != want.home.machine.GPU || m.Link != want.home.machine.Link {
				t.Errorf("%s %v: machine launches as %+v", model, way, m.Launch)
			}
		}
	}
}

// TestLaunchesOfChannels: the launches of a plan whose number of PIM channels was searched are those of
// a machine with that number.
func TestLaunchesOfChannels(t *testing.T) {
	ctx := context.Background()
	s, err := Open(t.Context(), "toy", Options{Set: []string{"memory.pim_channels=4"}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(ctx, Search{Channels: true})
	if err != nil {
		t.Fatal(err)
	}
	n := p.result.Plan.PIMChannels
	if n == 0 || n == 4 {
		t.Fatalf("%d PIM channels: others than the machine's wanted", n)
	}
	fixed := planOn(t, "toy", fmt.Sprintf("memory.pim_channels=%d", n))
	want, err1 := fixed.home.Launches(ctx, fixed)
	got, err2 := s.Launches(ctx, p)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// planOn is the plan of a model on newton with keys changed.
func planOn(t testing.TB, model string, set ...string) *Plan {
	s, err := Open(t.Context(), model, Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(context.Background(), Search{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
