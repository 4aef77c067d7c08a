package pim

import (
	"fmt"
	"slices"
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
	rates  rates
	likely int // sizes for which K is also tried tap by tap

	mu     sync.Mutex
	pieces map[string]dram.Stream // without addresses, by kept's key
}

func newColumns(d *Device) scheme {
	return &columns{packing: newPacking(d), rates: d.measure(), likely: likelySizes, pieces: map[string]dram.Stream{}}
}

// candidates tries each order of K, length of chunks, number of teams and dataflow.
func (c *columns) candidates(l *layer, m *scratch) (list []candidate, need int) {
	var seen [][]part
	shares, list := m.shares[0], m.candidates[:0]
	defer func() { m.candidates = list }()
	var likely []cutSize
	for _, o := range c.orders(l) {
		l, merge, before := o.layer, o.merge, len(list)
		for _, size := range c.sizes(l, o.blocks, chunkLengths) {
			ps := c.parts(o.blocks, size)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, slices.Clone(ps))
			for i := range ps {
				ps[i].countColumns()
			}
			counts := c.d.counts(ps)
			if l.byTap { // other sizes are not likely to be better
				counts = slices.DeleteFunc(counts, func(n int) bool { return !slices.Contains(likely, cutSize{n, size}) })
			}
			flows := c.dataflows(longest(ps))
			made := make([][]part, len(flows)) // the parts with each dataflow
			for _, teams := range counts {
				p := candidate{way: way{scheme: c, layer: l, merge: merge, teams: teams, parts: ps}, size: size}
				p.assign(shares)
				for k, flow := range flows {
					for i := range ps {
						ps[i].dataflow = flow
						ps[i].rowGroups = max(1, c.d.columns/ps[i].cols)
					}
					p.estimate = estimateAll(shares, c.estimate)
					if p.rows <= c.d.rows && p.timely {
						if made[k] == nil {
							made[k] = slices.Clone(ps)
						}
						q := p
						q.parts = made[k]
						list = append(list, q)
					} else if p.rows > c.d.rows && (need == 0 || p.rows < need) {
						need = p.rows
					}
				}
			}
		}
		if !l.byTap {
			likely = bestSizes(list[before:], c.likely)
		}
	}
	return list, need
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

// columnDataflow is a dataflow for chunks of cols columns that take wide buffers each, n of
// them all buffers; without fill units: none.
type columnDataflow struct {
	name string
	of   func(c *columns, cols, wide, n int) dataflow
}

// columnDataflows are the dataflows that are tried.
var columnDataflows = []columnDataflow{
	{"weight-stationary", func(_ *columns, _, wide, n int) dataflow {
		return dataflow{fillUnits: 1, unitBuffers: wide, doubleBuffered: n > 1}
	}},
	{"input-stationary", func(_ *columns, _, wide, n int) dataflow {
		return dataflow{inputStationary: true, fillUnits: n, unitBuffers: wide}
	}},
	{"weight-stationary, several units", func(c *columns, cols, wide, n int) dataflow {
		if n < 4 || c.overlapSlots(cols) > 0 {
			return dataflow{}
		}
		return dataflow{fillUnits: n / 2, unitBuffers: wide, doubleBuffered: true} // the bus turns seldom
	}},
}

// dataflows are the dataflows for chunks of cols columns.
func (c *columns) dataflows(cols int) (all []dataflow) {
	wide := ceilDiv(cols, c.d.buffer)
	n := c.d.buffers / wide
	if c.d.basic {
		n = 1
	}
	for _, row := range columnDataflows {
		if f := row.of(c, cols, wide, n); f.fillUnits > 0 {
			all = append(all, f)
		}
	}
	return all
}

// cutSize is a number of teams and a size of chunks.
type cutSize struct{ teams, size int }

// likelySizes is the number of pairs of teams and size, of 20 and more, for which K is also
// tried tap by tap. With all of them the golden layers are no faster (measured:
// BenchmarkLikelySizes).
const likelySizes = 8

// bestSizes are the numbers of teams and sizes of the candidates with the best estimates, at
// most so many.
func bestSizes(list []candidate, most int) (all []cutSize) {
	for len(all) < most {
		best := -1
		for i := range list {
			if p := &list[i]; (best < 0 || p.cycles < list[best].cycles) && !slices.Contains(all, cutSize{p.teams, p.size}) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		all = append(all, cutSize{list[best].teams, list[best].size})
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
