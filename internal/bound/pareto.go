package bound

import (
	"cmp"
	"math"
	"slices"

	"pimflow/internal/candidate"
)

// busy is how long tiles keep the devices busy.
type busy [candidate.Lanes]float64

// frontPoints is how many points of a front are kept on the way, and manyVariants how many variants stand for a gate in more tiles
// than two (estimated).
const (
	frontPoints  = 24
	manyVariants = 8
)

// thin is the front of points of which none is at most another on both devices, by the first device. Of more than n the nearest are
// replaced by their least times, which no plan is below.
func thin(list []busy, n int) []busy {
	slices.SortFunc(list, func(a, b busy) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	out := list[:0]
	for _, p := range list {
		if k := len(out); k == 0 || p[1] < out[k-1][1] {
			out = append(out, p)
		}
	}
	for len(out) > n {
		at, least := 0, math.Inf(1)
		for k := range len(out) - 1 {
			if d := out[k+1][0] - out[k][0] + out[k][1] - out[k+1][1]; d < least {
				at, least = k, d
			}
		}
		out[at][1] = out[at+1][1]
		out = slices.Delete(out, at+1, at+2)
	}
	return out
}

// fronts is, by vertex and by number of edges, of which the last stands for all more, the front of the paths from the first vertex,
// or from the last if reverse is set, along edges of a dimension. serial says that each device occupies both.
func (w *cutGraph) fronts(dim, counts int, reverse, serial bool) [][][]busy {
	list := make([][][]busy, w.points)
	for k := range list {
		list[k] = make([][]busy, counts+1)
	}
	first := 0
	if reverse {
		first = w.points - 1
	}
	list[first][0] = []busy{{}}
	done := make([]bool, w.points)
	close := func(k int) {
		for n := range list[k] {
			if !done[k] {
				list[k][n] = thin(list[k][n], frontPoints)
			}
		}
		done[k] = true
	}
	for k := range w.edges {
		if reverse {
			k = len(w.edges) - 1 - k
		}
		e := &w.edges[k]
		if e.tile.Dim != dim {
			continue
		}
		from, to := e.from, e.to
		if reverse {
			from, to = to, from
		}
		close(from)
		for n, front := range list[from] {
			m := min(n+1, counts)
			for _, p := range front {
				if p[e.lane] += e.time; serial {
					p[1-e.lane] += e.time
				}
				list[to][m] = append(list[to][m], p)
			}
		}
	}
	for k := range list {
		close(k)
	}
	return list
}

// alone is the least time of a front on both devices together.
func alone(front []busy) float64 {
	least := math.Inf(1)
	for _, p := range front {
		least = min(least, max(p[0], p[1]))
	}
	return least
}
