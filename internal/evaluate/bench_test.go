package evaluate

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/space"
)

// gridPoint is a random point of a grid of five axes: channels, banks, buffers, tCCD and launches.
func gridPoint(r *rand.Rand, model string) *space.Point {
	of := func(list ...string) string { return list[r.IntN(len(list))] }
	return &space.Point{Model: model, Machine: "newton", Policy: "auto", Objective: "latency", Effort: "low", Set: []string{
		fmt.Sprintf("memory.pim_channels=%d", 2+2*r.IntN(15)), "pim.banks=" + of("8", "16", "32"), fmt.Sprintf("pim.buffers=%d", 1+r.IntN(4)),
		fmt.Sprintf("pim.timing.ccds_ck=%d", 2+r.IntN(7)), "launch.gpu=" + of("stream", "graph"), "launch.pim=" + of("each", "joint"),
	}}
}

// BenchmarkGrid evaluates points that take four plans of others, each point another machine. The metrics are points a second, and how many times
// as fast as a search at low effort that is.
func BenchmarkGrid(b *testing.B) {
	for _, model := range []string{"mobilenet-v2", "resnet-50"} {
		r := rand.New(rand.NewPCG(1, 1))
		e := &Evaluator{}
		const searched = 4
		var starts []string
		began := time.Now()
		for range searched {
			_, plan, err := e.Point(b.Context(), gridPoint(r, model), nil)
			if err != nil {
				b.Fatal(err)
			}
			starts = append(starts, plan)
		}
		full := time.Since(began) / searched
		for _, goroutines := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", model, goroutines), func(b *testing.B) {
				var list []*space.Point
				for range b.N {
					list = append(list, gridPoint(r, model))
				}
				var next atomic.Int64
				var g errgroup.Group
				b.ResetTimer()
				for range goroutines {
					g.Go(func() error {
						for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
							if _, _, err := e.Point(b.Context(), list[i], starts); err != nil {
								return err
							}
						}
						return nil
					})
				}
				if err := g.Wait(); err != nil {
					b.Fatal(err)
				}
				each := b.Elapsed().Seconds() / float64(b.N)
				b.ReportMetric(1/each, "points/s")
				b.ReportMetric(full.Seconds()/each, "x")
			})
		}
	}
}
