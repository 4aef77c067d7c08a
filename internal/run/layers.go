package run

import (
	"context"
	"fmt"
	"sync"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// LayerError is the difference of an operation's value from its definition by the graph, in
// float32 or the type of the model.
type LayerError struct {
	Node  graph.ID
	Own   Diff // computed from exact inputs: the error of this operation alone; zero if none of it is on the PIM
	Total Diff // computed in the program: the error accumulated up to here
}

// EvalLayers is Eval that also compares the value of each operation with its definition, in
// the order of the graph. It keeps all values of the graph in memory.
func EvalLayers(ctx context.Context, p *program.Program, inputs []*tensor.Tensor, progress Progress) ([]*tensor.Tensor, []LayerError, error) {
	g := p.Graph
	n := len(g.Nodes) + 2*len(p.Steps)
	part := func(before int) Progress {
		if progress == nil {
			return nil
		}
		return func(done, _ int) { progress(before+done, n) }
	}
	exact := make([]*tensor.Tensor, len(g.Nodes))
	for i := range g.Nodes {
		exact[i] = g.Nodes[i].Const
	}
	for i, id := range g.Inputs {
		if i < len(inputs) {
			exact[id] = inputs[i]
		}
	}
	if _, err := reference(ctx, g, inputs, part(0), func(id graph.ID, t *tensor.Tensor) { exact[id] = t }); err != nil {
		return nil, nil, err
	}
	errs := make([]LayerError, len(g.Nodes))
	var mu sync.Mutex // of made, by node
	out, err := eval(ctx, p, inputs, part(len(g.Nodes)), func(id graph.ID, t *tensor.Tensor) {
		d := compare(exact[id], t, 0)
		mu.Lock()
		defer mu.Unlock()
		errs[id] = LayerError{Node: id, Total: d}
	})
	if err != nil {
		return nil, nil, err
	}
	own := map[graph.ID]*tensor.Tensor{} // values whose PIM parts are computed from exact inputs
	last := map[graph.ID]int{}
	for i, s := range p.Steps {
		if s.Device == plan.PIM {
			last[s.Node] = i
		}
	}
	for i, s := range p.Steps {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if s.Device == plan.PIM {
			dst := own[s.Node]
			if dst == nil {
				dst = tensor.New(exact[s.Node].Type, exact[s.Node].Shape)
				copy(dst.Floats(), exact[s.Node].Floats())
				own[s.Node] = dst
			}
			var in []*tensor.Tensor
			for _, x := range g.Nodes[s.Node].In {
				in = append(in, exact[x])
			}
			if err := s.Code.Eval(in, dst); err != nil {
				return nil, nil, fmt.Errorf("node %%%d %.80q on %s: %w", s.Node, g.Nodes[s.Node].Name, s.Device, err)
			}
			if last[s.Node] == i {
				errs[s.Node].Own = compare(exact[s.Node], dst, 0)
				delete(own, s.Node)
			}
		}
		if progress != nil {
			progress(len(g.Nodes)+len(p.Steps)+i+1, n)
		}
	}
	var list []LayerError
	for i := range g.Nodes {
		if nd := &g.Nodes[i]; nd.Op != nil && nd.Shape.Size() > 0 {
			list = append(list, errs[i])
		}
	}
	return out, list, nil
}
