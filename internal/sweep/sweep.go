// Package sweep is design spaces of machines that differ in a few numbers: the sensitivity of the
// speed-up to each constant (Vary), and the effect of launch latencies (Launches).
//
// A model on a machine goes in; times and numbers of moved layers come out. Points are evaluated as
// those of any sweep, with space.All (package evaluate). The package does not know the meaning of a
// number, apart from launches and energies.
//
// In the literature: one-at-a-time sensitivity analysis.
package sweep

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"pimflow"

	"pimflow/internal/device"
	"pimflow/internal/evaluate"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/result"
	"pimflow/internal/search"
	"pimflow/internal/space"
)

// Model is a model on a machine under a policy.
type Model struct {
	Name    string // as it was opened
	Session *pimflow.Session
	Policy  string
	// Progress, unless nil, is told how many of how many searches are done; it is
	// called concurrently.
	Progress func(done, total int)
}

// point is the session's machine with keys changed.
func (m *Model) point(set ...string) space.Point {
	return space.Point{
		Model: m.graph().Name, Machine: m.machine().Name, Set: set,
		Policy: m.Policy, Objective: search.Latency.String(), Effort: search.Low.String(),
	}
}

// reason is an error of a point without the model's name, which all of them begin with.
func (m *Model) reason(err error) error {
	if text, found := strings.CutPrefix(err.Error(), m.Name+": "); found {
		return errors.New(text)
	}
	return err
}

func (m *Model) evaluator() *evaluate.Evaluator { return &evaluate.Evaluator{Over: m.Session} }

func (m *Model) graph() *graph.Graph { g, _, _, _ := m.Session.Internal(); return g }

func (m *Model) machine() *hw.Machine { _, on, _, _ := m.Session.Internal(); return on }

// Times are the times of the GPU alone and of a plan.
type Times struct{ Baseline, Total device.Time }

// Speedup is Baseline over Total; 1 for an empty plan.
func (t Times) Speedup() float64 {
	if t.Total == 0 {
		return 1
	}
	return float64(t.Baseline) / float64(t.Total)
}

// timesOf are those of a row.
func timesOf(r *result.Row) Times { return Times{timeOf(r.Baseline), timeOf(r.Total)} }

// timeOf is the time of so many nanoseconds.
func timeOf(ns float64) device.Time { return device.Time(math.Round(1e3 * ns)) }

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
