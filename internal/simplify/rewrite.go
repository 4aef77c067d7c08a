package simplify

import (
	"context"
	"fmt"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// rewriter rebuilds a graph. Only what reaches an output is visited; constants
// are made when first read, so that one nobody reads any more is gone.
type rewriter struct {
	old   *graph.Graph
	new   *graph.Builder
	ids   []graph.ID   // of each old node in the new graph; none: not made
	users [][]graph.ID // the nodes that read each old node and reach an output
	live  []bool       // reaches an output
	out   []bool       // is an output
}

const none graph.ID = -1

func newRewriter(g *graph.Graph) *rewriter {
	n := len(g.Nodes)
	r := &rewriter{
		old: g, new: graph.NewBuilder(g.Name), ids: slices.Repeat([]graph.ID{none}, n),
		users: make([][]graph.ID, n), live: make([]bool, n), out: make([]bool, n),
	}
	for _, o := range g.Outputs {
		r.out[o.ID], r.live[o.ID] = true, true
	}
	for i := n - 1; i >= 0; i-- {
		if r.live[i] {
			for _, x := range g.Nodes[i].In {
				r.live[x] = true
				r.users[x] = append(r.users[x], graph.ID(i))
			}
		}
	}
	return r
}

// rewrite rebuilds g, calling visit for each live operation in order; visit
// returns the node of the new graph that makes the old node's value, or none for
// a value that no later node will read. An operation that an earlier visit
// has already given a new node is passed over.
func rewrite(ctx context.Context, g *graph.Graph, visit func(r *rewriter, nd *graph.Node) (graph.ID, error)) (*graph.Graph, error) {
	r := newRewriter(g)
	sequence := make([]graph.ID, len(g.Nodes))
	for i := range sequence {
		sequence[i] = graph.ID(i)
	}
	return r.run(ctx, sequence, visit)
}

func (r *rewriter) run(ctx context.Context, sequence []graph.ID, visit func(r *rewriter, nd *graph.Node) (graph.ID, error)) (*graph.Graph, error) {
	for _, id := range r.old.Inputs {
		nd := &r.old.Nodes[id]
		r.ids[id] = r.new.Input(nd.Name, nd.Type, nd.Shape)
	}
	for _, id := range sequence {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		nd := &r.old.Nodes[id]
		if nd.Op == nil || !r.live[id] || r.ids[id] != none {
			continue
		}
		y, err := visit(r, nd)
		if err != nil {
			return nil, fmt.Errorf("node %.80q: %w", nd.Name, err)
		}
		r.ids[id] = y
	}
	for _, o := range r.old.Outputs {
		r.new.Output(o.Name, r.id(o.ID))
	}
	return r.new.Graph()
}

// id is the new node of an old one that has been made, or of a constant.
func (r *rewriter) id(old graph.ID) graph.ID {
	if r.ids[old] == none {
		nd := &r.old.Nodes[old]
		if nd.Const == nil {
			panic(fmt.Sprintf("simplify: %.80q is read before it is made", nd.Name))
		}
		r.ids[old] = r.new.Const(nd.Name, nd.Const)
	}
	return r.ids[old]
}

// mapped is a copy of an old node that reads the new graph and shares nothing
// that the builder writes.
func (r *rewriter) mapped(nd *graph.Node) graph.Node {
	c := *nd
	c.In = make([]graph.ID, len(nd.In))
	// Constants are numbered in the order of the operands.
	for i, x := range nd.In {
		c.In[i] = r.id(x)
	}
	c.Post = slices.Clone(nd.Post)
	return c
}

func (r *rewriter) copy(nd *graph.Node) (graph.ID, error) { return r.new.Node(r.mapped(nd)) }

// constant is the tensor of an old node that is, or has become, a constant; nil
// for any other.
func (r *rewriter) constant(old graph.ID) *tensor.Tensor {
	if y := r.ids[old]; y != none {
		return r.new.Peek().Nodes[y].Const
	}
	return r.old.Nodes[old].Const
}

// next is the operation that alone reads an old node, reads it once, and may
// replace it: nil if there is none or if the value is an output.
func (r *rewriter) next(old graph.ID) *graph.Node {
	if r.out[old] || len(r.users[old]) != 1 {
		return nil
	}
	return &r.old.Nodes[r.users[old][0]]
}
