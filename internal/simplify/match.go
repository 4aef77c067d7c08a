package simplify

import (
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// matcher looks at the values of the graph being built, where the operands of a
// node that is about to be built have their final form.
type matcher struct {
	*rewriter
	root *graph.Node // of the old graph
}

func (m matcher) node(id graph.ID) *graph.Node { return &m.new.Peek().Nodes[id] }

// is reports whether nd is the operation opName without an epilogue.
func is(nd *graph.Node, opName string) bool {
	return nd.Op != nil && nd.Op.Name == opName && len(nd.Post) == 0
}

// made returns the node that makes id if it is the operation opName.
func (m matcher) made(id graph.ID, opName string) (*graph.Node, bool) {
	nd := m.node(id)
	return nd, is(nd, opName)
}

// scalar is the value of a constant of one element.
func (m matcher) scalar(id graph.ID) (float64, bool) {
	t := m.node(id).Const
	if t == nil || t.Shape.Size() != 1 || !t.Type.Float() {
		return 0, false
	}
	return float64(t.Floats()[0]), true
}

// withScalar returns the other operand and the scalar of a two-operand node,
// where the node's shape is that of the other operand. second tells whether the
// scalar is the second operand.
func (m matcher) withScalar(nd *graph.Node) (x graph.ID, k float64, second, ok bool) {
	for i := 1; i >= 0; i-- {
		if k, ok = m.scalar(nd.In[i]); ok && m.node(nd.In[1-i]).Shape.Equal(nd.Shape) {
			return nd.In[1-i], k, i == 1, true
		}
	}
	return 0, 0, false, false
}

// plus returns x where id makes x + k.
func (m matcher) plus(id graph.ID, k float64) (x graph.ID, ok bool) {
	nd, ok := m.made(id, "Add")
	if !ok {
		return 0, false
	}
	x, v, _, ok := m.withScalar(nd)
	return x, ok && near(nd.Type, v, k)
}

// factor returns the operand and the scalar where nd is a multiplication by a
// scalar or a division by one.
func (m matcher) factor(nd *graph.Node) (x graph.ID, k float64, ok bool) {
	if !is(nd, "Mul") && !is(nd, "Div") {
		return 0, 0, false
	}
	x, k, second, ok := m.withScalar(nd)
	if !ok || nd.Op.Name == "Div" && !second {
		return 0, 0, false
	}
	if nd.Op.Name == "Div" {
		k = 1 / k
	}
	return x, k, true
}

// unscaled takes one multiplication or division by a scalar off a value: an
// exporter writes no more, and what is below may be another layer's.
func (m matcher) unscaled(id graph.ID) (x graph.ID, k float64) {
	if x, k, ok := m.factor(m.node(id)); ok {
		return x, k
	}
	return id, 1
}

// ratio is k where id makes k * x; 1 for x itself.
func (m matcher) ratio(id, x graph.ID) (k float64, ok bool) {
	if id == x {
		return 1, true
	}
	y, k := m.unscaled(id)
	return k, y == x
}

// near compares constants as an exporter rounds them to the element type.
func near(t tensor.Type, a, b float64) bool {
	eps := 0x1p-20 // float32 and float64, after a few operations
	switch t {
	case tensor.Float16:
		eps = 0x1p-9
	case tensor.BFloat16:
		eps = 0x1p-6
	}
	return math.Abs(a-b) <= eps*math.Abs(b)
}
