package pimflow

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/result"
	"pimflow/internal/search"
)

// Point is the time and the energy of a plan.
type Point struct {
	Policy    string  `json:"policy"`
	Objective string  `json:"objective"` // that it was searched for
	Total     float64 `json:"total_ns"`
	Energy    float64 `json:"energy_pj"`
	Speedup   float64 `json:"speedup"`      // over the GPU alone
	Ratio     float64 `json:"energy_ratio"` // over that of the GPU alone
}

// Pareto searches again on the plan's machine, with its policy and, where that is auto, every
// other policy, for each objective. It returns the plans of which no other takes both less
// time and less energy, the fastest first.
//
// In the literature: the Pareto front.
func (s *Session) Pareto(ctx context.Context, p *Plan) ([]Point, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	asked, err := search.Lookup(cmp.Or(p.how.Policy, DefaultPolicy))
	if err != nil {
		return nil, err
	}
	policies := []search.Policy{asked}
	for _, q := range search.Policies() {
		if asked.All && !q.All {
			policies = append(policies, q)
		}
	}
	var all []Point
	for _, o := range search.Objectives() {
		for _, q := range policies {
			t := p.target
			t.Objective, t.Progress = o, s.phase("pareto: "+q.Name+", "+o.String())
			r, err := search.Best(ctx, s.graph, q, t)
			if errors.Is(err, ErrNoDevice) {
				continue
			}
			if err != nil {
				return nil, err
			}
			base, own := r.Baseline.Energy(&r.Standby), r.Timeline.Energy(&r.Standby)
			ratio, _, _ := own.Ratio(&base)
			all = append(all, Point{q.Name, o.String(), r.Timeline.Total.NS(), own.Total().Value, float64(r.Baseline.Total) / max(float64(r.Timeline.Total), 1), ratio})
		}
	}
	return front(all), nil
}

// front keeps the Pareto front, the fastest first, and of equal points the first.
func front(all []Point) (front []Point) {
	numbers := make([][]float64, len(all))
	for i, p := range all {
		numbers[i] = []float64{p.Total, p.Energy}
	}
	for _, i := range result.Front(numbers) {
		front = append(front, all[i])
	}
	slices.SortStableFunc(front, func(a, b Point) int { return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(a.Energy, b.Energy)) })
	return slices.CompactFunc(front, func(a, b Point) bool { return a.Total == b.Total && a.Energy == b.Energy })
}

// Doubt searches the plan again for the fastest and for the slowest GPU within the bounds of its
// times, and sets Fast and Slow of the report's layers.
func (s *Session) Doubt(ctx context.Context, p *Plan, r *Report) error {
	p, err := s.own(p)
	if err != nil {
		return err
	}
	policy, err := search.Lookup(cmp.Or(p.how.Policy, DefaultPolicy))
	if err != nil {
		return err
	}
	for _, bound := range []struct {
		name string
		of   func(*device.Uncertainty) device.Time
		kind func(*Layer) *string
	}{
		{"fast", func(d *device.Uncertainty) device.Time { return d.Low }, func(l *Layer) *string { return &l.Fast }},
		{"slow", func(d *device.Uncertainty) device.Time { return d.High }, func(l *Layer) *string { return &l.Slow }},
	} {
		t := p.target
		t.Progress = s.phase("search for a " + bound.name + " GPU")
		t.Baseline = nil // of another GPU
		t.Devices = search.Devices(func(channels int, commands string) ([]device.Device, error) {
			ds, err := p.target.Devices(channels, commands)
			ds = slices.Clone(ds)
			for i := range ds {
				ds[i] = device.Bound(ds[i], func(u *device.Uncertainty) device.Time {
					if u.Class == device.PIMLaunches { // nothing of the GPU
						return u.Time
					}
					return bound.of(u)
				})
			}
			return ds, err
		}).Memo()
		found, err := search.Best(ctx, s.graph, policy, t)
		if err != nil {
			return err
		}
		layers, err := found.Layers()
		if err != nil {
			return err
		}
		for i := range r.Layers {
			*bound.kind(&r.Layers[i]) = layers[i].Kind
		}
	}
	return nil
}
