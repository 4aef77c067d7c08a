package gpu_test

import (
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// TestTerms: on every machine the terms of each layer, and of its upper rows, add up to
// the time, and Bound is the largest.
func TestTerms(t *testing.T) {
	for _, name := range []string{"artifact", "newton", "aim", "toy", "newton+t4"} {
		d := newGPU(t, machine(t, name, nil), 2)
		for _, model := range []string{"toy", "mobilenet-v2"} {
			g := network(t, model)
			for i := range g.Nodes {
				nd := &g.Nodes[i]
				if nd.Op == nil {
					continue
				}
				whole := g.Whole(graph.ID(i))
				cuts := []graph.Cut{whole}
				if len(nd.Shape) == 4 && nd.Shape[2] > 1 {
					cuts = append(cuts, graph.Cut{Node: whole.Node, Box: whole.Box.With(2, tensor.Range{Lo: 0, Hi: nd.Shape[2] / 2})})
				}
				for _, c := range cuts {
					code := compile(t, d, g, c)
					cost, sum, most, bound := code.Cost(), device.Time(0), device.Time(0), device.Time(0)
					for _, x := range code.Breakdown() {
						if x.Time <= 0 {
							t.Errorf("%s: %s %v: %v", name, nd.Name, c.Box, code.Breakdown())
						}
						if x.Name == cost.Bound {
							bound = x.Time
						}
						sum, most = sum+x.Time, max(most, x.Time)
					}
					if sum != cost.Time || bound < most-10 { // 10 ps: rounding
						t.Errorf("%s: %s %v: %v by %s: %v", name, nd.Name, c.Box, cost.Time, cost.Bound, code.Breakdown())
					}
				}
			}
		}
	}
}
