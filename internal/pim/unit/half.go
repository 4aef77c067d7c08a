package unit

import (
	"encoding/binary"
	"math"

	"pimflow/internal/tensor"
)

// half rounds to the nearest number of fp16, ties to even. A sum of an fp16 number and a product of two is first rounded to float64,
// which changes no result: the sum is exact where either part decides the rounding of the other.
func half(v float64) float32 {
	const (
		drop  = 52 - 10              // bits of float64 that fp16 has not
		least = 1023 - 14            // biased exponent of the least normal number
		most  = 1023 + 15            // of the largest numbers
		magic = 0x1.8p52 / (1 << 24) // whose last bit is the least subnormal number
	)
	u := math.Float64bits(v)
	switch e := u >> 52 & 0x7ff; {
	case e >= least && e <= most:
		u += 1<<(drop-1) - 1 + u>>drop&1
		if u>>52&0x7ff > most {
			return float32(math.Inf(1 - 2*int(u>>63)))
		}
		return float32(math.Float64frombits(u &^ (1<<drop - 1)))
	case e < least:
		return float32(math.Copysign(math.Abs(v)+magic-magic, v))
	case v != v:
		return float32(v)
	}
	return float32(math.Inf(1 - 2*int(u>>63)))
}

// Data is what a write moves over the pins: 32 bytes, the lowest first.
type Data [2 * Lanes]byte

// Halves are so many numbers of fp16 as data, at most 16; the rest is 0.
func Halves(v []float32) (d Data) {
	for i, x := range v {
		binary.LittleEndian.PutUint16(d[2*i:], tensor.ToFloat16(x))
	}
	return d
}

// Words are eight words as data, those that are missing 0.
func Words(w []uint32) (d Data) {
	for i, x := range w {
		binary.LittleEndian.PutUint32(d[4*i:], x)
	}
	return d
}

// half is number i of the data.
func (d *Data) half(i int) float32 { return tensor.FromFloat16(binary.LittleEndian.Uint16(d[2*i:])) }

func (d *Data) word(i int) uint32 { return binary.LittleEndian.Uint32(d[4*i:]) }

// Column is the fp16 numbers of a column of a bank, or of a vector register.
type Column [Lanes]float32

func (d *Data) column() (c Column) {
	for i := range c {
		c[i] = d.half(i)
	}
	return c
}
