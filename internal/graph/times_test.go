package graph

import "testing"

// TestTimes: products are held at 2^62, from the first that is larger.
func TestTimes(t *testing.T) {
	for _, c := range [][3]int64{
		{0, 1 << 62, 0}, {1 << 62, 0, 0}, {3, 7, 21}, {1 << 31, 1 << 31, 1 << 62}, {1<<31 + 1, 1 << 31, 1 << 62}, {1 << 40, 1 << 40, 1 << 62},
		{3, 1<<62/3 + 1, 1 << 62}, {3, 1 << 62 / 3, 1<<62 - 1}, {1, 1 << 62, 1 << 62}, {1, 1<<62 - 5, 1<<62 - 5}, {1000, 1 << 40, 1000 << 40},
	} {
		if got := times(c[0], c[1]); got != c[2] {
			t.Errorf("%d * %d = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
