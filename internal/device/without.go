package device

import (
	"fmt"

	"pimflow/internal/graph"
)

// Without returns a device that does not execute some nodes.
func Without(d Device, refused map[graph.ID]bool) Device { return &without{d, refused} }

type without struct {
	Device
	refused map[graph.ID]bool
}

func (w *without) Compile(g *graph.Graph, c graph.Cut) (Code, error) {
	if w.refused[c.Node] {
		return nil, w.refuse(g, c)
	}
	return w.Device.Compile(g, c)
}

// refuse is the error of a node that is kept off the device.
func (w *without) refuse(g *graph.Graph, c graph.Cut) error {
	return fmt.Errorf("%s: %.80q is kept off: %w", w.Name(), g.Nodes[c.Node].Name, ErrUnsupported)
}
