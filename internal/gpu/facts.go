package gpu

import "pimflow/internal/graph"

// Form is the form of a node in its graph, and whether its value is written by the kernels of its operands.
func (d *gpu) Form(g *graph.Graph, id graph.ID) string {
	form := g.Form(id)
	if nd := &g.Nodes[id]; nd.Op != nil && d.inPlace && d.madeInPlace(g, nd) {
		form += " in place"
	}
	return form
}

// facts are what the kernels of a layer depend on in the rest of its graph.
type facts struct {
	g       *graph.Graph
	weights float64 // bytes of the weights of all products
	reads   []int   // by node: how often nodes and outputs read it
}

// factsOf is the facts of a graph, which are found once as long as the device compiles for one graph.
func (d *gpu) factsOf(g *graph.Graph) *facts {
	if f := d.facts.Load(); f != nil && f.g == g {
		return f
	}
	f := &facts{g: g, reads: make([]int, len(g.Nodes))}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		for _, id := range nd.In {
			f.reads[id]++
		}
		if nd.Op != nil && nd.Op.MACs != nil && len(nd.In) > 1 && g.Nodes[nd.In[1]].Const != nil {
			f.weights += d.bytes(g, nd.In[1], g.Nodes[nd.In[1]].Shape.Size())
		}
	}
	for _, o := range g.Outputs {
		f.reads[o.ID]++
	}
	d.facts.Store(f)
	return f
}

// bytes is the size of n values of a node on the machine: floating-point values have the
// machine's element size, others that of their type.
func (d *gpu) bytes(g *graph.Graph, id graph.ID, n int) float64 {
	t := g.Nodes[id].Type
	if t.Float() {
		return float64(n) * float64(d.model.ElementSize)
	}
	return float64(n) * float64(t.Bytes())
}

// madeInPlace reports whether the operands of a concatenation can be written directly into
// the result: a kernel makes each, and nothing else reads it.
func (d *gpu) madeInPlace(g *graph.Graph, nd *graph.Node) bool {
	if nd.Op.Name != "Concat" {
		return false
	}
	reads := d.factsOf(g).reads
	for _, id := range nd.In {
		if made := g.Nodes[id].Op; made == nil || made.View || made.Name == "Concat" || reads[id] != 1 {
			return false
		}
	}
	return true
}
