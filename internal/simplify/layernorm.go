package simplify

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
)

// layerNorm finds layer normalisation as exporters before opset 17 write it:
// d / Sqrt(mean(d^2) + epsilon) * scale + bias where d = x - mean(x), the means
// being over the last dimensions.
func layerNorm(m matcher, nd *graph.Node) (form, bool) {
	product, bias, ok := m.withConstant(nd)
	if !ok || !is(m.node(product), "Mul") {
		return form{}, false
	}
	quotient, scale, ok := m.withConstant(m.node(product))
	if !ok || !is(m.node(quotient), "Div") {
		return form{}, false
	}
	d, deviation := m.node(quotient).In[0], m.node(quotient).In[1]
	root, ok := m.made(deviation, "Sqrt")
	if !ok {
		return form{}, false
	}
	sum, ok := m.made(root.In[0], "Add")
	if !ok {
		return form{}, false
	}
	variance, epsilon, _, ok := m.withScalar(sum)
	if !ok {
		return form{}, false
	}
	square, axis, ok := m.trailingMean(variance)
	if !ok || !m.isSquare(square, d) {
		return form{}, false
	}
	difference, ok := m.made(d, "Sub")
	if !ok {
		return form{}, false
	}
	x := difference.In[0]
	y, axis2, ok := m.trailingMean(difference.In[1])
	normalised := nd.Shape[axis:]
	if !ok || y != x || axis2 != axis || !nd.Shape.Equal(m.node(x).Shape) ||
		!m.node(scale).Shape.Equal(normalised) || !m.node(bias).Shape.Equal(normalised) {
		return form{}, false
	}
	return form{"LayerNormalization", op.Attrs{"axis": int64(axis), "epsilon": float32(epsilon)}, []graph.ID{x, scale, bias}}, true
}

// withConstant returns the operands of a two-operand node of which one is a
// constant.
func (m matcher) withConstant(nd *graph.Node) (x, k graph.ID, ok bool) {
	x, k = nd.In[0], nd.In[1]
	if m.node(x).Const != nil {
		x, k = k, x
	}
	return x, k, m.node(k).Const != nil
}

// trailingMean is x, and the first dimension averaged, where id makes the mean
// of x over its last dimensions, which stay as ones.
func (m matcher) trailingMean(id graph.ID) (x graph.ID, axis int, ok bool) {
	nd, ok := m.made(id, "ReduceMean")
	if !ok || nd.Attrs.Int("keepdims") != 1 {
		return 0, 0, false
	}
	axes := m.axes(nd)
	for i, a := range axes {
		if a != len(nd.Shape)-len(axes)+i {
			return 0, 0, false
		}
	}
	return nd.In[0], len(nd.Shape) - len(axes), len(axes) > 0
}

// axes are the reduced dimensions, sorted.
func (m matcher) axes(nd *graph.Node) []int {
	axes := nd.Attrs.Ints("axes")
	for i, a := range axes {
		if a < 0 {
			axes[i] += len(m.node(nd.In[0]).Shape)
		}
	}
	slices.Sort(axes)
	return axes
}

// isSquare reports whether id makes x^2, as Pow or as a product.
func (m matcher) isSquare(id, x graph.ID) bool {
	if p, ok := m.made(id, "Pow"); ok {
		k, ok := m.scalar(p.In[1])
		return ok && k == 2 && p.In[0] == x
	}
	p, ok := m.made(id, "Mul")
	return ok && p.In[0] == x && p.In[1] == x
}
