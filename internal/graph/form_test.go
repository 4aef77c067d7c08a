package graph_test

import (
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestForm: what changes the value or the need of an operation changes its form; its name and place do not.
func TestForm(t *testing.T) {
	form := func(extent int, kind string, a op.Attrs, twice, known bool) string {
		b := graph.NewBuilder("form")
		shape := tensor.Shape{1, extent, 4, 4}
		x, y := b.Input("x", tensor.Float32, shape), graph.ID(0)
		if y = x; known {
			y = b.Const("", tensor.New(tensor.Float32, shape))
		} else if !twice {
			y = b.Input("y", tensor.Float32, shape)
		}
		in := []graph.ID{x, y}
		if a != nil {
			in = in[:1]
		}
		id, err := b.Op("", kind, a, in...)
		if err != nil {
			t.Fatal(err)
		}
		return b.Peek().Form(id)
	}
	same := form(2, "Add", nil, false, false)
	if same != form(2, "Add", nil, false, false) {
		t.Error("one operation has two forms")
	}
	seen := map[string]int{same: -1}
	for i, other := range []string{
		form(3, "Add", nil, false, false), form(2, "Mul", nil, false, false), form(2, "Add", nil, true, false), form(2, "Add", nil, false, true),
		form(2, "Elu", op.Attrs{"alpha": float32(1)}, false, false), form(2, "Elu", op.Attrs{"alpha": float32(2)}, false, false),
	} {
		if j, ok := seen[other]; ok {
			t.Errorf("operations %d and %d have the form %s", i, j, other)
		}
		seen[other] = i
	}
}
