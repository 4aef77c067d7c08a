package run

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pimflow/internal/budget"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// sized builds a graph of two extents that depend on data, the second on the values of the first: the rows of x
// whose first value is not 0, and of these the ones whose second is not. A late reader reads a value that the largest
// graph does not read again.
func sized(t *testing.T, late bool, value func(g *graph.Graph, id graph.ID) (*tensor.Tensor, error)) (*graph.Graph, error) {
	b := graph.NewBuilder("sized")
	put := func(name, o string, a op.Attrs, in ...graph.ID) graph.ID {
		id, err := b.Op(name, o, a, in...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	x := b.Input("x", tensor.Float32, tensor.Shape{6, 2})
	double := put("double", "Add", nil, x, x)
	rows := double
	for _, name := range []string{"first", "second"} {
		column := put(name+"/column", "Slice", op.Attrs{"starts": []int64{0}, "ends": []int64{1}, "axes": []int64{1}, "steps": []int64{1}}, rows)
		flat := put(name+"/flat", "Reshape", op.Attrs{"shape": []int64{int64(b.Peek().Nodes[column].Shape[0])}}, column)
		o, _ := op.Lookup("NonZero")
		n := o.Largest(nil, []tensor.Shape{b.Peek().Nodes[flat].Shape})
		if value != nil {
			x, err := value(b.Peek(), flat)
			if err != nil {
				return nil, err
			}
			n = o.Count(nil, []*tensor.Tensor{x})
		}
		at := put(name, "NonZero", op.Attrs{"size": int64(n)}, flat)
		at = put(name+"/at", "Reshape", op.Attrs{"shape": []int64{int64(n)}}, at)
		rows = put(name+"/rows", "Gather", op.Attrs{"axis": int64(0)}, rows, at)
		rows = put(name+"/less", "Sub", nil, rows, b.Const("", tensor.Floats32(tensor.Shape{1}, []float32{2})))
	}
	b.Output("y", rows)
	if late {
		b.Output("late", put("late", "Neg", nil, double))
	}
	return b.Graph()
}

// TestSizing evaluates a graph while it is built: its extents are those of the inputs, its outputs those of the
// definition, also where a reader is not in the largest graph, and where nothing is found.
func TestSizing(t *testing.T) {
	largest, err := sized(t, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x             []float32
		first, second int
	}{
		{[]float32{1, 2, 0, 3, 5, 0, 1, 1, 0, 0, 7, 7}, 4, 2},
		{[]float32{1, 2, 1, 3, 1, 0, 1, 1, 1, 0, 1, 7}, 6, 0},
		{[]float32{0, 2, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7}, 0, 0},
	} {
		in := []*tensor.Tensor{tensor.Floats32(tensor.Shape{6, 2}, c.x)}
		for _, late := range []bool{false, true} {
			s := NewSizing(t.Context(), largest, in, nil)
			g, err := sized(t, late, s.Value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Outputs(g)
			if err != nil {
				t.Fatal(err)
			}
			want, err := Reference(t.Context(), g, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, d := range Compare(want, got) {
				if d.MaxAbs > 0 || d.Compared != int64(want[i].Shape.Size()) {
					t.Errorf("output %d: %+v", i, d)
				}
			}
			for i := range g.Nodes {
				if nd := &g.Nodes[i]; nd.Name == "first" && nd.Shape[1] != c.first || nd.Name == "second" && nd.Shape[1] != c.second {
					t.Errorf("%v: %s has %v", c.x, nd.Name, nd.Shape)
				}
			}
			if len(s.t) > len(g.Outputs)+1 {
				t.Errorf("%d values are held to the end", len(s.t))
			}
		}
	}
}

func TestSizingEnds(t *testing.T) {
	largest, err := sized(t, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{6, 2})}
	if _, err := sized(t, false, NewSizing(budget.With(t.Context(), 10), largest, in, nil).Value); err == nil || !strings.Contains(err.Error(), "10 B") {
		t.Errorf("10 bytes of memory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sized(t, false, NewSizing(ctx, largest, in, nil).Value); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
