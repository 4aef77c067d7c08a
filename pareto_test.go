package pimflow

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFront(t *testing.T) {
	p := func(total, energy float64) Point { return Point{Total: total, Energy: energy} }
	got := front([]Point{p(5, 5), p(1, 9), p(3, 5), p(2, 9), p(1, 8), p(4, 2), p(4, 2), p(9, 1)})
	if d := cmp.Diff([]Point{p(1, 8), p(3, 5), p(4, 2), p(9, 1)}, got); d != "" {
		t.Error(d)
	}
}
