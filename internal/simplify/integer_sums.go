package simplify

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// matrix: a product of two matrices, to which a constant an output is added before QuantizeLinear, is a Gemm.
func (m integers) matrix(nd *graph.Node) (graph.ID, bool, error) {
	add := m.next(m.root.ID)
	if !is(nd, "MatMul") || len(nd.Shape) != 2 || add == nil || !is(add, "Add") || !add.Shape.Equal(nd.Shape) {
		return none, false, nil
	}
	x, ok := m.eight(nd.In[0])
	w, also := m.code(nd.In[1])
	if !ok || !also || m.node(w.x).Type == tensor.Int32 || w.axis == 0 || len(m.node(x.x).Shape) != 2 || len(m.node(w.x).Shape) != 2 {
		return none, false, nil
	}
	k := add.In[0]
	if k == m.root.ID {
		k = add.In[1]
	}
	if m.ids[k] == none && m.old.Nodes[k].Const == nil {
		return none, false, nil
	}
	b := m.node(m.id(k))
	if s := b.Shape; b.Type != tensor.Float32 || len(s) == 0 || s.Size() != nd.Shape[1] || s[len(s)-1] != nd.Shape[1] {
		return none, false, nil
	}
	row, err := op.Lookup("Gemm")
	if err != nil {
		return none, false, err
	}
	gemm := *nd
	if gemm.Attrs, err = (op.Attrs{}).Complete(row); err != nil {
		return none, false, err
	}
	gemm.Op, gemm.In = row, []graph.ID{nd.In[0], nd.In[1], m.id(k)}
	e, passed, ok := m.end(add.ID)
	bias, also := m.bias(&gemm, x, w)
	if !ok || !also {
		return none, false, nil
	}
	return m.finish("QGemm", gemm.Attrs, e, append([]graph.ID{add.ID}, passed...),
		[]graph.ID{x.x, w.x, x.scale, x.zero, w.scale, w.zero, e.to.scale, e.to.zero, bias})
}

// clamped: a clip of integers that nobody else reads is a bound of their operator.
func (m integers) clamped(nd *graph.Node) (graph.ID, bool, error) {
	if nd.Type != tensor.Int8 && nd.Type != tensor.Uint8 || m.next(m.root.In[0]) != m.root {
		return none, false, nil
	}
	i, ok := intervalOf(nd)
	x := m.node(nd.In[0])
	if !ok || x.Op == nil || x.Attrs["low"] == nil {
		return none, false, nil
	}
	c := *x
	c.Name, c.Attrs = nd.Name, x.Attrs.Clone()
	clip := func(v int64) int64 { return int64(min(max(float32(v), i.lo), i.hi)) }
	c.Attrs["low"], c.Attrs["high"] = clip(x.Attrs["low"].(int64)), clip(x.Attrs["high"].(int64))
	id, err := m.new.Node(c)
	return id, true, err
}

// scaled: int32 sums that are cast to float32 and multiplied by a scale.
func (m integers) scaled(nd *graph.Node) (graph.ID, bool, error) {
	if !is(nd, "Mul") {
		return none, false, nil
	}
	for i := range 2 {
		cast, ok := m.made(nd.In[i], "Cast")
		if !ok || cast.Type != tensor.Float32 {
			continue
		}
		sums := m.node(cast.In[0])
		rows, ok := map[string]string{"ConvInteger": "ConvIntegerToFloat", "MatMulInteger": "MatMulIntegerToFloat"}[opName(sums)]
		if !ok || !sums.Shape.Equal(nd.Shape) || m.next(m.root.In[i]) != m.root || m.next(m.old.Nodes[m.root.In[i]].In[0]) == nil {
			continue
		}
		scale := nd.In[1-i]
		if s := m.node(scale).Shape; s.Size() != 1 || m.node(scale).Type != tensor.Float32 {
			continue
		} else if len(s) > 1 {
			var err error
			if scale, err = m.new.Op(nd.Name+"/scale", "Reshape", op.Attrs{"shape": []int64{}}, scale); err != nil {
				return none, false, err
			}
		}
		ones := tensor.New(tensor.Float32, m.node(sums.In[3]).Shape)
		for k := range ones.Floats() {
			ones.Floats()[k] = 1
		}
		id, err := m.new.Op(nd.Name, rows, sums.Attrs, sums.In[0], sums.In[1], scale, sums.In[2], m.new.Const(nd.Name+"/one", ones), sums.In[3])
		return id, true, err
	}
	return none, false, nil
}

// biased: a constant an output that is added to a product of real value.
func (m integers) biased(nd *graph.Node) (graph.ID, bool, error) {
	if !is(nd, "Add") {
		return none, false, nil
	}
	for i := range 2 {
		x, k := m.node(nd.In[i]), m.node(nd.In[1-i])
		row := opName(x)
		if x.Op == nil || !x.Op.ToFloat() || len(x.In) != 6 || k.Const == nil || !x.Shape.Equal(nd.Shape) || m.next(m.root.In[i]) != m.root {
			continue
		}
		axis := len(nd.Shape) - 1
		switch row {
		case "ConvIntegerToFloat":
			axis = 1
		case "MatMulIntegerToFloat":
			if len(nd.Shape) != 2 || len(m.node(x.In[0]).Shape) != 2 || len(m.node(x.In[1]).Shape) != 2 {
				continue
			}
			row = "GemmIntegerToFloat"
		}
		outs := nd.Shape[axis]
		if at := axis - len(nd.Shape) + len(k.Shape); at < 0 || k.Shape[at] != outs || k.Shape.Size() != outs {
			continue
		}
		b := m.new.Const(nd.Name+"/bias", k.Const.Reshape(tensor.Shape{outs}))
		id, err := m.new.Op(nd.Name, row, x.Attrs, append(slices.Clone(x.In), b)...)
		return id, true, err
	}
	return none, false, nil
}

func opName(nd *graph.Node) string {
	if nd.Op == nil || len(nd.Post) > 0 {
		return ""
	}
	return nd.Op.Name
}
