package onnx

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"pimflow/internal/nearest"
	"pimflow/internal/op"
)

// sortNodes returns the indices of the nodes in an order in which every value is
// made before it is read: the file's order where that is one. l holds the
// values that no node makes.
func sortNodes(g *graphProto, l *lowering) ([]int, error) {
	maker := map[string]int{}
	for i, p := range g.nodes {
		for _, name := range p.out {
			if name == "" {
				continue
			}
			if l.env[name] != nil {
				return nil, fmt.Errorf("%s makes %.80q, which is an input or initializer", nodeLabel(p, i), name)
			}
			if j, dup := maker[name]; dup {
				return nil, fmt.Errorf("%s makes %.80q, as %s does", nodeLabel(p, i), name, nodeLabel(g.nodes[j], j))
			}
			maker[name] = i
		}
	}
	const (
		fresh = iota
		open
		done
	)
	state := make([]uint8, len(g.nodes))
	order := make([]int, 0, len(g.nodes))
	// A stack instead of recursion: the depth is the file's to choose.
	type frame struct{ node, next int }
	for root := range g.nodes {
		if state[root] != fresh {
			continue
		}
		state[root] = open
		for stack := []frame{{root, 0}}; len(stack) > 0; {
			top := &stack[len(stack)-1]
			p := g.nodes[top.node]
			reads := p.reads()
			if top.next == len(reads) {
				state[top.node] = done
				order = append(order, top.node)
				stack = stack[:len(stack)-1]
				continue
			}
			name, inner := reads[top.next], top.next >= len(p.in)
			top.next++
			j, ok := maker[name]
			if name == "" || !ok && (inner || l.value(name) != nil) { // what is inside says so itself
				continue
			}
			switch {
			case !ok:
				return nil, fmt.Errorf("%s reads %.80q, which nothing makes%s", nodeLabel(p, top.node), name, nearest.Hint(name, allNames(maker, l)))
			case state[j] == open:
				return nil, fmt.Errorf("%s is in a cycle: it is made from its own value", nodeLabel(g.nodes[j], j))
			case state[j] == fresh:
				state[j] = open
				stack = append(stack, frame{j, 0})
			}
		}
	}
	return order, nil
}

// sure counts nodes that become operations of the graph for sure: products and elementwise ones of values that depend on
// inputs of the graph. It is known before any node is lowered.
func (l *lowering) sure(g *graphProto, order []int) (n int) {
	varies := make(map[string]bool, len(order))
	for name, v := range l.env {
		if v.known == nil {
			varies[name] = true
		}
	}
	for _, i := range order {
		p := g.nodes[i]
		if p.opType == "Shape" || p.opType == "Size" || !slices.ContainsFunc(p.in, func(name string) bool { return varies[name] }) {
			continue
		}
		for _, name := range p.out {
			varies[name] = name != ""
		}
		if emits()[p.opType] && defaultDomain(p.domain) {
			n++
		}
	}
	return n
}

// emits are the products and elementwise operators.
var emits = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, name := range op.Names() {
		o, _ := op.Lookup(name)
		m[name] = o.MACs != nil || o.Map != nil || o.Combine != nil
	}
	return m
})

func allNames(maker map[string]int, l *lowering) []string {
	return append(slices.Sorted(maps.Keys(maker)), l.names()...)
}

// reads lists the names that a node reads: its inputs, and those that its graphs take from around them.
func (p *nodeProto) reads() []string {
	if !p.scanned {
		p.scanned, p.all = true, slices.Clip(p.in)
		for _, a := range p.attrs {
			if a.graph != nil {
				p.all = append(p.all, a.graph.takes()...)
			}
		}
	}
	return p.all
}

// takes lists the names that a graph in another takes from around it, once each.
func (g *graphProto) takes() (list []string) {
	own := map[string]bool{"": true}
	for _, p := range g.inits {
		own[p.name] = true
	}
	for _, p := range g.inputs {
		own[p.name] = true
	}
	for _, p := range g.nodes {
		for _, name := range p.out {
			own[name] = true
		}
	}
	take := func(name string) {
		if !own[name] {
			own[name] = true
			list = append(list, name)
		}
	}
	for _, p := range g.nodes {
		for _, name := range p.reads() {
			take(name)
		}
	}
	for _, p := range g.outputs {
		take(p.name)
	}
	return list
}
