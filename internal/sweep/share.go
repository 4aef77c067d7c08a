package sweep

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

// point is a machine of a sweep and the best plan for it.
type point struct {
	machine *hw.Machine
	pool    *platform.Pool
	plan    *plan.Plan // nil: there is none
	of      Times
	err     error // why the machine is not valid, or has no plan
}

// best searches a plan on each machine, times every plan at every point, and leaves each point the
// best of them. The search of a machine ends where no move helps, somewhere else on each, so that
// the plan of another machine can be better. A point keeps its own plan where none is. best returns
// the most that a point gained, as a share of the time that its own search found.
func best(ctx context.Context, m *Model, points []*point) (noise float64, err error) {
	done := m.counter(2 * len(points))
	if err := each(ctx, points, func(p *point) {
		defer done()
		if p.err == nil && p.plan == nil {
			p.find(ctx, m)
		}
	}); err != nil {
		return 0, err
	}
	var plans []*plan.Plan
	known := map[string]bool{}
	for _, p := range points {
		if p.plan == nil {
			continue
		}
		if text := placed(p.plan); !known[text] {
			known[text] = true
			plans = append(plans, p.plan)
		}
	}
	own := make([]device.Time, len(points))
	for i, p := range points {
		own[i] = p.of.Total
	}
	if err := each(ctx, points, func(p *point) {
		defer done()
		if p.plan != nil {
			p.retime(ctx, m, plans)
		}
	}); err != nil {
		return 0, err
	}
	for i, p := range points {
		if own[i] > 0 {
			noise = max(noise, 1-float64(p.of.Total)/float64(own[i]))
		}
	}
	return noise, nil
}

// each calls f for all points at the same time. The error is that of the context.
func each(ctx context.Context, points []*point, f func(*point)) error {
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range points {
		eg.Go(func() error {
			if ctx.Err() == nil {
				f(p)
			}
			return ctx.Err()
		})
	}
	return eg.Wait()
}

// find searches the plan of the machine.
func (p *point) find(ctx context.Context, m *Model) {
	t, err := platform.Target(p.machine, p.pool.Makers())
	if err != nil {
		p.err = err
		return
	}
	r, err := search.Best(ctx, m.Graph, m.Policy, t)
	if p.err = err; err == nil {
		p.plan, p.of = r.Plan, timesOf(r) // without the code of the result, which is large
	}
}

// retime times the plans on the machine and takes the best instead of its own, if that is better.
func (p *point) retime(ctx context.Context, m *Model, plans []*plan.Plan) {
	t, err := platform.Target(p.machine, p.pool.Makers())
	if err != nil {
		p.err = err
		return
	}
	list, err := search.Retime(ctx, m.Graph, plans, t)
	if err != nil {
		return // the sweep ends
	}
	if r := search.Least(list); r != nil && r.Timeline.Total < p.of.Total {
		p.plan, p.of.Total = r.Plan, r.Timeline.Total
	}
}

// kept is the time of a plan on the machine.
func (p *point) kept(m *Model, x *plan.Plan) (Times, error) {
	if p.machine == nil {
		return Times{}, p.err
	}
	t, err := platform.Target(p.machine, p.pool.Makers())
	if err != nil {
		return Times{}, err
	}
	r, err := search.Given(m.Graph, t.On(x), t)
	if err != nil {
		return Times{}, err
	}
	return timesOf(r), nil
}

// placed is all of a plan that its time depends on, as text.
func placed(p *plan.Plan) string {
	b := &strings.Builder{}
	fmt.Fprintln(b, p.PIM, p.PIMChannels, p.Launch)
	for _, s := range p.Segments {
		fmt.Fprintln(b, s.Exclusive)
		for _, t := range s.Tiles {
			fmt.Fprintln(b, t.Device, t.Node, t.Box)
		}
	}
	return b.String()
}
