package pim

import (
	"encoding/binary"
	"fmt"
	"slices"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// registers is the scheme of channels whose units execute programs (hbm-pim): a unit for each pair of banks, with vectors GRF_A and
// GRF_B and scalars SRF_M. Weights are in the even banks. A block is the sums of a pixel over a chunk of K, of up to eight output groups,
// each in a register of GRF_B. K passes in slices of eight columns:
//
//	clear GRF_B
//	for each slice {
//	    inputs of the slice into GRF_A or SRF_M of all units
//	    for each group, for each column: MAC(AAM) GRF_B[group], BANK, GRF_A[column] or SRF_M[column]
//	}
//	for each group: MOV(AAM) BANK, GRF_B[group]
//
// In address-aligned mode the address of a read selects both registers: column 8·group + k of an even row, groups 4 to 7 in the odd row behind
// it. So a slice has two rows, and the second is empty where a block has four groups or fewer. A program is one or more blocks and EXIT. After
// up to four blocks the channel goes back to single banks, and the host reads what was stored.
type registers struct {
	packing
	t      registerTicks
	fenced bool // the host reorders: it waits where order matters
	beside bool // registers are written beside an open row
	more   registerOps
}

// registerOps are the commands beside those of all dialects.
type registerOps struct{ host, enter, leave, register, fence dram.Op }

// Sizes of blocks and visits.
const (
	slice      = unit.Registers // columns of K
	groupsRow  = unit.Columns / slice
	sliceRows  = 2                    // rows of a slice
	visitMost  = unit.Columns / slice // blocks between two changes to single banks: each stores to eight columns of a row
	jumpMost   = 1 << 8               // commands of an instruction and a JUMP
	longest16  = 1 << 10              // products of a sum in fp16, whose rounding error is then below its bound's 1 (gamma)
	scratchRow = unit.DataRows - 1    // for results
	wordsLine  = 2 * unit.Lanes / 4   // instructions of a write
)

func newRegisters(d *Device) scheme {
	op := d.standard.Op
	dl := d.ops.dialect
	c := &registers{
		packing: newPacking(d), fenced: d.timing["fence_ck"] > 0, beside: d.besideRows(),
		more: registerOps{op(dl.host), op(dl.mode[0]), op(dl.mode[1]), op(dl.register), op(dl.fence)},
	}
	c.t = c.newTicks()
	return c
}

func (c *registers) traits() traits {
	return traits{fill: unit.Lanes, beyond: beyondRegisters}
}

// beyondRegisters: a candidate is simulated where its estimate is below the best time by more than estimates are off.
const beyondRegisters = -0.02

// maxColumns is the most columns of a chunk of a block of so many groups: its instructions fit the program memory, and its sums are short.
func maxColumns(groups int) int {
	p := crfProgram{groups: groups, blocks: 1}
	return min(longest16, (unit.Program-1-p.storing())/2*jumpMost/groups) / slice * slice
}

// slices is the number of slices of a chunk.
func (p *part) slices() int { return ceilDiv(p.cols, slice) }

// groupSets is how the groups of a span are divided into blocks: sets of groups groups each, the last of last.
type groupSets struct{ sets, groups, last int }

func (s *span) sets() groupSets {
	n := s.at[byGroup].Len()
	x := groupSets{sets: ceilDiv(n, s.rowGroups)}
	x.groups = ceilDiv(n, x.sets)
	x.sets = ceilDiv(n, x.groups)
	x.last = n - (x.sets-1)*x.groups
	return x
}

// together reports whether the blocks of a span are of different matrices, one each, so that programs and visits go over matrices.
func (s *span) together() bool {
	return s.selected() == 1 && s.at[byMatrix].Len() > 1 && s.at[byChunk].Len() == 1 && s.at[byGroup].Len() <= s.rowGroups
}

// blockRows is the rows of a block's weights.
func (p *part) blockRows() int { return sliceRows * p.slices() }

// registerRows is the rows of a span.
func (s *span) registerRows() int {
	return s.at[byMatrix].Len() * s.at[byChunk].Len() * s.sets().sets * s.blockRows()
}

func (c *registers) rows(s share) tensor.Range {
	n := 0
	for i := range s {
		n += s[i].registerRows()
	}
	return tensor.Range{Hi: n}
}

func (c *registers) layout(key []byte, _ *mapping, s share) []byte {
	key = append(append(key, c.d.program.name...), 0)
	for i := range s {
		sp := &s[i]
		x := sp.sets()
		for _, v := range append(sp.part.weightKey(), x.sets, x.groups, x.last, sp.at[byMatrix].Lo, sp.at[byMatrix].Len(), sp.at[byChunk].Lo, sp.at[byChunk].Len(), sp.at[byGroup].Lo) {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

// blockAt finds the block and the slice of a row.
type blockAt struct {
	*span
	matrix, chunk, group, groups int // of the part
	slice                        int
	second                       bool // the row of the fifth group and those behind it
	first                        int  // row of the block
}

func (c *registers) find(s share, row int) blockAt {
	at := row
	for i := range s {
		sp := &s[i]
		n := sp.registerRows()
		if at >= n {
			at -= n
			continue
		}
		x, rows := sp.sets(), sp.blockRows()
		b := blockAt{span: sp, slice: at % rows / sliceRows, second: at%sliceRows == 1, first: row - at%rows}
		at /= rows
		set, chunk := at%x.sets, at/x.sets
		b.matrix, b.chunk = sp.at[byMatrix].Lo+chunk/sp.at[byChunk].Len(), sp.at[byChunk].Lo+chunk%sp.at[byChunk].Len()
		b.group, b.groups = sp.at[byGroup].Lo+set*x.groups, x.groups
		if set == x.sets-1 {
			b.groups = x.last
		}
		return b
	}
	panic(fmt.Sprintf("pim: no weights for row %d", row))
}

// rowWeights: a row has the groups of a block for a slice, four at most, as a chunk of its own.
func (c *registers) rowWeights(_ *mapping, s share, row int) rowWeights {
	b := c.find(s, row)
	p := *b.part
	p.k0 += b.chunk*p.cols + b.slice*slice
	p.cols, p.chunks = min(slice, p.cols-b.slice*slice), 1
	x := rowWeights{part: &p, matrix: b.matrix, group: b.group, groups: min(b.groups, groupsRow), period: groupsRow, copies: 1}
	if b.second {
		if x.groups = max(0, b.groups-groupsRow); x.groups > 0 {
			x.group += groupsRow
		}
	}
	return x
}

// written: each output group of a span has a column of its outputs for each product of a chunk, and a block a row or two for each slice.
func (c *registers) written(s share) (w written) {
	for i := range s {
		sp := &s[i]
		chunks, groups, x := sp.at[byMatrix].Len()*sp.at[byChunk].Len(), sp.at[byGroup], sp.sets()
		w.columns += chunks * (min(sp.part.outs, groups.Hi*c.d.outputs) - groups.Lo*c.d.outputs) * sp.part.cols
		rows := x.sets
		if x.groups > groupsRow {
			rows += x.sets - 1
		}
		if x.last > groupsRow {
			rows++
		}
		w.rows += chunks * ceilDiv(sp.part.cols, slice) * rows
	}
	return w
}

func (c *registers) describe(p *part) (flow, where string) {
	return fmt.Sprintf(", %s, %d accumulators", c.d.program.name, min(p.rowGroups, p.groups)), fmt.Sprintf("%d in a block", min(p.rowGroups, p.groups))
}

// candidates tries numbers of groups in a block, lengths of chunks, and numbers of teams.
func (c *registers) candidates(l *layer, m *scratch) (list []candidate, need int) {
	shares, list := m.shares[0], m.candidates[:0]
	defer func() { m.candidates = list }()
	for _, merge := range l.merges(c.d.outputs) {
		blocks := l.blocks(merge, c.d.lanes)
		var seen [][2]int
		for _, groups := range c.groupCounts(blocks) {
			for _, size := range c.chunkSizes(blocks, groups) {
				if slices.Contains(seen, [2]int{groups, size}) {
					continue
				}
				seen = append(seen, [2]int{groups, size})
				ps := c.parts(blocks, size, groups)
				for _, teams := range c.d.counts(ps) {
					p := candidate{way: way{scheme: c, layer: l, merge: merge, teams: teams, parts: ps}}
					p.assign(shares)
					p.estimate = estimateAll(shares, tooLong, c.estimate)
					if p.rows > c.d.rows {
						if need == 0 || p.rows < need {
							need = p.rows
						}
						continue
					}
					if l.dynamic {
						p.cycles += c.d.writingOf(&p.way, shares)
					}
					c.d.afterLink(&p)
					list = append(list, p)
				}
			}
		}
	}
	return list, need
}

// groupCounts are the numbers of groups in a block that are tried.
func (c *registers) groupCounts(blocks []block) (counts []int) {
	most := 0
	for i := range blocks {
		most = max(most, ceilDiv(blocks[i].outs, c.d.outputs))
	}
	for _, n := range []int{unit.Registers, groupsRow, 2, 1} {
		if n = min(n, most); !slices.Contains(counts, n) {
			counts = append(counts, n)
		}
	}
	return counts
}

// chunkSizes are the lengths of chunks that are tried, in columns: the longest, and those that leave no channel idle.
func (c *registers) chunkSizes(blocks []block, groups int) (sizes []int) {
	b := widest(blocks)
	k, most := b.pitch/c.d.lanes, maxColumns(groups)
	items := b.count * b.pixels * ceilDiv(ceilDiv(b.outs, c.d.outputs), groups)
	for _, size := range []int{most, shortestChunk(k, most, items, c.d.channels), shortestChunk(k, most, items*groups, c.d.channels)} {
		if size = min(roundUp(min(size, k), slice), most); !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

// parts cuts a layer in chunks of at most size columns, whole slices but the last.
func (c *registers) parts(blocks []block, size, rowGroups int) (ps []part) {
	for i := range blocks {
		b := &blocks[i]
		groups, k := ceilDiv(b.outs, c.d.outputs), b.pitch/c.d.lanes
		cols := min(k, roundUp(ceilDiv(k, ceilDiv(k, size)), slice))
		for _, t := range []kTile{{0, cols, k / cols}, {k / cols * cols, k % cols, 1}} {
			if t.cols == 0 {
				continue
			}
			p := part{block: b, k0: t.k0, cols: t.cols, chunks: t.chunks, groups: groups, ends: b.outs - (groups-1)*c.d.outputs}
			p.rowGroups, p.accumulators = rowGroups, c.d.sums
			ps = append(ps, p)
		}
	}
	return refold(ps, 1)
}

// besideRows reports whether registers are written beside an open row, and not in a row of their own.
func (d *Device) besideRows() bool { return d.m.Access != "" && d.m.Access != "row" }
