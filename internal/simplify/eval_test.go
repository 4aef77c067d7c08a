package simplify

import (
	"fmt"
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// outputs evaluates a graph node by node and returns the values of its outputs.
func outputs(g *graph.Graph, inputs map[string]*tensor.Tensor) []*tensor.Tensor {
	values := make([]*tensor.Tensor, len(g.Nodes))
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		switch {
		case nd.Const != nil:
			values[i] = nd.Const
		case nd.Op == nil:
			values[i] = inputs[nd.Name]
		default:
			in := make([]*tensor.Tensor, len(nd.In))
			for j, x := range nd.In {
				in[j] = values[x]
			}
			values[i] = tensor.New(nd.Type, nd.Shape)
			g.Eval(g.Whole(nd.ID), in, values[i])
		}
	}
	out := make([]*tensor.Tensor, len(g.Outputs))
	for i, o := range g.Outputs {
		out[i] = values[o.ID]
	}
	return out
}

// differ compares outputs; tolerance is relative to the largest value of each,
// 0 for the same numbers.
func differ(a, b []*tensor.Tensor, tolerance float64) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d outputs and %d", len(a), len(b))
	}
	for i := range a {
		if !a[i].Shape.Equal(b[i].Shape) || a[i].Type != b[i].Type {
			return fmt.Errorf("output %d: %v%v and %v%v", i, a[i].Type, a[i].Shape, b[i].Type, b[i].Shape)
		}
		x, y := a[i].Floats(), b[i].Floats()
		largest := 1.0
		for j := range x {
			largest = max(largest, math.Abs(float64(x[j])))
		}
		for j := range x {
			if x[j] != x[j] && y[j] != y[j] {
				continue // an overflow that both have
			}
			// The negation catches NaN, the equality infinities.
			if d := math.Abs(float64(x[j]) - float64(y[j])); x[j] != y[j] && !(d <= tolerance*largest) {
				return fmt.Errorf("output %d[%d]: %g and %g", i, j, x[j], y[j])
			}
		}
	}
	return nil
}
