package run

import (
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/hw"
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
	unknown := hw.Range{}
	low, high := Interval(Deviate(unknown, base), Deviate(unknown, p))
	if want := 1.0; low != want {
		t.Errorf("low %v: %v wanted", low, want)
	}
	if want := 280. / 130; high != want {
		t.Errorf("high %v: %v wanted", high, want)
	}
	if low, high := Deviate(unknown, base).Bounds(); low != 130 || high != 320 {
		t.Errorf("alone between %v and %v: 130 and 320 ps wanted", low, high)
	}
	// Of one program over itself nothing is uncertain.
	if low, high := Interval(Deviate(unknown, base), Deviate(unknown, base)); low != 1 || high != 1 {
		t.Errorf("%v to %v of a program over itself", low, high)
	}
}

// TestIntervalOfNetworks: the error of whole networks is the same on both sides and takes the place
// of the classes of kernels; launches and measured times deviate beside it, and a fused launch has
// none. Alone the GPU takes 100 of conv and twice 20 of launches, and 100 that were measured; in
// the plan the PIM does conv in 50 and two launches, the second of which may be fused.
func TestIntervalOfNetworks(t *testing.T) {
	conv := device.Uncertainty{Class: "conv", Time: 100, Low: 90, High: 110}
	launch := device.Uncertainty{Class: device.Launches, Kind: device.OfLaunch, Time: 20, Low: 10, High: 40}
	own := device.Uncertainty{Class: device.PIMLaunches, Kind: device.OfLaunch, Time: 20, Low: 15, High: 25}
	step := func(dev string, cost device.Cost, after ...int) program.Step {
		return program.Step{Tile: plan.Tile{Device: dev}, Code: priced{cost: cost}, After: after}
	}
	kernel := device.Cost{Time: 120, Launch: 20, Uncertain: []device.Uncertainty{conv, launch}}
	measured := device.Cost{Time: 100, Source: device.Measured, Uncertain: []device.Uncertainty{{Class: "measured", Kind: device.OfMeasurement, Time: 100, Low: 95, High: 105}}}
	pim := device.Cost{Time: 45, Launch: 20, Fusible: 20, Uncertain: []device.Uncertainty{launch, own}}
	base := &program.Program{Steps: []program.Step{step(plan.GPU, kernel), step(plan.GPU, measured)}}
	p := &program.Program{Steps: []program.Step{step(plan.PIM, pim), step(plan.PIM, pim, 0), step(plan.GPU, measured, 1)}}
	network := hw.Range{Value: 1, Low: 0.5, High: 2}
	if low, high := Deviate(network, base).Bounds(); low != 55+95 || high != 280+105 {
		t.Errorf("alone between %v and %v: 150 and 385 ps wanted", low, high)
	}
	if low, high := Deviate(network, p).Bounds(); low != 2*30+95 || high != 2*70+105 {
		t.Errorf("plan between %v and %v: 155 and 245 ps wanted", low, high)
	}
	// Least: fast kernels, the PIM's own launches slow, and of launches and measured times the
	// corner found by trying all; most: the other way round.
	brute := func(fused int) (low, high float64) {
		low, high = 9, 0
		for _, f := range []float64{0.5, 1, 2} {
			for _, l := range []float64{10, 20, 40} {
				for _, o := range []float64{-5, 0, 5} {
					for _, m := range []float64{95, 100, 105} {
						for _, c := range []float64{90, 100, 110} {
							if f != 1 && c != 100 {
								continue
							}
							v := (f*(c+l) + m) / (float64(2-fused)*(25+l+o) + float64(fused)*25 + m)
							low, high = min(low, v), max(high, v)
						}
					}
				}
			}
		}
		return low, high
	}
	for fused := range 2 {
		low, high := Interval(Deviate(network, base), Deviate(network, p))
		if l, h := brute(fused); low != l || high != h {
			t.Errorf("%d fused: between %v and %v: %v and %v wanted", fused, low, high, l, h)
		}
		p.Fuse()
	}
}

// TestEnergyIntervalByHand: alone the GPU is 100 ns in kernels of 10 mW and 20 ns in a launch, which its standby of 1 mW makes
// 1120 pJ; the plan has half the kernel time, and 200 pJ of PIM work beside it. Kernels may take half or twice their time, the
// launch 10 to 40 ns, the constant of the PIM's work half or twice its value.
func TestEnergyIntervalByHand(t *testing.T) {
	const ns = 1000
	step := func(dev string, kernel, launch device.Time, work device.Ledger) program.Step {
		return program.Step{Tile: plan.Tile{Device: dev}, Code: priced{cost: device.Cost{Time: kernel + launch, Launch: launch, Energy: work, Uncertain: []device.Uncertainty{
			{Class: "conv", Time: kernel, Low: kernel / 2, High: 2 * kernel},
			{Class: device.Launches, Kind: device.OfLaunch, Time: launch, Low: launch / 2, High: 2 * launch},
		}}}}
	}
	active := func(pj float64) device.Ledger { return device.Ledger{device.GPUActive: {Value: pj, Low: pj, High: pj}} }
	base := &program.Program{Steps: []program.Step{step(plan.GPU, 100*ns, 20*ns, active(1000))}}
	p := &program.Program{Steps: []program.Step{
		step(plan.GPU, 50*ns, 20*ns, active(500)),
		{Tile: plan.Tile{Device: plan.PIM}, Code: priced{cost: device.Cost{Time: 10 * ns, Energy: device.Ledger{device.PIMMAC: {Value: 200, Low: 100, High: 400}}}}},
	}}
	standby := &device.Ledger{device.GPUStandby: {Value: 1, Low: 1, High: 1}}
	unknown := hw.Range{}
	low, high := Deviate(unknown, base).EnergyBounds(standby)
	if l, h := low.Total().Low, high.Total().High; l != 500+60 || h != 2000+240 {
		t.Errorf("alone %v to %v pJ: 560 and 2240 wanted", l, h)
	}
	low, high = Deviate(unknown, p).EnergyBounds(standby)
	if l, h := low.Total().Low, high.Total().High; l != 250+35+100 || h != 1000+140+400 {
		t.Errorf("the plan %v to %v pJ: 385 and 1540 wanted", l, h)
	}
	// The least quotient has slow kernels and the least PIM work, the greatest fast ones and the most; launches are fast in both.
	l, h := EnergyInterval(standby, Deviate(unknown, base), Deviate(unknown, p))
	if want := [2]float64{(1000 + 100 + 10 + 100) / (2000 + 200 + 10.), (250 + 25 + 10 + 400) / (500 + 50 + 10.)}; l != want[0] || h != want[1] {
		t.Errorf("plan / alone %v to %v: %v wanted", l, h, want)
	}
	// Power is least with launches that do nothing, and fast kernels.
	l, h = Deviate(unknown, base).PowerBounds(standby)
	if want := [2]float64{(500 + 50 + 40) / 90., (2000 + 200 + 10) / 210.}; l != want[0] || h != want[1] {
		t.Errorf("power %v to %v mW: %v wanted", l, h, want)
	}
	// The error of whole networks takes the place of that of kernels.
	low, high = Deviate(hw.Range{Value: 1, Low: 0.9, High: 1.1}, &program.Program{Steps: base.Steps[:1]}).EnergyBounds(standby)
	if l, h := low.Total().Low, high.Total().High; l > 560 || h < 2240 {
		t.Errorf("with the error of networks %v to %v pJ: no narrower than 560 to 2240 wanted", l, h)
	}
}
