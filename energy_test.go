package pimflow

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
)

// spent is code of which only the cost is asked for.
type spent struct {
	device.Code
	device.Ledger
	time device.Time
}

func (s spent) Cost() device.Cost { return device.Cost{Energy: s.Ledger, Time: s.time} }

func millijoule(mj float64) device.Energy {
	return device.Energy{Value: mj, Low: mj / 2, High: 2 * mj}.Times(1e9)
}

// energiesOf are the energies of a result on a machine whose networks have no known error.
func energiesOf(r *search.Result) Energies {
	return newEnergies(r, run.Deviate(hw.Range{}, r.Baseline.Program), run.Deviate(hw.Range{}, r.Timeline.Program))
}

// TestEnergies: 1 s of 10 mW by the GPU and 1 mW by the PIM, against half a second and work;
// the parts add up.
func TestEnergies(t *testing.T) {
	work := device.Ledger{device.GPUMAC: millijoule(1), device.GPUDRAM: millijoule(2), device.PIMBuffer: millijoule(0.5), device.PIMIO: millijoule(0.25)}
	timeline := func(time device.Time, work device.Ledger) *run.Timeline {
		return run.Time(&program.Program{Steps: []program.Step{{Code: spent{Ledger: work, time: time}}}})
	}
	e := energiesOf(&search.Result{
		Standby:  device.Ledger{device.GPUStandby: {Value: 10, Low: 5, High: 20}, device.PIMStandby: {Value: 1, Low: 0.5, High: 2}},
		Baseline: timeline(1e12, device.Ledger{}), Timeline: timeline(5e11, work),
	})
	var sum EnergyPart
	for p, x := range e.Parts {
		if x.Name != device.Part(p).String() {
			t.Errorf("part %d is %s", p, x.Name)
		}
		sum.Baseline, sum.Total = sum.Baseline+x.Baseline, sum.Total+x.Total
		sum.Low, sum.High = sum.Low+x.Low, sum.High+x.High
		sum.BaselineLow, sum.BaselineHigh = sum.BaselineLow+x.BaselineLow, sum.BaselineHigh+x.BaselineHigh
	}
	if d := cmp.Diff(sum, EnergyPart{"", e.Baseline, e.BaselineLow, e.BaselineHigh, e.Total, e.Low, e.High}); d != "" {
		t.Error(d)
	}
	e.Parts = nil
	want := Energies{
		Baseline: 11e9, BaselineLow: 5.5e9, BaselineHigh: 22e9, Total: 9.25e9, Low: 4.625e9, High: 18.5e9, Ratio: 9.25 / 11, RatioLow: 0.585, RatioHigh: 1.864,
		BaselinePower: 0.011, BaselinePowerLow: 0.0055, BaselinePowerHigh: 0.022, Power: 0.0185, PowerLow: 0.00925, PowerHigh: 0.037,
	}
	if d := cmp.Diff(want, e, cmpopts.EquateApprox(0, 0.0005)); d != "" {
		t.Error(d)
	}
	e.setEfficiency(44e6) // 88 M operations for 11 mJ
	want.BaselineEfficiency, want.BaselineEfficiencyLow, want.BaselineEfficiencyHigh = 8, 4, 16
	want.Efficiency, want.EfficiencyLow, want.EfficiencyHigh = 9.5135, 4.7568, 19.027
	if d := cmp.Diff(want, e, cmpopts.EquateApprox(1e-4, 0.0005)); d != "" {
		t.Error(d)
	}
}

// TestNoEnergy: a program that takes no time has no power, and costless work no efficiency: both
// are 0, not infinite.
func TestNoEnergy(t *testing.T) {
	nothing := &run.Timeline{Program: &program.Program{}}
	e := energiesOf(&search.Result{Standby: device.Ledger{device.GPUStandby: millijoule(1)}, Baseline: nothing, Timeline: nothing})
	e.setEfficiency(1)
	e.Parts = nil
	if d := cmp.Diff(Energies{}, e); d != "" {
		t.Error(d)
	}
}
