package op

import (
	"slices"
	"sync"

	"pimflow/internal/vector"
)

// Blocking of matrix products, measured on cores with 2 MB of L2 cache: depth×width values of the right matrix stay
// there, and depth×32 of them in the L1 cache.
const (
	blockDepth = 128
	blockWidth = 256
)

type matrix32 = vector.Matrix[float32]

// leftFactor returns columns k0 to k1 of a matrix; it may use the memory given, which grows. rightFactor writes rows
// k0 to k1 of one.
type (
	leftFactor  func(k0, k1 int, room *[]float32) matrix32
	rightFactor func(k0, k1 int, to matrix32)
)

// block is the scratch memory of a matrix product.
type block struct{ a, b, c []float32 }

var blocks = sync.Pool{New: func() any { return new(block) }}

// grown is a slice of n values, with the memory of the one given if that suffices.
func grown(s []float32, n int) []float32 { return slices.Grow(s[:0], n)[:n] }

// product returns the product of two matrices, of m rows and n columns. Every element is a sum in the order of k, each
// product and each sum rounded to float32, so that it does not depend on the block it is in.
func (t *block) product(m, n, k int, left leftFactor, right rightFactor) matrix32 {
	wide := ceilDiv(n, vector.Columns)
	// Rows an odd number of vectors apart lie in all sets of a cache.
	b := matrix32{Step: (wide | 1) * vector.Columns}
	c := matrix32{Step: b.Step}
	wide *= vector.Columns
	t.c = grown(t.c, m*c.Step)
	clear(t.c)
	c.V = t.c
	for k0 := 0; k0 < k; k0 += blockDepth {
		k1 := min(k, k0+blockDepth)
		t.b = grown(t.b, (k1-k0)*b.Step)
		b.V = t.b
		for i := 0; n < wide && i < k1-k0; i++ {
			clear(b.V[i*b.Step+n : (i+1)*b.Step])
		}
		right(k0, k1, b)
		vector.MulAdd(c, left(k0, k1, &t.a), b, m, wide, k1-k0)
	}
	return c
}
