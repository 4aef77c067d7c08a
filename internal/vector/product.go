package vector

import (
	"fmt"
	"unsafe"
)

// Columns is what the number of columns of a product is a multiple of.
const Columns = 16

// Matrix is rows of values, Step values apart.
type Matrix[T float32 | float64] struct {
	V    []T
	Step int
}

// check panics if rows of n values are not in the matrix.
func (m *Matrix[T]) check(name string, rows, n int) {
	if rows > 1 && m.Step < n || len(m.V) < (rows-1)*m.Step+n {
		panic(fmt.Sprintf("vector: %s has %d values, rows %d apart: %d rows of %d wanted", name, len(m.V), m.Step, rows, n))
	}
}

// MulAdd adds to m rows and n columns of c the product of a and b, which sums k products. Every element of c is added to in
// the order of k, each product and each sum rounded to float32. n is a multiple of Columns.
//
// In the literature: the microkernel of GEMM (Goto, van de Geijn, 2008), without fused multiply-add.
func MulAdd(c, a, b Matrix[float32], m, n, k int) {
	if !checked(&c, &a, &b, m, n, k) {
		return
	}
	if use != nil {
		inTiles(use.tiles, c, a, b, m, n, k)
		return
	}
	for i := range m {
		to := c.V[i*c.Step:][:n]
		for l, x := range a.V[i*a.Step:][:k] {
			for j, y := range b.V[l*b.Step:][:n] {
				to[j] += float32(x * y)
			}
		}
	}
}

// MulAddWide is MulAdd of float64 values that are float32 numbers: their products are exact.
func MulAddWide(c, a, b Matrix[float64], m, n, k int) {
	if !checked(&c, &a, &b, m, n, k) {
		return
	}
	if use != nil {
		inTiles(use.wide, c, a, b, m, n, k)
		return
	}
	for i := range m {
		to := c.V[i*c.Step:][:n]
		for l, x := range a.V[i*a.Step:][:k] {
			for j, y := range b.V[l*b.Step:][:n] {
				to[j] += x * y // fused or not
			}
		}
	}
}

// checked reports whether there is anything to do.
func checked[T float32 | float64](c, a, b *Matrix[T], m, n, k int) bool {
	if m < 0 || n < 0 || k < 0 || n%Columns != 0 {
		panic(fmt.Sprintf("vector: a product of %d rows, %d columns, %d products: columns in multiples of %d wanted", m, n, k, Columns))
	}
	if m == 0 || n == 0 || k == 0 {
		return false
	}
	c.check("c", m, n)
	a.check("a", m, k)
	b.check("b", k, n)
	return true
}

// inTiles does a product tile by tile. Columns of b stay in the first-level cache while rows of a pass.
func inTiles[T float32 | float64](tiles []tile[T], c, a, b Matrix[T], m, n, k int) {
	bytes := func(values int) uintptr { return uintptr(values) * unsafe.Sizeof(c.V[0]) }
	for j, width := 0, 0; j < n; j += width {
		for i, t := 0, 0; i < m; {
			for tiles[t].columns > n-j || tiles[t].rows > m-i {
				t++
			}
			tiles[t].f(&c.V[i*c.Step+j], &a.V[i*a.Step], &b.V[j], bytes(c.Step), bytes(a.Step), bytes(b.Step), uintptr(k))
			i, width = i+tiles[t].rows, tiles[t].columns
		}
	}
}

// SumTaps adds to y, for each tap t in order, the products of w[t] with the values of x from at[t] on, each product
// and each sum rounded to float32.
//
// In the literature: a finite impulse response filter.
func SumTaps(y, x, w []float32, at []int) {
	n := 0
	for _, a := range at {
		_ = x[a : a+len(y)]
	}
	if use != nil && len(w) > 0 {
		if n = len(y) / (4 * use.lanes) * (4 * use.lanes); n > 0 {
			use.sumTaps(&y[0], &x[0], &w[0], &at[:len(w)][0], uintptr(len(w)), uintptr(n))
		}
	}
	for t, a := range w {
		from := x[at[t]:]
		for j := n; j < len(y); j++ {
			y[j] += float32(a * from[j])
		}
	}
}
