package search

import (
	"math/rand/v2"
	"testing"
)

// TestFill: no set of loads that fits gains more, by trying all.
func TestFill(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		list, rows := make([]load, random.IntN(9)), random.IntN(60)
		for i := range list {
			list[i] = load{1 + random.IntN(20), float64(random.IntN(40) - 8)}
		}
		sum := func(in func(i int) bool) (n int, gain float64) {
			for i, x := range list {
				if in(i) {
					n, gain = n+x.rows, gain+x.gain
				}
			}
			return n, gain
		}
		most := 0.0
		for set := range 1 << len(list) {
			if n, gain := sum(func(i int) bool { return set>>i&1 == 1 }); n <= rows {
				most = max(most, gain)
			}
		}
		stays := fill(rows, list)
		n, gain := sum(func(i int) bool { return stays[i] })
		if n > rows || gain != most {
			t.Errorf("%v in %d rows: %v take %d and gain %v: %v wanted", list, rows, stays, n, gain, most)
		}
		for i, x := range list {
			if stays[i] && x.gain <= 0 {
				t.Errorf("%v stays", x)
			}
		}
	}
}
