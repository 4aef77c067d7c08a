package search

import (
	"context"
	"math"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// TestObjectiveValues: each objective of a program of 2000 ps and 30 pJ on a machine of 5 pJ a
// nanosecond at rest, and the linear one near it, whose change is the objective's (of EDP, its
// logarithm's) for a small change of time or energy.
func TestObjectiveValues(t *testing.T) {
	const at, work, standby = device.Time(2000), 30.0, 5.0
	for _, c := range []struct {
		o    Objective
		want float64
	}{{Latency, 2000}, {Energy, 30 + 5*2}, {EDP, (30 + 5*2) * 2}} {
		if got := c.o.value(at, work, standby); got != c.want {
			t.Errorf("%v: %v, want %v", c.o, got, c.want)
		}
		scaled := func(v float64) float64 {
			if c.o == EDP {
				return math.Log(v)
			}
			return v
		}
		l := c.o.around(at, work, standby)
		for what, d := range map[string][2]float64{"time": {1, 0}, "energy": {0, 0.01}} {
			is := l.Of(device.Time(d[0]), d[1])
			want := scaled(c.o.value(at+device.Time(d[0]), work+d[1], standby)) - scaled(c.o.value(at, work, standby))
			if math.Abs(is-want) > 1e-3*math.Abs(want) {
				t.Errorf("%v: a little more %s is %v, want %v", c.o, what, is, want)
			}
		}
	}
	for _, c := range []struct {
		at            device.Time
		work, standby float64
	}{{0, 30, 5}, {0, 0, 0}, {2000, 0, 0}} { // the product of both is 0, and its logarithm none
		if got := EDP.around(c.at, c.work, c.standby); got != (candidate.Linear{Time: 1}) {
			t.Errorf("%+v: %+v, want the latency", c, got)
		}
	}
}

// TestObjectivePlans: a convolution takes 90 ps and 100 pJ on the GPU, 100 ps and 50 pJ on the PIM,
// 95 ps and 94 pJ under newton+'s interface, where the product of both is not the least. At rest the
// machine takes nothing.
func TestObjectivePlans(t *testing.T) {
	n := newNet()
	g := n.graph(n.conv(n.x, 1, 1))
	costing := func(name string, time device.Time, energy float64) device.Device {
		return &fake.Func{Called: name, Of: func(cut graph.Cut) (device.Cost, bool) {
			whole := cut.Box.Size() == 16
			return device.Cost{Time: time, Energy: device.Ledger{device.GPUMAC: {Value: energy}}}, whole
		}}
	}
	for o, want := range map[Objective]string{Latency: plan.GPU, Energy: plan.PIM, EDP: plan.PIM} {
		to := Target{Machine: "fake", PIMChannels: 1, Objective: o, Devices: Devices(func(n int, commands string) ([]device.Device, error) {
			list := []device.Device{costing(plan.GPU, 90, 100)}
			if n > 0 && commands == plan.Extended {
				list = append(list, costing(plan.PIM, 100, 50))
			}
			if n > 0 && commands == plan.Basic {
				list = append(list, costing(plan.PIM, 95, 94))
			}
			return list, nil
		}).Memo()}
		p, err := Lookup(Default)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Best(context.Background(), g, p, to)
		if err != nil {
			t.Fatal(err)
		}
		if tiles := r.Plan.Tiles(); len(tiles) != 1 || tiles[0].Device != want || r.Value != o.value(r.Timeline.Total, energyOf(r.Timeline), 0) {
			t.Errorf("%v: %v, value %v", o, tiles, r.Value)
		}
	}
	// Three times as long for a quarter of the energy has the lesser product, and not the lesser
	// product with the square of time.
	if EDP.value(3000, 25, 0) >= EDP.value(1000, 100, 0) {
		t.Error("EDP is not energy times time")
	}
}
