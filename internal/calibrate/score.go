package calibrate

import (
	"math"
	"slices"
)

// Score is the error of predictions: the mean absolute error and the mean error, relative to
// the measurement, and Spearman's rank correlation.
type Score struct {
	N                    int
	MAPE, Bias, Spearman float64
}

// score scores pairs of predicted and measured times.
func score(predicted, measured []float64) Score {
	s := Score{N: len(measured)}
	if s.N == 0 {
		return s
	}
	for i, p := range predicted {
		e := p/measured[i] - 1
		s.MAPE += math.Abs(e)
		s.Bias += e
	}
	s.MAPE /= float64(s.N)
	s.Bias /= float64(s.N)
	s.Spearman = pearson(ranks(predicted), ranks(measured))
	return s
}

// ranks are the ranks in ascending order; equal values have their mean rank.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, o := range order[i:j] {
			out[o] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}

// pearson is the correlation of two lists, 0 if one of them is constant.
func pearson(a, b []float64) float64 {
	n := float64(len(a))
	var ma, mb, saa, sbb, sab float64
	for i := range a {
		ma += a[i] / n
		mb += b[i] / n
	}
	for i := range a {
		saa += (a[i] - ma) * (a[i] - ma)
		sbb += (b[i] - mb) * (b[i] - mb)
		sab += (a[i] - ma) * (b[i] - mb)
	}
	if saa == 0 || sbb == 0 {
		return 0
	}
	return sab / math.Sqrt(saa*sbb)
}

// quantile is the quantile of sorted values, interpolated linearly.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
