package pimflow

import (
	"errors"
	"fmt"

	"pimflow/internal/convolution"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
)

// Layers lists the layers of the model with the cost of the whole layer on either device, beside the
// machine's PIM channels. They are in no plan: Kind is "", and there are no tiles.
func (s *Session) Layers() ([]Layer, error) {
	ds, err := s.target.Devices(s.machine.Memory.PIMChannels, plan.Extended)
	if err != nil {
		return nil, err
	}
	var list []Layer
	for i := range s.graph.Nodes {
		if nd := &s.graph.Nodes[i]; nd.Op == nil || nd.Shape.Size() == 0 {
			continue
		}
		gpu, pim, err := costs(s.graph, graph.ID(i), ds)
		if err != nil {
			return nil, err
		}
		list = append(list, newLayer(s.graph, graph.ID(i), gpu, pim))
	}
	return list, nil
}

// costs returns the costs of a whole layer on both devices; nil if a device cannot execute it.
func costs(g *graph.Graph, id graph.ID, ds []device.Device) (gpu, pim *device.Cost, err error) {
	for _, d := range ds {
		to := map[string]**device.Cost{plan.GPU: &gpu, plan.PIM: &pim}[d.Name()]
		if to == nil {
			continue
		}
		switch code, err := d.Compile(g, g.Whole(id)); {
		case err == nil:
			c := code.Cost()
			*to = &c
		case !errors.Is(err, device.ErrUnsupported):
			return nil, nil, err
		}
	}
	return gpu, pim, nil
}

// Convolution is one layer, for one image and without bias. Groups, Stride and Dilation of 0
// are 1.
type Convolution struct {
	Channels, Height, Width int // of the input
	Out                     int // output channels
	KernelH, KernelW        int
	PadH, PadW              int // on each side
	Stride, Dilation        int
	Groups                  int // Channels and Out are multiples of it; Groups = Channels = Out: depthwise
}

// Cost returns the cost of a convolution on the GPU with the machine's other memory channels, and on
// its PIM channels, launches included. Either is nil if the device has no channels or cannot execute
// the layer.
func (m *Machine) Cost(c Convolution) (gpu, pim *Whole, err error) {
	g, id, err := c.graph()
	if err != nil {
		return nil, nil, err
	}
	ds, err := platform.Devices(m.hw, platform.Makers{}, m.hw.Memory.PIMChannels, plan.Extended)
	if err != nil {
		return nil, nil, err
	}
	onGPU, onPIM, err := costs(g, id, ds)
	return newWhole(onGPU), newWhole(onPIM), err
}

// graph is the layer alone.
func (c Convolution) graph() (*graph.Graph, graph.ID, error) {
	if min(c.Channels, c.Height, c.Width, c.Out, c.KernelH, c.KernelW) < 1 || min(c.PadH, c.PadW) < 0 {
		return nil, 0, fmt.Errorf("%+v: positive sizes wanted", c)
	}
	return convolution.Layer{
		IC: c.Channels, OC: c.Out, H: c.Height, W: c.Width, KH: c.KernelH, KW: c.KernelW, PH: c.PadH, PW: c.PadW,
		Stride: max(c.Stride, 1), Dilation: max(c.Dilation, 1), Groups: max(c.Groups, 1),
	}.Graph()
}
