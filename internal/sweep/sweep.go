// Package sweep searches plans on machines that differ in a few numbers: the sensitivity of the
// speed-up to each constant (Vary), and the effect of launch latencies (Launches).
//
// A graph and a machine go in; times and numbers of moved layers come out. The package does not
// know the meaning of a number, apart from launches and energies.
//
// In the literature: one-at-a-time sensitivity analysis.
package sweep

import (
	"slices"
	"strings"
	"sync/atomic"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/search"
)

// Model is a graph on a machine under a policy.
type Model struct {
	Graph   *graph.Graph
	Machine *hw.Machine
	Policy  search.Policy
	// Progress, unless nil, is told how many of how many searches are done; it is
	// called concurrently.
	Progress func(done, total int)
}

// Times are the times of the GPU alone and of a plan.
type Times struct{ Baseline, Total device.Time }

// Speedup is Baseline over Total; 1 for an empty plan.
func (t Times) Speedup() float64 {
	if t.Total == 0 {
		return 1
	}
	return float64(t.Baseline) / float64(t.Total)
}

func timesOf(r *search.Result) Times { return Times{r.Baseline.Total, r.Timeline.Total} }

// counter tells Progress.
func (m *Model) counter(total int) func() {
	var done atomic.Int64
	return func() {
		if n := done.Add(1); m.Progress != nil {
			m.Progress(int(n), total)
		}
	}
}

// placements returns the devices and boxes of each node's tiles.
func placements(p *plan.Plan) map[graph.ID]string {
	tiles := map[graph.ID][]string{}
	for _, t := range p.Tiles() {
		tiles[t.Node] = append(tiles[t.Node], t.Device+t.Box.String())
	}
	at := map[graph.ID]string{}
	for id, list := range tiles {
		slices.Sort(list) // pipelines write the same tiles in another order
		at[id] = strings.Join(list, " ")
	}
	return at
}

// moved counts the nodes of a graph that two plans place differently.
func moved(a, b *plan.Plan) int {
	n, was := 0, placements(b)
	for id, at := range placements(a) {
		if at != was[id] {
			n++
		}
	}
	return n
}
