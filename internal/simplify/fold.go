package simplify

import (
	"context"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// fold replaces an operation on constants by the constant it makes, whose values
// are computed when they are asked for. What integers stand for is left to widen.
func fold(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	return folded(ctx, g, func(o *op.Op) bool { return !o.Widens })
}

// widen is fold of every operation.
func widen(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	return folded(ctx, g, func(*op.Op) bool { return true })
}

func folded(ctx context.Context, g *graph.Graph, which func(*op.Op) bool) (*graph.Graph, error) {
	return rewrite(ctx, g, func(r *rewriter, nd *graph.Node) (graph.ID, error) {
		if !which(nd.Op) {
			return r.copy(nd)
		}
		in := make([]*tensor.Tensor, len(nd.In))
		for i, x := range nd.In {
			if in[i] = r.constant(x); in[i] == nil {
				return r.copy(nd)
			}
		}
		id := nd.ID
		if g.Within(g.Whole(id), in) != nil { // left to the evaluation, which says why
			return r.copy(nd)
		}
		return r.new.Const(nd.Name, tensor.Lazy(nd.Type, nd.Shape, func() ([]float32, []int64) {
			y := tensor.New(nd.Type, nd.Shape)
			g.Eval(g.Whole(id), in, y)
			if nd.Type.Float() {
				return y.Floats(), nil
			}
			return nil, y.Ints()
		})), nil
	})
}
