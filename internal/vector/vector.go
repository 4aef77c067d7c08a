// Package vector has the inner loops of values: matrix products, sums, bounds, and rounding to half precision. It uses
// the vector instructions that the CPU has. Every result has the bits that the loops in Go give: a sum is in a stated
// order, each product and each sum is rounded to float32. Only which NaN a NaN is may differ.
//
// The package does not know what a tensor, an operator or a device is.
package vector

//go:generate go run -C ../../tools ./vector -out ../internal/vector/kernels_amd64.s -stubs ../internal/vector/kernels_amd64.go -pkg vector

// instructions are the loops for one kind of CPU. Each does a multiple of lanes values.
type instructions struct {
	name     string
	lanes    int
	tiles    []tile[float32] // from wide to narrow, then from tall to low
	wide     []tile[float64]
	sumTaps  func(y, x, w *float32, at *int, taps, n uintptr)
	add      func(y, x, z *float32, n uintptr)
	shift    func(y, x *float32, by float32, n uintptr)
	clamp    func(y, x *float32, lo, zero, hi float32, n uintptr)
	affine   func(y, x *float32, mean, scale, bias float64, n uintptr)
	float16  func(y, x *float32, n uintptr)
	bfloat16 func(y, x *float32, n uintptr)
	dots     []dotRows // from many rows to one
}

// tile is a part of a matrix product that stays in registers.
type tile[T float32 | float64] struct {
	rows, columns int
	f             func(c, a, b *T, stepC, stepA, stepB, k uintptr)
}

type dotRows struct {
	rows int
	f    func(to, x, w *float32, step, head, n uintptr)
}

// use is what this CPU has; nil: nothing.
var use = func() *instructions {
	if have := available(); len(have) > 0 {
		return have[0]
	}
	return nil
}()

// whole is the part of n values that vector instructions do, and the rest.
func (i *instructions) whole(n int) int {
	if i == nil {
		return 0
	}
	return n / i.lanes * i.lanes
}
