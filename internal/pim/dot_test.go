package pim

import "testing"

// TestHead: products that are no whole vector before the first multiple of four are added one by one, and so are all of few.
func TestHead(t *testing.T) {
	for _, c := range []struct{ phase, n, want int }{{0, 8, 0}, {1, 8, 3}, {2, 20, 2}, {3, 9, 1}, {4, 9, 0}, {0, 7, 7}, {1, 5, 5}, {1, 0, 0}} {
		if got := head(c.phase, c.n); got != c.want {
			t.Errorf("%d products from number %d: %d one by one, %d wanted", c.n, c.phase, got, c.want)
		}
	}
}
