package pim

import (
	"fmt"
	"sync"

	"pimflow/internal/dram"
)

// columns is the scheme of channels with a command that writes one column of a buffer
// (newton). A row of the banks holds several output groups of one chunk of K, side by side.
// Weight-stationary, a row stays open while the pixels pass it; the next fill of the buffers
// is written while the present one is multiplied. Input-stationary, a fill stays while all
// rows pass it.
type columns struct {
	packing
	rates rates

	mu     sync.Mutex
	pieces map[string]dram.Stream // without addresses, by kept's key
}

func newColumns(d *Device) scheme {
	return &columns{packing: newPacking(d), rates: d.measure(), pieces: map[string]dram.Stream{}}
}

// kOrder is a layer in one order of K, with merge groups of the convolution in a matrix.
type kOrder struct {
	*layer
	merge  int
	blocks []block
}

// reordering is a layer in an order of K; nil: none.
type reordering struct {
	name string
	of   func(l *layer, merge, lanes int) *layer
}

// kOrders are the orders of K that are tried.
var kOrders = []reordering{
	{"channel by channel", func(l *layer, _, _ int) *layer { return l }},
	{"tap by tap", func(l *layer, merge, lanes int) *layer { return l.skipping(merge, lanes, worth) }},
}

// orders are the orders of K for each number of groups in a matrix.
func (c *columns) orders(l *layer) (all []kOrder) {
	for _, merge := range l.merges(c.d.outputs) {
		for _, row := range kOrders {
			t := row.of(l, merge, c.d.lanes)
			if t == nil {
				continue
			}
			o := kOrder{t, merge, t.blocks(merge, c.d.lanes)}
			for i := range o.blocks {
				o.blocks[i].classes = o.blocks[i].layer.classColumns(&o.blocks[i])
			}
			all = append(all, o)
		}
	}
	return all
}

func (c *columns) layout(key []byte, _ *mapping, s share) []byte {
	return c.packing.layout(key, s, func(*span, rowPacking) []int { return nil })
}

// rowWeights: a row has each weight once, since a buffer's columns are not those of the row.
func (c *columns) rowWeights(_ *mapping, s share, row int) rowWeights {
	x, _ := c.packing.rowWeights(s, row)
	x.period, x.copies = c.d.columns, 1
	return x
}

func (c *columns) describe(p *part) (flow, where string) {
	flow = p.stationary()
	switch n := p.fillUnits * p.unitBuffers; {
	case p.doubleBuffered:
		flow += fmt.Sprintf(", %d buffers", 2*n)
	case n == 1:
		flow += ", 1 buffer"
	default:
		flow += fmt.Sprintf(", %d buffers", n)
	}
	return flow, fmt.Sprintf("%d of them in a row", p.rowGroups)
}
