package survey_test

import (
	"testing"

	"pimflow/internal/profile"
	"pimflow/internal/survey"
)

// TestSuffice: what is left out adds up to less than the percentage.
func TestSuffice(t *testing.T) {
	for _, c := range []struct {
		effects []float64
		want    int
	}{
		{nil, 0},
		{[]float64{4.9}, 0},
		{[]float64{5}, 1},
		{[]float64{30, 3, 2, 2, 0.5}, 2},
		{[]float64{30, 3, 2, 2, 1}, 3},
	} {
		var rows []profile.Row
		for _, e := range c.effects {
			rows = append(rows, profile.Row{Effect: e})
		}
		if got := survey.Suffice(rows, 5); got != c.want {
			t.Errorf("%v: %d, %d wanted", c.effects, got, c.want)
		}
	}
}
