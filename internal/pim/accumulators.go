package pim

import (
	"fmt"
	"math"
	"slices"

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
}

func newAccumulators(d *Device) scheme {
	w := func(after, before dram.Op) int64 { return int64(d.channel.Wait(after, before)) }
	comp, read := d.ops.Comp[0], d.ops.Read
	c := &accumulators{packing: newPacking(d), read: w(read, read), fromComp: w(comp, read)}
	for _, o := range d.ops.mode {
		c.mode, c.back = w(o, comp), w(o, read)
	}
	return c
}

// candidates tries each length of chunks, filling of the slots, and number of teams.
func (c *accumulators) candidates(l *layer, m *scratch) (list []candidate, need int) {
	var seen [][]part
	shares, list := m.shares[0], m.candidates[:0]
	defer func() { m.candidates = list }()
	for _, merge := range l.merges(c.d.outputs) {
		blocks := l.blocks(merge, c.d.lanes)
		for _, size := range c.sizes(l, blocks, accumulatorLengths) {
			for _, ps := range c.ways(c.parts(blocks, size)) {
				if slices.ContainsFunc(seen, func(o []part) bool { return slices.EqualFunc(o, ps, part.equal) }) {
					continue
				}
				seen = append(seen, ps)
				for _, teams := range c.d.counts(ps) {
					p := candidate{way: way{scheme: c, layer: l, merge: merge, teams: teams, parts: ps}}
					p.assign(shares)
					if !c.staying(shares) {
						continue
					}
					if p.estimate = estimateAll(shares, math.MaxInt64, c.estimate); p.rows <= c.d.rows {
						if l.dynamic {
							p.cycles += c.d.writingOf(&p.way, shares)
						}
						c.d.afterLink(&p)
						list = append(list, p)
					} else if need == 0 || p.rows < need {
						need = p.rows
					}
				}
			}
		}
	}
	return list, need
}

func equalLength(c *packing, _ *layer, b *block, sizes []int, most int) int {
	k := b.pitch / c.d.lanes
	fewest := ceilDiv(k, slices.Max(append(sizes, 1)))
	for n := fewest; n <= 2*fewest; n++ {
		if k%n == 0 {
			return k / n
		}
	}
	return 0
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

// pixelFold is a number of pixels in a buffer, for a row with so many slots.
type pixelFold struct {
	name string
	of   func(c *accumulators, l *layer, p *part, slots int) int
}

// pixelFolds are the numbers that are tried: pixels first or output groups first; as many as
// leave no channel idle, or as fill blocks to the last accumulator.
var pixelFolds = []pixelFold{
	{"pixels first", func(c *accumulators, l *layer, p *part, slots int) int { return c.level(l, p, slots) }},
	{"groups first", func(c *accumulators, l *layer, p *part, slots int) int {
		return c.level(l, p, slots/min(slots, p.groups))
	}},
	{"pixels first, whole blocks", func(c *accumulators, l *layer, p *part, slots int) int {
		return c.whole(c.level(l, p, slots), p, slots)
	}},
	{"groups first, whole blocks", func(c *accumulators, l *layer, p *part, slots int) int {
		return c.whole(c.level(l, p, slots/min(slots, p.groups)), p, slots)
	}},
	{"one block", func(c *accumulators, l *layer, p *part, slots int) int { return c.level(l, p, min(slots, c.d.sums)) }},
}

// level is at most fold pixels, as few as leave no channel more items.
func (c *accumulators) level(l *layer, p *part, fold int) int {
	return l.level(min(fold, l.pixels), p.rows(), c.d.channels)
}

// ways are the ways to fill the slots of a row for given chunks: each dataflow and number of
// pixels. Sums stay only between equal chunks.
func (c *accumulators) ways(ps []part) (ways [][]part) {
	for _, flow := range accumulatorDataflows {
		if flow.outputStationary && (len(ps) > 1 || ps[0].chunks == 1) {
			continue
		}
		for _, fold := range pixelFolds {
			ps := slices.Clone(ps)
			for i := range ps {
				p := &ps[i]
				slots := min(c.d.buffer, c.d.columns) / p.cols
				p.dataflow = flow.dataflow
				p.accumulators = c.d.sums
				p.fold = fold.of(c, p.layer, p, slots)
				p.rowGroups = max(1, min(p.groups, slots/p.fold))
				p.units = ceilDiv(p.pixels, p.fold)
				p.tail = p.pixels - (p.units-1)*p.fold
			}
			ways = append(ways, ps)
		}
	}
	return ways
}

// whole is about fold pixels: as many as fill blocks to the last accumulator where that number
// is near.
func (c *accumulators) whole(fold int, p *part, slots int) int {
	b := max(1, c.d.sums/min(p.groups, max(1, slots/fold), c.d.sums))
	if up := roundUp(fold, b); up <= slots && up <= p.pixels {
		return up
	}
	if fold > b {
		return fold - fold%b
	}
	return fold
}

// staying reports whether there are accumulators for all groups of a fill's pixels wherever
// sums stay from chunk to chunk.
func (c *accumulators) staying(shares []share) bool {
	for _, s := range shares {
		for i := range s {
			if sp := &s[i]; sp.outputStationary && sp.fold*sp.at[byGroup].Len() > sp.accumulators {
				return false
			}
		}
	}
	return true
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
