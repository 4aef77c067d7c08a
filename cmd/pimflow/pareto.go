package main

import (
	"context"
	"errors"

	"pimflow/internal/report"
	"pimflow/internal/search"
)

// pareto is the plans of all policies, and of the policy asked for under every objective,
// of which no other takes both less time and less energy.
func (p *path) pareto(ctx context.Context, policy string, bar *bar) ([]report.Point, error) {
	var all []report.Point
	add := func(policy search.Policy, o search.Objective) error {
		t := p.Target
		t.Objective, t.Progress = o, bar.phase("pareto: "+policy.Name+", "+o.String())
		r, err := search.Best(ctx, p.Graph, policy, t)
		if errors.Is(err, search.ErrNoDevice) {
			return nil
		}
		if err == nil {
			all = append(all, report.NewPoint(policy.Name, o.String(), r))
		}
		return err
	}
	row, err := search.Lookup(policy)
	if err != nil {
		return nil, err
	}
	for _, o := range search.Objectives() {
		if err := add(row, o); err != nil {
			return nil, err
		}
		for _, q := range search.Policies() {
			if row.All && !q.All {
				if err := add(q, o); err != nil {
					return nil, err
				}
			}
		}
	}
	return report.Front(all), nil
}
