package graph_test

import (
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestTypes: a value has the type that its operator says, and operands of a wrong type are an error.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		op    string
		attrs op.Attrs
		in    []tensor.Type
		want  tensor.Type
		err   string
	}{
		{"Cast", op.Attrs{"to": "int64"}, []tensor.Type{tensor.Float32}, tensor.Int64, ""},
		{"Equal", nil, []tensor.Type{tensor.Float32, tensor.Float32}, tensor.Bool, ""},
		{"Where", nil, []tensor.Type{tensor.Bool, tensor.Float16, tensor.Float16}, tensor.Float16, ""},
		{"Relu", nil, []tensor.Type{tensor.Float16}, tensor.Float16, ""},
		{"Add", nil, []tensor.Type{tensor.Float32, tensor.Int64}, 0, "Add: "},
		{"MatMul", nil, []tensor.Type{tensor.Bool, tensor.Bool}, 0, "MatMul: "},
	} {
		b := graph.NewBuilder("g")
		var in []graph.ID
		for _, typ := range c.in {
			in = append(in, b.Input("x", typ, tensor.Shape{2, 2}))
		}
		id, err := b.Op("y", c.op, c.attrs, in...)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s of %v: %v", c.op, c.in, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s of %v: %v", c.op, c.in, err)
			continue
		}
		b.Output("y", id)
		g, err := b.Graph()
		if err != nil || g.Nodes[id].Type != c.want {
			t.Errorf("%s of %v: %v, %v", c.op, c.in, g, err)
		}
	}
}
