package pimflow

import (
	"pimflow/internal/graph"
	"pimflow/internal/run"
)

// Throughput is what a plan and the GPU alone achieve where a run follows the other: the next may
// start while the last ends, on a device that is free, and at most two are under way. A period is
// the time from the end of a run to the end of the next, in ns. Images are those of the model's
// first input; rates are images a second, 0 where nothing is to be done.
type Throughput struct {
	Images       int     `json:"images"` // a run's
	Baseline     float64 `json:"baseline_period_ns"`
	Period       float64 `json:"period_ns"`
	Exact        bool    `json:"exact"` // Period is exact, and not the mean of many runs
	BaselineRate float64 `json:"baseline_images_per_s"`
	Rate         float64 `json:"images_per_s"`
}

func newThroughput(g *graph.Graph, b, p run.Period) Throughput {
	t := Throughput{Images: 1, Baseline: b.NS(), Period: p.NS(), Exact: p.Settled}
	if len(g.Inputs) > 0 {
		if s := g.Nodes[g.Inputs[0]].Shape; len(s) > 1 {
			t.Images = s[0]
		}
	}
	t.BaselineRate, t.Rate = t.rate(b), t.rate(p)
	return t
}

// rate is the images a second of a period.
func (t *Throughput) rate(p run.Period) float64 {
	if p.Span == 0 {
		return 0
	}
	return 1e9 * float64(t.Images) / p.NS()
}
