package generator

import (
	"math"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
)

// TestEnergy: computations, buffers and results take what the published simulator
// charges for the commands of each channel; precharges are the first channel's times the
// channels; activations and transfers are charged beside, by number and size.
func TestEnergy(t *testing.T) {
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	dev, err := New(m, 16, System{Buffers: 4})
	if err != nil {
		t.Fatal(err)
	}
	d := dev.(*system)
	code, err := Conv(Layer{OC: 256, IC: 64, H: 56, W: 56, KH: 1, KW: 1, Stride: 1, Channels: 16, Buffers: 4})
	if err != nil {
		t.Fatal(err)
	}
	var want, first dram.Joules
	writes, results, acts := int64(0), int64(0), int64(0)
	for c, s := range code.Channels {
		r := d.channel.Time(s)
		j := dram.ArtifactEnergy(r)
		if c == 0 {
			first = j
		}
		want.COMP, want.GWRITE, want.READRES = want.COMP+j.COMP, want.GWRITE+j.GWRITE, want.READRES+j.READRES
		writes, results = writes+r.Issued[artifact.gwrite], results+r.Issued[artifact.readres]
		for _, op := range artifact.act {
			acts += r.Issued[op]
		}
	}
	r := d.channel.Time(code.Channels[0])
	precharges := r.Issued[d.std.Op("PREA")]
	l := d.energy(code, precharges, device.Time(1e6))
	e := &m.PIM.Energy
	for what, v := range map[string][2]float64{
		"computations and buffers": {l[device.PIMColumnRead].Value + l[device.PIMMAC].Value + l[device.PIMBuffer].Value, 1e12 * (want.COMP + want.GWRITE + want.READRES)},
		"activations":              {l[device.PIMActivate].Value, 4*float64(acts)*e.Activate.Value + 16e12*first.PREA},
		"transfers":                {l[device.PIMIO].Value, 16 * e.IO.Value * float64(512*writes+16*results)}, // eight inputs of 64 fill a buffer
		"channels at work":         {l[device.PIMActive].Value, 16 * 1000 * e.Active.Value},
	} {
		if v[1] <= 0 || math.Abs(v[0]/v[1]-1) > 1e-9 {
			t.Errorf("%s: %g pJ: %g wanted", what, v[0], v[1])
		}
	}
}
