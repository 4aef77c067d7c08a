package pimflow

import (
	"math"
	"testing"
)

// TestThroughput: back to back the GPU alone takes its latency a run; a plan takes no longer than
// its latency and no less than either device works. Images are counted by the batch.
func TestThroughput(t *testing.T) {
	shorter := 0
	for _, launch := range []string{"each", "joint"} {
		for _, batch := range []int{1, 4} {
			s := open(t, "toy", Options{Batch: batch, Set: []string{"launch.pim=" + launch}})
			for _, policy := range Policies() {
				_, r := planned(t, s, Search{Policy: policy})
				busy := map[string]float64{}
				for _, l := range r.Layers {
					for _, tile := range l.Tiles {
						busy[tile.Device] += tile.NS
					}
				}
				x := r.Throughput
				if least := max(busy["gpu"], busy["pim"]); !x.Exact || x.Period > r.Total || x.Period < least-1e-6*least {
					t.Errorf("%s, batch %d, %s: %+v for a latency of %v and work of %v", launch, batch, policy, x, r.Total, busy)
				}
				if x.Period < r.Total {
					shorter++
				}
				if x.Baseline != r.Baseline || x.Images != batch || math.Abs(x.Rate*x.Period/float64(batch)-1e9) > 1 || math.Abs(x.BaselineRate*r.Baseline/float64(batch)-1e9) > 1 {
					t.Errorf("%s, batch %d, %s: %+v for the GPU's %v", launch, batch, policy, x, r.Baseline)
				}
			}
		}
	}
	if shorter == 0 {
		t.Error("no run begins before the end of the last")
	}
}
