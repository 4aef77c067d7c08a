package pim

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// A convolution with its pixels on lanes is the product turned round: for each group, result[outputs][pixels] =
// weights[outputs][k] × columns[k][pixels]. Weights are the inputs that are written to registers. What pixels read stands in the
// banks, a column access of neighbouring pixels for each product. It is written in each run, every tap its own copy, since
// no lane reads what another holds. Of layers in which the other programs fill their lanes none is turned: of as many outputs as a
// group of outputs on lanes has, or of as many products as inputs on lanes take at once.
//
// In the literature: im2col (Chetlur et al., cuDNN, 2014), output-stationary with pixels on lanes.

// fullLanes are the lanes of all units of a channel.
const fullLanes = unit.Units * unit.Lanes

// lower lowers a cut as the device's program has it.
func (d *Device) lower(g *graph.Graph, c graph.Cut) (*layer, error) {
	if d.program != nil && d.program.maps > 0 {
		return lowerElementwise(g, c, d.program.maps)
	}
	l, err := lower(g, c)
	if err != nil || d.program == nil || !d.program.turned {
		return l, err
	}
	if l, err = l.turn(); err != nil {
		return nil, fmt.Errorf("%s: %w", g.Nodes[c.Node].Op.Name, err)
	}
	return l, nil
}

// turn is the layer with its pixels on lanes. The error wraps device.ErrUnsupported.
func (l *layer) turn() (*layer, error) {
	no := func(format string, a ...any) (*layer, error) {
		return nil, fmt.Errorf("pixels on lanes: %s: %w", fmt.Sprintf(format, a...), device.ErrUnsupported)
	}
	lo, hi := l.outs.Lo/l.groupOuts, (l.outs.Hi-1)/l.groupOuts+1
	own := tensor.Range{Lo: l.outs.Lo - lo*l.groupOuts, Hi: l.outs.Hi - lo*l.groupOuts}
	switch {
	case l.phases != nil || l.empty != nil || len(l.taps.kernel) == 0:
		return no("a convolution wanted")
	case l.integers:
		return no("integers")
	case l.groupOuts >= fullLanes || l.groupK >= fullLanes:
		return no("%d outputs and %d products of a group: fewer than %d wanted of both", l.groupOuts, l.groupK, fullLanes)
	case hi-lo > 1 && (own.Lo > 0 || l.outs.Hi%l.groupOuts > 0):
		return no("outputs %d to %d: whole groups of %d wanted", l.outs.Lo, l.outs.Hi, l.groupOuts)
	case hi-lo > 1:
		own.Hi = l.groupOuts
	}
	t := &layer{
		axes: []axis{{Range: own, src: l.groupK, dst: l.outDst}}, outs: tensor.Range{Hi: (hi - lo) * l.pixels},
		groupK: l.groupK, groupOuts: l.pixels, taps: kernelSteps{channel: 1}, dynamic: true,
		alpha: l.alpha, beta: l.beta, bias: l.bias, biasStep: []int{1, 1}, turned: l,
	}
	for g := lo; g < hi; g++ {
		first := g * l.groupOuts
		t.batch = append(t.batch, batched{number: g, src: first * l.groupK, weights: g, dst: first * l.outDst})
	}
	t.classes = oneClass(t.axes)
	t.pixels = t.classes[0].pixels
	return t, nil
}

// columns are the elements that pixels read, by group, pixel and product.
func (l *layer) columns(x []float32) []float32 {
	of := l.turned
	o := &operands{layer: of, x: [][]float32{x}, tables: map[int]*gatherTable{}}
	for i, a := range of.axes {
		if a.window {
			o.windows = append(o.windows, i)
		}
	}
	to := make([]float32, 0, l.outs.Len()*l.groupK)
	for _, b := range of.blocks(1, 1) {
		if o.tables[b.merge] == nil {
			o.tables[b.merge] = of.table(&b)
		}
		p := pixelPlace{block: &b}
		for i := range b.count * b.pixels {
			at := len(to)
			to = to[:at+l.groupK]
			o.locate(&p, i/b.pixels, i%b.pixels)
			o.fill([][]float32{to[at:]}, 0, l.groupK, &p, 0)
		}
	}
	return to
}

// offset is where the value of a pixel stands, from that of position 0 on.
func (l *layer) offset(pixel int) (n int) {
	var room [maxRank + 1]int
	at := room[:len(l.axes)]
	l.position(pixel, at)
	for i, v := range at {
		n += v * l.axes[i].dst
	}
	return n
}

// operand is the number of the input that is written to buffers or registers, and of that which stands in the banks.
func (l *layer) operand() (written, stored int) {
	switch {
	case l.turned != nil:
		return 1, 0
	case l.each != nil:
		return max(0, l.each.scalars), l.each.maps[0]
	}
	return 0, 1
}

// added is where the bias of an output stands, from that of position 0 of the axes on.
func (l *layer) added(out int) int {
	if l.turned != nil {
		out = l.batch[out/l.groupOuts].number * l.turned.groupOuts
	}
	return out * l.biasStep[len(l.biasStep)-1]
}

// holds says which of an output's numbers in the order of the operator is the layer's: its first pixel's.
func (l *layer) holds(out int) (int, bool) {
	i := out/l.turned.groupOuts - l.batch[0].number
	return i * l.groupOuts, i >= 0 && i < len(l.batch)
}

// storedWord is the word for what is written to the banks in each run.
func (l *layer) storedWord() string {
	if l.turned != nil || l.each != nil {
		return "inputs"
	}
	return "weights"
}

// Stored is the number of the node's input that stands in the banks.
func (c *Code) Stored() int {
	_, stored := c.best.layer.operand()
	return stored
}
