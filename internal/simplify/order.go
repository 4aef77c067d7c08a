package simplify

import (
	"context"

	"pimflow/internal/graph"
)

// order puts the nodes in depth-first post-order from the outputs, visiting the
// operands of a node from the last to the first: the producer of the first
// operand comes directly before its user, unless another user came earlier.
func order(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	r := newRewriter(g)
	return r.run(ctx, postOrder(g), (*rewriter).copy)
}

// postOrder does not recurse: a chain may have thousands of nodes.
func postOrder(g *graph.Graph) []graph.ID {
	type frame struct {
		id   graph.ID
		left int // operands not yet visited
	}
	var sequence []graph.ID
	var stack []frame
	seen := make([]bool, len(g.Nodes))
	enter := func(id graph.ID) {
		if !seen[id] {
			seen[id] = true
			stack = append(stack, frame{id, len(g.Nodes[id].In)})
		}
	}
	for _, o := range g.Outputs {
		enter(o.ID)
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.left == 0 {
				sequence = append(sequence, top.id)
				stack = stack[:len(stack)-1]
				continue
			}
			top.left--
			enter(g.Nodes[top.id].In[top.left])
		}
	}
	return sequence
}
