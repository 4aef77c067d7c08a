package result

import "slices"

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
	var front, different []int // a point is dominated by none that is after it in the order
	kept := false
	for n, i := range order {
		if n == 0 || !slices.Equal(points[order[n-1]], points[i]) { // else it is as that
			kept = !slices.ContainsFunc(different, func(k int) bool { return within(points[k], points[i]) })
			if kept {
				different = append(different, i)
			}
		}
		if kept {
			front = append(front, i)
		}
	}
	slices.Sort(front)
	return front
}

// within reports whether a is nowhere larger than b: it dominates b unless they are equal.
func within(a, b []float64) bool {
	for i := range a {
		if a[i] > b[i] {
			return false
		}
	}
	return true
}
