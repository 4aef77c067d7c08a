package report

import (
	"fmt"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/search"
)

// Energies are what the plan and the GPU alone take, in pJ. Low and high are what the
// bounds of the machine's constants say; those of a ratio have the same constants
// above and below it.
type Energies struct {
	Baseline     float64      `json:"baseline_pj"`
	BaselineLow  float64      `json:"baseline_low_pj"`
	BaselineHigh float64      `json:"baseline_high_pj"`
	Total        float64      `json:"total_pj"`
	Low          float64      `json:"low_pj"`
	High         float64      `json:"high_pj"`
	Ratio        float64      `json:"ratio"` // Total / Baseline
	RatioLow     float64      `json:"ratio_low"`
	RatioHigh    float64      `json:"ratio_high"`
	Parts        []EnergyPart `json:"parts"` // they add up to the sums above
}

// EnergyPart is a part of device.Ledger.
type EnergyPart struct {
	Name         string  `json:"name"`
	Baseline     float64 `json:"baseline_pj"`
	BaselineLow  float64 `json:"baseline_low_pj"`
	BaselineHigh float64 `json:"baseline_high_pj"`
	Total        float64 `json:"total_pj"`
	Low          float64 `json:"low_pj"`
	High         float64 `json:"high_pj"`
}

func newEnergy(r *search.Result) Energies {
	base, plan := r.Baseline.Energy(&r.Standby), r.Timeline.Energy(&r.Standby)
	b, p := base.Total(), plan.Total()
	e := Energies{Baseline: b.Value, BaselineLow: b.Low, BaselineHigh: b.High, Total: p.Value, Low: p.Low, High: p.High}
	e.Ratio, e.RatioLow, e.RatioHigh = plan.Ratio(&base)
	for i := range device.Parts {
		b, p := base[i], plan[i]
		e.Parts = append(e.Parts, EnergyPart{i.String(), b.Value, b.Low, b.High, p.Value, p.Low, p.High})
	}
	return e
}

// energyRows gather parts for people.
var energyRows = []struct {
	row   string
	parts []device.Part
}{
	{"GPU standby", []device.Part{device.GPUStandby}},
	{"GPU work", []device.Part{device.GPUActive, device.GPUMAC, device.GPUFMA, device.GPUL2, device.GPUDRAM}},
	{"PIM standby", []device.Part{device.PIMStandby, device.PIMRefresh}},
	{"PIM work", []device.Part{device.PIMActive, device.PIMActivate, device.PIMColumnRead, device.PIMMAC, device.PIMBuffer, device.PIMIO, device.PIMFinish}},
}

// text writes the sums, each with its bounds; with verbose every part.
func (e *Energies) text(b *strings.Builder, verbose bool) {
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
	row := func(name string, x EnergyPart, note string) {
		t.row(name, mj(x.Baseline), between(x.BaselineLow, x.BaselineHigh), mj(x.Total), between(x.Low, x.High), note)
	}
	t.row("energy in mJ", "GPU only", "between", "plan", "between", "")
	row("total", EnergyPart{"", e.Baseline, e.BaselineLow, e.BaselineHigh, e.Total, e.Low, e.High},
		fmt.Sprintf("plan / GPU only %.3f, between %.3f and %.3f", e.Ratio, e.RatioLow, e.RatioHigh))
	for _, r := range energyRows {
		var sum EnergyPart
		for _, p := range r.parts {
			x := e.Parts[p]
			sum.Baseline, sum.BaselineLow, sum.BaselineHigh = sum.Baseline+x.Baseline, sum.BaselineLow+x.BaselineLow, sum.BaselineHigh+x.BaselineHigh
			sum.Total, sum.Low, sum.High = sum.Total+x.Total, sum.Low+x.Low, sum.High+x.High
		}
		row("  "+r.row, sum, "")
		for _, p := range r.parts {
			if verbose && len(r.parts) > 1 {
				row("    "+strings.ReplaceAll(e.Parts[p].Name[len("gpu_"):], "_", " "), e.Parts[p], "")
			}
		}
	}
	b.WriteByte('\n')
	t.write(b)
}

// mj prints picojoules as millijoules.
func mj(pj float64) string { return fmt.Sprintf("%.3f", pj/1e9) }

func between(low, high float64) string { return mj(low) + " to " + mj(high) }
