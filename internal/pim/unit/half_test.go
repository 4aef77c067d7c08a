package unit

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pimflow/internal/tensor"
)

// TestHalf: numbers of fp16, the middles between them and what is beside these are rounded as float16 rounds them.
func TestHalf(t *testing.T) {
	for b := range 1 << 16 {
		v := tensor.FromFloat16(uint16(b))
		if v != v {
			if r := half(float64(v)); r == r {
				t.Fatalf("%v is rounded to %v", v, r)
			}
			continue
		}
		if r := half(float64(v)); math.Float32bits(r) != math.Float32bits(v) {
			t.Fatalf("%v is rounded to %v", v, r)
		}
		next := tensor.FromFloat16(uint16(b + 1))
		if b&0x7fff >= 0x7bff {
			continue
		}
		middle := (float64(v) + float64(next)) / 2
		even := v
		if b&1 == 1 {
			even = next
		}
		for _, c := range []struct {
			v    float64
			want float32
		}{{middle, even}, {middle + (float64(v)-middle)/(1<<30), v}, {middle + (float64(next)-middle)/(1<<30), next}} {
			if r := half(c.v); r != c.want {
				t.Fatalf("%v is rounded to %v, want %v", c.v, r, c.want)
			}
		}
	}
	for v, want := range map[float64]float64{65519.999: 65504, 65520: math.Inf(1), -65520: math.Inf(-1), 1e300: math.Inf(1), math.Inf(-1): math.Inf(-1), 0x1p-25: 0, 0x1.1p-25: 0x1p-24} {
		if r := half(v); float64(r) != want {
			t.Errorf("%v is rounded to %v, want %v", v, r, want)
		}
	}
}

// TestFused: a sum of a number and a product is rounded once, as exact arithmetic does.
func TestFused(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	any := func() float32 {
		for {
			if v := tensor.FromFloat16(uint16(random.Uint32())); v-v == 0 {
				return v
			}
		}
	}
	exact := func(v float32) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(float64(v)) }
	near, ties := 0, 0
	for range 300_000 {
		a, b, s := any(), any(), any()
		if random.IntN(2) == 0 { // near the negative of the product
			s = tensor.FromFloat16(tensor.ToFloat16(-a*b) + uint16(random.IntN(3)) - 1)
			if near++; s-s != 0 {
				continue
			}
		}
		sum := exact(a)
		sum.Add(sum.Mul(sum, exact(b)), exact(s))
		got := half(float64(a)*float64(b) + float64(s))
		if got-got != 0 {
			if limit := big.NewFloat(65520); sum.Abs(sum).Cmp(limit) < 0 {
				t.Fatalf("%v · %v + %v is %v", a, b, s, got)
			}
			continue
		}
		// No neighbour is nearer; of two that are as near the even one is taken.
		off := func(v float32) *big.Float { d := exact(v); return d.Abs(d.Sub(d, sum)) }
		bits := tensor.ToFloat16(got)
		for _, other := range []uint16{bits + 1, bits - 1} {
			v := tensor.FromFloat16(other)
			if v-v != 0 || got == 0 {
				continue
			}
			switch off(got).Cmp(off(v)) {
			case 0:
				if ties++; bits&1 == 1 {
					t.Fatalf("%v · %v + %v is %v, as far as the even %v", a, b, s, got, v)
				}
			case 1:
				t.Fatalf("%v · %v + %v is %v, further than %v", a, b, s, got, v)
			}
		}
	}
	if near == 0 || ties == 0 {
		t.Errorf("%d sums near 0, %d ties", near, ties)
	}
}
