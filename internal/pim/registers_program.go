package pim

import (
	"fmt"

	"pimflow/internal/pim/unit"
)

// crfProgram is a program of units: so many blocks, each of so many multiply-accumulate commands and of stores of so many groups, then EXIT.
type crfProgram struct{ macs, groups, blocks int }

// storing is the number of instructions that store the groups of a block.
func (p crfProgram) storing() int {
	if p.groups > 1 {
		return 2
	}
	return 1
}

// block is the number of instructions of a block.
func (p crfProgram) block() int { return len(p.appendBlock(nil, unit.SRFM)) }

// appendBlock appends the instructions of a block whose inputs are in a file. An instruction and a JUMP serve up to 256 commands.
func (p crfProgram) appendBlock(to []unit.Instruction, file unit.File) []unit.Instruction {
	repeated := func(i unit.Instruction, n int) {
		for ; n > 0; n -= min(n, jumpMost) {
			if to = append(to, i); n > 1 {
				to = append(to, unit.Instruction{Code: unit.JUMP, Jump: -1, Count: min(n, jumpMost) - 1})
			}
		}
	}
	// The index of an accumulator is the address over 8, that of an input the address itself, both modulo 8.
	repeated(unit.Instruction{Code: unit.MAC, AAM: true, Dst: unit.Operand{File: unit.GRFB, Index: 3}, Src1: unit.Operand{File: file}}, p.macs)
	repeated(unit.Instruction{Code: unit.MOV, AAM: true, Src0: unit.Operand{File: unit.GRFB}}, p.groups)
	return to
}

// instructions are the program's.
func (p crfProgram) instructions(file unit.File) (list []unit.Instruction) {
	for range p.blocks {
		list = p.appendBlock(list, file)
	}
	return append(list, unit.Instruction{Code: unit.EXIT})
}

// words are those of the program memory, whole writes of it.
func (p crfProgram) words(file unit.File) []uint32 { return wordsOf(p.instructions(file)) }

// wordsOf are the words of a program, whole writes of the program memory.
func wordsOf(list []unit.Instruction) (words []uint32) {
	if len(list) > unit.Program {
		panic(fmt.Sprintf("pim: a program of %d instructions: at most %d wanted", len(list), unit.Program))
	}
	for _, i := range list {
		w, err := i.Encode()
		if err != nil {
			panic("pim: " + err.Error())
		}
		words = append(words, w)
	}
	for len(words)%wordsLine > 0 {
		words = append(words, 0)
	}
	return words
}

// lines is the number of writes of the program memory.
func (p crfProgram) lines() int { return ceilDiv(p.blocks*p.block()+1, wordsLine) }

// turns is how the blocks of a span's pixels are executed: the host reads after visits of entries programs each, of so many blocks;
// then after one visit more of tail blocks, of which a program has tailBlocks.
type turns struct {
	full        int
	program     crfProgram
	entries     int // programs of a visit
	tail        int // blocks
	last        crfProgram
	lastEntries int
}

// newTurns divides pixels blocks of one form.
func newTurns(macs, groups, pixels int) (v turns) {
	one := crfProgram{macs, groups, 1}
	fit := (unit.Program - 1) / one.block() // at least 1, as chunks are short (maxColumns)
	most := min(visitMost, pixels)
	v.program = crfProgram{macs, groups, min(fit, most)}
	v.entries = most / v.program.blocks
	each := v.program.blocks * v.entries
	v.full, v.tail = pixels/each, pixels%each
	if v.tail > 0 {
		v.last = crfProgram{macs, groups, min(fit, v.tail)}
		for v.tail%v.last.blocks > 0 {
			v.last.blocks--
		}
		v.lastEntries = v.tail / v.last.blocks
	}
	return v
}

// blocks is the number of blocks of a full visit.
func (v *turns) blocks() int { return v.program.blocks * v.entries }

// list is the programs of a share: the address of each word in what is written to the program memory, and its instruction.
func (c *registers) list(s share) (lines []string) {
	_, words := c.program(writer{d: c.d, batches: new(batchArena)}, s)
	return wordLines(words)
}

// wordLines are the words of programs, and their instructions.
func wordLines(words []uint32) (lines []string) {
	end := false // of a program, behind which a write is filled up
	for i, word := range words {
		if end = end && i%wordsLine > 0; end {
			continue
		}
		at, err := unit.Decode(word)
		if err != nil {
			panic("pim: " + err.Error())
		}
		lines = append(lines, fmt.Sprintf("word %d: %#08x %v", i, word, at))
		end = at.Code == unit.EXIT
	}
	return lines
}

// notes are the programs of a share; none where units execute none.
func (d *Device) notes(s share) []string {
	if p, ok := d.scheme.(programs); ok && len(s) > 0 {
		return p.list(s)
	}
	return nil
}
