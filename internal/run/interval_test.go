package run

import (
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// TestIntervalByHand: alone the GPU takes 100 of conv and 100 of stream; the plan leaves
// it 100 of stream and has the rest done elsewhere in 50, one after the other. Conv may
// take half or twice its time, stream 80 to 120.
func TestIntervalByHand(t *testing.T) {
	conv := device.Uncertainty{Class: "conv", Time: 100, Low: 50, High: 200}
	stream := device.Uncertainty{Class: "stream", Time: 100, Low: 80, High: 120}
	step := func(dev string, time device.Time, uncertain ...device.Uncertainty) program.Step {
		return program.Step{Tile: plan.Tile{Device: dev}, Code: priced{cost: device.Cost{Time: time, Uncertain: uncertain}}}
	}
	base := &program.Program{Steps: []program.Step{step(plan.GPU, 200, conv, stream)}}
	p := &program.Program{Steps: []program.Step{step(plan.GPU, 100, stream), step(plan.PIM, 50)}}
	p.Steps[1].After = []int{0}
	// 200 / 150 as it is. Least: fast conv and slow stream, (50 + 120) / (120 + 50);
	// most: the other way round, (200 + 80) / (80 + 50).
	low, high := Interval(base, p)
	if want := 1.0; low != want {
		t.Errorf("low %v: %v wanted", low, want)
	}
	if want := 280. / 130; high != want {
		t.Errorf("high %v: %v wanted", high, want)
	}
	// Of one program over itself nothing is uncertain.
	if low, high := Interval(base, base); low != 1 || high != 1 {
		t.Errorf("%v to %v of a program over itself", low, high)
	}
}
