package vector

import "math"

// Add sets y to x + z, element by element; all are of one length and y may be either.
func Add(y, x, z []float32) {
	x, z = x[:len(y)], z[:len(y)]
	n := use.whole(len(y))
	if n > 0 {
		use.add(&y[0], &x[0], &z[0], uintptr(n))
	}
	for i := n; i < len(y); i++ {
		y[i] = x[i] + z[i]
	}
}

// Shift sets y to x + by; y may be x.
func Shift(y, x []float32, by float32) {
	x = x[:len(y)]
	n := use.whole(len(y))
	if n > 0 {
		use.shift(&y[0], &x[0], by, uintptr(n))
	}
	for i := n; i < len(y); i++ {
		y[i] = x[i] + by
	}
}

// Clamp sets y to min(max(x, lo), hi), as Go has them; y may be x.
func Clamp(y, x []float32, lo, hi float32) {
	x = x[:len(y)]
	// The instructions return x for a NaN on either side and for two zeros: bounds that are NaN, and an upper bound of
	// −0, are left to Go. Adding zero makes 0 of −0 if the lower bound is 0, and otherwise nothing.
	n := 0
	if lo == lo && hi == hi && (hi != 0 || !math.Signbit(float64(hi))) {
		n = use.whole(len(y))
	}
	if n > 0 {
		zero := float32(math.Copysign(0, -1))
		if lo == 0 && !math.Signbit(float64(lo)) {
			zero = 0
		}
		use.clamp(&y[0], &x[0], lo, zero, hi, uintptr(n))
	}
	for i := n; i < len(y); i++ {
		y[i] = min(max(x[i], lo), hi)
	}
}

// Affine sets y to (x − mean)·scale + bias, each step in float64 and the value rounded to float32; y may be x.
func Affine(y, x []float32, mean, scale, bias float64) {
	x = x[:len(y)]
	n := use.whole(len(y))
	if n > 0 {
		use.affine(&y[0], &x[0], mean, scale, bias, uintptr(n))
	}
	for i := n; i < len(y); i++ {
		y[i] = float32(float64((float64(x[i])-mean)*scale) + bias)
	}
}
