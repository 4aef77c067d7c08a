package report

import (
	"testing"

	"pimflow/internal/result"
)

// TestLoss: gains make up for no loss, and rows with an error do not count.
func TestLoss(t *testing.T) {
	row := func(ns float64, err string) *result.Row {
		return &result.Row{Objective: "latency", Total: ns, Error: err}
	}
	for _, c := range []struct {
		taken []float64 // of points that take 100 with plans of their own
		want  string
	}{
		{nil, ""},
		{[]float64{100}, "1 point with the plans of others, drawn and searched, too: losses at none\n"},
		{[]float64{90, 100}, "2 points with the plans of others, drawn and searched, too: losses at none; gains at 1, 10.00 % at most\n"},
		{[]float64{104, 96, 102, 98}, "4 points with the plans of others, drawn and searched, too: losses at 2, 4.00 % at most, 1.50 % in the mean of all; gains at 2, 4.00 % at most\n"},
	} {
		l := &Loss{}
		for _, x := range c.taken {
			l.Add(row(x, ""), row(100, ""))
			l.Add(row(200, ""), row(100, "no plan fits"))
			l.Add(row(200, "no plan fits"), row(100, ""))
		}
		if got := l.text(); got != c.want {
			t.Errorf("%v: %q, %q wanted", c.taken, got, c.want)
		}
	}
}
