package calibrate

import (
	"context"
	"fmt"
	"strings"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// set is the name of the set of a measured network.
func (n *Network) set() string { return fmt.Sprintf("%s %s network %s", n.GPU, n.Dtype, n.Source) }

// dtype is the type that the network computes in: that of its products where they are
// quantised, as "int8-qat".
func (n *Network) dtype() string {
	kind, _, _ := strings.Cut(n.Dtype, "-")
	return kind
}

// unmodelled says why no time of a network is modelled, or nothing.
func (n *Network) unmodelled(b *hw.Board) string {
	_, built := zoo.Measured(n.Name)
	switch {
	case !built:
		return fmt.Sprintf("no network %s%s", n.Name, nearest.Hint(n.Name, zoo.Relatives()))
	case b == nil:
		return "no GPU file of that name"
	case elementSize[n.dtype()] == 0:
		return fmt.Sprintf("no kernels of %s", n.Dtype)
	case n.dtype() == "fp32" && b.GPU.Model.EtaFMA == 0:
		return "no eta_fma, which products on the FMA units have, in the GPU's file"
	}
	return ""
}

// graphs caches simplified networks.
type graphs map[Network]*graph.Graph

func (gs graphs) get(ctx context.Context, n *Network) (*graph.Graph, error) {
	key := Network{Name: n.Name, Batch: n.Batch}
	if g := gs[key]; g != nil {
		return g, nil
	}
	name, ok := zoo.Measured(n.Name)
	if !ok {
		name = n.Name
	}
	g, err := zoo.Build(name, n.Batch)
	if err != nil {
		return nil, err
	}
	if g, err = simplify.Run(ctx, g); err != nil {
		return nil, fmt.Errorf("%s: %w", n.Place, err)
	}
	gs[key] = g
	return g, nil
}

// network is the time of a network's kernels without their starts, and their number.
type network struct {
	us, roofline float64
	kernels      int
}

// network times a network on a board.
func (gs graphs) network(ctx context.Context, b *hw.Board, roof roofline, row *Network) (n network, err error) {
	g, err := gs.get(ctx, row)
	if err != nil {
		return n, err
	}
	m := b.Machine(elementSize[row.dtype()])
	d, err := gpu.New(m, m.Memory.Channels)
	if err != nil {
		return n, err
	}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		code, err := d.Compile(g, g.Whole(graph.ID(i)))
		if err != nil {
			return n, fmt.Errorf("%s: %w", row.Place, err)
		}
		for _, k := range code.(*gpu.Code).Kernels() {
			n.us += k.US
			n.kernels++
			macs, rate := 0.0, map[string]float64{"fp16": m.GPU.MACs, "int8": m.GPU.Int8MACs, "fp32": m.GPU.FMAs}[row.dtype()]
			switch w := k.Work.(type) {
			case gpu.GEMM:
				macs = float64(w.M) * float64(w.N) * float64(w.K) * float64(w.G)
			case gpu.Direct:
				macs, rate = w.MACs, m.GPU.FMAs
			}
			n.roofline += roof.us(b, macs, rate, k.Bytes)
		}
	}
	return n, nil
}
