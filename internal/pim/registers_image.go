package pim

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
)

// rowElements is the numbers of a row of a bank.
const rowElements = unit.Columns * unit.Lanes

func (c *registers) image(code *mappedCode, m *room, s share, o *operands, ch *ChannelImage) (sums *Sums, at int) {
	p, st := c.layerPerformer(code, m, s, o)
	p.seen = func(_, _ int, v *unit.Column) { ch.Reads.append(Sums{Rounded: v[:]}) }
	p.run(st)
	ch.Words = p.words
	for row := range p.memory[0].rows {
		ch.holdUnits(row, p.memory[0].weights(row))
	}
	return p.reads[0], p.lo
}

// holdUnits adds a row of the even banks: of each bank, the numbers from the first to the last that is not 0.
func (ch *ChannelImage) holdUnits(row int, r *unitRow) {
	for u := range r {
		all := r[u].numbers()
		set := func(v float32) bool { return math.Float32bits(v) != 0 } // -0 is set
		lo := slices.IndexFunc(all, set)
		if lo < 0 {
			continue
		}
		hi := len(all)
		for !set(all[hi-1]) {
			hi--
		}
		ch.Rows = append(ch.Rows, RowImage{Row: row, Width: rowElements, Period: 1, Bank: 2 * u, Banks: 1, At: lo, N: hi - lo, Offset: len(ch.Weights)})
		ch.Weights = append(ch.Weights, all[lo:hi]...)
	}
}

// numbers are those of a row of a bank, one column after the other.
func (r *bankColumns) numbers() []float32 {
	all := make([]float32, 0, rowElements)
	for i := range r {
		all = append(all, r[i][:]...)
	}
	return all
}

// unitImage is the values of images.
type unitImage struct {
	imageContents
	held map[int]*unitRow
}

// newUnitImage are those of a channel. The error names a row image that does not fit.
func newUnitImage(step *StepImage, ch *ChannelImage) (*unitImage, error) {
	x := &unitImage{imageContents{step: step}, map[int]*unitRow{}}
	for i, r := range ch.Rows {
		if r.Row < 0 || r.Chunk != 0 || r.Width != rowElements || r.Period != 1 || r.Bank < 0 || r.Bank >= unit.Banks || r.Bank%2 != 0 || r.Banks != 1 || r.At < 0 || r.N <= 0 ||
			r.N > rowElements || r.At > rowElements-r.N || r.Phase != 0 || r.Offset < 0 || r.Offset > len(ch.Weights)-r.N {
			return nil, fmt.Errorf("row image %d: %v: a part of a row of %d elements in an even bank below %d wanted, and of %d weights", i, r, rowElements, unit.Banks, len(ch.Weights))
		}
		if x.held[r.Row] == nil {
			x.held[r.Row] = new(unitRow)
		}
		for k, v := range ch.Weights[r.Offset:][:r.N] {
			x.held[r.Row][r.Bank/2][(r.At+k)/unit.Lanes][(r.At+k)%unit.Lanes] = v
		}
	}
	return x, nil
}

func (x *unitImage) unitRow(row int) *unitRow {
	if r := x.held[row]; r != nil {
		return r
	}
	return new(unitRow)
}

// fill: elements behind the end of the matrix's row are 0.
func (x *unitImage) fill(to [][]float32, first, n, at int) {
	for _, m := range x.step.Matrices {
		if m.Rows <= 0 || m.Pitch <= 0 || at < m.Source || (at-m.Source)/m.Pitch >= m.Rows {
			continue
		}
		held := min(n, m.Pitch-(at-m.Source)%m.Pitch)
		clear(to[0][first+held : first+n])
		x.imageContents.fill(to, first, held, at)
		return
	}
	panic(fmt.Sprintf("pim: no matrix has input %d", at))
}

func (c *registers) performImage(st dram.Stream, rows int, step *StepImage, ch *ChannelImage, sums *Sums, reads *imageReads) error {
	x, err := newUnitImage(step, ch)
	if err != nil {
		return err
	}
	p := c.performer(x, rows, 1, ch.Words, ch.Results.Lo, []*Sums{sums})
	p.seen = func(at, n int, v *unit.Column) { reads.hold(at, n, &Sums{Rounded: v[:]}) }
	p.run(st)
	return nil
}
