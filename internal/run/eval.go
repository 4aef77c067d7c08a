package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"pimflow/internal/budget"
	"pimflow/internal/graph"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// Progress is called with the amount done and the total of a long computation.
type Progress func(done, total int)

// Eval computes the outputs of the graph by executing the steps of a program on tensors. The
// devices run concurrently, each its steps in order. inputs has a tensor for each input of
// the graph, of its shape and type. progress, unless nil, is called concurrently with the
// number of finished steps.
func Eval(ctx context.Context, p *program.Program, inputs []*tensor.Tensor, progress Progress) ([]*tensor.Tensor, error) {
	return EvalSeen(ctx, p, inputs, progress, nil)
}

// EvalSeen is Eval that shows each step with its inputs and the value that it has a part of, once that is made; steps of different devices
// concurrently. An error ends the execution.
func EvalSeen(ctx context.Context, p *program.Program, inputs []*tensor.Tensor, progress Progress, seen func(s *program.Step, in []*tensor.Tensor, dst *tensor.Tensor) error) ([]*tensor.Tensor, error) {
	v, err := newValues(p.Graph, inputs)
	if err != nil {
		return nil, err
	}
	v.seen = seen
	v.expectSteps(p)
	if err := execute(ctx, p, progress, v.eval); err != nil {
		return nil, err
	}
	return v.outputs(), nil
}

// execute calls do for each step of a program, for a device's steps in order, for those of
// different devices concurrently, once the steps that it waits for are done.
func execute(ctx context.Context, p *program.Program, progress Progress, do func(s *program.Step) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make([]chan struct{}, len(p.Steps))
	lanes := map[string][]int{}
	for i, s := range p.Steps {
		done[i] = make(chan struct{})
		lanes[s.Device] = append(lanes[s.Device], i)
	}
	var wg sync.WaitGroup
	var finished atomic.Int64
	for _, lane := range lanes {
		wg.Go(func() {
			for _, i := range lane {
				for _, j := range p.Steps[i].After {
					select {
					case <-done[j]:
					case <-ctx.Done():
						return
					}
				}
				if ctx.Err() != nil {
					return
				}
				s := &p.Steps[i]
				if err := do(s); err != nil {
					cancel(fmt.Errorf("node %%%d %.80q on %s: %w", s.Node, p.Graph.Nodes[s.Node].Name, s.Device, err))
					return
				}
				close(done[i])
				if n := finished.Add(1); progress != nil {
					progress(int(n), len(p.Steps))
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// Reference computes the outputs of the graph by definition: every node whole, in order.
// inputs and progress are as for Eval.
func Reference(ctx context.Context, g *graph.Graph, inputs []*tensor.Tensor, progress Progress) ([]*tensor.Tensor, error) {
	return reference(ctx, g, inputs, progress, nil)
}

// reference is Reference that also shows each finished value.
func reference(ctx context.Context, g *graph.Graph, inputs []*tensor.Tensor, progress Progress, show func(graph.ID, *tensor.Tensor)) ([]*tensor.Tensor, error) {
	v, err := newValues(g, inputs)
	if err != nil {
		return nil, err
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil {
			v.expect(graph.ID(i))
		}
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in, dst := v.open(graph.ID(i))
		if err := g.Within(g.Whole(graph.ID(i)), in); err != nil {
			return nil, fmt.Errorf("node %%%d %.80q: %w", i, g.Nodes[i].Name, err)
		}
		g.Eval(g.Whole(graph.ID(i)), in, dst)
		if show != nil {
			show(graph.ID(i), dst)
		}
		v.close(graph.ID(i))
		if progress != nil {
			progress(i+1, len(g.Nodes))
		}
	}
	return v.outputs(), nil
}

// values holds the tensors of a graph under evaluation. Each is dropped after the last step
// that reads it.
//
// In the literature: reference-counted buffer liveness.
type values struct {
	g     *graph.Graph
	mu    sync.Mutex
	t     []*tensor.Tensor
	reads []int // unfinished readers of each value; an output counts as one more
	seen  func(s *program.Step, in []*tensor.Tensor, dst *tensor.Tensor) error
}

// Fits refuses a graph whose constants and values, of which copies are held at once, take more memory than the context allows. A value
// is held from its operation to its last reader.
func Fits(ctx context.Context, g *graph.Graph, copies int) error {
	size := func(id graph.ID) int64 { return bytesOf(&g.Nodes[id]) }
	last := make([]int, len(g.Nodes)) // the last reader of each value
	for i := range g.Nodes {
		last[i] = i
		for _, x := range g.Nodes[i].In {
			last[x] = i
		}
	}
	for _, o := range g.Outputs {
		last[o.ID] = len(g.Nodes)
	}
	fixed, live, most, at := int64(0), int64(0), int64(0), 0
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			fixed += size(graph.ID(i))
			continue
		}
		if live += size(graph.ID(i)); live > most {
			most, at = live, i
		}
		for k, x := range g.Nodes[i].In {
			if g.Nodes[x].Op != nil && last[x] == i && !slices.Contains(g.Nodes[i].In[:k], x) {
				live -= size(x)
			}
		}
		if last[i] == i {
			live -= size(graph.ID(i))
		}
	}
	nd := &g.Nodes[at]
	return budget.Of(ctx).Holds(fixed+int64(copies)*most, fmt.Sprintf("node %%%d %.80q of %v, what is alive beside it and all weights", at, nd.Name, nd.Shape))
}

// bytesOf is what a value takes in memory.
func bytesOf(nd *graph.Node) int64 {
	if nd.Type.Float() {
		return 4 * int64(nd.Shape.Size())
	}
	return 8 * int64(nd.Shape.Size())
}

func newValues(g *graph.Graph, inputs []*tensor.Tensor) (*values, error) {
	if len(inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("graph %.80q has %d inputs: %d given", g.Name, len(g.Inputs), len(inputs))
	}
	v := &values{g: g, t: make([]*tensor.Tensor, len(g.Nodes)), reads: make([]int, len(g.Nodes))}
	for i, id := range g.Inputs {
		nd, x := &g.Nodes[id], inputs[i]
		if !x.Shape.Equal(nd.Shape) || x.Type.Float() != nd.Type.Float() {
			return nil, fmt.Errorf("input %.80q is %v %v: %v %v wanted", nd.Name, x.Type, x.Shape, nd.Type, nd.Shape)
		}
		v.t[id] = x
		v.reads[id]++
	}
	for i := range g.Nodes {
		if c := g.Nodes[i].Const; c != nil {
			v.t[i] = c
			v.reads[i]++
		}
	}
	for _, o := range g.Outputs {
		v.reads[o.ID]++
	}
	return v, nil
}

// eval executes a step.
func (v *values) eval(s *program.Step) error {
	in, dst := v.open(s.Node)
	defer v.close(s.Node)
	if err := v.g.Within(graph.Cut{Node: s.Node, Box: s.Box}, in); err != nil {
		return err
	}
	if err := s.Code.Eval(in, dst); err != nil || v.seen == nil {
		return err
	}
	return v.seen(s, in, dst)
}

// expectSteps announces the steps of a program.
func (v *values) expectSteps(p *program.Program) {
	for _, s := range p.Steps {
		v.expect(s.Node)
	}
}

// expect announces a step of a node: its inputs are kept for it.
func (v *values) expect(id graph.ID) {
	for _, x := range v.g.Nodes[id].In {
		v.reads[x]++
	}
}

// open returns the inputs of a node and the tensor of its value.
func (v *values) open(id graph.ID) (in []*tensor.Tensor, dst *tensor.Tensor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, x := range v.g.Nodes[id].In {
		in = append(in, v.tensor(x)) // empty so far, if the step reads none of it
	}
	return in, v.tensor(id)
}

// tensor returns the tensor of a node. The first call allocates it.
func (v *values) tensor(id graph.ID) *tensor.Tensor {
	if nd := &v.g.Nodes[id]; v.t[id] == nil {
		v.t[id] = tensor.New(nd.Type, nd.Shape)
	}
	return v.t[id]
}

// close releases the tensors that open returned.
func (v *values) close(id graph.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, x := range v.g.Nodes[id].In {
		if v.reads[x]--; v.reads[x] == 0 {
			v.t[x] = nil
		}
	}
}

func (v *values) outputs() []*tensor.Tensor {
	var out []*tensor.Tensor
	for _, o := range v.g.Outputs {
		out = append(out, v.tensor(o.ID)) // no step makes a value without numbers
	}
	return out
}
