package explain

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// Tile is a tile of the plan with its interval, and the reason for its start.
type Tile struct {
	plan.Tile
	run.Span
	Joined bool   // launched with the device's tile before
	Waited string // the cause of its start time
	// Longer is the time beyond its cost: the other device shares the bandwidth of the GPU's
	// memory channels meanwhile.
	Longer device.Time
}

// Tiles returns the tiles of a layer in the plan's order.
func (e *Explainer) Tiles(p *Placed) (list []Tile) {
	tl := e.res.Timeline
	for _, i := range e.steps[p.Layer.Node] {
		cost := tl.Program.Steps[i].Cost()
		list = append(list, Tile{tl.Program.Steps[i].Tile, tl.Spans[i], tl.Program.Steps[i].Fused, e.waited(i), tl.Spans[i].End - tl.Spans[i].Start - cost.Time})
	}
	return list
}

// waited names the step whose end let a step begin: the last producer of its inputs, else the
// step before on its device.
func (e *Explainer) waited(i int) string {
	tl := e.res.Timeline
	step, start := &tl.Program.Steps[i], tl.Spans[i].Start
	if start == 0 {
		return "nothing: starts with the plan"
	}
	name := func(j int) string {
		s := &tl.Program.Steps[j]
		return fmt.Sprintf("%.80q on the %s", e.g.Nodes[s.Node].Name, s.Device)
	}
	for _, j := range step.After {
		if tl.Spans[j].End == start && e.reads(i, j) {
			return "what it reads, made by " + name(j)
		}
	}
	for _, j := range step.After { // no producer of its inputs
		if tl.Spans[j].End == start {
			return name(j) + ": one device works at a time"
		}
	}
	for j := i - 1; j >= 0; j-- {
		if tl.Program.Steps[j].Device == step.Device {
			return fmt.Sprintf("its device, busy with %.80q", e.g.Nodes[tl.Program.Steps[j].Node].Name)
		}
	}
	panic("explain: a step that starts late waits for none")
}

// reads reports whether step i of the plan reads a value that step j makes.
func (e *Explainer) reads(i, j int) bool {
	a, b := &e.res.Timeline.Program.Steps[i], &e.res.Timeline.Program.Steps[j]
	need := e.g.Need(a.Cut)
	for k, x := range e.g.Nodes[a.Node].In {
		if x == b.Node && !b.Box.Intersect(need[k]).Empty() {
			return true
		}
	}
	return false
}
