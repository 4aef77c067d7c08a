package evaluate

import (
	"context"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/plan"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// Outcome is what is known of a point.
type Outcome struct {
	Row  result.Row
	Plan *plan.Plan // nil where there is none
	Text string     // of the plan
	Err  error      // why there is none
}

// Each finds the plans of points, as many at the same time as there are processors, and calls done after each. Starts and way are
// those of all points (Find). The error is that of the context.
func (e *Evaluator) Each(ctx context.Context, points []space.Point, way string, starts []string, done func()) ([]Outcome, error) {
	return e.each(ctx, points, way, func(int) []string { return starts }, done)
}

// All searches the plan of each point and times all plans at each, as a sweep does with space.All. It returns what the search of a point
// found, and the best. A point without a plan of its own has none. done is called twice a point.
func (e *Evaluator) All(ctx context.Context, points []space.Point, done func()) (own, best []Outcome, err error) {
	if own, err = e.Each(ctx, points, space.Full, nil, done); err != nil {
		return nil, nil, err
	}
	var live []space.Point
	var mine []string
	for i := range own {
		if own[i].Err == nil {
			live, mine = append(live, points[i]), append(mine, own[i].Text)
		}
	}
	all, err := e.each(ctx, live, space.All, func(i int) []string { return append(mine[i:i+1:i+1], mine...) }, done)
	if err != nil {
		return nil, nil, err
	}
	for i := range own {
		best = append(best, own[i])
		if own[i].Err == nil {
			best[i], all = all[0], all[1:]
		} else {
			done()
		}
	}
	return own, best, nil
}

func (e *Evaluator) each(ctx context.Context, points []space.Point, way string, starts func(i int) []string, done func()) ([]Outcome, error) {
	list := make([]Outcome, len(points))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range points {
		g.Go(func() error {
			if ctx.Err() == nil {
				list[i] = e.outcome(ctx, &points[i], way, starts(i))
				done()
			}
			return ctx.Err()
		})
	}
	return list, g.Wait()
}

func (e *Evaluator) outcome(ctx context.Context, p *space.Point, way string, starts []string) (o Outcome) {
	of, err := e.Find(ctx, p, way, starts)
	if o.Row, o.Err = of.Row, err; err != nil {
		return o
	}
	var b strings.Builder
	o.Err = of.Plan.Print(&b)
	o.Plan, o.Text = of.Plan.Internal().Plan, b.String()
	return o
}
