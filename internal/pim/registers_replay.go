package pim

import (
	"fmt"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
)

// programFollower follows a stream of programs by its addresses: the channel executes the instructions without values, and each step is held
// against the products that are wanted.
type programFollower struct {
	*registers
	*productSet
	held    []rowContents
	channel unit.Channel

	inputs [unit.Registers]int // columns of the source matrices in GRF_A or SRF_M; -1: nothing
	sums   [unit.Registers]int // the first product of the sum in a register of GRF_B, mayBeAdded or mustBeSet
	stored [unit.Columns]int   // the sum in a column of the row of results; -1: none
	unread [unit.Columns]uint8 // units whose part of it the host has not read
}

func (c *registers) follow(p *productSet, channel int, s share, st dram.Stream) (n int, err error) {
	f := &programFollower{registers: c, productSet: p, held: p.layout(s)}
	for i := range f.inputs {
		f.inputs[i], f.sums[i] = -1, mustBeSet
	}
	for i := range f.stored {
		f.stored[i] = -1
	}
	f.channel = unit.Channel{Blind: true, Seen: f.step}
	_, words := c.program(writer{d: c.d, batches: new(batchArena)}, s)
	fail := func(err error) error { return &Violation{channel, n, err.Error()} }
	var wrong error
	st.Walk(func(k *dram.Command, index []int) bool {
		if wrong = f.command(k, index, words); wrong != nil {
			return false
		}
		n++
		return true
	})
	if wrong != nil {
		return n, fail(wrong)
	}
	if n > 0 && (f.channel.Mode() != unit.SB || !f.channel.Closed()) {
		return n, fail(fmt.Errorf("%v mode or open rows at the end: SB mode and closed rows wanted", f.channel.Mode()))
	}
	for i, sum := range f.sums {
		if sum >= 0 {
			return n, fail(fmt.Errorf("%s in GRF_B[%d] is not stored before the end", f.name(sum), i))
		}
	}
	for col, sum := range f.stored {
		if sum >= 0 {
			return n, fail(fmt.Errorf("%s in column %d is not read before the end", f.name(sum), col))
		}
	}
	return n, nil
}

// command follows a command. The channel says what it cannot do.
func (f *programFollower) command(k *dram.Command, index []int, words []uint32) error {
	row, col, at := int(k.Row.At(index)), int(k.Col.At(index)), int(k.Data.At(index))
	var data unit.Data
	role := f.registers.d.ops.roles[k.Op]
	if role == writeRole || role == registerRole {
		d, fixed, err := f.constant(words, row, col, at)
		if err != nil {
			return err
		}
		if data = d; !fixed {
			if err := f.fill(row, col, at); err != nil {
				return err
			}
		} else if row == unit.RowGRF {
			if err := f.clear(col - unit.Registers); err != nil {
				return err
			}
		}
	}
	if _, err := f.issue(&f.channel, k, index, &data); err != nil {
		return err
	}
	if role == readRole {
		return f.readBack(int(k.Buf.At(index)), row, col, at)
	}
	return nil
}

// fill writes inputs to registers: from an element of the source matrices on.
func (f *programFollower) fill(row, col, at int) error {
	lanes := f.registers.d.lanes
	if (row == unit.RowSRF) != (lanes == 1) {
		return fmt.Errorf("inputs are written to row %#x, which the program does not read", row)
	}
	if at < 0 || at%lanes != 0 || at/lanes >= f.sources {
		return fmt.Errorf("element %d of the source matrices is read: a multiple of %d below %d wanted", at, lanes, f.sources*lanes)
	}
	if row == unit.RowGRF {
		f.inputs[col] = at / lanes
		return nil
	}
	for i := range f.inputs {
		f.inputs[i] = at + i
	}
	return nil
}

// clear sets an accumulator to 0.
func (f *programFollower) clear(i int) error {
	if i < 0 || i >= len(f.sums) {
		return fmt.Errorf("register %d of GRF_B is set: it has %d", i, len(f.sums))
	}
	if f.sums[i] >= 0 {
		return fmt.Errorf("GRF_B[%d] is set when %s has not been stored", i, f.name(f.sums[i]))
	}
	f.sums[i] = mayBeAdded
	return nil
}

// step follows an instruction of the program.
func (f *programFollower) step(s *unit.Step) error {
	switch {
	case s.Code == unit.MAC && s.Src0.File == unit.Bank && s.Src1.File == f.registers.d.program.file:
		return f.multiply(s)
	case s.Code == unit.MOV && s.Write && s.Src0.File == unit.GRFB && !s.ReLU:
		return f.store(s)
	}
	return fmt.Errorf("%v is no instruction of such programs", s.Instruction)
}

// multiply follows products: of columns of the even banks with inputs.
func (f *programFollower) multiply(s *unit.Step) error {
	if s.Parity != 0 || s.Row >= len(f.held) {
		return fmt.Errorf("products of row %d of the banks of parity %d: the even banks hold %d rows", s.Row, s.Parity, len(f.held))
	}
	h := &f.held[s.Row]
	slot, k := s.Col/slice, s.Col%slice
	if slot >= h.packs || k >= h.cols {
		return fmt.Errorf("products of column %d of row %d, which holds %d output groups of %d columns", s.Col, s.Row, h.packs, h.cols)
	}
	m, group := h.matrixRun, h.group+slot
	source := f.inputs[s.Src1At]
	at := source - m.source
	if source < 0 || at < 0 || at >= m.count*m.pixels*m.k || at/(m.k*m.pixels) != h.matrix || at%m.k != h.k+k {
		return fmt.Errorf("products of column %d of row %d, weights of matrix %d and column %d of K, and of inputs of others", s.Col, s.Row, m.number+h.matrix, h.k+k)
	}
	sum := m.first + (at/m.k*m.groups+group)*m.k
	switch is := f.sums[s.DstAt]; {
	case is == mustBeSet:
		return fmt.Errorf("products for %s in GRF_B[%d], which has not been set", f.name(sum), s.DstAt)
	case is >= 0 && is != sum:
		return fmt.Errorf("products for %s in GRF_B[%d] when %s has not been stored", f.name(sum), s.DstAt, f.name(is))
	}
	f.sums[s.DstAt] = sum
	if f.done(sum + h.k + k) {
		return fmt.Errorf("products %d of %s are computed again", (h.k+k)*f.registers.d.lanes, f.name(sum))
	}
	return nil
}

// store follows an accumulator to the row of results.
func (f *programFollower) store(s *unit.Step) error {
	sum := f.sums[s.Src0At]
	switch {
	case s.Row != scratchRow || s.Parity != 0:
		return fmt.Errorf("results are stored in row %d of the banks of parity %d: row %d of the even ones wanted", s.Row, s.Parity, scratchRow)
	case sum < 0:
		return fmt.Errorf("GRF_B[%d] is stored, to which nothing was added", s.Src0At)
	case f.stored[s.Col] >= 0:
		return fmt.Errorf("column %d is stored again when %s in it has not been read", s.Col, f.name(f.stored[s.Col]))
	}
	f.stored[s.Col], f.unread[s.Col], f.sums[s.Src0At] = sum, 1<<unit.Units-1, mustBeSet
	return nil
}

// readBack follows a read of the host of a sum, to the results from an element on.
func (f *programFollower) readBack(bank, row, col, at int) error {
	sum := f.sumAt(at)
	switch {
	case row != scratchRow || bank%2 == 1 || f.stored[col] < 0 || f.unread[col]>>(bank/2)&1 == 0:
		return fmt.Errorf("column %d of row %d of bank %d is read, where no result is", col, row, bank)
	case sum != f.stored[col]:
		return fmt.Errorf("column %d is read to element %d of the results: it holds %s", col, at, f.name(f.stored[col]))
	}
	if f.unread[col] &^= 1 << (bank / 2); f.unread[col] == 0 {
		f.stored[col] = -1
	}
	return nil
}
