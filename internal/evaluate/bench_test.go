//go:build unix

package evaluate

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
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

// gridPoints are points of the grid: random ones, or machines at random with all launches of each, as they follow each other in the grid.
func gridPoints(r *rand.Rand, model string, n int, ordered bool) (list []*space.Point) {
	for range n {
		list = append(list, gridPoint(r, model))
	}
	for i := 0; ordered && i < n; i++ {
		p := list[i-i%4]
		list[i] = &space.Point{Model: model, Machine: p.Machine, Policy: p.Policy, Objective: p.Objective, Effort: p.Effort, Set: append(p.Set[:4:4],
			"launch.gpu="+[]string{"stream", "graph"}[i/2%2], "launch.pim="+[]string{"each", "joint"}[i%2])}
	}
	return list
}

// BenchmarkGrid evaluates points that take four plans of others, each point another machine, or as they follow each other. The metrics are points a
// second, processor time of a point, and how many times as fast as a search at low effort that is.
func BenchmarkGrid(b *testing.B) {
	processor := func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
	}
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
		for _, row := range []struct {
			name       string
			goroutines int
			ordered    bool
		}{{"1", 1, false}, {"2", 2, false}, {"ordered", 1, true}} {
			b.Run(model+"/"+row.name, func(b *testing.B) {
				list := gridPoints(r, model, b.N, row.ordered)
				var next atomic.Int64
				var g errgroup.Group
				b.ResetTimer()
				used := processor()
				for range row.goroutines {
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
				b.ReportMetric((processor()-used)/float64(b.N), "cpu-ms/point")
			})
		}
	}
}
