package onnx

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/interval"
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

// goesOn is the condition of a loop of at most so many steps (below 0: any number); where data decide it, the loop goes on.
func (n *node) goesOn(v *value, what string, steps int64) bool {
	if v.lost {
		return false
	}
	switch t := n.awaited(v); {
	case t != nil:
		return n.isTrue(t, what)
	case steps < 0 || steps > graph.MaxOperations:
		panic(stop{varying(what)})
	}
	return true
}

func (n *node) isTrue(t *tensor.Tensor, what string) bool {
	if t.Type != tensor.Bool || t.Shape.Size() != 1 {
		n.fail("%s is %v %v: one bool wanted", what, t.Type, t.Shape)
	}
	return t.Ints()[0] != 0
}

// loop lowers Loop by writing out its steps, as many as there may be where that depends on data.
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
		steps = max(n.most(0, "M"), 0)
	}
	if n.opt(1) != nil {
		more = n.goesOn(n.in[1], fmt.Sprintf("cond (input 1, %.80q)", n.in[1].name), steps)
	}
	parts := make([][]*value, len(body.outputs)-1-k)
	var tell []*value // how many steps there are
	made := int64(0)
	for ; more && made != steps; made++ {
		if made >= graph.MaxOperations {
			n.fail("%s: at most %d wanted", stepsOf(steps), graph.MaxOperations)
		}
		tell = append(tell, n.wait...)
		if len(n.wait) > 0 && k > 0 {
			carried[0] = n.sized(n.name+"/Sized", carried[0], op.OneStep)
		}
		n.wait = nil
		s := n.scope()
		s.env[body.inputs[0].name], s.env[body.inputs[1].name] = n.index(made), n.goes()
		for j, v := range carried {
			s.env[body.inputs[2+j].name] = v
		}
		n.check(n.cost(len(body.inputs) + len(body.outputs)))
		out := n.within(s, body)
		more = n.goesOn(out[0], "the condition that the body makes", steps)
		carried = out[1 : 1+k]
		for j, v := range out[1+k:] {
			parts[j] = append(parts[j], v)
		}
	}
	tell, n.wait = append(tell, n.wait...), nil
	out := carried
	if made > 0 {
		for _, list := range parts {
			out = append(out, n.stack(list, 0))
		}
	} else if len(n.p.out) > k {
		out = append(out, n.none(body, append([]*value{n.index(0), n.goes()}, carried...), 1+k, make([]int64, len(parts)))...)
	}
	if n.wait = tell; len(tell) > 0 && len(out) > 0 && !out[0].lost {
		out[0] = n.sized(n.name, out[0], made)
	}
	return out
}

// index is the number of a step, and goes that it is made.
func (n *node) index(i int64) *value {
	return known(n.name+"/i", tensor.Ints64(tensor.Shape{}, []int64{i}))
}

func (n *node) goes() *value {
	return known(n.name+"/cond", tensor.Lazy(tensor.Bool, tensor.Shape{}, func() ([]float32, []int64) { return nil, []int64{1} }))
}

// stepsOf says how many steps a loop has; below 0: as many as its condition allows.
func stepsOf(steps int64) string {
	if steps < 0 {
		return "steps without end"
	}
	return fmt.Sprintf("up to %d steps", steps)
}

// none are the outputs of a graph from output first on, stacked along their axes, where no step makes one. Their shapes
// are those that a step with such inputs would make, which is written out aside.
func (n *node) none(body *graphProto, in []*value, first int, axes []int64) []*value {
	r := *n.reading
	r.b, r.tell = graph.NewBuilder(""), nil
	r.intervals = interval.New(r.b.Peek())
	s := &lowering{reading: &r, opset: n.opset, env: map[string]*value{}, call: n.call, depth: n.depth + 1}
	aside := func(v *value) *value {
		c := *v
		if c.id = -1; v.known == nil && !v.lost {
			c.id = r.b.Input(v.name, v.typ, v.shape)
			if v.id >= 0 {
				r.intervals.Give(c.id, n.intervals, v.id)
			}
		}
		return &c
	}
	for _, name := range n.names() {
		s.env[name] = aside(n.value(name))
	}
	for i, v := range in {
		s.env[body.inputs[i].name] = aside(v)
	}
	out := n.within(s, body)[first:]
	n.missing, n.spent = r.missing, r.spent
	for j, v := range out {
		if v.lost {
			continue
		}
		axis := n.axis(axes[j], len(v.shape)+1, 0)
		shape := append(append(v.shape[:axis:axis], 0), v.shape[axis:]...)
		out[j] = known(fmt.Sprintf("%s/none_%d", n.name, j), tensor.New(v.typ, shape))
	}
	return out
}

// stack puts values of one shape beside each other along a new dimension.
func (n *node) stack(list []*value, axis int) *value {
	rows := make([]*value, len(list))
	for i, v := range list {
		if v.lost {
			return v
		}
		if !v.shape.Equal(list[0].shape) {
			n.fail("steps make values of %v and of %v: one shape wanted", list[0].shape, v.shape)
		}
		s := append(append(v.shape[:axis:axis], 1), v.shape[axis:]...)
		rows[i] = n.via(v, s)
	}
	if len(rows) == 1 {
		return rows[0]
	}
	return n.sub("Concat", op.Attrs{"axis": int64(axis)}, rows...)
}
