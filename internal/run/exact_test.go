package run

import (
	"testing"

	"pimflow/internal/tensor"
)

// TestWholes: a format holds each whole number up to its limit, and not the next.
func TestWholes(t *testing.T) {
	for f, most := range wholes {
		for n := max(1, most-5000); n <= most+1; n++ {
			if got := float64(tensor.Round(f, float32(n))) == n && float64(float32(n)) == n; got != (n <= most) {
				t.Errorf("%v holds %v: %t", f, n, got)
			}
		}
	}
}
