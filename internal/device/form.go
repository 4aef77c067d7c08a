package device

import (
	"strconv"

	"pimflow/internal/graph"
)

// Former is a Device that knows which nodes of a graph cost the same.
type Former interface {
	// Form returns a text that two nodes share only if their cuts into equal boxes have equal costs.
	Form(g *graph.Graph, id graph.ID) string
}

// Form is a device's form of a node; of a device that is no Former, one that no other node has.
//
// In the literature: hash consing, value numbering.
func Form(d Device, g *graph.Graph, id graph.ID) string {
	if f, ok := d.(Former); ok {
		return f.Form(g, id)
	}
	return "%" + strconv.Itoa(int(id))
}

func (n named) Form(g *graph.Graph, id graph.ID) string { return Form(n.Device, g, id) }

func (m *memo) Form(g *graph.Graph, id graph.ID) string { return Form(m.Device, g, id) }

func (d bounded) Form(g *graph.Graph, id graph.ID) string { return Form(d.Device, g, id) }

func (w *without) Form(g *graph.Graph, id graph.ID) string {
	if w.refused[id] {
		return "refused"
	}
	return Form(w.Device, g, id)
}
