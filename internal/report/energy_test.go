package report

import (
	"strings"
	"testing"

	"pimflow"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/device"
)

// TestEnergies: every part is in a row of the text, and the rows are sums of the parts.
func TestEnergies(t *testing.T) {
	part := func(base, plan float64) pimflow.EnergyPart {
		return pimflow.EnergyPart{Baseline: base * 1e9, BaselineLow: base * 5e8, BaselineHigh: base * 2e9, Total: plan * 1e9, Low: plan * 5e8, High: plan * 2e9}
	}
	parts := map[device.Part]pimflow.EnergyPart{
		device.GPUStandby: part(10, 5), device.PIMStandby: part(1, 0.5), device.GPUMAC: part(0, 1), device.GPUDRAM: part(0, 2),
		device.PIMBuffer: part(0, 0.5), device.PIMIO: part(0, 0.25),
	}
	e := pimflow.Energies{
		Baseline: 11e9, BaselineLow: 5.5e9, BaselineHigh: 22e9, Total: 9.25e9, Low: 4.625e9, High: 18.5e9,
		Ratio: 0.841, RatioLow: 0.585, RatioHigh: 1.864,
		BaselinePower: 11, BaselinePowerLow: 5.5, BaselinePowerHigh: 22, Power: 18.5, PowerLow: 9.25, PowerHigh: 37,
		BaselineEfficiency: 80, BaselineEfficiencyLow: 40, BaselineEfficiencyHigh: 160, Efficiency: 95.135, EfficiencyLow: 47.568, EfficiencyHigh: 190.27,
	}
	for p := range device.Parts {
		x := parts[p]
		x.Name = p.String()
		e.Parts = append(e.Parts, x)
	}
	var b strings.Builder
	energyText(&b, &e)
	const want = `
energy in mJ     GPU only          between   plan          between
total              11.000  5.500 to 22.000  9.250  4.625 to 18.500  plan / GPU only 0.841, between 0.585 and 1.864
  GPU standby      10.000  5.000 to 20.000  5.000  2.500 to 10.000
  GPU work          0.000   0.000 to 0.000  3.000   1.500 to 6.000
    active          0.000   0.000 to 0.000  0.000   0.000 to 0.000
    mac             0.000   0.000 to 0.000  1.000   0.500 to 2.000
    fma             0.000   0.000 to 0.000  0.000   0.000 to 0.000
    l2              0.000   0.000 to 0.000  0.000   0.000 to 0.000
    dram            0.000   0.000 to 0.000  2.000   1.000 to 4.000
  PIM standby       1.000   0.500 to 2.000  0.500   0.250 to 1.000
    standby         1.000   0.500 to 2.000  0.500   0.250 to 1.000
    refresh         0.000   0.000 to 0.000  0.000   0.000 to 0.000
  PIM work          0.000   0.000 to 0.000  0.750   0.375 to 1.500
    active          0.000   0.000 to 0.000  0.000   0.000 to 0.000
    activate        0.000   0.000 to 0.000  0.000   0.000 to 0.000
    column read     0.000   0.000 to 0.000  0.000   0.000 to 0.000
    mac             0.000   0.000 to 0.000  0.000   0.000 to 0.000
    buffer          0.000   0.000 to 0.000  0.500   0.250 to 1.000
    io              0.000   0.000 to 0.000  0.250   0.125 to 0.500
    finish          0.000   0.000 to 0.000  0.000   0.000 to 0.000
mean power, W       11.00    5.50 to 22.00  18.50    9.25 to 37.00
GFLOP/s/W           80.00  40.00 to 160.00  95.14  47.57 to 190.27  two operations a multiply-accumulate of the model
`
	if d := cmp.Diff(want, trimLines(b.String())); d != "" {
		t.Error(d)
	}
	shown := map[device.Part]int{}
	for _, r := range EnergyClasses {
		for _, p := range r.Parts {
			shown[p]++
		}
	}
	for p := range device.Parts {
		if shown[p] != 1 {
			t.Errorf("part %v is in %d rows", p, shown[p])
		}
	}
}
