package pim

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// PublishedSystem is how PIMFlow's artifact costs a layer on the PIM.
type PublishedSystem struct {
	Buffers int     // the most groups of channels with inputs of their own (gw)
	Exposed bool    // a buffer write takes its time before activations may follow
	Repairs Repairs // of the generator
	// Columns1 gives the fully connected layers of squeeze-excite blocks a single
	// input, as the TVM back end does by mistake (ConvFCArgs in codegen.cc).
	Columns1 bool
}

// NewPublished returns a device, called "pim", whose code is the published
// generator's and whose time is that of the first channel, as the artifact has it.
// The code cannot be executed: it drops work, and its addresses are not those of
// any data. Groups of a convolution are ignored, as there. Its costs have no energy:
// the published one is dram.ArtifactEnergy, of one channel.
func NewPublished(m *hw.Machine, channels int, s PublishedSystem) (device.Device, error) {
	std, err := standard(m)
	if err != nil {
		return nil, err
	}
	timing := dram.Timing(m.PIM.Timing)
	if s.Exposed {
		timing = Exposed(&m.PIM)
	}
	ch, err := std.New(timing)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.timing: %w", m.Name, err)
	}
	return &publishedDevice{PublishedSystem: s, channels: channels, channel: ch, std: std, clock: m.PIM.Clock, link: newLink(m, channels)}, nil
}

type publishedDevice struct {
	PublishedSystem
	channels int
	channel  *dram.Channel
	std      *dram.Standard
	clock    hw.Period
	link     *link
}

func (d *publishedDevice) Name() string { return "pim" }

// Compile takes what the published system offers to the PIM: convolutions of one
// image, cut by rows where they are dense, and products of one row with weights.
func (d *publishedDevice) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := d.generate(g, c)
	if err != nil {
		nd := &g.Nodes[c.Node]
		return nil, fmt.Errorf("published generator: node %q: %w: %w", nd.Name, err, device.ErrUnsupported)
	}
	streams, err := code.On(d.std)
	if err != nil {
		return nil, fmt.Errorf("published generator: %w", err)
	}
	r := d.channel.Time(streams[0])
	if r.Overflow {
		return nil, fmt.Errorf("published generator: node %q: more refreshes wait than the simulator holds: %w", g.Nodes[c.Node].Name, device.ErrUnsupported)
	}
	t := device.Time(d.clock.PS(int64(r.Cycles)))
	p := &publishedCut{code: code, cost: device.Cost{Time: t, Ticks: int64(r.Cycles), Bound: "published"}}
	for i, n := range r.Issued {
		if n > 0 { // of the first channel
			p.cost.Commands = append(p.cost.Commands, device.Count{Kind: d.std.Ops[i].Name, N: n})
		}
	}
	for range code.Channels {
		p.cost.Lanes = append(p.cost.Lanes, p.cost.Time)
	}
	d.link.charge(&p.cost, d.clock, traffic{}) // its commands say nothing of bytes
	return p, nil
}

func (d *publishedDevice) generate(g *graph.Graph, c graph.Cut) (*PublishedCode, error) {
	nd := &g.Nodes[c.Node]
	if nd.Op == nil {
		return nil, errors.New("no operation")
	}
	whole := c.Box.Equal(g.Whole(c.Node).Box)
	switch nd.Op.Name {
	case "Gemm", "MatMul":
		if _, ok := g.Value(nd.In[1]); !ok || nd.Shape[:len(nd.Shape)-1].Size() != 1 || !whole {
			return nil, errors.New("a row of inputs times constant weights wanted")
		}
		outs := nd.Shape[len(nd.Shape)-1]
		return PublishedGemv(outs, g.Nodes[nd.In[1]].Shape.Size()/outs, d.channels, d.Buffers, d.Repairs)
	case "Conv":
		return d.convolution(g, nd, c.Box, whole)
	}
	return nil, fmt.Errorf("operator %s", nd.Op.Name)
}

func (d *publishedDevice) convolution(g *graph.Graph, nd *graph.Node, box tensor.Box, whole bool) (*PublishedCode, error) {
	in, w := g.Nodes[nd.In[0]].Shape, g.Nodes[nd.In[1]].Shape
	if len(in) != 4 || in[0] != 1 {
		return nil, fmt.Errorf("input of shape %v: one image wanted", in)
	}
	pads, strides := nd.Attrs.Ints("pads"), nd.Attrs.Ints("strides")
	dense := w[1] == in[1]
	switch {
	case !slices.Equal(pads[:2], pads[2:]):
		return nil, fmt.Errorf("pads %v: the same on both sides wanted", pads)
	case strides[0] != strides[1]:
		return nil, fmt.Errorf("strides %v: equal ones wanted", strides)
	case slices.Max(nd.Attrs.Ints("dilations")) > 1:
		return nil, fmt.Errorf("dilations %v", nd.Attrs.Ints("dilations"))
	case !whole && (!dense || !box.With(2, tensor.Range{Hi: nd.Shape[2]}).Equal(tensor.Full(nd.Shape))):
		return nil, fmt.Errorf("box %v: rows of a dense convolution wanted", box)
	}
	if w[2:].Size() == 1 && in[2:].Size() == 1 { // squeeze-excite
		cols := in[1]
		if d.Columns1 {
			cols = 1
		}
		return PublishedGemv(w[0], cols, d.channels, d.Buffers, d.Repairs)
	}
	l := PublishedLayer{
		OC: w[0], IC: in[1], H: in[2], W: in[3], KH: w[2], KW: w[3], PH: pads[0], PW: pads[1], Stride: strides[0],
		Channels: d.channels, Buffers: d.Buffers, Repairs: d.Repairs,
	}
	if !whole { // the rows that are read, with the padding in them
		l.H, l.PH = (box[2].Len()-1)*strides[0]+w[2], 0
	}
	return Published(l)
}

// publishedCut is a cut as the published generator's commands.
type publishedCut struct {
	code *PublishedCode
	cost device.Cost
}

func (c *publishedCut) Cost() device.Cost { return c.cost }

func (c *publishedCut) Eval([]*tensor.Tensor, *tensor.Tensor) error {
	return errors.New("the published generator's commands compute no values")
}

// Print writes the first channel's trace.
func (c *publishedCut) Print(w io.Writer) error { return c.code.WriteTrace(w, 0) }
