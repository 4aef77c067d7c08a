package unit

import (
	"fmt"
	"slices"
)

// Code is the operation of an instruction, its bits 31 to 28.
type Code uint8

// The operations.
const (
	NOP  Code = 0  // Count commands pass
	JUMP Code = 1  // Count times to the instruction Jump further; takes no command
	EXIT Code = 2  // to the first instruction, and out of AB-PIM mode; takes no command
	MOV  Code = 4  // dst = src0, where ReLU is set not below 0
	FILL Code = 5  // dst = src0
	ADD  Code = 8  // dst = src0 + src1
	MUL  Code = 9  // dst = src0 · src1
	MAC  Code = 10 // dst = src0 · src1 + dst
	MAD  Code = 11 // dst = src0 · src1 + SRF_A
)

// File is a kind of operand.
type File uint8

// The operands: a column of the bank that the command reads or writes, and the registers.
const (
	Bank File = iota
	GRFA
	GRFB
	SRFA
	SRFM
)

var fileNames = [...]string{Bank: "BANK", GRFA: "GRF_A", GRFB: "GRF_B", SRFA: "SRF_A", SRFM: "SRF_M"}

// Operand is an operand of an instruction. Under AAM the number of the register is
// (32·row + column) >> Index modulo 8, unless Fixed is set; otherwise it is Index.
type Operand struct {
	File  File
	Index uint8 // 0 to 7
	Fixed bool
}

// Instruction is a decoded word of the program memory. Only the fields of its operation count.
type Instruction struct {
	Code            Code
	Dst, Src0, Src1 Operand
	AAM             bool // address-aligned mode: the address of the command selects registers
	ReLU            bool // of MOV
	Jump            int  // of JUMP: instructions, below 0 back; at most 127 either way
	Count           int  // of JUMP and NOP, at most 255
}

// operation is the form of an operation: its name, its factors, and the files that each may name.
type operation struct {
	code Code
	name string
	dst  []File
	src0 []File
	src1 []File
}

var (
	grf     = []File{GRFA, GRFB}
	anyBulk = []File{Bank, GRFA, GRFB}
)

var operations = []operation{
	{code: NOP, name: "NOP"},
	{code: JUMP, name: "JUMP"},
	{code: EXIT, name: "EXIT"},
	{code: MOV, name: "MOV", dst: anyBulk, src0: anyBulk},
	{code: FILL, name: "FILL", dst: anyBulk, src0: anyBulk},
	{code: ADD, name: "ADD", dst: grf, src0: anyBulk, src1: []File{Bank, GRFA, GRFB, SRFA}},
	{code: MUL, name: "MUL", dst: grf, src0: anyBulk, src1: []File{Bank, GRFA, GRFB, SRFM}},
	{code: MAC, name: "MAC", dst: []File{GRFB}, src0: anyBulk, src1: []File{Bank, GRFA, GRFB, SRFM}},
	{code: MAD, name: "MAD", dst: grf, src0: anyBulk, src1: []File{Bank, GRFA, GRFB, SRFM}},
}

// String is the operation's name.
func (c Code) String() string {
	if f := c.form(); f != nil {
		return f.name
	}
	return fmt.Sprintf("operation %d", uint8(c))
}

// form is the form of an operation, nil of one that is not there.
func (c Code) form() *operation {
	for i := range operations {
		if operations[i].code == c {
			return &operations[i]
		}
	}
	return nil
}

// Limits of the fields of a word.
const (
	maxCount = 1<<8 - 1
	maxJump  = 1<<7 - 1
	index    = 1<<3 - 1
)

// check says what of an instruction no unit executes.
func (i *Instruction) check() error {
	f := i.Code.form()
	if f == nil {
		return fmt.Errorf("operation %d: NOP, JUMP, EXIT, MOV, FILL, ADD, MUL, MAC or MAD wanted", i.Code)
	}
	for _, o := range []struct {
		what string
		is   Operand
		of   []File
	}{{"destination", i.Dst, f.dst}, {"first source", i.Src0, f.src0}, {"second source", i.Src1, f.src1}} {
		if o.of == nil {
			continue
		}
		if !slices.Contains(o.of, o.is.File) {
			return fmt.Errorf("%s of %s: %s wanted", o.what, f.name, names(o.of))
		}
		if o.is.Index > index {
			return fmt.Errorf("index %d of the %s of %s: 0 to %d wanted", o.is.Index, o.what, f.name, index)
		}
	}
	switch {
	case f.src0 != nil && i.Dst.File == Bank && i.Src0.File == Bank, f.src1 != nil && i.Src0.File == Bank && i.Src1.File == Bank:
		return fmt.Errorf("%s with two operands in the banks: one wanted", f.name)
	case i.Count < 0 || i.Count > maxCount:
		return fmt.Errorf("count %d of %s: 0 to %d wanted", i.Count, f.name, maxCount)
	case i.Jump < -maxJump || i.Jump > maxJump:
		return fmt.Errorf("JUMP by %d: %d to %d wanted", i.Jump, -maxJump, maxJump)
	}
	return nil
}

func names(files []File) (s string) {
	for i, f := range files {
		switch {
		case i > 0 && i == len(files)-1:
			s += " or "
		case i > 0:
			s += ", "
		}
		s += fileNames[f]
	}
	return s
}

// Encode returns the word of an instruction. The error says what no word holds.
//
//	31-28 operation  27-25 dst  24-22 src0  21-19 src1  15 AAM  12 ReLU
//	11 dst fixed  10-8 dst index  7 src0 fixed  6-4 src0 index  3 src1 fixed  2-0 src1 index
//	JUMP: 18 back, 17-16 and 15-11 distance, 7-0 count; NOP: 7-0 count
func (i Instruction) Encode() (uint32, error) {
	if err := i.check(); err != nil {
		return 0, err
	}
	w, f := uint32(i.Code)<<28, i.Code.form()
	switch i.Code {
	case JUMP:
		far := i.Jump
		if far < 0 {
			far, w = -far, w|1<<18
		}
		return w | uint32(far)<<11 | uint32(i.Count), nil
	case NOP:
		return w | uint32(i.Count), nil
	}
	if f.dst == nil {
		return w, nil
	}
	set := func(o Operand, of []File, file, index uint) {
		if of != nil {
			w |= uint32(o.File)<<file | (uint32(o.Index)|bit(o.Fixed)<<3)<<index
		}
	}
	set(i.Dst, f.dst, 25, 8)
	set(i.Src0, f.src0, 22, 4)
	set(i.Src1, f.src1, 19, 0)
	return w | bit(i.AAM)<<15 | bit(i.ReLU && i.Code == MOV)<<12, nil
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// Decode returns the instruction of a word. The error says what no unit executes. Bits that mean nothing are not looked at.
func Decode(w uint32) (Instruction, error) {
	i := Instruction{Code: Code(w >> 28)}
	f := i.Code.form()
	switch {
	case f == nil:
	case i.Code == JUMP:
		i.Jump, i.Count = int(w>>11&maxJump), int(w&maxCount)
		if w>>18&1 == 1 {
			i.Jump = -i.Jump
		}
	case i.Code == NOP:
		i.Count = int(w & maxCount)
	case f.dst != nil:
		get := func(of []File, file, index uint) (o Operand) {
			if of != nil {
				o = Operand{File(w >> file & 7), uint8(w >> index & 7), w>>(index+3)&1 == 1}
			}
			return o
		}
		i.Dst, i.Src0, i.Src1 = get(f.dst, 25, 8), get(f.src0, 22, 4), get(f.src1, 19, 0)
		i.AAM, i.ReLU = w>>15&1 == 1, i.Code == MOV && w>>12&1 == 1
	}
	if err := i.check(); err != nil {
		return Instruction{}, fmt.Errorf("instruction %#08x: %w", w, err)
	}
	return i, nil
}
