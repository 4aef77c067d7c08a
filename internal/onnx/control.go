package onnx

import (
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// graph returns the graph that an attribute is.
func (n *node) graph(name string) *graphProto {
	a := n.attr(name, attrGraph)
	if a == nil {
		n.fail("attribute %.80q is missing", name)
	}
	return a.graph
}

// scope is a scope of names in that of the node.
func (n *node) scope() *lowering {
	return &lowering{reading: n.reading, opset: n.opset, outer: n.lowering, env: map[string]*value{}, call: n.call, depth: n.depth + 1}
}

// ifElse lowers If on a constant to the nodes of the branch that it takes.
func ifElse(n *node) []*value {
	n.arity(1, 1)
	branch := "else_branch"
	if n.flag(0, "cond") {
		branch = "then_branch"
	}
	n.ignore("then_branch", "else_branch")
	g := n.graph(branch)
	if len(g.outputs) != len(n.p.out) {
		n.fail("%s makes %d values: %d wanted", branch, len(g.outputs), len(n.p.out))
	}
	return n.within(n.scope(), g)
}

// truth is the value of a condition that does not depend on the model's inputs.
func (n *node) truth(v *value, what string) bool {
	if v.lost {
		return false // the operators that are missing are named
	}
	t := n.settled(v, what)
	if t.Type != tensor.Bool || t.Shape.Size() != 1 {
		n.fail("%s is %v %v: one bool wanted", what, t.Type, t.Shape)
	}
	return t.Ints()[0] != 0
}

// loop lowers Loop by writing out its steps: how many there are, and when they end, must not depend on the model's inputs.
func loop(n *node) []*value {
	body := n.graph("body")
	if len(n.in) > len(body.inputs) && len(n.in) > 2 || len(body.inputs) < 2 {
		n.fail("%d inputs for a body of %d: as many wanted", len(n.in), len(body.inputs))
	}
	carried := append([]*value{}, n.in[min(2, len(n.in)):]...)
	k := len(carried)
	if len(body.inputs) != k+2 || len(body.outputs) < k+1 || len(n.p.out) > len(body.outputs)-1 {
		n.fail("a body of %d inputs and %d outputs for %d values carried and %d made", len(body.inputs), len(body.outputs), k, len(n.p.out))
	}
	for i, v := range carried {
		if v == nil {
			n.fail("input %d is left out", i+2)
		}
	}
	steps, more := int64(-1), true
	if n.opt(0) != nil {
		steps = max(n.whole(0, "M"), 0)
	}
	if n.opt(1) != nil {
		more = n.flag(1, "cond")
	}
	parts := make([][]*value, len(body.outputs)-1-k)
	for i := int64(0); more && i != steps; i++ {
		if i >= graph.MaxOperations {
			n.fail("more than %d steps", graph.MaxOperations)
		}
		s := n.scope()
		s.env[body.inputs[0].name] = known(n.name+"/i", tensor.Ints64(tensor.Shape{}, []int64{i}))
		s.env[body.inputs[1].name] = known(n.name+"/cond", tensor.Lazy(tensor.Bool, tensor.Shape{}, func() ([]float32, []int64) { return nil, []int64{1} }))
		for j, v := range carried {
			s.env[body.inputs[2+j].name] = v
		}
		n.check(n.cost(len(body.inputs) + len(body.outputs)))
		out := n.within(s, body)
		more = n.truth(out[0], "the condition that the body makes")
		carried = out[1 : 1+k]
		for j, v := range out[1+k:] {
			parts[j] = append(parts[j], v)
		}
	}
	for j, list := range parts {
		if len(list) == 0 && 1+k+j <= len(n.p.out) {
			n.fail("no step is done, and output %d is made of the steps", k+j)
		}
		if len(list) > 0 {
			carried = append(carried, n.stack(list, 0))
		}
	}
	return carried
}

// stack puts values of one shape beside each other along a new dimension.
func (n *node) stack(list []*value, axis int) *value {
	rows := make([]*value, len(list))
	for i, v := range list {
		if v.lost {
			return v
		}
		if !v.shape.Equal(list[0].shape) {
			n.fail("a step makes a value of %v, the first one of %v: one shape wanted", v.shape, list[0].shape)
		}
		s := append(append(v.shape[:axis:axis], 1), v.shape[axis:]...)
		rows[i] = n.via(v, s)
	}
	if len(rows) == 1 {
		return rows[0]
	}
	return n.sub("Concat", op.Attrs{"axis": int64(axis)}, rows...)
}
