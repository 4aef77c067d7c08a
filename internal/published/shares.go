package published

import (
	"context"
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
)

// Histogram counts the convolutions of a network by the GPU's share of their rows in
// tenths, 0 (all on the PIM) to 10 (all on the GPU), as the plan of policy mddp has them.
type Histogram struct {
	Network string
	Layers  [11]int
}

// Total is the number of layers.
func (h *Histogram) Total() (n int) {
	for _, k := range h.Layers {
		n += k
	}
	return n
}

// Ratios counts the convolutions of each network, equal ones of a network once, grouped
// ones not, as the artifact's statistics do (pimflow stat --split_ratio).
func Ratios(ctx context.Context, graphs []*graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int)) ([]Histogram, error) {
	var list []Histogram
	err := each(graphs, m, change, progress, func(a *Accounting, g *graph.Graph) error {
		_, r, err := a.sum(ctx, g, "mddp")
		if err != nil {
			return err
		}
		h, seen := Histogram{Network: g.Name}, map[string]bool{}
		for _, seg := range r.Plan.Segments {
			nd := &g.Nodes[seg.Tiles[0].Node]
			if !Convolution(g, nd) || nd.Attrs.Int("group") > 1 {
				continue
			}
			if key := geometry(g, nd); !seen[key] {
				seen[key] = true
				h.Layers[tenth(g, nd, seg)]++
			}
		}
		list = append(list, h)
		return nil
	})
	return list, err
}

// each calls do for each network with an accounting of its own.
func each(graphs []*graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int), do func(*Accounting, *graph.Graph) error) error {
	for i, g := range graphs {
		a := New(own(m))
		if change != nil {
			change(a)
		}
		if err := do(a, g); err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
		if progress != nil {
			progress(i+1, len(graphs))
		}
	}
	return nil
}

// geometry tells apart what the artifact tells apart when it costs equal layers once: all
// but names.
func geometry(g *graph.Graph, nd *graph.Node) string {
	s := fmt.Sprint(g.Nodes[nd.In[0]].Shape, g.Nodes[nd.In[1]].Shape, nd.Attrs.Ints("pads"), nd.Attrs.Ints("strides"))
	for _, p := range nd.Post {
		if p.Op.Combine == nil {
			s += p.Op.Name
		}
	}
	return s
}

// tenth is the GPU's share of a layer's rows: the fewest tenths of the input's rows that
// give the cut of the plan.
func tenth(g *graph.Graph, nd *graph.Node, seg plan.Segment) int {
	rows, s := g.Nodes[nd.In[0]].Shape[plan.Rows], nd.Attrs.Ints("strides")[0]
	gpu := 0
	for _, t := range seg.Tiles {
		if t.Device == plan.GPU {
			gpu += t.Box[plan.Rows].Len()
		}
	}
	if gpu == nd.Shape[plan.Rows] {
		return 10
	}
	for t := range 10 {
		if ((rows*t+9)/10+s-1)/s >= gpu {
			return t
		}
	}
	return 9
}

// Ways lists the ways in which a convolution is executed.
var Ways = []string{"whole on the GPU", "whole on the PIM", "split (MD-DP)", "pipelined"}

// Mechanisms says what each way to execute convolutions is worth to a network, in the plan
// of policy pimflow and by the sum over its convolutions.
type Mechanisms struct {
	Network  string
	Baseline device.Time // of the GPU alone with every channel
	Ways     [4]Way      // by Ways
}

// Way is a part of the convolutions of a network.
type Way struct {
	Layers int
	// Placed is the gain over the GPU alone if each layer were whole on the faster device,
	// as in newton++; Beyond is what splitting or pipelining gains over that.
	Placed, Beyond device.Time
}

// Gain is the time of the GPU alone less that of the plan.
func (m *Mechanisms) Gain() (t device.Time) {
	for _, w := range m.Ways {
		t += w.Placed + w.Beyond
	}
	return t
}

// Layers is the number of convolutions.
func (m *Mechanisms) Layers() (n int) {
	for _, w := range m.Ways {
		n += w.Layers
	}
	return n
}

// Shares attributes the gain of each network's convolutions to layers placed whole, split
// and pipelined. The sum of the parts is the gain: in this accounting segments add up.
func Shares(ctx context.Context, graphs []*graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int)) ([]Mechanisms, error) {
	var list []Mechanisms
	err := each(graphs, m, change, progress, func(a *Accounting, g *graph.Graph) error {
		_, placed, err := a.sum(ctx, g, "newton++")
		if err != nil {
			return err
		}
		_, r, err := a.sum(ctx, g, "pimflow")
		if err != nil {
			return err
		}
		alone, before := make([]device.Time, len(g.Nodes)), make([]device.Time, len(g.Nodes)) // by node
		for _, st := range placed.Baseline.Program.Steps {
			alone[st.Node] = st.Code.Cost().Time
		}
		each, err := placed.Alone()
		if err != nil {
			return err
		}
		for i, seg := range placed.Plan.Segments {
			before[seg.Tiles[0].Node] = each[i]
		}
		if each, err = r.Alone(); err != nil {
			return err
		}
		sum := Mechanisms{Network: g.Name}
		for i, seg := range r.Plan.Segments {
			if !Convolution(g, &g.Nodes[seg.Tiles[0].Node]) {
				continue
			}
			ids := map[graph.ID]bool{}
			for _, t := range seg.Tiles {
				ids[t.Node] = true
			}
			w := &sum.Ways[way(seg, len(ids))]
			for id := range ids {
				sum.Baseline += alone[id]
				w.Layers++
				w.Placed += alone[id] - before[id]
				w.Beyond += before[id]
			}
			w.Beyond -= each[i]
		}
		list = append(list, sum)
		return nil
	})
	return list, err
}

// way is the index in Ways of a segment of so many nodes.
func way(seg plan.Segment, nodes int) int {
	switch {
	case nodes > 1:
		return 3
	case len(seg.Tiles) > 1:
		return 2
	case seg.Tiles[0].Device == plan.PIM:
		return 1
	}
	return 0
}
