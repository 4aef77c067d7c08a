package pim

import (
	"encoding/binary"

	"pimflow/internal/tensor"
)

// WeightLayout is where a channel has a code's weights: in rows of all its banks, numbered as the
// layout says. The rows of the channel's stream count from Rows.Lo on.
//
// In the literature: a weight layout.
type WeightLayout struct {
	// Layout says which weights stand in which row: in equal layouts of the same
	// constant, rows of the same number hold the same.
	Layout string
	Rows   tensor.Range
}

// Rows is the number of rows of each bank.
func (c *Code) Rows() int { return c.device.rows }

// WeightLayout says where each channel has its weights; a channel that is idle has none.
func (c *mappedCode) WeightLayout() []WeightLayout {
	held := make([]WeightLayout, c.device.channels)
	for i, s := range c.perChannel() {
		if len(s) > 0 {
			held[i] = WeightLayout{string(c.layout(s)), c.device.scheme.rows(s)}
		}
	}
	return held
}

// layout identifies the weights of each row of a share.
func (c *mappedCode) layout(s share) []byte {
	var key []byte
	add := func(n ...int) {
		for _, v := range n {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	add(c.layer.groupK, c.layer.groupOuts)
	for _, b := range c.layer.batch {
		add(b.weights)
	}
	if c.layer.turned != nil || c.layer.each != nil { // what stands in the banks depends on the kernel and the box
		add(int(c.cut.Node))
		for _, r := range c.cut.Box {
			add(r.Lo, r.Hi)
		}
	}
	return c.device.scheme.layout(key, c.mapping, s)
}

// order is the order of K in the rows.
func (l *layer) order() int {
	switch {
	case l.byTap:
		return 2
	case l.byColumn:
		return 1
	}
	return 0
}

// Weights counts the weights in rows of a channel, in the numbering of its layout, without the
// zeros around them.
func (c *mappedCode) Weights(channel int, rows tensor.Range) int {
	n, s, outputs := 0, c.perChannel()[channel], c.device.outputs
	for row := rows.Lo; row < rows.Hi; row++ {
		x := c.device.scheme.rowWeights(c.mapping, s, row)
		for output := x.group * outputs; output < (x.group+x.groups)*outputs; output++ {
			x.layer.eachWeight(x.part, x.matrix, x.chunk, output, func(_, _, weights int, _ bool) { n += weights * x.copies })
		}
	}
	return n
}
