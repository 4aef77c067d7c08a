package search_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"pimflow/internal/bound"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/search"
)

// cpu is the CPU time of the process so far, in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()) / 1e9
}

// TestPlansAboveBounds: the plans of all policies take at least the bounds, which do not know them; those of at most two tiles a
// layer the bound of these.
func TestPlansAboveBounds(t *testing.T) {
	auto, err := search.Lookup("auto")
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, machine := range []string{"newton", "aim", "artifact"} {
		for _, launch := range []string{hw.Each, hw.Joint} {
			m, err := hw.Load(machine)
			if err == nil {
				m, err = m.Set("launch.pim=" + launch)
			}
			if err != nil {
				t.Fatal(err)
			}
			g, to := network(t, "toy"), targetOf(t, m)
			_, bounds, err := search.BestAndBounds(context.Background(), g, auto, to)
			if err != nil {
				t.Fatal(err)
			}
			all, two := bounds(bound.Options{Histories: 16})
			if all <= 0 || two < all {
				t.Errorf("%s, %s: bounds %v and %v", machine, launch, all, two)
			}
			for _, p := range search.Policies() {
				r := best(t, g, p.Name, to)
				if r.Timeline.Total < all {
					t.Errorf("%s, %s, %s: %v, the bound is %v", machine, launch, p.Name, r.Timeline.Total, all)
				}
				tiles, most := map[graph.ID]int{}, 0
				for _, x := range r.Plan.Tiles() {
					tiles[x.Node]++
					most = max(most, tiles[x.Node])
				}
				if most > 2 {
					continue
				}
				if held++; r.Timeline.Total < two {
					t.Errorf("%s, %s, %s: %v, the bound of two tiles is %v", machine, launch, p.Name, r.Timeline.Total, two)
				}
			}
		}
	}
	if held < 40 {
		t.Errorf("%d plans have at most two tiles a layer", held)
	}
}

// BenchmarkGaps prints how far plans are above their bounds, and the CPU time of the search and of the bound at each effort.
// -benchtime 1x is enough.
func BenchmarkGaps(b *testing.B) {
	auto, err := search.Lookup("auto")
	if err != nil {
		b.Fatal(err)
	}
	for _, launch := range []string{hw.Each, hw.Joint} {
		for _, machine := range []string{"newton", "aim"} {
			for _, name := range []string{"mobilenet-v2", "mnasnet-1.0", "efficientnet-b0", "resnet-50", "vgg-16"} {
				b.Run(fmt.Sprintf("%s/%s/%s", launch, machine, name), func(b *testing.B) {
					m, err := hw.Load(machine)
					if err == nil {
						m, err = m.Set("launch.pim=" + launch)
					}
					if err != nil {
						b.Fatal(err)
					}
					g, to := network(b, name), targetOf(b, m)
					for b.Loop() {
						before := cpu()
						r, bounds, err := search.BestAndBounds(context.Background(), g, auto, to)
						if err != nil {
							b.Fatal(err)
						}
						b.ReportMetric(cpu()-before, "s-search")
						b.ReportMetric(r.Timeline.Total.NS()/1e3, "us")
						for _, o := range []bound.Options{{}, {Histories: bound.Normal}, {Histories: bound.High}} {
							before, o.Below = cpu(), r.Timeline.Total
							all, two := bounds(o)
							of := fmt.Sprintf("-%d", o.Histories)
							b.ReportMetric(cpu()-before, "s"+of)
							b.ReportMetric(100*(float64(r.Timeline.Total)/float64(all)-1), "%any"+of)
							b.ReportMetric(100*(float64(r.Timeline.Total)/float64(two)-1), "%two"+of)
						}
					}
				})
			}
		}
	}
}
