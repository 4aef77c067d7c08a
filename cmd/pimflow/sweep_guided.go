package main

import (
	"context"
	"slices"

	"pimflow/internal/result"
	"pimflow/internal/space"
)

// evaluations is how many rows a sweep computes, at most.
func evaluations(s *space.Space) (n int) {
	if !s.Guided() {
		return s.Count()
	}
	counts, _ := s.Guide().Rungs()
	for _, c := range counts {
		n += c
	}
	return n
}

// guided evaluates the points that a guide asks for, set after set, and tells the guide their objectives. add counts each row, and whether it was
// known. take gets the best row of a point, the last of equal rows, once the guide asks for the point no more. After an error take gets the rows
// that exist, then the error is returned.
func guided(ctx context.Context, g *space.Guide, by engine, add func(*result.Row, bool), take func(*result.Row) error) error {
	best := map[int]*result.Row{}
	var order []int // of the points that have no row yet
	leave := func(stay func(point int) bool) error {
		rest := order[:0]
		for _, p := range order {
			if stay(p) {
				rest = append(rest, p)
				continue
			}
			r := best[p]
			delete(best, p)
			if err := take(r); err != nil {
				return err
			}
		}
		order = rest
		return nil
	}
	for {
		tasks := g.Ask()
		again := map[int]bool{}
		for i := range tasks {
			again[tasks[i].Index] = true
		}
		if err := leave(func(p int) bool { return again[p] }); err != nil || len(tasks) == 0 {
			return err
		}
		var objectives [][]float64
		err := by.run(ctx, slices.Values(tasks), func(r *result.Row, cached bool) error {
			add(r, cached)
			old := best[r.Point]
			if old == nil {
				order = append(order, r.Point)
			}
			if old == nil || r.Error == "" && (old.Error != "" || r.Minimised() <= old.Minimised()) {
				best[r.Point] = r
			}
			objectives = append(objectives, best[r.Point].Objectives())
			return nil
		})
		if err != nil {
			if stopped := leave(func(int) bool { return false }); stopped != nil {
				return stopped
			}
			return err
		}
		g.Tell(objectives)
	}
}
