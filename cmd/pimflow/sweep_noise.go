package main

import (
	"cmp"
	"context"
	"iter"
	"math/rand/v2"
	"slices"

	"pimflow/internal/report"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// Points that take the plans of anchors are searched in full, too, to tell what they lose: so many at least and at most, and of each so many one.
// Estimated: a search takes as long as ten points without, so that of a large space this is a twentieth of the time.
const (
	leastOf      = 4
	mostCompared = 32
	comparedEach = 64
)

// comparison draws points whose plans are those of anchors. The zero value has drawn none.
type comparison struct {
	seen  int
	drawn []drawnRow // by their places in a random order
}

type drawnRow struct {
	place uint64
	row   *result.Row
}

// add takes a row.
func (c *comparison) add(r *result.Row) {
	if r.Search != space.Anchors || r.Error != "" {
		return
	}
	c.seen++
	place := rand.NewPCG(1, uint64(r.Point)).Uint64()
	at, _ := slices.BinarySearchFunc(c.drawn, place, func(d drawnRow, p uint64) int { return cmp.Compare(d.place, p) })
	if c.drawn = slices.Insert(c.drawn, at, drawnRow{place, r}); len(c.drawn) > mostCompared {
		c.drawn = c.drawn[:mostCompared]
	}
}

// compare searches the drawn points in full. It returns nil where there are none.
func (c *comparison) compare(ctx context.Context, s *space.Space, by engine) (*report.Loss, error) {
	list := c.drawn[:min(len(c.drawn), leastOf+c.seen/comparedEach)]
	if len(list) == 0 {
		return nil, nil
	}
	loss := &report.Loss{}
	next := 0
	err := by.run(ctx, full(s, list), func(r *result.Row, _ bool) error {
		loss.Add(list[next].row, r)
		next++
		return nil
	})
	return loss, err
}

// full are the points of rows, to be searched.
func full(s *space.Space, list []drawnRow) iter.Seq[space.Task] {
	return func(yield func(space.Task) bool) {
		for _, d := range list {
			p := s.At(d.row.Point)
			p.Effort = d.row.Effort
			if !yield(space.Task{Point: p}) {
				return
			}
		}
	}
}
