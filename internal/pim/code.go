package pim

import (
	"fmt"
	"io"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Code is a cut mapped to the channels. A search keeps tens of thousands of codes and needs
// only their costs, so the layer is lowered again when more is asked.
type Code struct {
	device *Device
	graph  *graph.Graph
	cut    graph.Cut
	best   *mapping // of the layer's form
	cost   device.Cost
}

// Cost is the cost of the slowest channel, all of which start together, and of the link
// (hw.Link). Stream is its cycles, Lanes the time of each channel, Commands and Bytes the sums
// over all channels. Bytes counts the elements that writes fill, that reads read out, and that
// accumulators are set to.
//
// Bound names the largest term. "activate", "mac", "write" and "read" are the slowest
// channel's commands, each times the cycles that one more of them takes. "refresh" is the
// rest. Where buffers are written column by column and mostly hidden, refreshes are counted
// and "write" is the rest. Where accumulators are set nothing is hidden, and changes of "mode"
// are counted too. "launch", "link" and "finish" are named where they take longer than the
// streams.
func (c *Code) Cost() device.Cost { return c.cost }

// Eval computes the cut as its streams do.
func (c *Code) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error { return c.mapped().Eval(in, dst) }

var _ device.Judge = (*Code)(nil)

// EvalSums is Eval of each set of inputs, with the values before the epilogue.
func (c *Code) EvalSums(sets ...device.Evaluation) error { return c.mapped().EvalSums(sets...) }

// NewSums is a tensor for the values before the epilogue.
func (c *Code) NewSums() *tensor.Tensor { return c.mapped().NewSums() }

// Deliver rounds finished values as they leave the DRAM.
func (c *Code) Deliver(t *tensor.Tensor) { c.mapped().Deliver(t) }

// Judge holds values before the epilogue against the bound of the channels' arithmetic.
func (c *Code) Judge(in []*tensor.Tensor, sums *tensor.Tensor) device.Judgement {
	return c.mapped().Judge(in, sums)
}

// Print writes the mapping and its streams.
func (c *Code) Print(w io.Writer) error { return c.mapped().Print(w) }

// Replay checks the streams of all channels.
func (c *Code) Replay() (device.Replay, error) { return c.mapped().Replay() }

var _ device.Explainer = (*Code)(nil)

// Breakdown is the times that add up to the cost.
func (c *Code) Breakdown() []device.Term { return c.mapped().Breakdown() }

// LowerBound is a lower bound on any mapping of the cut.
func (c *Code) LowerBound() LowerBound { return c.mapped().LowerBound() }

// WeightLayout says where each channel has its weights. An idle channel has none.
func (c *Code) WeightLayout() []WeightLayout { return c.mapped().WeightLayout() }

// Weights counts the weights in rows of a channel, in the numbering of its layout.
func (c *Code) Weights(channel int, rows tensor.Range) int { return c.mapped().Weights(channel, rows) }

// lowered is the layer of the cut.
func (c *Code) lowered() *layer {
	l, err := c.device.lower(c.graph, c.cut)
	if err != nil {
		panic(fmt.Sprintf("pim: a layer that was lowered: %v", err))
	}
	return l
}

// mapped is the code with the mapping of its own layer.
func (c *Code) mapped() *mappedCode { return &mappedCode{c, c.best.at(c.lowered())} }

type mappedCode struct {
	*Code
	*mapping
}

// compared returns the chosen mapping and all that were simulated. It chooses again, since a
// search keeps tens of thousands of codes and asks none.
func (c *mappedCode) compared() (best *mapping, tried []*mapping) {
	best, tried, err := c.device.choose(c.lowered().first(), c.device.newScratch())
	if err != nil {
		panic(fmt.Sprintf("pim: a layer that was mapped: %v", err))
	}
	return best, tried
}

// perChannel is the share of each channel.
func (c *mappedCode) perChannel() []share {
	s := make([]share, c.device.channels)
	c.mapping.assign(s)
	return s
}
