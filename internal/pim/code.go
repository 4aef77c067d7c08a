package pim

import (
	"fmt"
	"io"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Code is a cut mapped to the channels. A search keeps tens of thousands of codes and
// wants the cost of each: the layer is lowered again when more is asked.
type Code struct {
	device *Device
	graph  *graph.Graph
	cut    graph.Cut
	best   *mapping // of the form of the layer
	cost   device.Cost
}

// Cost is that of the slowest channel, all of which start together, and what the link
// adds (hw.Link): Stream is its cycles, Lanes the time of each channel, Commands and Bytes the sums over all
// channels. Bytes counts the elements that GWRITE fills, READRES reads out and, where
// there are such commands, sums are set to.
//
// Bound says what takes most of the slowest channel's cycles: "activate", "mac",
// "write" and "read" are its G_ACTs, COMPs, GWRITEs and READRESs, each times the
// cycles one more of them costs; "refresh" is the rest. Where buffers are written
// column by column, mostly hidden, refreshes are counted and "write" is the rest; where
// sums are set, nothing is hidden, and changes of "mode" are counted too. It is
// "launch", "link" or "finish" where that takes longer than the streams.
func (c *Code) Cost() device.Cost { return c.cost }

// Eval computes the cut as its streams do.
func (c *Code) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error { return c.mapped().Eval(in, dst) }

// Print writes the mapping and its streams.
func (c *Code) Print(w io.Writer) error { return c.mapped().Print(w) }

// Replay checks the streams of all channels.
func (c *Code) Replay() (device.Replay, error) { return c.mapped().Replay() }

var _ device.Explainer = (*Code)(nil)

// Breakdown is what the time goes to.
func (c *Code) Breakdown() []device.Term { return c.mapped().Breakdown() }

// Floor is what no mapping of the cut can be faster than.
func (c *Code) Floor() Floor { return c.mapped().Floor() }

// Held says where each channel has its weights; a channel that is idle has none.
func (c *Code) Held() []Held { return c.mapped().Held() }

// Weights is the number of weights in some rows of a channel, in the numbering of their
// layout.
func (c *Code) Weights(channel int, rows tensor.Range) int { return c.mapped().Weights(channel, rows) }

// lowered is the layer of the cut.
func (c *Code) lowered() *layer {
	l, err := lower(c.graph, c.cut)
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

// compared returns the mapping that was chosen for a code and all that were simulated, as
// choose does, again: a search keeps tens of thousands of codes and asks none.
func (c *mappedCode) compared() (best *mapping, tried []*mapping) {
	best, tried, err := c.device.choose(c.lowered().first(), c.device.newScratch())
	if err != nil {
		panic(fmt.Sprintf("pim: a layer that was mapped: %v", err))
	}
	return best, tried
}

// perChannel is what each channel does.
func (c *mappedCode) perChannel() []share {
	s := make([]share, c.device.channels)
	c.mapping.assign(s)
	return s
}
