package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// functionKey names a function of a model.
type functionKey struct{ domain, name, overload string }

// invocation is the function whose nodes are lowered.
type invocation struct {
	key   functionKey
	attrs map[string]*attrProto // that its nodes may refer to
	in    *invocation           // the call around it; nil: none
	depth int
}

// maxCalls bounds how deep functions call each other. Estimated: those of exporters have 3 or 4 levels.
const maxCalls = 64

// maxSpent bounds what graphs and functions in others come to when they are written out, in nodes, names and tensors: a file
// of a few lines can call a function of two calls of a function of two calls. Estimated: five times the operations that a graph may have, of five names each.
const maxSpent = 1 << 18

// spend counts a node that is not one of the model's graph itself.
func (l *lowering) spend(p *nodeProto) error {
	if l.outer == nil && l.call == nil {
		return nil
	}
	return l.cost(1 + len(p.reads()) + len(p.out) + len(p.attrs))
}

func (r *reading) cost(n int) error {
	if r.spent += n; r.spent > maxSpent {
		return fmt.Errorf("functions, loops and branches written out come to more than %d nodes and names", maxSpent)
	}
	return nil
}

// index finds the functions by their names.
func (m *modelProto) index() (map[functionKey]*functionProto, error) {
	all := make(map[functionKey]*functionProto, len(m.functions))
	for _, f := range m.functions {
		key := functionKey{domain(f.domain), f.name, f.overload}
		if all[key] != nil {
			return nil, fmt.Errorf("function %.80q is there twice", f.name)
		}
		if _, err := defaultOpset(f.opsets); errors.Is(err, errNoOpset) { // its nodes are of other domains, or it leaves it to the model
			f.opsets = m.opsets
		}
		all[key] = f
	}
	return all, nil
}

// function returns the function that a node calls; nil: none of the model's.
func (l *lowering) function(p *nodeProto) *functionProto {
	return l.functions[functionKey{domain(p.domain), p.opType, p.overload}]
}

// inline lowers the nodes of a function in place of a node that calls it.
func (n *node) inline(f *functionProto) []*value {
	key := functionKey{domain(f.domain), f.name, f.overload}
	c := &invocation{key: key, attrs: map[string]*attrProto{}, in: n.call}
	for x := n.call; x != nil; x = x.in {
		if x.key == key {
			n.fail("the function calls itself")
		}
		c.depth++
	}
	if c.depth >= maxCalls {
		n.fail("functions that call functions: at most %d deep wanted", maxCalls)
	}
	opset, err := defaultOpset(f.opsets)
	n.check(err)
	for _, a := range f.defaults {
		c.attrs[a.name] = a
	}
	for _, a := range n.p.attrs {
		if _, ok := c.attrs[a.name]; !ok && !slices.Contains(f.attrs, a.name) {
			n.fail("attribute %.80q is not one of the function", a.name)
		}
		c.attrs[a.name] = a
	}
	if len(n.p.in) > len(f.in) || len(n.p.out) > len(f.out) {
		n.fail("%d inputs and %d outputs: up to %d and %d of the function wanted", len(n.p.in), len(n.p.out), len(f.in), len(f.out))
	}
	inner := &lowering{reading: n.reading, opset: opset, env: map[string]*value{}, call: c, depth: n.depth + 1}
	n.check(n.cost(len(f.in)))
	// An input that is left out is an empty name to the nodes of the function.
	left := map[string]bool{}
	for i, name := range f.in {
		if v := n.opt(i); v != nil {
			inner.env[name] = v
		} else {
			left[name] = true
		}
	}
	g := f.body
	for _, name := range f.out[:len(n.p.out)] {
		g.outputs = append(g.outputs, &valueProto{name: name})
	}
	if len(left) > 0 {
		g.nodes = slices.Clone(g.nodes)
		for i, p := range g.nodes {
			g.nodes[i] = p.without(left)
		}
	}
	return n.within(inner, &g)
}

// without is a node whose inputs of these names are left out.
func (p *nodeProto) without(names map[string]bool) *nodeProto {
	if !slices.ContainsFunc(p.in, func(name string) bool { return names[name] }) {
		return p
	}
	c := *p
	c.scanned, c.in = false, slices.Clone(p.in)
	for i, name := range c.in {
		if names[name] {
			c.in[i] = ""
		}
	}
	return &c
}

// resolve is a node whose references to attributes of the function are the call's; one that the call leaves out is left out.
func (c *invocation) resolve(p *nodeProto) (*nodeProto, error) {
	if !slices.ContainsFunc(p.attrs, func(a *attrProto) bool { return a.ref != "" }) {
		return p, nil
	}
	r := *p
	r.attrs = nil
	for _, a := range p.attrs {
		if a.ref == "" {
			r.attrs = append(r.attrs, a)
			continue
		}
		if c == nil {
			return nil, fmt.Errorf("attribute %.80q is that of a function, %.80q: a node in a function wanted", a.name, a.ref)
		}
		if x := c.attrs[a.ref]; x != nil {
			own := *x
			own.name = a.name
			r.attrs = append(r.attrs, &own)
		}
	}
	return &r, nil
}

// within lowers a graph in the scope inner, and returns its outputs.
func (n *node) within(inner *lowering, g *graphProto) []*value {
	n.check(inner.initializers(g))
	n.check(n.cost(1 + len(g.inits)))
	n.check(inner.nodes(g))
	out := make([]*value, len(g.outputs))
	for i, p := range g.outputs {
		if out[i] = inner.value(p.name); out[i] == nil {
			n.fail("output %.80q of what is inside is made by no node", p.name)
		}
	}
	return out
}
