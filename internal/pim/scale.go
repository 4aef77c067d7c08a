package pim

import (
	"math"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// exponents are powers of two that the weights of outputs are multiplied by before they are rounded to
// the machine's format. Sums are divided by them when they are finished. Both are exact: only
// exponents change. The conversion of a result to float32 adds the exponent, which is taken to cost
// nothing (estimated).
//
// In the literature: per-channel scaling of weights.
type exponents struct {
	first int   // output
	by    []int // by output; nil: all 0
}

// limit is the range of a format: its least normal and its first infinite exponent of two.
type limit struct{ least, most int }

// limits are those of IEEE 754 and bfloat16.
var limits = map[tensor.Type]limit{tensor.Float16: {-14, 16}, tensor.BFloat16: {-126, 128}, tensor.Float32: {-126, 128}}

// An output's weights are scaled if their Euclidean norm is below 2^4 times the least normal value or
// above 2^-10 times the largest; then it becomes 1/4 to 1/2, and sums are about as large as inputs.
// Estimated: 2^4 leaves weights of 256 products normal, 2^-10 leaves inputs of 1000 finite.
const (
	scaleLow, scaleHigh = 4, -10
	scaledNorm          = -1 // norm below 2^-1
)

// exponents are those of the layer's outputs.
func (l *layer) exponents(format tensor.Type, w []float32) exponents {
	e := exponents{first: l.outs.Lo}
	if l.dynamic || !format.Float() { // nobody knows before what is written in a run
		return e
	}
	norms := make([]float64, l.outs.Len())
	for _, p := range l.products() {
		p.addNorms(w, norms)
	}
	r := limits[format]
	for i, norm := range norms {
		if norm == 0 || math.IsInf(norm, 0) || math.IsNaN(norm) {
			continue
		}
		if _, n := math.Frexp(math.Sqrt(norm)); n-1 < r.least+scaleLow || n > r.most+scaleHigh {
			if e.by == nil {
				e.by = make([]int, len(norms))
			}
			e.by[i] = scaledNorm - n
		}
	}
	return e
}

// addNorms adds the squares of the weights of each output.
func (l *layer) addNorms(w []float32, norms []float64) {
	if l.part != nil || l.batch != nil {
		w = l.rows(w)
	}
	for i := range norms {
		if !l.byColumn {
			norms[i] += vector.Squares(w[(l.outs.Lo+i)*l.groupK:][:l.groupK])
		}
	}
	for k := 0; l.byColumn && k < l.groupK; k++ {
		for i, v := range w[k*l.groupOuts+l.outs.Lo:][:len(norms)] {
			norms[i] += float64(v) * float64(v)
		}
	}
}

// of is the exponent of an output.
func (e *exponents) of(out int) int {
	if e.by == nil {
		return 0
	}
	return e.by[out-e.first]
}

// apply scales weights of an output in place. Outputs beyond the last have no weights.
func (e *exponents) apply(out int, w []float32) {
	if len(w) == 0 || e.of(out) == 0 {
		return
	}
	for i, v := range w {
		w[i] = float32(math.Ldexp(float64(v), e.of(out)))
	}
}

// undo divides a sum of an output by its power of two.
func (e *exponents) undo(out int, v float32) float32 {
	if e.by == nil {
		return v
	}
	return float32(math.Ldexp(float64(v), -e.of(out)))
}
