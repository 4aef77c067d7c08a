package simplify

import (
	"context"
	"slices"

	"pimflow/internal/graph"
)

// residuals are the operators of two values that may end a contraction, and
// whether their operands may change places.
var residuals = map[string]struct{ commutes bool }{
	"Add": {true},
	"Sub": {false},
	"Mul": {true},
}

// tail is a contraction, or a batch norm that none could take in, and the stages it will apply.
type tail struct {
	head     *graph.Node
	post     []graph.Stage
	in       []graph.ID // of the head and of the stages, in the old graph
	residual bool       // one of the stages reads a second value
	end      graph.ID   // the value that head and stages make
}

// epilogue fuses element-wise operations onto the contraction that alone feeds
// them, and activations also onto a batch norm that is left. The fused node takes the place of the last of them, where every operand
// has been made.
func epilogue(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	var tails []*tail // by the value of each operation of the tail
	return rewrite(ctx, g, func(r *rewriter, nd *graph.Node) (graph.ID, error) {
		if tails == nil {
			tails = findTails(r)
		}
		t := tails[nd.ID]
		switch {
		case t == nil:
			return r.copy(nd)
		case t.end != nd.ID:
			return none, nil
		}
		c := *t.head
		c.In, c.Post = t.in, t.post
		return r.copy(&c)
	})
}

func findTails(r *rewriter) []*tail {
	tails := make([]*tail, len(r.old.Nodes))
	for i := range r.old.Nodes {
		nd := &r.old.Nodes[i]
		if nd.Op == nil || !r.live[i] {
			continue
		}
		start := func() {
			// Only a contraction takes a residual sum, and one.
			residual := nd.Op.MACs == nil || slices.ContainsFunc(nd.Post, func(s graph.Stage) bool { return s.Op.Combine != nil })
			tails[i] = &tail{nd, slices.Clone(nd.Post), slices.Clone(nd.In), residual, nd.ID}
		}
		if nd.Op.MACs != nil && nd.Type.Float() {
			start()
			continue
		}
		// Of two contractions that could take a residual sum, it is the later.
		var best *tail
		for _, v := range nd.In {
			if t := tails[v]; t != nil && fuses(r, nd, v, t) && (best == nil || t.end > best.end) {
				best = t
			}
		}
		if best != nil {
			best.fuse(nd)
			tails[i] = best
		} else if nd.Type.Float() && nd.Op.Name == "BatchNormalization" {
			start()
		}
	}
	return tails
}

// fuses reports whether nd, which reads v, can be the next stage of the tail
// that ends in v.
func fuses(r *rewriter, nd *graph.Node, v graph.ID, t *tail) bool {
	if r.next(v) != nd || len(nd.Post) > 0 || nd.Type != t.head.Type {
		return false
	}
	if nd.Op.Map != nil {
		return true
	}
	if _, ok := residuals[nd.Op.Name]; !ok || t.residual {
		return false
	}
	x, y := &r.old.Nodes[nd.In[0]], &r.old.Nodes[nd.In[1]]
	return x.Const == nil && y.Const == nil && x.Shape.Equal(y.Shape) && x.Type == y.Type
}

func (t *tail) fuse(nd *graph.Node) {
	s := graph.Stage{Op: nd.Op, Attrs: nd.Attrs}
	if nd.Op.Combine != nil {
		other := nd.In[0]
		if s.Swap = other != t.end; !s.Swap {
			other = nd.In[1]
		}
		s.Swap = s.Swap && !residuals[nd.Op.Name].commutes
		s.Operand = len(t.in)
		t.in = append(t.in, other)
		t.residual = true
	}
	t.post = append(t.post, s)
	t.end = nd.ID
}
