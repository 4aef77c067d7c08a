package pim

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAccumulatorsEstimate: without refreshes the estimate of every mapping that is tried is its time, on GDDR6 and on
// LPDDR5, whose activations and transfers have commands ahead of them.
func TestAccumulatorsEstimate(t *testing.T) {
	drawnAccumulators(t, func(t *rapid.T, d *Device, k *mapping, s share) {
		if e, r := d.scheme.(*accumulators).estimate(s).cycles, int64(d.time(s).Cycles); e != r {
			t.Fatalf("%v: %d cycles, estimated %d", k, r, e)
		}
	})
	// Six rows of the same length, whose mean is no whole number.
	m := unrefreshed(machineOf(t, "lpddr5-aim"))
	m.PIM.Sums = 2
	n := product(t, m.PIM.Columns()*m.PIM.Lanes(), 6*m.PIM.Banks)
	code := compile(t, m, 1, n.g, n.g.Whole(n.id))
	if e := code.device.scheme.(*accumulators).estimate(code.perChannel()[0]).cycles; e != code.cost.Stream {
		t.Errorf("%d cycles, estimated %d", code.cost.Stream, e)
	}
}
