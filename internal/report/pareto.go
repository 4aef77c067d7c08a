package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/search"
)

// Point is a plan as its time and energy.
type Point struct {
	Policy    string  `json:"policy"`
	Objective string  `json:"objective"` // that it was searched for
	Total     float64 `json:"total_ns"`
	Energy    float64 `json:"energy_pj"`
	Speedup   float64 `json:"speedup"`
	Ratio     float64 `json:"energy_ratio"` // over the GPU alone
}

// NewPoint is the plan of a result.
func NewPoint(policy, objective string, r *search.Result) Point {
	e := newEnergy(r)
	return Point{policy, objective, r.Timeline.Total.NS(), e.Total, float64(r.Baseline.Total) / max(float64(r.Timeline.Total), 1), e.Ratio}
}

// Front keeps the points of which no other takes less time and no more energy, or less
// energy and no more time; the fastest first, of equal ones the first.
func Front(all []Point) (front []Point) {
	list := slices.Clone(all)
	slices.SortStableFunc(list, func(a, b Point) int { return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(a.Energy, b.Energy)) })
	for _, p := range list {
		if n := len(front); n == 0 || p.Energy < front[n-1].Energy {
			front = append(front, p)
		}
	}
	return front
}

// pareto writes the front.
func (r *Run) pareto(b *strings.Builder) {
	b.WriteString("\nplans of which none takes both less time and less energy\n")
	t := table{{right: true}, {right: true}, {right: true}, {right: true}, {}, {}}
	t.row("ns", "speed-up", "mJ", "of GPU only", "policy", "objective")
	for _, p := range r.Pareto {
		t.row(fmt.Sprintf("%.1f", p.Total), fmt.Sprintf("%.3f", p.Speedup), mj(p.Energy), fmt.Sprintf("%.3f", p.Ratio), p.Policy, p.Objective)
	}
	t.write(b)
}
