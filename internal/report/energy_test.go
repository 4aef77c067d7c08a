package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
)

// spent is code of which only the cost is asked for.
type spent struct {
	device.Code
	device.Ledger
}

func (s spent) Cost() device.Cost { return device.Cost{Energy: s.Ledger} }

func millijoule(mj float64) device.Energy {
	return device.Energy{Value: mj, Low: mj / 2, High: 2 * mj}.Times(1e9)
}

// TestEnergies: 1 s of 10 mW by the GPU and 1 mW by the PIM, against half a second
// and work; every part is in a row of the text, and the parts add up.
func TestEnergies(t *testing.T) {
	work := device.Ledger{device.GPUMAC: millijoule(1), device.GPUDRAM: millijoule(2), device.PIMBuffer: millijoule(0.5), device.PIMIO: millijoule(0.25)}
	r := &search.Result{
		Standby:  device.Ledger{device.GPUStandby: {Value: 10, Low: 5, High: 20}, device.PIMStandby: {Value: 1, Low: 0.5, High: 2}},
		Baseline: &run.Timeline{Program: &program.Program{}, Total: 1e12},
		Timeline: &run.Timeline{Program: &program.Program{Steps: []program.Step{{Code: spent{Ledger: work}}}}, Total: 5e11},
	}
	e := newEnergy(r)
	var b strings.Builder
	e.text(&b, true)
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
`
	if d := cmp.Diff(want, trimLines(b.String())); d != "" {
		t.Error(d)
	}
	shown := map[device.Part]int{}
	for _, r := range energyRows {
		for _, p := range r.parts {
			shown[p]++
		}
	}
	var sum EnergyPart
	for p, x := range e.Parts {
		if shown[device.Part(p)] != 1 || x.Name != device.Part(p).String() {
			t.Errorf("part %s is in %d rows", x.Name, shown[device.Part(p)])
		}
		sum.Baseline, sum.Total = sum.Baseline+x.Baseline, sum.Total+x.Total
		sum.Low, sum.High = sum.Low+x.Low, sum.High+x.High
		sum.BaselineLow, sum.BaselineHigh = sum.BaselineLow+x.BaselineLow, sum.BaselineHigh+x.BaselineHigh
	}
	if d := cmp.Diff(sum, EnergyPart{"", e.Baseline, e.BaselineLow, e.BaselineHigh, e.Total, e.Low, e.High}); d != "" {
		t.Error(d)
	}
}
