package memory

import (
	"fmt"

	"pimflow/internal/budget"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// Holds refuses a graph that no plan has room for in the memory of a machine: all weights, each once, and the operands and the
// value of any one operation must be there at once, on whichever device. What the PIM's rows hold is left to Fits.
func Holds(g *graph.Graph, m *hw.Machine) error {
	size := func(id graph.ID) float64 {
		nd := &g.Nodes[id]
		if nd.Type.Float() {
			return float64(nd.Shape.Size()) * float64(m.Memory.ElementSize)
		}
		return float64(nd.Shape.Size()) * float64(nd.Type.Bytes())
	}
	weights := 0.0
	for i := range g.Nodes {
		if g.Nodes[i].Const != nil {
			weights += size(graph.ID(i))
		}
	}
	room := float64(m.Memory.Channels*m.PIM.Banks) * float64(m.PIM.Rows) * float64(m.PIM.Row)
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil || nd.Op.View {
			continue
		}
		want, seen := weights+size(nd.ID), map[graph.ID]bool{}
		for _, x := range nd.In {
			if g.Nodes[x].Const == nil && !seen[x] {
				seen[x] = true
				want += size(x)
			}
		}
		if want > room {
			return fmt.Errorf("node %%%d %.80q makes %v: with what it reads and all weights (%v) it takes %v, machine %s has %v", i, nd.Name, nd.Shape, budget.Memory(weights), budget.Memory(want), m.Name, budget.Memory(room))
		}
	}
	return nil
}
