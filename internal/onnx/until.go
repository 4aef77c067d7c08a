package onnx

import (
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// until is the part of g that makes the named values, which become its outputs.
func (g *graphProto) until(values []string) (*graphProto, error) {
	maker := map[string]int{}
	var names []string
	for i, p := range g.nodes {
		for _, name := range p.out {
			if name != "" {
				maker[name] = i
				names = append(names, name)
			}
		}
	}
	part := &graphProto{values: g.values, sparse: g.sparse}
	wanted := map[string]bool{}
	var open []string
	want := func(name string) {
		if !wanted[name] {
			wanted[name] = true
			open = append(open, name)
		}
	}
	for _, name := range values {
		if _, ok := maker[name]; !ok {
			return nil, fault.Usagef("--until %.80q: a value that a node makes wanted%s", name, nearest.Hint(name, names))
		}
		if wanted[name] {
			return nil, fault.Usagef("--until %.80q is there twice", name)
		}
		want(name)
		part.outputs = append(part.outputs, &valueProto{name: name})
	}
	kept := make([]bool, len(g.nodes))
	for len(open) > 0 {
		i, ok := maker[open[len(open)-1]]
		open = open[:len(open)-1]
		if !ok || kept[i] {
			continue
		}
		kept[i] = true
		for _, name := range g.nodes[i].reads() {
			want(name)
		}
	}
	for i, p := range g.nodes {
		if kept[i] {
			part.nodes = append(part.nodes, p)
		}
	}
	for _, p := range g.inits {
		if wanted[p.name] || p.name == "" {
			part.inits = append(part.inits, p)
		}
	}
	for _, p := range g.inputs {
		if wanted[p.name] {
			part.inputs = append(part.inputs, p)
		}
	}
	// What the file says of an output still holds where the output is kept.
	for _, p := range part.outputs {
		if i := slices.IndexFunc(g.outputs, func(o *valueProto) bool { return o.name == p.name }); i >= 0 {
			*p = *g.outputs[i]
		}
	}
	return part, nil
}
