package explain

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/run"
	"pimflow/internal/utilization"
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
	if e.waits == nil {
		e.waits = utilization.Waits(tl)
	}
	for _, i := range e.steps[p.Layer.Node] {
		cost := tl.Program.Steps[i].Cost()
		list = append(list, Tile{tl.Program.Steps[i].Tile, tl.Spans[i], tl.Program.Steps[i].Fused, e.waited(i), tl.Spans[i].End - tl.Spans[i].Start - cost.Time})
	}
	return list
}

// waited names what step i waited for.
func (e *Explainer) waited(i int) string {
	w := e.waits[i]
	if w.Why == utilization.Nothing {
		return "nothing: starts with the plan"
	}
	s := &e.res.Timeline.Program.Steps[w.Step]
	name := fmt.Sprintf("%.80q", e.g.Nodes[s.Node].Name)
	switch w.Why {
	case utilization.Input:
		return fmt.Sprintf("what it reads, made by %s on the %s", name, s.Device)
	case utilization.Exclusive:
		return fmt.Sprintf("%s on the %s: one device works at a time", name, s.Device)
	}
	return "its device, busy with " + name
}
