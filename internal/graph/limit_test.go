package graph_test

import (
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestMadeOfConstants: constants may make some copies of themselves, a grid from nothing, and no more, in values or in steps.
func TestMadeOfConstants(t *testing.T) {
	for _, c := range []struct {
		stored, rows, columns int // of a constant that is stretched to rows
		square                bool
		want                  string
	}{
		{stored: 1, rows: 1 << 11, columns: 1 << 11},
		{stored: 1, rows: 1 << 12, columns: 1 << 11, want: `node "e" (Expand) makes a value of 4096x2048 from constants alone: at most 4194312 numbers, or 268435968 steps, wanted in all for 1 numbers stored`},
		{stored: 1 << 20, rows: 8, columns: 1 << 20},
		{stored: 1 << 20, rows: 16, columns: 1 << 20, want: `node "e" (Expand) makes a value of 16x1048576 `},
		{stored: 1, rows: 1 << 8, columns: 1 << 8, square: true},
		{stored: 1, rows: 1 << 10, columns: 1 << 10, square: true, want: `node "m" (MatMul) makes a value of 1024x1024 `}, // 2^30 steps
	} {
		b := graph.NewBuilder("g")
		x := b.Input("x", tensor.Float32, tensor.Shape{1})
		k := b.Const("k", tensor.New(tensor.Float32, tensor.Shape{1, c.stored}))
		must := func(id graph.ID, err error) graph.ID {
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		v := must(b.Op("e", "Expand", op.Attrs{"shape": []int64{int64(c.rows), int64(c.columns)}}, k))
		if c.square {
			v = must(b.Op("m", "MatMul", nil, v, v))
		}
		b.Output("y", must(b.Op("y", "Add", nil, x, v)))
		_, err := b.Graph()
		got := ""
		if err != nil {
			got = err.Error()
		}
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestOperations: one more than the most is refused.
func TestOperations(t *testing.T) {
	b := graph.NewBuilder("g")
	x := b.Input("x", tensor.Float32, tensor.Shape{1})
	var err error
	for range graph.MaxOperations {
		if x, err = b.Op("", "Relu", nil, x); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = b.Op("", "Relu", nil, x); err == nil || err.Error() != "more than 10000 operations in one graph" {
		t.Errorf("got %v", err)
	}
}
