package search

import (
	"context"

	"pimflow/internal/graph"
	"pimflow/internal/search/local"
)

// BestWith is Best with other limits.
func BestWith(ctx context.Context, g *graph.Graph, p Policy, t Target, points int, options *local.Options) (*Result, error) {
	s := newSearch(g, t)
	s.points, s.local = points, options
	return s.best(ctx, p)
}
