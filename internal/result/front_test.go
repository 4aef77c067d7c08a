package result

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestFront: the front is that of comparing every pair.
func TestFront(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3).Draw(t, "numbers")
		points := rapid.SliceOf(rapid.SliceOfN(rapid.Float64Range(0, 3), n, n)).Draw(t, "points")
		if rapid.Bool().Draw(t, "whole") { // many are equal
			for _, p := range points {
				for i := range p {
					p[i] = float64(int(p[i]))
				}
			}
		}
		var want []int
		for i, a := range points {
			dominated := false
			for _, b := range points {
				worse, better := false, false
				for k := range a {
					worse, better = worse || b[k] > a[k], better || b[k] < a[k]
				}
				dominated = dominated || better && !worse
			}
			if !dominated {
				want = append(want, i)
			}
		}
		if got := Front(points); !slices.Equal(got, want) {
			t.Fatalf("%v: front %v, %v wanted", points, got, want)
		}
	})
}

// TestValues: every column can be read by its name, and a key by its own.
func TestValues(t *testing.T) {
	r := Row{Model: "toy", Total: 3, Set: map[string]string{"memory.pim_channels": "8"}, Parts: map[string]Energy{"pim_mac": {Value: 1, Low: 0.5, High: 2}}}
	for _, c := range []struct {
		column string
		want   any
		unit   string
	}{
		{"model", "toy", ""}, {"total_ns", 3.0, "ns"}, {"memory.pim_channels", "8", ""}, {"energy_pim_mac_low_pj", 0.5, "pJ"},
	} {
		get, unit := Values(c.column)
		if get == nil {
			t.Errorf("%s: no such column", c.column)
			continue
		}
		if v, ok := get(&r); v != c.want || !ok || unit != c.unit {
			t.Errorf("%s: %v %v in %q, %v in %q wanted", c.column, v, ok, unit, c.want, c.unit)
		}
	}
	for _, name := range Names() {
		if get, _ := Values(name); get == nil {
			t.Errorf("column %s cannot be read", name)
		}
	}
	if get, _ := Values("speed"); get != nil {
		t.Error("a column that there is not can be read")
	}
	get, _ := Values("memory.banks")
	if _, ok := get(&r); ok {
		t.Error("a key that the row has not changed has a value")
	}
	get, _ = Values("total_ns")
	if _, ok := get(&Row{Error: "it does not fit"}); ok {
		t.Error("the time of a point with an error has a value")
	}
}
