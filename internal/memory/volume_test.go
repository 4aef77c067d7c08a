package memory

import (
	"math/rand/v2"
	"testing"

	"pimflow/internal/tensor"
)

// TestVolume: elements of several boxes count once, in any number of dimensions.
func TestVolume(t *testing.T) {
	const size = 4
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rank := 1 + rng.IntN(4)
		boxes := make([]tensor.Box, rng.IntN(5))
		for i := range boxes {
			for range rank {
				lo := rng.IntN(size)
				boxes[i] = append(boxes[i], tensor.Range{Lo: lo, Hi: lo + 1 + rng.IntN(size-lo)})
			}
		}
		full := make(tensor.Shape, rank)
		for d := range full {
			full[d] = size
		}
		want := 0
		for at := range full.Size() {
			for _, b := range boxes {
				inside, rest := true, at
				for _, r := range b {
					inside = inside && r.Lo <= rest%size && rest%size < r.Hi
					rest /= size
				}
				if inside {
					want++
					break
				}
			}
		}
		if got := volume(boxes); got != want {
			t.Errorf("%v: %d elements, want %d", boxes, got, want)
		}
	}
}
