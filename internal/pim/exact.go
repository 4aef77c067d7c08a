package pim

import (
	"math"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// exact reports whether operands are integers and sums are int32: no sum is rounded.
func (d *Device) exact() bool { return d.format == tensor.Int8 }

// longestSum is the number of products of integers of 8 bits, less their zero points, whose sum int32 holds.
const longestSum = math.MaxInt32 / (255 * 255)

// results are the sums of the result matrices as they are read out: rounded numbers, or whole ones that are exact.
type results struct {
	rounded []float32
	exact   []float64
}

func newResults(n int, exact bool) *results {
	if exact {
		return &results{exact: make([]float64, n)}
	}
	return &results{rounded: make([]float32, n)}
}

// newAllResults are those of several sets of inputs, rounded numbers in the memory given.
func newAllResults(memory *[]float32, sets, n int, exact bool) []*results {
	all := make([]*results, sets)
	for i := range all {
		if exact {
			all[i] = newResults(n, exact)
		} else {
			all[i] = &results{rounded: zeros(memory, n)}
		}
	}
	return all
}

// add adds the sums that a channel has read out, the first of them to element at.
func (r *results) add(at int, sums *results) {
	if n := len(sums.rounded); n > 0 {
		to := r.rounded[at : at+n]
		vector.Add(to, to, sums.rounded)
	}
	for j, v := range sums.exact {
		r.exact[at+j] += v
	}
}

// exactRun is the number of products of whole numbers up to 255 that float32 adds exactly: 256 · 255² < 2^24.
const exactRun = 256
