package search_test

import (
	"fmt"
	"testing"

	"pimflow/internal/hw"
	"pimflow/internal/platform"
)

// BenchmarkPoints has the processor time of a search on one machine after the other that share what they have in common
// (platform.Pool), over the time of the first: "gpu", "pim", "link" and "launch" are a number of that part that changes from machine to
// machine, "none" is the machine again. What is left for "none" is the search itself: nothing is compiled.
func BenchmarkPoints(b *testing.B) {
	for _, name := range []string{"mobilenet-v2", "resnet-50"} {
		g := network(b, name)
		for _, c := range []struct{ part, key, format string }{
			{"none", "pim.rows_per_bank", "16384"}, {"gpu", "gpu.l2_bytes_per_ck_sm", "%d"}, {"pim", "pim.timing.rcdr_ck", "%d"},
			{"link", "link.latency_ck", "%d"}, {"launch", "gpu.launches.stream_us", "%d"},
		} {
			b.Run(name+"/"+c.part, func(b *testing.B) {
				first, later, points := 0.0, 0.0, 0
				for b.Loop() {
					pool := platform.NewPool(nil)
					for k := range 3 {
						m, err := hw.Load("newton")
						if err == nil && k > 0 {
							text := c.format
							if c.part != "none" {
								text = fmt.Sprintf(c.format, 20+k)
							}
							m, err = m.With(c.key, text)
						}
						if err != nil {
							b.Fatal(err)
						}
						to, err := platform.Target(m, pool.Makers())
						if err != nil {
							b.Fatal(err)
						}
						before := processor()
						best(b, g, "auto", to)
						if took := processor() - before; k == 0 {
							first += took
						} else {
							later, points = later+took, points+1
						}
					}
				}
				b.ReportMetric(later/float64(points)/(first/float64(b.N)), "of-first")
			})
		}
	}
}
