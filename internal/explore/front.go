package explore

import (
	"cmp"
	"math"
	"slices"
)

// dominates reports whether a is nowhere larger than b, and somewhere smaller. Any design with objectives dominates each
// without.
func dominates(a, b []float64) bool {
	if a == nil || b == nil {
		return a != nil
	}
	less := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		less = less || a[i] < b[i]
	}
	return less
}

// rank sets the rank and the crowding distance of each design: rank 0 is the Pareto front, rank 1 that of the others, and so
// on.
//
// In the literature: efficient non-dominated sorting (Zhang, Tian, Cheng and Jin 2015), with the crowded comparison and the constrained
// domination of NSGA-II (Deb et al. 2002).
func rank(list []*outcome) {
	sorted := slices.Clone(list) // a design is dominated by none that is after it
	slices.SortStableFunc(sorted, func(a, b *outcome) int {
		if a.objectives == nil || b.objectives == nil {
			return cmp.Compare(len(b.objectives), len(a.objectives))
		}
		return slices.Compare(a.objectives, b.objectives)
	})
	var fronts [][]*outcome
	for _, x := range sorted {
		x.rank = slices.IndexFunc(fronts, func(front []*outcome) bool {
			return !slices.ContainsFunc(front, func(f *outcome) bool { return dominates(f.objectives, x.objectives) })
		})
		if x.rank < 0 {
			x.rank, fronts = len(fronts), append(fronts, nil)
		}
		fronts[x.rank] = append(fronts[x.rank], x)
	}
	for _, front := range fronts {
		crowd(front)
	}
}

// crowd sets the crowding distances of a front: how far the neighbours of a design in each objective are from each other, as a share
// of the front; infinite for the least and the largest.
func crowd(front []*outcome) {
	for _, x := range front {
		x.crowding = 0
	}
	if front[0].objectives == nil {
		return
	}
	sorted := slices.Clone(front)
	for m := range front[0].objectives {
		slices.SortStableFunc(sorted, func(a, b *outcome) int { return cmp.Compare(a.objectives[m], b.objectives[m]) })
		first, last := sorted[0], sorted[len(sorted)-1]
		span := last.objectives[m] - first.objectives[m]
		first.crowding, last.crowding = math.Inf(1), math.Inf(1)
		if span == 0 {
			continue
		}
		for i := 1; i < len(sorted)-1; i++ {
			sorted[i].crowding += (sorted[i+1].objectives[m] - sorted[i-1].objectives[m]) / span
		}
	}
}

// crowded orders designs: those of a lower rank first, then those with more room around them.
func crowded(a, b *outcome) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.crowding, a.crowding))
}

// best ranks designs and returns the first n in the crowded order; of equal ones those that come first.
func best(list []*outcome, n int) []*outcome {
	rank(list)
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, crowded)
	return sorted[:min(n, len(sorted))]
}
