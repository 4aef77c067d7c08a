package plan_test

import (
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestCuttable: a value is cut along a dimension that it has, if an operation makes it.
func TestCuttable(t *testing.T) {
	b := graph.NewBuilder("one")
	x := b.Input("x", tensor.Float32, tensor.Shape{2, 3})
	y, err := b.Op("", "Relu", nil, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	for dim, want := range []bool{true, true, false} {
		if plan.Cuttable(&g.Nodes[x], dim) || plan.Cuttable(&g.Nodes[y], dim) != want {
			t.Errorf("dimension %d: %t of the input, %t of the value", dim, plan.Cuttable(&g.Nodes[x], dim), plan.Cuttable(&g.Nodes[y], dim))
		}
	}
}
