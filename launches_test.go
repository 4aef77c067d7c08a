package pimflow

import (
	"context"
	"flag"
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

// planOn is the plan of a model on newton with keys changed.
func planOn(t testing.TB, model string, set ...string) *Plan {
	s, err := Open(model, Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(context.Background(), Search{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
