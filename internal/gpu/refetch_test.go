package gpu

import "testing"

// TestRefetch: an operand of more than 0.75 of the L2 is read again for each wave of tiles; of two the cheaper
// one is.
func TestRefetch(t *testing.T) {
	m := &Model{SMs: 2, L2: 100}
	for _, c := range []struct {
		a, b              float64
		mT, nT, occ, want int
	}{
		{75, 80, 4, 8, 1, 0},        // A stays
		{80, 75, 4, 8, 1, 0},        // B stays
		{80, 90, 4, 8, 1, 90 * 3},   // 2 CTAs at once, of a column of 4 tiles: B for each of 4
		{80, 1000, 2, 8, 1, 80 * 7}, // a column of 2 at once: A for each of 8
		{80, 1000, 2, 8, 2, 80 * 3}, // 2 columns at once
	} {
		if got := m.refetch(GEMM{A: c.a, B: c.b, G: 1}, c.mT, c.nT, c.mT*c.nT, c.occ); got != float64(c.want) {
			t.Errorf("%v: %v, want %d", c, got, c.want)
		}
	}
}
