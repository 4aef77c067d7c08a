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
	rates rates

	mu     sync.Mutex
	pieces map[string]dram.Stream // without addresses, by what they depend on
}

func newColumns(d *Device) scheme {
	return &columns{packing: newPacking(d), rates: d.measure(), pieces: map[string]dram.Stream{}}
}

// candidates tries each order of K, length of chunks, number of teams and dataflow.
func (c *columns) candidates(l *layer, r *scratch) (plans []candidate, need int) {
	var seen [][]part
	shares, plans := r.shares[0], r.candidates[:0]
	defer func() { r.candidates = plans }()
	var likely []cutSize
	for _, o := range c.orders(l) {
		l, merge, before := o.layer, o.merge, len(plans)
		for _, size := range c.sizes(l, o.blocks) {
			ps := c.parts(l, o.blocks, size)
			if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
				continue
			}
			seen = append(seen, slices.Clone(ps))
			for i := range ps {
				ps[i].countColumns()
			}
			counts := c.d.teamCounts(ps)
			if l.byTap { // the others are not likely to be better now
				counts = slices.DeleteFunc(counts, func(n int) bool { return !slices.Contains(likely, cutSize{n, size}) })
			}
			flows := c.dataflows(ps[0].cols)
			made := make([][]part, len(flows)) // with each of them
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
						plans = append(plans, q)
					} else if p.rows > c.d.rows && (need == 0 || p.rows < need) {
						need = p.rows
					}
				}
			}
		}
		if !l.byTap {
			likely = bestSizes(plans[before:])
		}
	}
	return plans, need
}

// kOrder is a layer in one order of K, with merge groups of the convolution in a matrix.
type kOrder struct {
	*layer
	merge  int
	blocks []block
}

// orders are the orders of K that are tried: channel by channel, and tap by tap where padding
// can be left out.
func (c *columns) orders(l *layer) (all []kOrder) {
	merges := l.merges(c.d.outputs)
	add := func(l *layer, merge int) {
		o := kOrder{l, merge, l.blocks(merge, c.d.lanes)}
		for i := range o.blocks {
			o.blocks[i].classes = l.classColumns(&o.blocks[i])
		}
		all = append(all, o)
	}
	for _, merge := range merges {
		add(l, merge)
		if t := l.skipping(merge, c.d.lanes); t != nil {
			add(t, merge)
		}
	}
	return all
}

// dataflows are the ways to use the machine's buffers for chunks of cols columns.
func (c *columns) dataflows(cols int) []dataflow {
	wide := ceilDiv(cols, c.d.buffer)
	n := c.d.buffers / wide
	if c.d.basic || n == 1 {
		return []dataflow{{fillUnits: 1, unitBuffers: wide}, {inputStationary: true, fillUnits: 1, unitBuffers: wide}}
	}
	p := []dataflow{{fillUnits: 1, unitBuffers: wide, doubleBuffered: true}, {inputStationary: true, fillUnits: n, unitBuffers: wide}}
	if n >= 4 && c.overlapSlots(cols) <= 0 { // the bus turns seldom
		p = append(p, dataflow{fillUnits: n / 2, unitBuffers: wide, doubleBuffered: true})
	}
	return p
}

// cutSize is a number of teams and a size of chunks.
type cutSize struct{ teams, size int }

// bestSizes are the numbers of teams and sizes of the candidates with the best estimates.
func bestSizes(plans []candidate) (all []cutSize) {
	const most = 8 // of 20 and more, with which golden layers are no faster
	for len(all) < most {
		best := -1
		for i := range plans {
			if p := &plans[i]; (best < 0 || p.cycles < plans[best].cycles) && !slices.Contains(all, cutSize{p.teams, p.size}) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		all = append(all, cutSize{plans[best].teams, plans[best].size})
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
