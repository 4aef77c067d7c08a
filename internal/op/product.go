package op

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"pimflow/internal/tensor"
)

// Blocking of matrix products, measured on two cores with 1 MB of L2 cache each:
// depth×width values of the right matrix stay in the cache. Below 4 blocks of
// 64×64 gonum's Gemm does not start goroutines of its own.
const (
	blockDepth  = 128
	blockWidth  = 192
	blockHeight = 64
)

// block is the scratch memory of one matrix product.
type block struct{ a, b, c []float32 }

func newBlock(m, n, k int) *block {
	k = min(k, blockDepth)
	return &block{make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)}
}

// product sets c, of m rows and n columns, to the product of two matrices. left
// and right write columns, or rows, k0 to k1 of them, densely. Every element is a
// sum in the order of k, each product and each sum rounded to float32, so that it
// does not depend on the block it is in. finite says that no value is an infinity
// or NaN.
func (t *block) product(m, n, k int, finite bool, left, right func(k0, k1 int, to []float32)) []float32 {
	c := t.c[:m*n]
	clear(c)
	for k0 := 0; k0 < k; k0 += blockDepth {
		k1 := min(k, k0+blockDepth)
		d := k1 - k0
		a, b := t.a[:m*d], t.b[:d*n]
		left(k0, k1, a)
		right(k0, k1, b)
		if !finite {
			accumulate(m, n, d, a, b, c)
			continue
		}
		for i := 0; i < m; i += blockHeight {
			h := min(blockHeight, m-i)
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1,
				blas32.General{Rows: h, Cols: d, Stride: d, Data: a[i*d:]},
				blas32.General{Rows: d, Cols: n, Stride: n, Data: b},
				1, blas32.General{Rows: h, Cols: n, Stride: n, Data: c[i*n:]})
		}
	}
	return c
}

// accumulate adds a·b to c. Gemm does not multiply by a zero of a, which is right
// only as long as b is finite: a zero times an infinity is NaN.
func accumulate(m, n, k int, a, b, c []float32) {
	for i := range m {
		row := c[i*n : i*n+n]
		for l := range k {
			x := a[i*k+l]
			for j, y := range b[l*n : l*n+n] {
				row[j] += float32(x * y)
			}
		}
	}
}

// finite reports whether no value of the box is an infinity or NaN.
func finite(t *tensor.Tensor, b tensor.Box) bool {
	x, ok := t.Floats(), true
	b.Runs(t.Shape, func(off, n int) {
		var s0, s1, s2, s3 float32 // NaN when anything was not finite
		v := x[off : off+n]
		for len(v) >= 4 {
			s0, s1, s2, s3 = s0+v[0]*0, s1+v[1]*0, s2+v[2]*0, s3+v[3]*0
			v = v[4:]
		}
		for _, x := range v {
			s0 += x * 0
		}
		s := s0 + s1 + s2 + s3
		ok = ok && s == s
	})
	return ok
}
