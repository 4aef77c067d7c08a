package onnx

import (
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/nearest"
)

// sortNodes returns the indices of the nodes in an order in which every value is
// made before it is read: the file's order where that is one. env holds the
// values that no node makes.
func sortNodes(g *graphProto, env map[string]*value) ([]int, error) {
	maker := map[string]int{}
	for i, p := range g.nodes {
		for _, name := range p.out {
			if name == "" {
				continue
			}
			if env[name] != nil {
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
			if top.next == len(p.in) {
				state[top.node] = done
				order = append(order, top.node)
				stack = stack[:len(stack)-1]
				continue
			}
			name := p.in[top.next]
			top.next++
			if name == "" || env[name] != nil {
				continue
			}
			j, ok := maker[name]
			switch {
			case !ok:
				return nil, fmt.Errorf("%s reads %.80q, which nothing makes%s", nodeLabel(p, top.node), name, nearest.Hint(name, allNames(maker, env)))
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

func allNames(maker map[string]int, env map[string]*value) []string {
	return append(slices.Sorted(maps.Keys(maker)), slices.Sorted(maps.Keys(env))...)
}
