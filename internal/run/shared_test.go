package run

import (
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// priced is code that only costs.
type priced struct {
	device.Code
	cost device.Cost
}

func (p priced) Cost() device.Cost { return p.cost }

// TestSharedByHand: a kernel of 100 ps that uses 0.8 of the bandwidth, then one of 50 ps
// that uses none, beside PIM work.
func TestSharedByHand(t *testing.T) {
	step := func(dev string, time, memory device.Time, after ...int) program.Step {
		return program.Step{Tile: plan.Tile{Cut: graph.Cut{}, Device: dev}, Code: priced{cost: device.Cost{Time: time, Memory: memory}}, After: after}
	}
	kernels := []program.Step{step(plan.GPU, 100, 80), step(plan.GPU, 50, 0)}
	for _, c := range []struct {
		name string
		work program.Step
		want Span
	}{
		{"no need of it", step(plan.PIM, 120, 0), Span{0, 120}},
		{"enough left", step(plan.PIM, 120, 24), Span{0, 120}},  // 0.8 + 0.2
		{"ends beside it", step(plan.PIM, 40, 20), Span{0, 57}}, // 0.3 too much: 40 / 0.7
		{"outlasts it", step(plan.PIM, 120, 60), Span{0, 150}},  // 70 of it in 100
		{"all of it", step(plan.PIM, 50, 50), Span{0, 130}},     // 20 in 100, 30 after
		{"later", step(plan.PIM, 50, 50, 0), Span{100, 150}},
	} {
		tl := Time(&program.Program{Steps: append(kernels[:2:2], c.work)})
		if got := tl.Spans[2]; got != c.want {
			t.Errorf("%s: %v: %v wanted", c.name, got, c.want)
		}
		// The other way round the kernel is later and waits.
		if c.name == "all of it" {
			tl := Time(&program.Program{Steps: []program.Step{c.work, kernels[0]}})
			if got, want := tl.Spans[1], (Span{0, 140}); got != want { // 10 in 50, then 90
				t.Errorf("%s, the kernel later: %v: %v wanted", c.name, got, want)
			}
		}
	}
}
