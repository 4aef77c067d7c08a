package memory_test

import (
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestHolds: newton has 2^34 bytes for values of 2 bytes. What an operation reads twice counts once, and a view not at all.
func TestHolds(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		op    string
		attrs op.Attrs
		n     int
		want  string
	}{
		{"Relu", nil, 1 << 32, ""},
		{"Relu", nil, 1<<32 + 1<<24, `node %1 "y" makes 4311744512: with what it reads and all weights (0 B) it takes 17.2 GB, machine newton has 17.2 GB`},
		{"Mul", nil, 1 << 32, ""},
		{"Reshape", op.Attrs{"shape": []int64{1 << 31, 4}}, 1 << 33, ""},
	} {
		b := graph.NewBuilder("g")
		in := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{c.n})}
		if c.op == "Mul" {
			in = append(in, in[0])
		}
		y, err := b.Op("y", c.op, c.attrs, in...)
		if err != nil {
			t.Fatal(err)
		}
		b.Output("y", y)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := memory.Holds(g, m); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.op, got, c.want)
		}
	}
}

// TestHoldsWeights: weights take room beside the values of any operation, each once, whether the PIM or the GPU has them; 2^30
// numbers to read and their places take 10 GB.
func TestHoldsWeights(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		weights int
		want    string
	}{
		{1<<33 - 5<<30, ""},
		{1<<33 - 5<<30 + 1<<26, `node %2 "y" makes 1073741824: with what it reads and all weights (6.6 GB) it takes 17.3 GB, machine newton has 17.2 GB`},
		{1<<33 + 1<<24, `node %2 "y" makes 1073741824: with what it reads and all weights (17.2 GB) it takes 28.0 GB, machine newton has 17.2 GB`},
	} {
		b := graph.NewBuilder("g")
		w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{c.weights}, nil))
		x := b.Input("x", tensor.Int64, tensor.Shape{1 << 30})
		for _, name := range []string{"y", "z"} {
			y, err := b.Op(name, "Gather", nil, w, x)
			if err != nil {
				t.Fatal(err)
			}
			b.Output(name, y)
		}
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := memory.Holds(g, m); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%d weights: got %q, want %q", c.weights, got, c.want)
		}
	}
}
