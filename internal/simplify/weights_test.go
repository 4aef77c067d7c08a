package simplify

import (
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// No pass asks for the values of weights: a network of any size is simplified in
// the time of its nodes.
func TestWeightsStayLazy(t *testing.T) {
	m := newMaker()
	asked := false
	lazy := func(dims ...int) graph.ID {
		return m.Const("w", tensor.Lazy(tensor.Float32, dims, func() ([]float32, []int64) {
			asked = true
			v := make([]float32, tensor.Shape(dims).Size())
			for i := range v {
				v[i] = 2
			}
			return v, nil
		}))
	}
	x := m.input("x", 1, 4, 5, 5)
	w := m.op("transposed", "Transpose", op.Attrs{"perm": []int64{1, 0, 2, 3}}, lazy(4, 8, 1, 1)) // folded
	y := m.op("conv", "Conv", convAttrs(1, 1, 0, 1), x, w, lazy(8))
	y = m.op("bn", "BatchNormalization", nil, y, lazy(8), lazy(8), lazy(8), lazy(8))
	y = m.op("mul", "Mul", nil, y, lazy(8, 1, 1))
	y = m.op("flat", "Reshape", op.Attrs{"shape": []int64{8, 25}}, y)
	y = m.op("fc", "MatMul", nil, y, lazy(25, 3))
	after := run(t, m.graph(m.op("add", "Add", nil, y, lazy(3))))
	if asked {
		t.Error("the values of a constant were asked for")
	}
	in := tensor.New(tensor.Float32, tensor.Shape{1, 4, 5, 5})
	outputs(after, map[string]*tensor.Tensor{"x": in})
	if !asked {
		t.Error("no value of a constant was asked for: the test sees nothing")
	}
}

// New weights are values of the element type, and biases where there were none.
func TestNarrowWeights(t *testing.T) {
	for _, typ := range []tensor.Type{tensor.Float16, tensor.BFloat16} {
		m := newMaker()
		third := tensor.New(typ, tensor.Shape{3})
		for i := range third.Floats() {
			third.Floats()[i] = tensor.Round(typ, float32(i+1)/3)
		}
		k := m.Const("k", third)
		x := m.Input("x", typ, tensor.Shape{1, 1, 2, 2})
		w := m.Const("w", tensor.Floats32(tensor.Shape{3, 1, 1, 1}, []float32{1, 2, 3}).Convert(typ))
		y := m.op("conv", "Conv", convAttrs(1, 1, 0, 1), x, w)
		y = m.op("bn", "BatchNormalization", nil, y, k, k, k, k)
		g := run(t, m.graph(y))
		conv := &g.Nodes[g.Outputs[0].ID]
		if conv.Op.Name != "Conv" || len(conv.In) != 3 {
			t.Fatalf("left is %s", list(g))
		}
		for _, id := range conv.In[1:] {
			c := g.Nodes[id].Const
			if c.Type != typ {
				t.Errorf("%q is %v: %v wanted", g.Nodes[id].Name, c.Type, typ)
			}
			for _, v := range c.Floats() {
				if v == 0 || v != tensor.Round(typ, v) {
					t.Errorf("%q: %g is not a %v", g.Nodes[id].Name, v, typ)
				}
			}
		}
	}
}
