package pim

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// wanted is a value that float32 makes: within a bound of it, or an infinity where some step of it may go beyond the largest
// number. A rounding is off by the unit roundoff of its value and, among subnormal numbers, by half the least of them (Higham, Accuracy and
// Stability of Numerical Algorithms, 2nd ed., equation 2.8).
type wanted struct {
	value, bound float64 // an infinite value has no bound: every order of the steps ends there
	over, under  bool    // an addition, or the value itself, may be +Inf, -Inf
}

// tiny32 is half the least subnormal number of float32.
const tiny32 = math.SmallestNonzeroFloat32 / 2

// allows reports whether a value that is not finite may be right.
func (w *wanted) allows(got float64) bool {
	switch {
	case math.IsInf(got, 1):
		return w.over
	case math.IsInf(got, -1):
		return w.under
	}
	return w.over && w.under
}

// reach says how far the steps towards the value may go.
func (w *wanted) reach(low, high, largest float64) {
	w.over, w.under = w.over || high > largest, w.under || low < -largest
}

// limit makes an infinity of a value that is surely beyond the largest number.
func (w *wanted) limit() {
	w.reach(w.value-w.bound, w.value+w.bound, math.MaxFloat32)
	if math.Abs(w.value)-w.bound > math.MaxFloat32 || math.IsInf(w.value, 0) {
		w.value, w.bound = math.Inf(int(math.Copysign(1, w.value))), 0
	}
}

// divide divides by a power of two, which rounds subnormal numbers alone.
func (w *wanted) divide(exponent int) {
	if exponent == 0 {
		return
	}
	w.value, w.bound = math.Ldexp(w.value, -exponent), math.Ldexp(w.bound, -exponent)+tiny32
	w.limit()
}

// scale multiplies by alpha.
func (w *wanted) scale(alpha float64) {
	if alpha == 1 {
		return
	}
	if alpha < 0 {
		w.over, w.under = w.under, w.over
	} else if alpha == 0 && (w.over || w.under) { // 0 · Inf
		w.over, w.under = true, true
	}
	w.value, w.bound = alpha*w.value, math.Abs(alpha)*w.bound
	w.bound += unit32*(math.Abs(w.value)+w.bound) + tiny32
	w.limit()
}

// add adds a product of two numbers, which is rounded before.
func (w *wanted) add(added float64) {
	a := wanted{value: added, bound: unit32*math.Abs(added) + tiny32}
	a.limit()
	w.over, w.under = w.over || a.over, w.under || a.under
	w.value, w.bound = w.value+a.value, w.bound+a.bound
	w.bound += unit32 * (math.Abs(w.value) + w.bound)
	w.limit()
}

// round rounds both ends of the interval to a format. Infinity counts as the number that would be next, unless both ends are.
func (w *wanted) round(format tensor.Type) {
	next := math.Ldexp(1, limits[format].most)
	low, value, high := rounded(format, w.value-w.bound), rounded(format, w.value), rounded(format, w.value+w.bound)
	w.over, w.under = w.over || math.IsInf(high, 1), w.under || math.IsInf(low, -1)
	if low == high && math.IsInf(low, 0) {
		w.value, w.bound = low, 0
		return
	}
	held := func(v float64) float64 { return max(min(v, next), -next) }
	w.value = held(value)
	w.bound = max(held(high)-w.value, w.value-held(low))
}

// sum is what is wanted of an element of a block. The overrun does not count the element.
func (j *judge) sum(b *op.SumBlock, out, at int, reads [][]float32) (want wanted, o device.Overrun) {
	format, e := j.device.readFormat(), out*len(b.At)+at
	size, low, high := 0.0, 0.0, 0.0 // of the partial sums
	for i := range b.Parts {
		p := &b.Parts[i]
		s, norms := p.Sums[e], p.W[out]*p.X[at]
		off := j.device.offBy(p.K, norms)
		read := float64(reads[i][e])
		if math.IsInf(read, 0) {
			o.Over = 1
		} else if read == 0 && math.Abs(s) > off {
			o.Under = 1
		}
		if off-off != 0 { // some weight or input is not finite
			return wanted{value: math.NaN()}, o
		}
		// The products above 0 add up to (Σ|w·x| + s) / 2, those below to (s - Σ|w·x|) / 2.
		lowest, highest := (s-norms)/2-off, (s+norms)/2+off
		part := wanted{value: s, bound: off}
		if j.split {
			part.bound += (math.Abs(s) + math.Ldexp(1, limits[format].least)) * roundoff[format]
			low, high = low+lowest, high+highest
		} else {
			want.reach(lowest, highest, j.device.largest())
			part.round(format)
			want.over, want.under = want.over || part.over, want.under || part.under
			low, high = low+min(0, part.value-part.bound), high+max(0, part.value+part.bound)
		}
		want.value, want.bound, size = want.value+part.value, want.bound+part.bound, size+math.Abs(part.value)
	}
	if j.split { // what is read out is some of the products
		want.reach(low, high, math.Ldexp(1, limits[format].most)*(1-roundoff[format]))
	}
	if len(b.Parts) > 1 {
		more := gamma(len(b.Parts)) * (size + want.bound)
		want.bound += more
		want.reach(low-more, high+more, math.MaxFloat32)
	}
	want.limit()
	want.divide(j.exponent(b, out))
	want.scale(b.Alpha)
	if b.Added != nil {
		want.add(b.Added[e])
	}
	if j.typ != tensor.Float32 && j.typ != tensor.Float64 && want.value-want.value == 0 {
		want.round(j.typ)
	}
	return want, o
}
