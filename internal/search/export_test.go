package search

import (
	"context"

	"pimflow/internal/bound"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/search/local"
)

// BestWith is Best with other limits.
func BestWith(ctx context.Context, g *graph.Graph, p Policy, t Target, points int, options *local.Options) (*Result, error) {
	s := newSearch(g, t)
	s.points, s.local = points, options
	return s.best(ctx, p)
}

// BestAndBounds is Best without bounds, and a function that computes them.
func BestAndBounds(ctx context.Context, g *graph.Graph, p Policy, t Target) (*Result, func(bound.Options) (all, two device.Time), error) {
	t.Unbounded = true
	s := newSearch(g, t)
	r, err := s.best(ctx, p)
	return r, func(o bound.Options) (all, two device.Time) { return s.bound(ctx, o) }, err
}
