package run

import (
	"context"
	"fmt"

	"pimflow/internal/budget"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Sizing evaluates a graph by definition while the graph is built, so that extents that depend on data are
// those that given inputs have.
//
// The same graph with the largest extents, whose nodes have the same names, tells which values are read
// later. A value that is dropped too early, since the graphs differ, is made again.
type Sizing struct {
	ctx      context.Context
	largest  *graph.Graph
	inputs   []*tensor.Tensor
	progress Progress

	at   map[string]int // the nodes of largest by name
	last []int          // the last reader of each; -1: none, and so it is not made
	past int            // the last node of largest that was met
	next graph.ID       // the first node that was not
	t    map[graph.ID]*tensor.Tensor
	held int64 // bytes
}

// NewSizing begins; inputs are those of the graph, in order. progress is that of Reference.
func NewSizing(ctx context.Context, largest *graph.Graph, inputs []*tensor.Tensor, progress Progress) *Sizing {
	s := &Sizing{ctx: ctx, largest: largest, inputs: inputs, progress: progress,
		at: map[string]int{}, last: make([]int, len(largest.Nodes)), t: map[graph.ID]*tensor.Tensor{}}
	for i := range largest.Nodes {
		s.at[largest.Nodes[i].Name], s.last[i] = i, -1
	}
	for _, o := range largest.Outputs {
		s.last[o.ID] = len(largest.Nodes)
	}
	for i := len(largest.Nodes) - 1; i >= 0; i-- {
		if s.last[i] < 0 {
			continue
		}
		for _, x := range largest.Nodes[i].In {
			s.last[x] = max(s.last[x], i)
		}
	}
	return s
}

// Value is the value of a node of the graph so far: onnx.Values.
func (s *Sizing) Value(g *graph.Graph, id graph.ID) (*tensor.Tensor, error) {
	if err := s.advance(g); err != nil {
		return nil, err
	}
	return s.value(g, id)
}

// Outputs evaluates the rest of the graph, which is complete, and returns its outputs.
func (s *Sizing) Outputs(g *graph.Graph) (out []*tensor.Tensor, err error) {
	if err := s.advance(g); err != nil {
		return nil, err
	}
	for _, o := range g.Outputs {
		t, err := s.value(g, o.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// advance evaluates the nodes that were added, as far as the largest graph's outputs need them.
func (s *Sizing) advance(g *graph.Graph) error {
	for ; int(s.next) < len(g.Nodes); s.next++ {
		nd := &g.Nodes[s.next]
		k, known := s.at[nd.Name]
		if nd.Op == nil || !known || s.last[k] < 0 {
			continue
		}
		if _, err := s.value(g, nd.ID); err != nil {
			return err
		}
		s.past = max(s.past, k)
		for _, x := range nd.In {
			s.drop(&g.Nodes[x])
		}
		if s.progress != nil {
			s.progress(s.past+1, len(s.largest.Nodes))
		}
	}
	return nil
}

// drop forgets a value that nothing reads later.
func (s *Sizing) drop(nd *graph.Node) {
	if k, known := s.at[nd.Name]; known && s.last[k] <= s.past && s.t[nd.ID] != nil {
		s.held -= bytesOf(nd)
		delete(s.t, nd.ID)
	}
}

// value is that of a node, made if it is not there.
func (s *Sizing) value(g *graph.Graph, id graph.ID) (*tensor.Tensor, error) {
	nd := &g.Nodes[id]
	switch {
	case nd.Const != nil:
		return nd.Const, nil
	case nd.Op == nil:
		for i, x := range g.Inputs {
			if x == id {
				return s.inputs[i], nil
			}
		}
	case s.t[id] != nil:
		return s.t[id], nil
	}
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	in := make([]*tensor.Tensor, len(nd.In))
	for i, x := range nd.In {
		var err error
		if in[i], err = s.value(g, x); err != nil {
			return nil, err
		}
	}
	s.held += bytesOf(nd)
	if err := budget.Of(s.ctx).Holds(s.held, fmt.Sprintf("node %%%d %.80q of %v and what is alive beside it", id, nd.Name, nd.Shape)); err != nil {
		return nil, err
	}
	t := tensor.New(nd.Type, nd.Shape)
	g.Eval(g.Whole(id), in, t)
	s.t[id] = t
	return t, nil
}
