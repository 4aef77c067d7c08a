package report

import (
	"fmt"
	"strings"

	"pimflow"

	"pimflow/internal/device"
)

// EnergyClasses groups the parts of energies.
var EnergyClasses = []struct {
	Name  string
	Parts []device.Part
}{
	{"GPU standby", []device.Part{device.GPUStandby}},
	{"GPU work", []device.Part{device.GPUActive, device.GPUMAC, device.GPUFMA, device.GPUL2, device.GPUDRAM}},
	{"PIM standby", []device.Part{device.PIMStandby, device.PIMRefresh}},
	{"PIM work", []device.Part{device.PIMActive, device.PIMActivate, device.PIMColumnRead, device.PIMMAC, device.PIMBuffer, device.PIMIO, device.PIMFinish}},
}

// energyText writes energies by part with their bounds, the mean power and the efficiency.
func energyText(b *strings.Builder, e *pimflow.Energies) {
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
	row := func(name string, x pimflow.EnergyPart, note string) {
		t.row(name, mj(x.Baseline), between(x.BaselineLow, x.BaselineHigh), mj(x.Total), between(x.Low, x.High), note)
	}
	t.row("energy in mJ", "GPU only", "between", "plan", "between", "")
	row("total", pimflow.EnergyPart{
		Baseline: e.Baseline, BaselineLow: e.BaselineLow, BaselineHigh: e.BaselineHigh, Total: e.Total, Low: e.Low, High: e.High,
	},
		fmt.Sprintf("plan / GPU only %.3f, between %.3f and %.3f", e.Ratio, e.RatioLow, e.RatioHigh))
	for _, r := range EnergyClasses {
		var sum pimflow.EnergyPart
		for _, p := range r.Parts {
			x := e.Parts[p]
			sum.Baseline, sum.BaselineLow, sum.BaselineHigh = sum.Baseline+x.Baseline, sum.BaselineLow+x.BaselineLow, sum.BaselineHigh+x.BaselineHigh
			sum.Total, sum.Low, sum.High = sum.Total+x.Total, sum.Low+x.Low, sum.High+x.High
		}
		row("  "+r.Name, sum, "")
		for _, p := range r.Parts {
			if len(r.Parts) > 1 {
				row("    "+strings.ReplaceAll(e.Parts[p].Name[len("gpu_"):], "_", " "), e.Parts[p], "")
			}
		}
	}
	rate := func(name string, base, low, high, plan, planLow, planHigh float64, note string) {
		t.row(name, fmt.Sprintf("%.2f", base), fmt.Sprintf("%.2f to %.2f", low, high), fmt.Sprintf("%.2f", plan), fmt.Sprintf("%.2f to %.2f", planLow, planHigh), note)
	}
	rate("mean power, W", e.BaselinePower, e.BaselinePowerLow, e.BaselinePowerHigh, e.Power, e.PowerLow, e.PowerHigh, "")
	rate("GFLOP/s/W", e.BaselineEfficiency, e.BaselineEfficiencyLow, e.BaselineEfficiencyHigh, e.Efficiency, e.EfficiencyLow, e.EfficiencyHigh,
		"two operations a multiply-accumulate of the model")
	b.WriteByte('\n')
	t.write(b)
}

// mj prints picojoules as millijoules.
func mj(pj float64) string { return fmt.Sprintf("%.3f", pj/1e9) }

func between(low, high float64) string { return mj(low) + " to " + mj(high) }
