package pim

import (
	"math/rand/v2"
	"testing"
)

// TestDot: a sum of few products does not depend on the address that the runtime gave the weights,
// which is a multiple of 8 bytes for 5 and 6 of them.
func TestDot(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for range 1000 {
		for n := 1; n < aligned; n++ {
			x, w := make([]float32, n), make([]float32, n+3)
			for i := range x {
				x[i], w[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
			}
			want := dot(x, w[:n])
			for range 3 {
				copy(w[1:], w)
				w = w[1:]
				if got := dot(x, w[:n]); got != want {
					t.Fatalf("%d products: %v, and %v at another address", n, want, got)
				}
			}
		}
	}
}
