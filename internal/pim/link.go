package pim

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/hw"
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
}

// NewLink is the link of a machine with so many computing channels. Where all channels
// compute, inputs and results are taken to be in the banks of the same channels.
func NewLink(m *hw.Machine, channels int) *Link {
	kept := m.Memory.Channels - channels
	if kept <= 0 {
		kept = m.Memory.Channels
	}
	ps := func(ck int64) device.Time { return device.Time(m.GPU.Clock.PS(ck)) }
	return &Link{
		Link: &m.Link, launch: ps(m.Link.Launch), latency: ps(m.Link.Latency), joint: m.Launch.PIM == hw.Joint, channels: float64(channels),
		memory: m.Memory.ChannelGBps * float64(kept) * m.GPU.Model.EtaD / 1e3, gpu: &m.GPU.Energy,
	}
}

// Traffic is the load of PIM work on the link.
type Traffic struct {
	bytes  int64 // to and from the channels, in all
	unique int64 // inputs read and values made, each once
	ops    int64 // to make values of the results (hw.Finish)
}

// traffic is the link's load for a cut. Each result is read out once for each chunk of K, or
// once for all chunks over which its sum stays in an accumulator. The zeros that accumulators
// are set to do not travel.
func (c *Code) traffic(l *layer) Traffic {
	nd, values := &c.graph.Nodes[c.cut.Node], int64(c.cut.Box.Size())
	t := Traffic{bytes: c.cost.Bytes, ops: c.cost.Additions}
	for _, o := range c.device.ops.Init {
		t.bytes -= c.cost.Commands[o].N * int64(c.device.results*c.device.element)
	}
	if l.bias >= 0 {
		t.ops += values
	}
	t.ops += values * int64(len(nd.Post))
	t.unique = values
	for i, need := range c.graph.Need(c.cut) {
		if c.graph.Nodes[nd.In[i]].Const != nil || i == 1 { // weights and biases are there
			continue
		}
		n := int64(need.Size())
		t.unique += n
		if i >= nd.Operands() { // of the epilogue
			t.bytes += n * int64(c.device.element)
		}
	}
	t.unique *= int64(c.device.element)
	return t
}

// cycles is the time of the link for so many bytes, in cycles of a clock.
func (l *Link) cycles(bytes int64, clock hw.Period) dram.Cycle {
	return dram.Cycle(math.Ceil(float64(bytes) * l.PerByte / clock.Picoseconds()))
}

// times are the times of launch and latencies, of the traffic, and of the finish.
func (l *Link) times(w Traffic) (around, travel, finish device.Time) {
	return l.launch + 2*l.latency, device.Time(math.Ceil(float64(w.bytes) * l.PerByte)),
		device.Time(math.Ceil(float64(w.ops) / l.channels * l.Finish.PerOp))
}

// Charge adds to the cost of command streams the time around them. The work is launched, the
// first inputs arrive, streams run while inputs and results follow each other over the link
// and results are finished, and the last value returns.
func (l *Link) Charge(c *device.Cost, clock hw.Period, w Traffic) {
	around, travel, finish := l.times(w)
	switch {
	case around > max(c.Time, travel, finish):
		c.Bound = "launch"
	case travel > max(c.Time, finish):
		c.Bound = "link"
	case finish > c.Time:
		c.Bound = "finish"
	}
	c.Launch, c.Stream = l.launch, c.Ticks
	if l.joint {
		c.Fusible = l.launch
	}
	c.Time = around + max(c.Time, travel, finish)
	c.Ticks = clock.Cycles(int64(c.Time))
	c.Energy[device.PIMFinish] = device.Of(l.Finish.Energy, float64(w.ops))
	if l.Memory {
		c.Memory = min(c.Time, device.Time(math.Ceil(float64(w.unique)/l.memory)))
		c.Energy[device.GPUL2] = device.Of(l.gpu.L2, float64(w.bytes))
		c.Energy[device.GPUDRAM] = device.Of(l.gpu.DRAM, float64(w.unique))
	}
}
