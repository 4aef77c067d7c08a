package gpu

import "pimflow/internal/graph"

// madeInPlace reports whether the operands of a concatenation can be written directly into
// the result: a kernel makes each, and nothing else reads it.
func madeInPlace(g *graph.Graph, nd *graph.Node) bool {
	if nd.Op.Name != "Concat" {
		return false
	}
	reads := make(map[graph.ID]int, len(nd.In))
	for _, id := range nd.In {
		made := g.Nodes[id].Op
		if made == nil || made.View || made.Name == "Concat" {
			return false
		}
		reads[id] = 0
	}
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].In {
			if n, ok := reads[id]; ok {
				reads[id] = n + 1
			}
		}
	}
	for _, o := range g.Outputs {
		if _, ok := reads[o.ID]; ok {
			return false
		}
	}
	for _, n := range reads {
		if n != 1 {
			return false
		}
	}
	return true
}
