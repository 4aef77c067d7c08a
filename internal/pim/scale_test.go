package pim

import (
	"math"
	"testing"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestExponents: weights of a norm from 2^4 times the least normal number to 2^-10 times the first that is
// infinite stay as they are; others get a norm from 1/4 to 1/2.
func TestExponents(t *testing.T) {
	for format, l := range map[tensor.Type][2]int{tensor.Float16: {-14, 16}, tensor.BFloat16: {-126, 128}} {
		low, high := math.Ldexp(1, l[0]+4), math.Ldexp(1, l[1]-10)
		for _, c := range []struct {
			norm  float64
			stays bool
		}{
			{low, true}, {low * (1 - 0x1p-20), false}, {low / 2, false}, {low / 16, false}, {1, true}, {0, true},
			{high * (1 - 0x1p-20), true}, {high, false}, {2 * high, false},
		} {
			const half = 0.5 // of four equal weights, each is half of their norm
			w := tensor.Floats32(tensor.Shape{4, 1}, []float32{float32(half * c.norm), float32(half * c.norm), float32(half * c.norm), float32(half * c.norm)})
			n := build(t, "MatMul", op.Attrs{}, tensor.New(tensor.Float32, tensor.Shape{1, 4}), w)
			code := compile(t, machineOf(t, "newton"), 1, n.g, n.g.Whole(n.id))
			e := code.layer.exponents(format, w.Floats())
			if norm := math.Ldexp(c.norm, e.of(0)); (e.of(0) == 0) != c.stays || !c.stays && (norm < 0.25 || norm >= 0.5) {
				t.Errorf("%v, a norm of %g: an exponent of %d", format, c.norm, e.of(0))
			}
		}
	}
}
