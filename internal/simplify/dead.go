package simplify

import (
	"context"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// identities are the operators that may make a copy of their first input, with
// the condition under which they do. Shape and type are the same already.
var identities = map[string]func(a op.Attrs, in tensor.Shape) bool{
	"Identity":    always,
	"Cast":        always,
	"Reshape":     always,
	"Expand":      always,
	"Concat":      always, // of one, or all others are empty: see isIdentity
	"Tile":        always,
	"Pad":         func(a op.Attrs, _ tensor.Shape) bool { return all(a.Ints("pads"), 0) },
	"Slice":       func(a op.Attrs, _ tensor.Shape) bool { return all(a.Ints("steps"), 1) },
	"Transpose":   keepsOrder,
	"MaxPool":     unitWindow,
	"AveragePool": unitWindow,
}

func always(op.Attrs, tensor.Shape) bool { return true }

func all(v []int, want int) bool {
	return !slices.ContainsFunc(v, func(x int) bool { return x != want })
}

func unitWindow(a op.Attrs, _ tensor.Shape) bool {
	return all(a.Ints("kernel_shape"), 1) && all(a.Ints("strides"), 1) && all(a.Ints("pads"), 0)
}

// keepsOrder reports whether a transposition moves only dimensions of extent 1.
func keepsOrder(a op.Attrs, in tensor.Shape) bool {
	last := -1
	for _, d := range a.Ints("perm") {
		if in[d] == 1 {
			continue
		}
		if d < last {
			return false
		}
		last = d
	}
	return true
}

// dead drops identities and, as every rewriting does, what reaches no output;
// of two reshapes in a row the first goes.
func dead(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	return rewrite(ctx, g, func(r *rewriter, nd *graph.Node) (graph.ID, error) {
		if isIdentity(g, nd) {
			return r.id(nd.In[0]), nil
		}
		c := r.mapped(nd)
		if p := r.new.Peek().Nodes[c.In[0]]; nd.Op.Name == "Reshape" && p.Op == nd.Op && len(p.Post) == 0 {
			c.In[0] = p.In[0]
			if x := r.new.Peek().Nodes[p.In[0]]; x.Shape.Equal(c.Shape) {
				return p.In[0], nil
			}
		}
		return r.new.Node(c)
	})
}

func isIdentity(g *graph.Graph, nd *graph.Node) bool {
	same, ok := identities[nd.Op.Name]
	x := &g.Nodes[nd.In[0]]
	return ok && len(nd.Post) == 0 && x.Type == nd.Type && x.Shape.Equal(nd.Shape) && same(nd.Attrs, x.Shape)
}
