package result

import (
	"cmp"
	"slices"
)

// Front returns the indices of the points that no other point dominates, in order: no other is at most as large in every
// number and smaller in one. Of equal points all are kept.
//
// In the literature: the Pareto front, the maxima of a set of vectors (Kung, Luccio and Preparata, JACM 1975).
func Front(points [][]float64) []int {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(points[a], points[b]) })
	var front []int // a point is dominated by none that is after it in the order
	for _, i := range order {
		if !slices.ContainsFunc(front, func(k int) bool { return dominates(points[k], points[i]) }) {
			front = append(front, i)
		}
	}
	slices.Sort(front)
	return front
}

// dominates reports whether a is nowhere larger than b, and somewhere smaller.
func dominates(a, b []float64) bool {
	less := false
	for i := range a {
		switch cmp.Compare(a[i], b[i]) {
		case 1:
			return false
		case -1:
			less = true
		}
	}
	return less
}
