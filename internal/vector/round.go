package vector

import (
	"math"

	"github.com/x448/float16"
)

// Float16 sets y to x rounded to the nearest float16, ties to even, beyond the largest to an infinity; y may be x.
func Float16(y, x []float32) {
	x = x[:len(y)]
	n := use.whole(len(y))
	if n > 0 {
		use.float16(&y[0], &x[0], uintptr(n))
	}
	for i := n; i < len(y); i++ {
		y[i] = ToFloat16(x[i])
	}
}

// ToFloat16 is Float16 of one value.
func ToFloat16(v float32) float32 {
	b := math.Float32bits(v)
	if a := b &^ (1 << 31); a-0x38800000 < 0x477fe000-0x38800000 { // 2^-14 to 65504
		return math.Float32frombits((b + 0xfff + b>>13&1) &^ 0x1fff)
	} else if a == 0 {
		return v
	}
	return float16.Fromfloat32(v).Float32()
}

// BFloat16 sets y to x rounded to the nearest bfloat16, ties to even, beyond the largest to an infinity; y may be x.
func BFloat16(y, x []float32) {
	x = x[:len(y)]
	n := use.whole(len(y))
	if n > 0 {
		use.bfloat16(&y[0], &x[0], uintptr(n))
	}
	for i := n; i < len(y); i++ {
		y[i] = ToBFloat16(x[i])
	}
}

// ToBFloat16 is BFloat16 of one value. A NaN stays a (quiet) NaN.
func ToBFloat16(v float32) float32 {
	b := math.Float32bits(v)
	if v != v {
		return math.Float32frombits(b&0xffff0000 | 0x400000)
	}
	return math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff)
}
