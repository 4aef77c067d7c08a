package zoo

import (
	"math"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// evaluate returns the values of all nodes.
func evaluate(g *graph.Graph, x *tensor.Tensor) []*tensor.Tensor {
	values := make([]*tensor.Tensor, len(g.Nodes))
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		switch {
		case nd.Const != nil:
			values[i] = nd.Const
		case nd.Op == nil:
			values[i] = x
		default:
			in := make([]*tensor.Tensor, len(nd.In))
			for j, y := range nd.In {
				in[j] = values[y]
			}
			values[i] = tensor.New(nd.Type, nd.Shape)
			g.Eval(g.Whole(nd.ID), in, values[i])
		}
	}
	return values
}

func rms(t *tensor.Tensor) float64 {
	sq := 0.0
	for _, v := range t.Floats() {
		sq += float64(v) * float64(v)
	}
	return math.Sqrt(sq / float64(t.Shape.Size()))
}

// Values keep their scale through the depth of a network: otherwise a wrong
// result far down would be a difference of nothing.
func TestScaleIsKept(t *testing.T) {
	names := []string{"toy", "mobilenet-v2"}
	if !testing.Short() {
		names = append(names, "densenet-121", "efficientnet-b0", "inception-v3", "mnasnet-1.0")
	}
	for _, name := range names {
		g := build(t, name, 1)
		s := g.Nodes[g.Inputs[0]].Shape
		// Uniform with variance 1, as normalised images have about.
		x := tensor.Floats32(s, uniform(seedOf(name, "input"), s.Size(), float32(math.Sqrt(3))))
		values := evaluate(g, x)
		for i := range g.Nodes {
			nd := &g.Nodes[i]
			if nd.Op == nil {
				continue
			}
			if r := rms(values[i]); !(r > 0.1 && r < 10) {
				t.Errorf("%s: %q has root mean square %g", name, nd.Name, r)
			}
		}
	}
}
