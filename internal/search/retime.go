package search

import (
	"context"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// Time is the timeline of a plan that was made before. It is Given without the baseline and
// without what is said of layers.
func Time(ctx context.Context, g *graph.Graph, p *plan.Plan, t Target) (*run.Timeline, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return newSearch(g, t).time(p)
}

// Value is the objective of a plan that was made before.
func Value(ctx context.Context, g *graph.Graph, p *plan.Plan, t Target) (float64, error) {
	tl, err := Time(ctx, g, p, t)
	if err != nil {
		return 0, err
	}
	return newSearch(g, t).value(tl), nil
}
