package pimflow

import (
	"context"
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
)

// Size is an extent of a value that depends on the values of inputs, as the number of boxes that
// NonMaxSuppression selects. Plans and their times are those of the largest; a plan is executed with what the
// extent is for given inputs.
type Size struct {
	Layer   string `json:"layer"`
	Op      string `json:"op"`
	Largest int    `json:"largest"`
	Inputs  *int   `json:"for_inputs"`        // for the inputs of the last Run or Check; nil: none, or the layer is not executed for them
	Plan    *int   `json:"in_plan,omitempty"` // what the values of the plan of the last Check make it, where that differs: the rest is cut off, or 0
}

// Sizes lists the extents that depend on data, in the order of the model.
func (s *Session) Sizes() []Size {
	var list []Size
	for i := range s.model.Nodes {
		nd := &s.model.Nodes[i]
		if !nd.Counted() {
			continue
		}
		z := Size{Layer: nd.Name, Op: nd.Op.Name, Largest: nd.Attrs.Int("size")}
		if n, known := s.found[nd.Name]; known {
			z.Inputs = &n
		}
		if n, known := s.planned[nd.Name]; known {
			z.Plan = &n
		}
		list = append(list, z)
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
	if z.model, err = s.file.Sized(ctx, sizing.Size); err == nil {
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
	s.found, s.planned = map[string]int{}, nil
	for i := range z.model.Nodes {
		if nd := &z.model.Nodes[i]; nd.Counted() {
			s.found[nd.Name] = nd.Attrs.Int("size")
		}
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
