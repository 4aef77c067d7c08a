package generator

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/tensor"
)

// System is how PIMFlow's artifact costs a layer on the PIM.
type System struct {
	Buffers int     // the most groups of channels with inputs of their own (gw)
	Exposed bool    // a buffer write takes its time before activations may follow
	Repairs Repairs // of the generator
	// Columns1 gives the fully connected layers of squeeze-excite blocks a single
	// input, as the TVM back end does by mistake (ConvFCArgs in codegen.cc).
	Columns1 bool
}

// New returns a device, called "pim", that costs a layer by the generator's commands. Its
// time is that of the first channel, as in the artifact. Its code cannot be executed: it
// drops work, and its addresses are those of no data. It ignores groups of a convolution,
// as the artifact does. Its energy is that of the commands of all channels by the
// machine's constants.
func New(m *hw.Machine, channels int, s System) (device.Device, error) {
	std, err := pim.Standard(m)
	if err != nil {
		return nil, err
	}
	timing := dram.Timing(m.PIM.Timing)
	if s.Exposed {
		timing = pim.Exposed(&m.PIM)
	}
	ch, err := std.New(timing)
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.timing: %w", m.Name, err)
	}
	return &system{System: s, channels: channels, channel: ch, std: std, clock: m.PIM.Clock, link: pim.NewLink(m, channels),
		constants: m.PIM.Energy, element: int64(m.Memory.ElementSize)}, nil
}

type system struct {
	System
	channels  int
	channel   *dram.Channel
	std       *dram.Standard
	clock     hw.Period
	link      *pim.Link
	constants hw.PIMEnergy
	element   int64 // bytes of a value
}

func (d *system) Name() string { return "pim" }

// Compile takes what the published system offers to the PIM: convolutions of one
// image, cut by rows where they are dense, and products of one row with weights.
func (d *system) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := d.generate(g, c)
	if err != nil {
		nd := &g.Nodes[c.Node]
		return nil, fmt.Errorf("published generator: node %.80q: %w: %w", nd.Name, err, device.ErrUnsupported)
	}
	streams, err := code.On(d.std)
	if err != nil {
		return nil, fmt.Errorf("published generator: %w", err)
	}
	r := d.channel.Time(streams[0])
	if r.Overflow {
		return nil, fmt.Errorf("published generator: node %.80q: more refreshes wait than the simulator holds: %w", g.Nodes[c.Node].Name, device.ErrUnsupported)
	}
	t := device.Time(d.clock.PS(int64(r.Cycles)))
	p := &cut{code: code, cost: device.Cost{Time: t, Ticks: int64(r.Cycles), Bound: "published"}}
	for i, n := range r.Issued {
		if n > 0 { // of the first channel
			p.cost.Commands = append(p.cost.Commands, device.Count{Kind: d.std.Ops[i].Name, N: n})
		}
	}
	for range code.Channels {
		p.cost.Lanes = append(p.cost.Lanes, p.cost.Time)
	}
	precharges := int64(0)
	for i, n := range r.Issued {
		if o := &d.std.Ops[i]; o.Closes && !o.Row {
			precharges += n
		}
	}
	p.cost.Energy = d.energy(code, precharges, t)
	return p, d.link.Charge(&p.cost, d.clock, pim.Traffic{}) // its commands say nothing of bytes
}

func (d *system) generate(g *graph.Graph, c graph.Cut) (*Code, error) {
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
		return Gemv(outs, g.Nodes[nd.In[1]].Shape.Size()/outs, d.channels, d.Buffers, d.Repairs)
	case "Conv":
		return d.convolution(g, nd, c.Box, whole)
	}
	return nil, fmt.Errorf("operator %s", nd.Op.Name)
}

func (d *system) convolution(g *graph.Graph, nd *graph.Node, box tensor.Box, whole bool) (*Code, error) {
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
		return Gemv(w[0], cols, d.channels, d.Buffers, d.Repairs)
	}
	l := Layer{
		OC: w[0], IC: in[1], H: in[2], W: in[3], KH: w[2], KW: w[3], PH: pads[0], PW: pads[1], Stride: strides[0],
		Channels: d.channels, Buffers: d.Buffers, Repairs: d.Repairs,
	}
	if !whole { // the rows that are read, with the padding in them
		l.H, l.PH = (box[2].Len()-1)*strides[0]+w[2], 0
	}
	return Conv(l)
}

// cut is a cut as the published generator's commands.
type cut struct {
	code *Code
	cost device.Cost
}

func (c *cut) Cost() device.Cost { return c.cost }

func (c *cut) Eval([]*tensor.Tensor, *tensor.Tensor) error {
	return errors.New("the published generator's commands compute no values")
}

// Print writes the first channel's trace.
func (c *cut) Print(w io.Writer) error { return c.code.WriteTrace(w, 0) }
