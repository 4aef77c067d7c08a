package pim

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// exact reports whether operands are integers and sums are int32: no sum is rounded.
func (d *Device) exact() bool { return d.format == tensor.Int8 }

// longestSum is the number of products of integers of 8 bits, less their zero points, whose sum int32 holds.
const longestSum = math.MaxInt32 / (255 * 255)

// Sums are sums of products as they are read out: rounded numbers, or whole ones that are exact.
type Sums struct {
	Rounded []float32
	Exact   []float64
}

// Len is how many they are.
func (r *Sums) Len() int { return len(r.Rounded) + len(r.Exact) }

// Differ finds the first sum from an element on that differs in a bit from another's, and shows both. Any two that are not a number are the same.
func (r *Sums) Differ(at int, other *Sums) (i int, here, there string, differ bool) {
	for i, v := range other.Rounded {
		if x := r.Rounded[at+i]; math.Float32bits(x) != math.Float32bits(v) && (x == x || v == v) {
			return i, fmt.Sprint(x), fmt.Sprint(v), true
		}
	}
	for i, v := range other.Exact {
		if x := r.Exact[at+i]; x != v {
			return i, fmt.Sprintf("%.0f", x), fmt.Sprintf("%.0f", v), true
		}
	}
	return 0, "", "", false
}

// append adds sums behind.
func (r *Sums) append(more Sums) {
	r.Rounded, r.Exact = append(r.Rounded, more.Rounded...), append(r.Exact, more.Exact...)
}

// newResults are those of result matrices.
func newResults(n int, exact bool) *Sums {
	if exact {
		return &Sums{Exact: make([]float64, n)}
	}
	return &Sums{Rounded: make([]float32, n)}
}

// newAllResults are those of several sets of inputs, rounded numbers in the memory given.
func newAllResults(memory *[]float32, sets, n int, exact bool) []*Sums {
	all := make([]*Sums, sets)
	for i := range all {
		if exact {
			all[i] = newResults(n, exact)
		} else {
			all[i] = &Sums{Rounded: zeros(memory, n)}
		}
	}
	return all
}

// add adds the sums that a channel has read out, the first of them to element at.
func (r *Sums) add(at int, sums *Sums) {
	if n := len(sums.Rounded); n > 0 {
		to := r.Rounded[at : at+n]
		vector.Add(to, to, sums.Rounded)
	}
	for j, v := range sums.Exact {
		r.Exact[at+j] += v
	}
}

// exactRun is the number of products of whole numbers up to 255 that float32 adds exactly: 256 · 255² < 2^24.
const exactRun = 256
