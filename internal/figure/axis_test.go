package figure

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestRound: the texts of round numbers are those numbers, differ, and are short.
func TestRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-1e7, 1e7).Draw(t, "low")
		high := low + math.Pow(10, rapid.Float64Range(-6, 9).Draw(t, "wide"))*rapid.Float64Range(1, 9).Draw(t, "times")
		if (high-low)/max(math.Abs(low), math.Abs(high)) < 1e-8 {
			return // settle makes it wider
		}
		n := rapid.IntRange(3, 8).Draw(t, "most")
		ticks := round(low, high, n)
		if len(ticks) < 1 || len(ticks) > n+1 {
			t.Fatalf("%g to %g: %d ticks, 1 to %d wanted", low, high, len(ticks), n+1)
		}
		step := (high - low) / float64(n)
		for i, tick := range ticks {
			v, err := strconv.ParseFloat(tick.text, 64)
			if err != nil || math.Abs(v-tick.at) > step*1e-3 || len(tick.text) > 16 {
				t.Errorf("tick at %g is called %q", tick.at, tick.text)
			}
			if i > 0 && tick.text == ticks[i-1].text {
				t.Errorf("two ticks are called %q", tick.text)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v, step float64
		want    string
	}{{0, 0.5, "0.0"}, {1.5, 0.5, "1.5"}, {-20, 10, "-20"}, {1250000, 50000, "1.25e6"}, {3e-7, 1e-7, "3e-7"}, {2e10, 1e10, "2e10"}} {
		if got := number(c.v, c.step); got != c.want {
			t.Errorf("%g in steps of %g: %q, %q wanted", c.v, c.step, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0", 1.25: "1.25", 0.5: "0.5", 336.6: "337", 1234567: "1.23e6", 2e6: "2e6", 1.5e-5: "1.5e-5", -8: "-8", 100: "100"} {
		if got := brief(v); got != want {
			t.Errorf("%g: %q, %q wanted", v, got, want)
		}
	}
}

// TestSettle: axes are logarithmic where the range is wide and nothing is 0 or less, and all that they include is on them.
func TestSettle(t *testing.T) {
	for _, c := range []struct {
		numbers []float64
		zero    bool
		log     bool
	}{
		{[]float64{1, 1.3}, true, false}, {[]float64{1, 1000}, true, false}, {[]float64{1, 1000}, false, true}, {[]float64{-1, 1000}, false, false},
		{[]float64{5}, false, false}, {[]float64{0}, false, false}, {nil, true, false}, {[]float64{1e-80, 1e80}, false, true}, {[]float64{-3, -2}, true, false},
	} {
		a := empty("")
		a.including(c.numbers...)
		a.settle(c.zero)
		if a.Log != c.log || !(a.High > a.Low) {
			t.Errorf("%v: from %g to %g, log %v", c.numbers, a.Low, a.High, a.Log)
		}
		for _, v := range c.numbers {
			if at := a.norm(v); !(at >= 0 && at <= 1) {
				t.Errorf("%v: %g is at %g of the axis", c.numbers, v, at)
			}
		}
		if ticks := a.numbers(100, true); len(ticks) == 0 || !a.apart(ticks, 100, true) {
			t.Errorf("%v: ticks %v", c.numbers, ticks)
		}
	}
}
