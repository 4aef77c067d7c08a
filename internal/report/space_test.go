package report

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/result"
)

// TestSpaceFront: the front of rows that are added one by one is that of all of them, by trying every pair.
func TestSpaceFront(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := &Space{}
		var all []*result.Row
		small := rapid.IntRange(1, 6)
		for i := range rapid.IntRange(1, 40).Draw(r, "rows") {
			row := &result.Row{Point: i, Model: "m", Total: float64(small.Draw(r, "t")), Energy: float64(small.Draw(r, "e")), MACUnits: small.Draw(r, "u")}
			all = append(all, row)
			s.Add(row)
			if rapid.Bool().Draw(r, "pack") {
				s.models[0].pack()
			}
		}
		s.models[0].pack()
		got := map[string]int{}
		for _, k := range s.models[0].front {
			got[fmt.Sprint(k.Total, k.Energy, k.MACUnits)]++
		}
		want := map[string]bool{}
		for _, a := range all {
			worse := false
			for _, b := range all {
				better := b.Total < a.Total || b.Energy < a.Energy || b.MACUnits < a.MACUnits
				worse = worse || better && b.Total <= a.Total && b.Energy <= a.Energy && b.MACUnits <= a.MACUnits
			}
			if !worse {
				want[fmt.Sprint(a.Total, a.Energy, a.MACUnits)] = true
			}
		}
		for k := range want {
			if got[k] != 1 {
				r.Fatalf("%s is %d times in the front %v", k, got[k], got)
			}
		}
		if len(got) != len(want) {
			r.Fatalf("front %v, %v wanted", got, want)
		}
	})
}

// TestSpaceText: rows beyond the list are counted, words are shown where they differ, errors are told once.
func TestSpaceText(t *testing.T) {
	s := &Space{Keys: []string{"pim.banks"}, List: 2}
	for i := range 30 {
		s.Add(&result.Row{Point: i, Model: "m", Batch: 1, Search: "full", Policy: []string{"gpu", "auto"}[i%2], Set: map[string]string{"pim.banks": fmt.Sprint(i)}, Total: float64(1e6 - 1e3*i), Energy: 1e9 * float64(i), Speedup: 1})
	}
	for range 2 {
		s.Add(&result.Row{Model: "m", Policy: "gpu", Error: "it is\nno"})
	}
	var b strings.Builder
	if err := s.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"32 points: 30 searched, 0 with the best of the plans of others, 2 without a result\n", "\npoint  model  policy  pim.banks      us", "\n0      m      gpu             0  1000.0     1.000  0.000", "and 30 more: -o FILE has all\n",
		"and 10 more: pimflow pareto FILE has all\n", "\nfastest, point 29      m      auto", "\nleast energy, point 0  m      gpu", "\nno result: it is; no\n",
	} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, &b)
		}
	}
	if strings.Contains(b.String(), "batch") && !strings.Contains(b.String(), "each model and batch") || strings.Contains(b.String(), "  batch  ") {
		t.Errorf("what does not differ is shown:\n%s", &b)
	}
}
