package published

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/search"
)

// whole reports whether a segment is a whole node on the GPU.
func whole(s plan.Segment) bool { return len(s.Tiles) == 1 && s.Tiles[0].Device == plan.GPU }

// residuals adds a kernel for each operand of the epilogues of layers that are not whole
// on the GPU. The published back end puts bias and activation into the layer that it
// sends to the PIM, and nothing else (partition_for_pim): an addition of two values
// remains a kernel of the GPU.
func (s *Sum) residuals(g *graph.Graph, p *plan.Plan, warm search.Target) error {
	ds, err := warm.Devices(p.PIMChannels, p.PIM)
	if err != nil {
		return err
	}
	gpu := ds[slices.IndexFunc(ds, func(d device.Device) bool { return d.Name() == plan.GPU })]
	for _, seg := range p.Segments {
		if whole(seg) {
			continue
		}
		seen := map[graph.ID]bool{}
		for _, t := range seg.Tiles {
			nd := &g.Nodes[t.Node]
			if seen[t.Node] {
				continue
			}
			seen[t.Node] = true
			for range len(nd.In) - nd.Operands() {
				c, err := addition(nd, gpu)
				if err != nil {
					return err
				}
				s.Additions++
				s.Residuals += c.Time
				s.EndToEnd.Total += c.Time
				s.Energy.Total.Add(&c.Energy)
			}
		}
	}
	return nil
}

// addition is the cost of adding two values of a node's shape.
func addition(nd *graph.Node, gpu device.Device) (c device.Cost, err error) {
	b := graph.NewBuilder("addition")
	id, err := b.Op("sum", "Add", nil, b.Input("a", nd.Type, nd.Shape), b.Input("b", nd.Type, nd.Shape))
	if err != nil {
		return c, err
	}
	b.Output("sum", id)
	g, err := b.Graph()
	if err != nil {
		return c, err
	}
	code, err := gpu.Compile(g, g.Whole(id))
	if err != nil {
		return c, err
	}
	return code.Cost(), nil
}
