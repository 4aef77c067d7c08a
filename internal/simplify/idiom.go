package simplify

import (
	"context"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
)

// form is what a node shall become: an operator on values of the new graph.
type form struct {
	op    string
	attrs op.Attrs
	in    []graph.ID
}

// idioms are the spellings that are replaced. Each is tried on every node whose
// operator is one of roots; the first that matches wins.
var idioms = []struct {
	name  string
	roots []string
	match func(m matcher, nd *graph.Node) (form, bool)
}{
	{"gated activation: x * f(x)", []string{"Mul", "Div"}, gated},
	{"bound as Min or Max with a scalar", []string{"Min", "Max"}, bound},
	{"clip of a clip", []string{"Relu", "Clip"}, clipOfClip},
	{"layer normalisation", []string{"Add"}, layerNorm},
	{"mean over all positions", []string{"ReduceMean", "AveragePool"}, globalMean},
	{"zero padding as a node", []string{"Conv", "AveragePool"}, padded},
	{"matrix product with constant weights", []string{"MatMul"}, constantProduct},
}

func idiom(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	return rewrite(ctx, g, func(r *rewriter, old *graph.Node) (graph.ID, error) {
		nd := r.mapped(old)
		for _, i := range idioms {
			if len(nd.Post) > 0 || !slices.Contains(i.roots, nd.Op.Name) {
				continue
			}
			if f, ok := i.match(matcher{r, old}, &nd); ok {
				return r.new.Op(nd.Name, f.op, f.attrs, f.in...)
			}
		}
		return r.new.Node(nd)
	})
}

// globalMean finds means over all of H and W (or whatever is spatial).
func globalMean(m matcher, nd *graph.Node) (form, bool) {
	x := m.node(nd.In[0])
	rank := len(x.Shape)
	if rank < 3 || !x.Type.Float() {
		return form{}, false
	}
	pool := form{op: "GlobalAveragePool", in: nd.In}
	if nd.Op.Name == "AveragePool" {
		for i, k := range nd.Attrs.Ints("kernel_shape") {
			if k != x.Shape[2+i] || nd.Shape[2+i] != 1 {
				return form{}, false
			}
		}
		return pool, all(nd.Attrs.Ints("pads"), 0)
	}
	for i, a := range m.axes(nd) {
		if a != 2+i {
			return form{}, false
		}
	}
	if len(m.axes(nd)) != rank-2 {
		return form{}, false
	}
	if nd.Attrs.Int("keepdims") == 1 {
		return pool, true
	}
	id, err := m.new.Op(nd.Name+".mean", pool.op, nil, nd.In...)
	if err != nil {
		return form{}, false
	}
	shape := make([]int64, len(nd.Shape))
	for i, d := range nd.Shape {
		shape[i] = int64(d)
	}
	return form{"Reshape", op.Attrs{"shape": shape}, []graph.ID{id}}, true
}

// padded finds Pads with zeros, one after another, before an operator that has
// padding of its own with the same meaning.
func padded(m matcher, nd *graph.Node) (f form, found bool) {
	f = form{nd.Op.Name, nd.Attrs, slices.Clone(nd.In)}
	for {
		p, ok := m.made(f.in[0], "Pad")
		if !ok {
			return f, found
		}
		attrs, ok := absorb(f.op, f.attrs, p)
		if !ok {
			return f, found
		}
		f.attrs, f.in[0], found = attrs, p.In[0], true
	}
}

// absorb returns the attributes of a convolution or pool that does the work of the
// Pad before it too.
func absorb(name string, a op.Attrs, p *graph.Node) (op.Attrs, bool) {
	if p.Attrs.String("mode") != "constant" || p.Attrs.Float("value") != 0 {
		return nil, false
	}
	more, pads, kernel := p.Attrs.Ints("pads"), a.Ints("pads"), a.Ints("kernel_shape")
	n := len(kernel)
	if !all(more[:2], 0) || !all(more[2+n:4+n], 0) || slices.Min(more) < 0 {
		return nil, false
	}
	attrs := a.Clone()
	if name == "AveragePool" {
		// The zeros of the Pad count in the mean, those of the pool may not; and a
		// window that hangs over the end counts what is inside.
		if a.Int("ceil_mode") != 0 || a.Int("count_include_pad") == 0 && !all(pads, 0) {
			return nil, false
		}
		attrs["count_include_pad"] = int64(1)
	}
	sum := make([]int64, 2*n)
	for i := range n {
		sum[i] = int64(pads[i] + more[2+i])
		sum[n+i] = int64(pads[n+i] + more[4+n+i])
		if name == "AveragePool" && max(sum[i], sum[n+i]) >= int64(kernel[i]) {
			return nil, false // ONNX wants pads smaller than the kernel
		}
	}
	attrs["pads"] = sum
	return attrs, true
}

// constantProduct makes a MatMul of two matrices a Gemm, which can hold a bias.
func constantProduct(m matcher, nd *graph.Node) (form, bool) {
	x, w := m.node(nd.In[0]), m.node(nd.In[1])
	return form{op: "Gemm", in: nd.In}, len(x.Shape) == 2 && len(w.Shape) == 2 && w.Const != nil && w.Type.Float()
}
