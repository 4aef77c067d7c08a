package search_test

import (
	"context"
	"fmt"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/search"
	"pimflow/internal/search/local"
)

// BenchmarkLimits prints the tables that the limits of the search are chosen from: for each limit
// and value, the makespans of plans beside those of the limit that is chosen, the least and the
// most of all networks and machines, and the time of the searches. -benchtime 1x is enough.
func BenchmarkLimits(b *testing.B) {
	type limits struct {
		points int
		*local.Options
	}
	auto, err := search.Lookup("auto")
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		values []float64
		set    func(*limits, float64)
	}{
		{"Points", []float64{3, 5, 7, 11, 16}, func(l *limits, v float64) { l.points = int(v) }},
		{"Budget", []float64{5_000, 12_500, 25_000, 50_000}, func(l *limits, v float64) { l.Budget = int(v) }},
		{"Patience", []float64{30, 60, 120, 300}, func(l *limits, v float64) { l.Patience = int(v) }},
		{"Worth", []float64{1, 1.1, 1.25, 1.5, 2}, func(l *limits, v float64) { l.Worth = v }},
		{"AllPatterns", []float64{0, 4, 6, 8}, func(l *limits, v float64) { l.AllPatterns = int(v) }},
	} {
		for _, v := range row.values {
			b.Run(fmt.Sprintf("%s=%v", row.name, v), func(b *testing.B) {
				least, most := 1.0, 1.0
				for b.Loop() {
					for _, machine := range []string{"newton", "artifact"} {
						for _, name := range []string{"mobilenet-v2", "mnasnet-1.0", "resnet-50", "efficientnet-b0", "vgg-16"} {
							g, to := network(b, name), target(b, machine)
							l := limits{candidate.Points, local.Default()}
							row.set(&l, v)
							r, err := search.BestWith(context.Background(), g, auto, to, l.points, l.Options)
							if err != nil {
								b.Fatal(err)
							}
							b.StopTimer()
							ratio := float64(r.Timeline.Total) / float64(best(b, g, "auto", to).Timeline.Total)
							least, most = min(least, ratio), max(most, ratio)
							b.StartTimer()
						}
					}
				}
				b.ReportMetric(100*(least-1), "%least")
				b.ReportMetric(100*(most-1), "%most")
			})
		}
	}
}
