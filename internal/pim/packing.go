package pim

import (
	"encoding/binary"
	"fmt"

	"pimflow/internal/tensor"
)

// packing is common to the schemes that write buffers column by column. A row holds several
// output groups side by side. Rows are numbered by channel.
type packing struct {
	d       *Device
	waits   waits
	refresh refreshes
}

func newPacking(d *Device) packing {
	return packing{d, newWaits(d.ops, d.channel), newRefreshes(d)}
}

// beyond is about as exact as estimates are (TestEstimates).
const beyond = 0.005

func (c *packing) traits() traits {
	return traits{padding: true, counted: true, fill: c.d.lanes, beyond: beyond}
}

// rowCount is the number of packed rows of a span.
func (s *span) rowCount(g *geometry) int {
	return s.at[byMatrix].Len() * s.at[byChunk].Len() * s.packing(g).rows
}

func (c *packing) rows(s share) tensor.Range {
	n := 0
	for i := range s {
		n += s[i].rowCount(&c.d.geometry)
	}
	return tensor.Range{Hi: n}
}

// layout appends the layout of a share's spans, and whatever more adds to each.
func (c *packing) layout(key []byte, s share, more func(sp *span, k rowPacking) []int) []byte {
	for i := range s {
		sp := &s[i]
		k := sp.packing(&c.d.geometry)
		n := append(sp.part.weightKey(), more(sp, k)...)
		n = append(n, k.rows, k.groups, k.last, sp.at[byMatrix].Lo, sp.at[byMatrix].Len(), sp.at[byChunk].Lo, sp.at[byChunk].Len(), sp.at[byGroup].Lo)
		for _, v := range n {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

// rowWeights finds the weights of a row of a share, and the span they belong to. The scheme
// adds period and copies.
func (c *packing) rowWeights(s share, row int) (rowWeights, *span) {
	at := row
	for i := range s {
		sp := &s[i]
		if n := sp.rowCount(&c.d.geometry); at >= n {
			at -= n
			continue
		}
		k := sp.packing(&c.d.geometry)
		set, chunk := at%k.rows, at/k.rows
		x := rowWeights{
			part: sp.part, matrix: sp.at[byMatrix].Lo + chunk/sp.at[byChunk].Len(), chunk: sp.at[byChunk].Lo + chunk%sp.at[byChunk].Len(),
			group: sp.at[byGroup].Lo + set*k.groups, groups: k.groups,
		}
		if set == k.rows-1 {
			x.groups = k.last
		}
		return x, sp
	}
	panic(fmt.Sprintf("pim: no weights for row %d", row))
}

// dataflow is what stays in place while the spans of a part are executed. Each scheme uses the
// fields that it needs.
//
// In the literature: weight-stationary, input-stationary and output-stationary dataflow (Chen
// et al., Eyeriss, ISCA 2016); double buffering.
type dataflow struct {
	rowGroups        int  // output groups that fit a row
	inputStationary  bool // a fill stays and rows pass it; otherwise a row stays and fills pass it
	fillUnits        int  // units of a fill
	unitBuffers      int  // buffers of a unit
	bufferColumns    int  // columns of a unit in each of them but the last
	doubleBuffered   bool // the next fill is written to other buffers during the present one
	accumulators     int  // accumulators in use
	outputStationary bool // sums stay in the accumulators from chunk to chunk
}

// stationary names what stays in place.
func (p dataflow) stationary() string {
	switch {
	case p.outputStationary:
		return ", input- and output-stationary"
	case p.inputStationary:
		return ", input-stationary"
	}
	return ", weight-stationary"
}

// parts cuts a layer in chunks of at most size columns and about equal length, with one pixel in a unit.
func (c *packing) parts(blocks []block, size int) []part {
	var ps []part
	for i := range blocks {
		b := &blocks[i]
		groups := ceilDiv(b.outs, c.d.outputs)
		k := b.pitch / c.d.lanes
		grain := b.layer.grain(b, size)
		n := ceilDiv(k/grain, size/grain)
		short := k / grain / n
		long := k/grain - n*short // chunks of a grain more
		for _, pc := range []kTile{{0, (short + 1) * grain, long}, {long * (short + 1) * grain, short * grain, n - long}} {
			if pc.chunks == 0 {
				continue
			}
			ps = append(ps, part{block: b, k0: pc.k0, cols: pc.cols, chunks: pc.chunks, groups: groups, ends: b.outs - (groups-1)*c.d.outputs})
		}
	}
	return refold(ps, 1)
}

// widest is a block with the most products.
func widest(blocks []block) *block {
	at := 0
	for i := range blocks {
		if blocks[i].pitch > blocks[at].pitch {
			at = i
		}
	}
	return &blocks[at]
}

// longest is the most columns of a chunk.
func longest(ps []part) (cols int) {
	for i := range ps {
		cols = max(cols, ps[i].cols)
	}
	return cols
}

// grain is the unit, in columns, in which chunks are cut. Tap by tap it is a whole tap where
// taps are whole columns, or an equal part of a tap.
func (l *layer) grain(b *block, size int) int {
	width := b.merge * l.channels()
	if !l.byTap || width%b.lanes != 0 {
		return 1
	}
	if n := width / b.lanes; n%ceilDiv(n, size) == 0 {
		return n / ceilDiv(n, size)
	}
	return 1
}

// overlapSlots is how many column writes fit between the multiplications of a result of cols
// columns without a wait. The bus turns before and after them.
//
// In the literature: the slots of a software-pipelined loop.
func (c *packing) overlapSlots(cols int) int {
	w := &c.waits
	return cols - int(w.toWrite/w.comp) - int((w.toRead-1)/w.comp)
}
