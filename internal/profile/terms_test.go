package profile_test

import (
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
)

// TestTerms: where kernels take 3 times what the model says, terms add up to that.
func TestTerms(t *testing.T) {
	for kind, m := range machines(t) {
		g := network(t, "toy")
		d := over(t, measuredAll(t, g, m, 16, 3, func(i int, _ graph.Cut) bool { return i == 0 }), m, 16)
		for i := range g.Nodes {
			if g.Nodes[i].Op == nil {
				continue
			}
			for _, c := range cuts(g, graph.ID(i)) {
				code, err := d.Compile(g, c)
				if err != nil {
					t.Fatal(err)
				}
				sum := device.Time(0)
				for _, x := range device.Breakdown(code) {
					sum += x.Time
				}
				if got := code.Cost(); sum != got.Time {
					t.Errorf("%s %s: %v of %v, %v", kind, g.Nodes[i].Name, sum, got.Time, got.Source)
				}
			}
		}
	}
}
