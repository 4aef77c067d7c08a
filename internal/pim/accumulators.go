package pim

import (
	"fmt"

	"pimflow/internal/dram"
)

// accumulators is the scheme of channels whose commands set and name accumulators (aim). There
// is one buffer, whose columns are those of the row. Writes, inits and reads are made in
// another mode than activations and COMPs, so nothing overlaps. From one change of mode to the
// next, a block computes as many sums as there are accumulators.
//
// A slot is the columns of a row that a pixel and an output group need: one chunk. A fill has
// fold pixels, each repeated for every group of the row; a row has its groups repeated for
// every pixel. Weight-stationary, a row stays open while fills pass it. Input-stationary, a
// fill stays while rows pass it, and sums may stay in the accumulators from a chunk of K to
// the next (output-stationary).
type accumulators struct {
	packing
	read     int64 // cycles from a read to the next
	fromComp int64 // from COMP to a read
	mode     int64 // from a change of mode to COMP
	back     int64 // from a change of mode to a read
	ends     int64 // what the changes of mode before the first write and after the last read take beyond a block's
}

func newAccumulators(d *Device) scheme {
	w := func(after, before dram.Op) int64 { return int64(d.channel.Wait(after, before)) }
	comp, read := d.ops.Comp[0], d.ops.Read
	c := &accumulators{packing: newPacking(d), read: w(read, read), fromComp: w(comp, read)}
	for _, o := range d.ops.mode {
		c.mode, c.back = w(o, comp), w(o, read)
		c.ends = 1 + w(o, d.ops.Write[0]) + w(o, d.ops.Open[0]) - c.waits.shut + c.read - c.waits.toWrite
	}
	if std := d.standard.Refresh; std != nil {
		c.refresh.closing = float64(w(std.Close, std.Do))
	}
	return c
}

// namedDataflow is a dataflow and its name.
type namedDataflow struct {
	name string
	dataflow
}

// accumulatorDataflows are the dataflows that are tried.
var accumulatorDataflows = []namedDataflow{
	{"weight-stationary", dataflow{}},
	{"input-stationary", dataflow{inputStationary: true}},
	{"output-stationary", dataflow{inputStationary: true, outputStationary: true}},
}

func (c *accumulators) layout(key []byte, _ *mapping, s share) []byte {
	return c.packing.layout(key, s, func(sp *span, k rowPacking) []int { return []int{sp.fold, c.period(sp, k, k.last)} })
}

// rowWeights: a row has its weights for each pixel of the buffer.
func (c *accumulators) rowWeights(_ *mapping, s share, row int) rowWeights {
	x, sp := c.packing.rowWeights(s, row)
	x.period, x.copies = c.period(sp, sp.packing(&c.d.geometry), x.groups), x.fold
	return x
}

// period is the number of chunks of columns after which the groups of a row stand in it again:
// input-stationary, as many as in the fill.
func (c *accumulators) period(s *span, p rowPacking, groups int) int {
	if s.inputStationary {
		return p.groups
	}
	return groups
}

func (c *accumulators) describe(p *part) (flow, where string) {
	return fmt.Sprintf("%s, %d x %d slots, %d accumulators", p.stationary(), p.fold, p.rowGroups, p.accumulators), fmt.Sprintf("%d of them in a row", p.rowGroups)
}
