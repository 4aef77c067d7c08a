package pimflow

import (
	"context"
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
)

// Size is what depends on the values of inputs: the number of entries that are found, as of boxes that NonMaxSuppression
// selects; the shape of a value, as of a Resize to a box; the steps of a Loop. Plans and their times are those of the largest; a
// plan is executed with what it is for given inputs.
type Size struct {
	Layer string `json:"layer"`
	Op    string `json:"op"`
	// The largest shape, and that for the inputs of the last Run or Check; nil: the numbers below count.
	LargestShape []int `json:"largest_shape,omitempty"`
	InputsShape  []int `json:"shape_for_inputs,omitempty"`

	Largest int  `json:"largest,omitempty"`
	Inputs  *int `json:"for_inputs"`        // for the inputs of the last Run or Check; nil: none, or the layer is not executed for them
	Plan    *int `json:"in_plan,omitempty"` // what the values of the plan of the last Check make it, where that differs: the rest is cut off, or 0
}

// Sizes lists the extents that depend on data, in the order of the model.
func (s *Session) Sizes() []Size {
	list := sizesOf(s.model)
	for i := range list {
		z := &list[i]
		if now, known := s.found[z.Layer]; known {
			if z.InputsShape = now.LargestShape; z.InputsShape == nil {
				z.Inputs = &now.Largest
			}
		}
		if n, known := s.planned[z.Layer]; known {
			z.Plan = &n
		}
	}
	return list
}

// sizesOf lists what depends on data with the sizes that a graph has, the numbers in Largest.
func sizesOf(g *graph.Graph) (list []Size) {
	users := g.Users()
	for i := range g.Nodes {
		switch nd := &g.Nodes[i]; {
		case nd.Counted():
			list = append(list, Size{Layer: nd.Name, Op: nd.Op.Name, Largest: nd.Attrs.Int("size")})
		case nd.Sized() && nd.Attrs.Int("steps") >= 0:
			list = append(list, Size{Layer: nd.Name, Op: "Loop", Largest: nd.Attrs.Int("steps")})
		case nd.Sized() && nd.Attrs.Int("steps") == op.Extents && len(users[i]) > 0:
			of := &g.Nodes[users[i][0]]
			list = append(list, Size{Layer: of.Name, Op: of.Op.Name, LargestShape: of.Shape})
		}
	}
	return list
}

// sized is a model with the extents that it has for given inputs, and a plan for it.
type sized struct {
	model, graph *graph.Graph
	program      *program.Program
	want         []*tensor.Tensor // the model's outputs by definition; nil: not known yet
}

// sized evaluates the model as far as its extents depend on data, and carries the plan over.
func (s *Session) sized(ctx context.Context, p *Plan, values []*tensor.Tensor) (*sized, error) {
	z := &sized{model: s.model, graph: s.graph, program: p.result.Timeline.Program}
	if s.file == nil || !s.file.Counted() {
		return z, nil
	}
	sizing := run.NewSizing(ctx, s.model, values, s.phase("execute the graph"))
	var err error
	if z.model, err = s.file.Sized(ctx, sizing.Value); err == nil {
		z.want, err = sizing.Outputs(z.model)
	}
	if err == nil {
		z.graph, err = simplify.Run(ctx, z.model)
	}
	if err == nil {
		z.program, err = s.carried(p, z.graph)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	s.found, s.planned = map[string]Size{}, nil
	for _, x := range sizesOf(z.model) {
		s.found[x.Layer] = x
	}
	return z, nil
}

// carried compiles a plan for the graph with smaller extents. A tile that the PIM cannot execute with them is on the
// GPU.
func (s *Session) carried(p *Plan, g *graph.Graph) (*program.Program, error) {
	given := p.result.Plan
	devices, err := p.target.Devices(given.PIMChannels, given.PIM)
	if err != nil {
		return nil, err
	}
	small := given.Clip(s.graph, g)
	for i := range small.Segments {
		for k := range small.Segments[i].Tiles {
			if t := &small.Segments[i].Tiles[k]; t.Device == plan.PIM && !compiles(g, t, devices) {
				t.Device = plan.GPU
			}
		}
	}
	return program.Build(g, small, devices)
}

func compiles(g *graph.Graph, t *plan.Tile, devices []device.Device) bool {
	for _, d := range devices {
		if d.Name() == t.Device {
			_, err := d.Compile(g, t.Cut)
			return err == nil
		}
	}
	return false
}
