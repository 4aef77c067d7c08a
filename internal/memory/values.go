package memory

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// Holds refuses a graph that no plan has room for in the memory of a machine: the operands and the value of any one operation
// must be there at once. Weights are left to Fits.
func Holds(g *graph.Graph, m *hw.Machine) error {
	size := func(id graph.ID) float64 {
		nd := &g.Nodes[id]
		if nd.Type.Float() {
			return float64(nd.Shape.Size()) * float64(m.Memory.ElementSize)
		}
		return float64(nd.Shape.Size()) * float64(nd.Type.Bytes())
	}
	room := float64(m.Memory.Channels*m.PIM.Banks) * float64(m.PIM.Rows) * float64(m.PIM.Row)
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil || nd.Op.View {
			continue
		}
		want, seen := size(nd.ID), map[graph.ID]bool{}
		for _, x := range nd.In {
			if g.Nodes[x].Const == nil && !seen[x] {
				seen[x] = true
				want += size(x)
			}
		}
		if want > room {
			return fmt.Errorf("node %%%d %.80q makes %v: with what it reads it takes %.1f GB, machine %s has %.1f GB", i, nd.Name, nd.Shape, want/1e9, m.Name, room/1e9)
		}
	}
	return nil
}
