package device

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/hw"
)

// anyLedgers draws two ledgers under the same constants.
func anyLedgers(t *rapid.T) (base, plan Ledger) {
	for p := range Parts {
		v := rapid.Float64Range(0.1, 100).Draw(t, "constant")
		c := hw.Range{Value: v, Low: v * rapid.Float64Range(0, 1).Draw(t, "low"), High: v * rapid.Float64Range(1, 5).Draw(t, "high")}
		count := rapid.SampledFrom([]float64{0, 0, 1, 2, 50})
		base[p], plan[p] = Of(c, count.Draw(t, "base")), Of(c, count.Draw(t, "plan"))
	}
	return base, plan
}

// TestLedger: the total is the sum of the parts, bound by bound, and sums and
// multiples go through to it.
func TestLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyLedgers(t)
		var sum Energy
		for _, e := range a {
			sum.Value, sum.Low, sum.High = sum.Value+e.Value, sum.Low+e.Low, sum.High+e.High
		}
		if got := a.Total(); got != sum || got.Low > got.Value || got.Value > got.High {
			t.Fatalf("total %v: %v wanted", got, sum)
		}
		c := a.Times(3)
		c.Add(&b)
		want := a.Total().Times(3).Plus(b.Total())
		got := c.Total()
		if !near(got.Value, want.Value) || !near(got.Low, want.Low) || !near(got.High, want.High) {
			t.Fatalf("%v: %v wanted", got, want)
		}
	})
	var names []string
	for p := range Parts {
		names = append(names, p.String())
	}
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != int(Parts) || names[0] == "" {
		t.Errorf("%d different names of %d parts", n, Parts)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(a, b, 1) }

// TestRatio tries every combination of bounds: none is outside, two are at the ends.
func TestRatio(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, plan := anyLedgers(t)
		for p := range Parts { // a small number of combinations
			if p > 7 {
				base[p], plan[p] = Energy{}, Energy{}
			}
		}
		base[0], plan[0] = Energy{1, 0.5, 2}, Energy{3, 1.5, 6} // never without energy
		value, low, high := plan.Ratio(&base)
		least, most := math.Inf(1), math.Inf(-1)
		for bits := range 1 << 8 {
			over, under := 0.0, 0.0
			for p := range 8 {
				if bits>>p&1 == 1 {
					over, under = over+plan[p].High, under+base[p].High
				} else {
					over, under = over+plan[p].Low, under+base[p].Low
				}
			}
			least, most = min(least, over/under), max(most, over/under)
		}
		if want := plan.Total().Value / base.Total().Value; !near(value, want) || !near(low, min(least, value)) || !near(high, max(most, value)) {
			t.Fatalf("%v, %v to %v: %v, %v to %v wanted", value, low, high, want, least, most)
		}
	})
	var none, some Ledger
	some[PIMIO] = Energy{1, 1, 1}
	if v, lo, hi := some.Ratio(&none); v != 0 || lo != 0 || hi != 0 {
		t.Errorf("over no energy: %v, %v to %v", v, lo, hi)
	}
}
