package pim

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// Link is the way to the channels and back (hw.Link), and the cost of PIM work there beside
// its commands.
type Link struct {
	*hw.Link
	launch, latency device.Time
	channels        float64
	joint           bool
	memory          float64 // of the GPU, bytes a picosecond
	gpu             *hw.GPUEnergy
	pass            *gpu.Pass            // finishes results on the GPU; nil elsewhere
	uncertain       []device.Uncertainty // of the launch
}

// NewLink is the link of a machine with so many computing channels. Where all channels
// compute, inputs and results are taken to be in the banks of the same channels.
func NewLink(m *hw.Machine, channels int) *Link {
	kept := m.Memory.Channels - channels
	if kept <= 0 {
		kept = m.Memory.Channels
	}
	ps := func(ck int64) device.Time { return device.Time(m.GPU.Clock.PS(ck)) }
	l := &Link{
		Link: &m.Link, launch: ps(m.Link.Launch), latency: ps(m.Link.Latency), joint: m.Launch.PIM == hw.Joint, channels: float64(channels),
		memory: m.Memory.ChannelGBps * float64(kept) * m.GPU.Model.EtaD / 1e3, gpu: &m.GPU.Energy,
	}
	if m.Link.Finish.Where == hw.OnGPU {
		l.pass = gpu.NewPass(m, kept)
	}
	for _, u := range []struct {
		class string
		r     hw.Range
	}{{device.Launches, m.GPU.Error.Launch}, {device.PIMLaunches, m.Link.LaunchError}} {
		if l.launch > 0 && (u.r.Low != u.r.Value || u.r.High != u.r.Value) {
			of := func(factor float64) device.Time { return device.Time(math.Round(factor * float64(l.launch))) }
			l.uncertain = append(l.uncertain, device.Uncertainty{Class: u.class, Kind: device.OfLaunch, Time: l.launch, Low: of(u.r.Low), High: of(u.r.High)})
		}
	}
	return l
}

// Traffic is the load of PIM work on the link.
type Traffic struct {
	bytes  int64 // to and from the channels, in all
	unique int64 // inputs read and values made, each once; on the GPU, sums in place of the values
	ops    int64 // to make values of the results (hw.Finish)

	read, written int64 // bytes, of the kernel that finishes results on the GPU
}

// traffic is the link's load for a cut. Each result is read out once for each chunk of K, or
// once for all chunks over which its sum stays in an accumulator. The zeros that accumulators
// are set to do not travel.
//
// Where results are finished in the DRAM, a channel adds up its own sums of an output before
// they leave; read commands take their time all the same. Sums of an output in several channels
// are added on their way, as they are in controllers. On the GPU, operands of the epilogue stay
// where they are, and the kernel reads them with the sums.
//
// Integers that stand for real numbers have one byte at the GPU. A format of floating numbers is converted to as they are
// written to the channels, and each value is scaled, rounded and clamped as it is finished.
func (c *Code) traffic(l *layer) Traffic {
	nd, d := &c.graph.Nodes[c.cut.Node], c.device
	size := func(id graph.ID) int64 {
		if t := c.graph.Nodes[id].Type; !t.Float() {
			return int64(t.Bytes())
		}
		return int64(d.element)
	}
	values, sums := int64(c.cut.Box.Size()), c.sums()
	t := Traffic{bytes: d.bytes(c.best) + d.wideSums(c.cost.Commands), ops: c.cost.Additions}
	for _, o := range d.ops.Init {
		t.bytes -= c.cost.Commands[o].N * int64(d.results) * int64(d.element)
	}
	if l.bias >= 0 {
		t.ops += values
	}
	t.ops += values * int64(len(nd.Post))
	if l.each != nil && l.each.relu && len(nd.Post) > 0 { // the units have done it
		t.ops -= values
	}
	if l.integers {
		written := (t.bytes - sums*int64(d.sum)) / int64(d.element)
		t.ops += d.conversions(c.graph, nd, values, written)
	}
	made := values * size(c.cut.Node)
	t.unique = made
	operands := int64(0) // of the epilogue
	for i, need := range c.graph.Need(c.cut) {
		if c.graph.Nodes[nd.In[i]].Const != nil || i == 1 && !l.dynamic { // weights and biases are there
			continue
		}
		n := int64(need.Size()) * size(nd.In[i])
		if t.unique += n; i >= nd.Operands() {
			operands += n
		}
	}
	switch d.link.Finish.Where {
	case hw.OnGPU:
		t.unique += sums*int64(d.sum) - made - operands
		t.read, t.written = sums*int64(d.sum)+operands, made
		operands = 0
	case hw.InDRAM:
		t.bytes -= (sums - min(sums, c.best.merged)) * int64(d.sum)
	}
	t.bytes += operands
	if l.dynamic {
		t.bytes += c.writtenBytes(l)
	}
	return t
}

// conversions counts the operations that turn integers into operands, and finished sums into the value. A format of integers multiplies
// them as they are: the zero point of inputs times the sum of an output's weights is a constant that is added with the bias,
// and a zero point of weights adds up the inputs.
func (d *Device) conversions(g *graph.Graph, nd *graph.Node, values, written int64) int64 {
	zeros := nd.Op.ZeroPoints()
	ops := int64(0)
	if !d.exact() {
		ops = written
	} else {
		if bias := nd.Op.Bias(nd.Operands()); !symmetric(g, nd.In[zeros[0]]) && bias < 0 {
			ops += values
		}
		if !symmetric(g, nd.In[zeros[1]]) {
			ops += written
		}
	}
	switch {
	case nd.Op.ToFloat():
		ops += values // is scaled
		if nd.Op.Bias(nd.Operands()) >= 0 {
			ops += values
		}
	case nd.Op.Quantizes():
		ops += 3 * values // is scaled, rounded with the zero point, and clamped
	}
	return ops
}

// symmetric reports whether zero points are all the middle of their type, so that int8 holds the integers less them.
func symmetric(g *graph.Graph, zero graph.ID) bool {
	t, ok := g.Value(zero)
	if !ok {
		return false
	}
	middle := int64(0)
	if t.Type == tensor.Uint8 {
		middle = 128
	}
	return !slices.ContainsFunc(t.Ints(), func(z int64) bool { return z != middle })
}

// sums is the number of elements that read commands read out.
func (c *Code) sums() int64 { return c.cost.Commands[c.device.ops.Read].N * int64(c.device.results) }

// cycles is the time of the link for so many bytes, in cycles of a clock.
func (l *Link) cycles(bytes int64, clock hw.Period) dram.Cycle {
	return dram.Cycle(math.Ceil(float64(bytes) * l.PerByte / clock.Picoseconds()))
}

// times are the times of launch and latencies, of the traffic, and of the finish beside the
// streams. On the GPU the finish comes after them (kernel).
func (l *Link) times(w Traffic) (around, travel, finish device.Time) {
	if l.pass == nil {
		finish = device.Time(math.Ceil(float64(w.ops) / l.channels * l.Finish.PerOp))
	}
	return l.launch + 2*l.latency, device.Time(math.Ceil(float64(w.bytes) * l.PerByte)), finish
}

// kernel is the cost of the kernel that finishes results on the GPU: none where no result
// needs it, or where they are finished elsewhere.
func (l *Link) kernel(w Traffic) (c device.Cost, err error) {
	if l.pass == nil || w.ops == 0 {
		return c, nil
	}
	if c, err = l.pass.Cost(float64(w.read), float64(w.written), float64(w.ops), l.Finish.PerOp); err != nil {
		return c, fmt.Errorf("results finished on the GPU: %w", err)
	}
	c.Energy[device.GPUFMA] = c.Energy[device.GPUFMA].Plus(device.Of(l.Finish.Energy, float64(w.ops)))
	return c, nil
}

// Charge adds to the cost of command streams the time around them. The work is launched, the
// first inputs arrive, streams run while inputs and results follow each other over the link
// and results are finished, and the last value returns.
//
// On the GPU a kernel finishes the results when the last has arrived, with a launch of its own.
// Other kernels of the GPU do not wait for it, but for its bandwidth. No launch is fused: the
// work that follows waits for that kernel.
func (l *Link) Charge(c *device.Cost, clock hw.Period, w Traffic) error {
	around, travel, finish := l.times(w)
	kernel, err := l.kernel(w)
	if err != nil {
		return err
	}
	switch longest := max(c.Time, travel, finish); {
	case kernel.Time > max(longest, around):
		c.Bound = "finish"
	case around > longest:
		c.Bound = "launch"
	case travel > max(c.Time, finish):
		c.Bound = "link"
	case finish > c.Time:
		c.Bound = "finish"
	}
	c.Launch, c.Kernels, c.Stream = l.launch+kernel.Launch, kernel.Kernels, c.Ticks
	if l.joint && l.pass == nil {
		c.Fusible = l.launch
	}
	c.Time = around + max(c.Time, travel, finish) + kernel.Time
	c.Ticks = clock.Cycles(int64(c.Time))
	if c.Uncertain = l.uncertain; len(kernel.Uncertain) > 0 {
		c.Uncertain = slices.Concat(kernel.Uncertain, l.uncertain) // launches last
	}
	if l.pass == nil {
		c.Energy[device.PIMFinish] = device.Of(l.Finish.Energy, float64(w.ops))
	}
	if l.Memory {
		c.Memory = min(c.Time, device.Time(math.Ceil(float64(w.unique)/l.memory))+kernel.Memory)
		c.Energy[device.GPUL2] = device.Of(l.gpu.L2, float64(w.bytes))
		c.Energy[device.GPUDRAM] = device.Of(l.gpu.DRAM, float64(w.unique))
	}
	c.Energy.Add(&kernel.Energy)
	return nil
}
