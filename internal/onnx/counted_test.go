package onnx

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// TestCountedConstants: an extent that depends on constants alone is what it is, and no size to be asked for.
func TestCountedConstants(t *testing.T) {
	mask := tensor.Ints64(tensor.Shape{5}, []int64{0, 3, 0, 1, 1})
	x := valueInfo(11, "x", tensor.Float32, 5)
	f := &File{}
	data := model(13, x, initial("m", mask), call("NonZero", "m", "i"), call("Transpose", "i", "c"), call("Gather", "x c", "y", attr("axis", int64(0))), valueInfo(12, "y", tensor.Float32))
	if err := f.decode(context.Background(), memory(data), "m", Options{}, nil); err != nil {
		t.Fatal(err)
	}
	if y := f.Graph.Nodes[f.Graph.Outputs[0].ID]; !y.Shape.Equal(tensor.Shape{3, 1}) || f.Counted() {
		t.Errorf("%v, counted %v", y.Shape, f.Counted())
	}
}

// TestSized reads a model again with the sizes that it is told: the shapes behind follow, and an error of who tells
// names the node. Weights are shared.
func TestSized(t *testing.T) {
	x := valueInfo(11, "x", tensor.Float32, 2, 3)
	w := initial("w", tensor.Floats32(tensor.Shape{3, 2}, make([]float32, 6)))
	data := model(13, x, w, call("NonZero", "x", "i"), call("Shape", "i", "s"), call("Expand", "b s", "y"), initial("b", tensor.Floats32(tensor.Shape{1}, []float32{7})),
		call("MatMul", "x w", "z"), valueInfo(12, "y", tensor.Float32), valueInfo(12, "z", tensor.Float32))
	f := &File{}
	if err := f.decode(context.Background(), memory(data), "m", Options{}, nil); err != nil {
		t.Fatal(err)
	}
	shape := func(g *graph.Graph) tensor.Shape { return g.Nodes[g.Outputs[0].ID].Shape }
	if !shape(f.Graph).Equal(tensor.Shape{2, 6}) || !f.Counted() {
		t.Errorf("the largest: %v, counted %v", shape(f.Graph), f.Counted())
	}
	weight := func(g *graph.Graph) *tensor.Tensor {
		for i := range g.Nodes {
			if g.Nodes[i].Name == "w" {
				return g.Nodes[i].Const
			}
		}
		return nil
	}
	for n := range 7 {
		g, err := f.Sized(context.Background(), func(g *graph.Graph, id graph.ID) (*tensor.Tensor, error) {
			if g.Nodes[id].Name != "x" {
				t.Errorf("the value of %d", id)
			}
			return tensor.Floats32(tensor.Shape{2, 3}, append(slices.Repeat([]float32{1}, n), make([]float32, 6-n)...)), nil
		})
		if err != nil || !shape(g).Equal(tensor.Shape{2, n}) {
			t.Fatalf("%d: %v", n, err)
		}
		if weight(g) != weight(f.Graph) || weight(g) == nil {
			t.Error("the weight is another")
		}
	}
	unknown := errors.New("unknown")
	_, err := f.Sized(context.Background(), func(*graph.Graph, graph.ID) (*tensor.Tensor, error) { return nil, unknown })
	if !errors.Is(err, unknown) || !strings.Contains(err.Error(), `node "i" (NonZero)`) {
		t.Errorf("an error: %v", err)
	}
}

// TestLongRange counts a Range that is too long to be known at once.
func TestLongRange(t *testing.T) {
	one := func(v int64) *tensor.Tensor { return tensor.Ints64(tensor.Shape{}, []int64{v}) }
	g := decode(t, model(13, initial("a", one(5)), initial("b", one(20_000)), initial("d", one(3)), call("Range", "a b d", "y"), valueInfo(12, "y", tensor.Int64)), "range")
	y := evalGraph(g, nil)[0].Ints()
	if len(y) != 6665 {
		t.Fatalf("%d values", len(y))
	}
	for i, v := range y {
		if v != int64(5+3*i) {
			t.Fatalf("[%d] is %d", i, v)
		}
	}
}
