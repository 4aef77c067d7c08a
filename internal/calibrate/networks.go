package calibrate

import (
	"fmt"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// NetworkNames returns the networks that a table of networks may name, torchvision's.
func NetworkNames() []string { return zoo.Relatives() }

// networkSet is whole networks under one stack.
type networkSet struct {
	name, start string
	rows        []*Network
}

// networkGPU is the board that tables of networks are of.
const networkGPU = "t4"

// networkSets groups networks by the software that ran them.
func networkSets(rows []Network) []*networkSet {
	var sets []*networkSet
	byName := map[string]*networkSet{}
	for i := range rows {
		name := "T4 fp16 network " + rows[i].Source
		s := byName[name]
		if s == nil {
			s = &networkSet{name: name, start: name}
			byName[name] = s
			sets = append(sets, s)
		}
		s.rows = append(s.rows, &rows[i])
	}
	return sets
}

// graphs remembers simplified networks.
type graphs map[string]*graph.Graph

func (gs graphs) get(name string) (*graph.Graph, error) {
	if g := gs[name]; g != nil {
		return g, nil
	}
	g, err := zoo.Build(name, 1)
	if err != nil {
		return nil, err
	}
	if g, err = simplify.Run(g); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	gs[name] = g
	return g, nil
}

// kernels returns the time of a network's kernels on a machine without their starts,
// and how many there are.
func (gs graphs) kernels(m *hw.Machine, name string) (us float64, n int, err error) {
	g, err := gs.get(name)
	if err != nil {
		return 0, 0, err
	}
	d, err := gpu.New(m, m.Memory.Channels)
	if err != nil {
		return 0, 0, err
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		code, err := d.Compile(g, g.Whole(graph.ID(i)))
		if err != nil {
			return 0, 0, err
		}
		for _, k := range code.(*gpu.Code).Kernels() {
			us += k.US
			n++
		}
	}
	return us, n, nil
}
