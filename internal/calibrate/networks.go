package calibrate

import (
	"fmt"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// networkGPU is the GPU of all tables of networks.
const networkGPU = "t4"

// graphs caches simplified networks.
type graphs map[Network]*graph.Graph

func (gs graphs) get(n *Network) (*graph.Graph, error) {
	key := Network{Name: n.Name, Batch: n.Batch}
	if g := gs[key]; g != nil {
		return g, nil
	}
	g, err := zoo.Build(n.Name, n.Batch)
	if err != nil {
		return nil, err
	}
	if g, err = simplify.Run(g); err != nil {
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

// network times a network on a board in fp16.
func (gs graphs) network(b *hw.Board, roof roofline, row *Network) (n network, err error) {
	g, err := gs.get(row)
	if err != nil {
		return n, err
	}
	m := b.Machine(2)
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
			macs, rate := 0.0, m.GPU.MACs
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
