package pim

import (
	"fmt"

	"pimflow/internal/dram"
	"pimflow/internal/pim/unit"
)

// vectorFollower follows the stream of an element-wise layer by its addresses: the channel executes the instructions without values, and each
// step is held against the vector that it must make.
type vectorFollower struct {
	*vectors
	*productSet
	held    []rowContents
	channel unit.Channel

	made    [2][unit.Registers]vectorState // in GRF_A, GRF_B
	scalars int                            // the matrix whose scalars are in SRF; -1: none
	unread  map[[2]int]uint8               // by row and column of a vector that is stored, the units that the host has not read
}

// vectorState is a vector in a register.
type vectorState struct {
	row, slot int
	state     vectorStage
}

type vectorStage uint8

const (
	noVector   vectorStage = iota
	firstMap               // of two
	madeVector             // may be stored
)

func (c *vectors) follow(p *productSet, channel int, s share, st dram.Stream) (n int, err error) {
	f := &vectorFollower{vectors: c, productSet: p, held: p.layout(s), scalars: -1, unread: map[[2]int]uint8{}}
	f.channel = unit.Channel{Blind: true, Seen: f.step}
	_, words := c.program(writer{d: c.d, batches: new(batchArena)}, s)
	var wrong error
	st.Walk(func(k *dram.Command, index []int) bool {
		if wrong = f.command(k, index, words); wrong != nil {
			return false
		}
		n++
		return true
	})
	fail := func(err error) error { return &Violation{channel, n, err.Error()} }
	switch {
	case wrong != nil:
		return n, fail(wrong)
	case n > 0 && (f.channel.Mode() != unit.SB || !f.channel.Closed()):
		return n, fail(fmt.Errorf("%v mode or open rows at the end: SB mode and closed rows wanted", f.channel.Mode()))
	case len(f.unread) > 0:
		return n, fail(fmt.Errorf("%d vectors are stored and not read before the end", len(f.unread)))
	}
	for _, regs := range f.made {
		for i, v := range regs {
			if v.state != noVector {
				return n, fail(fmt.Errorf("%s in register %d is not stored before the end", f.vector(v), i))
			}
		}
	}
	return n, nil
}

// vector names a vector.
func (f *vectorFollower) vector(v vectorState) string { return f.name(f.first(v.row, v.slot)) }

// first is the bit of the first operand of a vector.
func (f *vectorFollower) first(row, slot int) int {
	h := &f.held[row]
	return h.first + (h.matrix*h.matrixRun.groups+h.group+slot)*h.matrixRun.k
}

func (f *vectorFollower) command(k *dram.Command, index []int, words []uint32) error {
	row, col, at := int(k.Row.At(index)), int(k.Col.At(index)), int(k.Data.At(index))
	var data unit.Data
	role := f.vectors.d.ops.roles[k.Op]
	if role == writeRole || role == registerRole {
		d, fixed, err := f.constant(words, row, col, at)
		if err != nil {
			return err
		}
		switch data = d; {
		case !fixed && row != unit.RowSRF, row == unit.RowGRF:
			return fmt.Errorf("row %#x is written, whose registers are not", row)
		case !fixed && (at < 0 || at%matrixScalars > 0 || at/matrixScalars >= len(f.layer.batch)):
			return fmt.Errorf("scalars from number %d on: those of %d matrices, %d each, wanted", at, len(f.layer.batch), matrixScalars)
		case !fixed:
			f.scalars = at / matrixScalars
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

// step follows an instruction of the program.
func (f *vectorFollower) step(s *unit.Step) error {
	e := f.layer.each
	maps := len(e.maps)
	if s.Parity != 0 || s.Row >= len(f.held) {
		return fmt.Errorf("row %d of the banks of parity %d: the even banks hold %d rows", s.Row, s.Parity, len(f.held))
	}
	slot, k := s.Col, 0
	if maps == 2 {
		slot, k = s.Col%blockVectors, s.Col/blockVectors
	}
	if slot >= f.held[s.Row].packs {
		return fmt.Errorf("column %d of row %d, which holds %d vectors of %d maps", s.Col, s.Row, f.held[s.Row].packs, maps)
	}
	is := vectorState{s.Row, slot, noVector}
	if s.Write {
		reg := &f.made[s.Src0.File-unit.GRFA][s.Src0At]
		is.state = madeVector
		switch {
		case s.Code != unit.MOV || s.ReLU != e.relu:
			return fmt.Errorf("%v is no store of such programs", s.Instruction)
		case k != 0 || *reg != is:
			return fmt.Errorf("register %d is stored to column %d of row %d, which is not that of its vector", s.Src0At, s.Col, s.Row)
		}
		*reg = vectorState{}
		f.unread[[2]int{s.Row, slot}] = 1<<unit.Units - 1
		return nil
	}
	reg := &f.made[s.Dst.File-unit.GRFA][s.DstAt]
	first := is
	first.state = firstMap
	switch {
	case s.Src0.File != unit.Bank:
		return fmt.Errorf("%v is no instruction of such programs", s.Instruction)
	case maps == 2 && k == 0:
		if s.Code != unit.MOV || s.ReLU || reg.state != noVector {
			return fmt.Errorf("%v of the first map: MOV to a register that is free wanted", s.Instruction)
		}
		*reg = first
	case maps == 2:
		if s.Code != e.code || s.Src1.File != s.Dst.File || s.Src1At != s.DstAt || *reg != first {
			return fmt.Errorf("%v of the second map: %v with the first map of the same vector wanted", s.Instruction, e.code)
		}
		reg.state = madeVector
	default:
		if s.Code != e.code || e.code != unit.MOV && (s.Src1At != 0 || f.scalars != f.held[s.Row].matrix) || reg.state != noVector {
			return fmt.Errorf("%v: %v with the scalars of matrix %d, to a register that is free, wanted", s.Instruction, e.code, f.held[s.Row].matrix)
		}
		*reg = vectorState{s.Row, slot, madeVector}
	}
	if f.done(f.first(s.Row, slot) + k) {
		return fmt.Errorf("map %d of %s is read again", k, f.vector(is))
	}
	return nil
}

// readBack follows a read of the host of a vector, to the results from an element on.
func (f *vectorFollower) readBack(bank, row, col, at int) error {
	key := [2]int{row, col}
	left, stored := f.unread[key]
	switch {
	case bank%2 == 1 || !stored || left>>(bank/2)&1 == 0:
		return fmt.Errorf("column %d of row %d of bank %d is read, where no result is", col, row, bank)
	case f.sumAt(at) != f.first(row, col):
		return fmt.Errorf("column %d of row %d is read to element %d of the results, which are others", col, row, at)
	}
	if left &^= 1 << (bank / 2); left == 0 {
		delete(f.unread, key)
	} else {
		f.unread[key] = left
	}
	return nil
}
