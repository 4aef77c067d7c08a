package pim

import (
	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// matrixScalars is the scalars of a matrix: what the map is multiplied by, and what is added.
const matrixScalars = 2

// scalarData is scalars as data of a write: what is added for SRF_A[0], the factor for SRF_M[0].
func scalarData(v []float32) unit.Data {
	var all [unit.Lanes]float32
	all[0], all[unit.Registers] = v[1], v[0]
	return unit.Halves(all[:])
}

// vectorLayer are the values of an element-wise layer.
type vectorLayer struct {
	layerContents
	of *vectors
}

// fill reads scalars of a matrix, and zeros behind them.
func (ch *vectorLayer) fill(to [][]float32, first, n, at int) {
	for i, v := range to {
		held := copy(v[first:first+min(n, matrixScalars)], ch.values.x[i][at:])
		clear(v[first+held : first+n])
	}
}

// unitRow finds the vectors of a row, in fp16. Lanes beyond the last value are 0.
func (ch *vectorLayer) unitRow(row int) *unitRow {
	d := ch.of.d
	x := ch.of.rowWeights(ch.mapping, ch.share, row)
	w, maps, to := ch.values.of(x.block).w, x.layer.groupK, new(unitRow)
	for g := range x.groups {
		first := (x.group + g) * d.outputs
		for i := range min(d.outputs, x.outs-first) {
			for k := range maps {
				v := w[(x.out0+x.matrix*x.outs+first+i)*maps+k]
				to[i/unit.Lanes][k*blockVectors+g][i%unit.Lanes] = tensor.Round(tensor.Float16, v)
			}
		}
	}
	return to
}

func (c *vectors) layerPerformer(code *mappedCode, m *room, s share, o *operands) (p *unitPerformer, st dram.Stream) {
	r := s.results(c.d.outputs)
	m.arena.reset()
	st, words := c.program(writer{d: c.d, batches: &m.batches, arena: &m.arena}, s)
	contents := &vectorLayer{layerContents{values: o, mappedCode: code, room: m, share: s}, c}
	return c.performer(contents, c.rows(s).Hi, len(o.x), words, r.Lo, newAllResults(&m.numbers, len(o.x), r.Len(), false)), st
}

func (c *vectors) perform(code *mappedCode, m *room, s share, o *operands) (sums []*Sums, at int) {
	p, st := c.layerPerformer(code, m, s, o)
	p.run(st)
	return p.reads, p.lo
}

func (c *vectors) image(code *mappedCode, m *room, s share, o *operands, ch *ChannelImage) (sums *Sums, at int) {
	p, st := c.layerPerformer(code, m, s, o)
	for row := range c.rows(s).Hi { // before results take the place of the maps
		ch.holdUnits(row, p.unitRow(row))
	}
	p.seen = func(_, _ int, v *unit.Column) { ch.Reads.append(Sums{Rounded: v[:]}) }
	p.run(st)
	ch.Words = p.words
	return p.reads[0], p.lo
}
