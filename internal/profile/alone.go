package profile

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Alone is the kernel as a network of one layer, with floating-point values of type t. Operands
// known before the run are constants: seeded noise, or 0 for integers. The error is an
// operator that does not make Out of the operands: parts of some layers are no layer of the
// same kind.
func (k *Kernel) Alone(t tensor.Type) (*graph.Graph, graph.ID, error) {
	return k.alone(t, 0, false)
}

// Probe is Alone with one more kernel, which keeps only the first value: hardly anything is
// copied to the host.
func (k *Kernel) Probe(t tensor.Type) (*graph.Graph, error) {
	g, _, err := k.alone(t, 0, true)
	return g, err
}

// alone is Alone with a separate product of that many further weights, for models that ask which
// share of a network's weights a cache holds. With probe it is Probe.
func (k *Kernel) alone(t tensor.Type, more int, probe bool) (*graph.Graph, graph.ID, error) {
	b := graph.NewBuilder(k.Op.Name)
	value := func(name string, o Operand) graph.ID {
		typ := t
		if o.Type != 0 {
			typ = o.Type
		}
		if o.Const {
			return b.Const(name, noise(name, typ, o.Shape))
		}
		return b.Input(name, typ, o.Shape)
	}
	nd := graph.Node{Name: "y", Op: k.Op, Attrs: k.Attrs}
	for i, o := range k.In {
		nd.In = append(nd.In, value(fmt.Sprintf("x%d", i), o))
	}
	for i, e := range k.Epilogue {
		s := graph.Stage{Op: e}
		if e.Name == "Clip" { // without bounds a runtime leaves it out
			s.Attrs = op.Attrs{"min": float32(0), "max": float32(6)}
		}
		if e.Combine != nil {
			s.Operand = len(nd.In)
			nd.In = append(nd.In, value(fmt.Sprintf("r%d", i), Operand{Shape: k.Out}))
		}
		nd.Post = append(nd.Post, s)
	}
	y, err := b.Node(nd)
	if err != nil {
		return nil, 0, err
	}
	if s := b.Peek().Nodes[y].Shape; !s.Equal(k.Out) {
		return nil, 0, fmt.Errorf("%s makes %v of these inputs: %v wanted", k.Op.Name, s, k.Out)
	}
	result := y
	if n := len(k.Out); probe && n > 0 {
		starts, ends, axes, steps := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
		for d := range n {
			ends[d], axes[d], steps[d] = 1, int64(d), 1
		}
		if result, err = b.Op("first", "Slice", op.Attrs{"starts": starts, "ends": ends, "axes": axes, "steps": steps}, y); err != nil {
			return nil, 0, err
		}
	}
	b.Output("output", result)
	if more > 0 {
		z, err := b.Op("rest", "Gemm", nil, b.Input("x", t, tensor.Shape{1, 1}), b.Const("w", noise("w", t, tensor.Shape{1, more})))
		if err != nil {
			return nil, 0, err
		}
		b.Output("rest", z)
	}
	g, err := b.Graph()
	return g, y, err
}

// noise is standard normal noise, equal for equal names and shapes. Integers are 0, since they
// may be indices.
func noise(name string, t tensor.Type, s tensor.Shape) *tensor.Tensor {
	return tensor.Lazy(t, s, func() ([]float32, []int64) {
		if !t.Float() {
			return nil, make([]int64, s.Size())
		}
		h := fnv.New64a()
		fmt.Fprint(h, name, t, s)
		rng := rand.New(rand.NewPCG(2023, h.Sum64()))
		v := make([]float32, s.Size())
		for i := range v {
			v[i] = tensor.Round(t, float32(rng.NormFloat64()))
		}
		return v, nil
	})
}

// weights is the number of elements of second operands of products in a graph.
func weights(g *graph.Graph) int {
	n := 0
	for i := range g.Nodes {
		n += weightsOf(g, graph.ID(i))
	}
	return n
}

func weightsOf(g *graph.Graph, id graph.ID) int {
	nd := &g.Nodes[id]
	if nd.Op == nil || nd.Op.MACs == nil || len(nd.In) < 2 || g.Nodes[nd.In[1]].Const == nil {
		return 0
	}
	return g.Nodes[nd.In[1]].Shape.Size()
}
