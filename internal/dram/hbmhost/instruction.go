package hbmhost

import (
	"fmt"
	"strconv"
	"strings"

	"pimflow/internal/nearest"
)

// Instruction is a line of a trace.
type Instruction struct {
	kind                       int // index into instructions
	pch, group, bank, row, col int64
}

// The organisation of the model's channel.
const (
	pchs, groups, banks = 2, 4, 4
	rows, columns       = 1 << 14, 32
)

// operand is an operand of an instruction.
type operand struct {
	name  string
	below int64
	of    func(*Instruction) *int64
}

var (
	opPch   = operand{"pch", pchs, func(in *Instruction) *int64 { return &in.pch }}
	opGroup = operand{"group", groups, func(in *Instruction) *int64 { return &in.group }}
	opBank  = operand{"bank", banks, func(in *Instruction) *int64 { return &in.bank }}
	opRow   = operand{"row", rows, func(in *Instruction) *int64 { return &in.row }}
	opCol   = operand{"col", columns, func(in *Instruction) *int64 { return &in.col }}
)

// The instructions, in the order of the table.
const (
	barrier = iota
	macAB
	readBank
	writeBank
	moves // to the buffers of a unit and back: the first of three
)

// instructions are the lines of a trace: accesses of all banks, of single banks, moves between the buffers of a unit and
// the pins or the banks, which need no row, and a barrier.
var instructions = []struct {
	name     string
	operands []operand
}{
	barrier:   {"BAR", nil},
	macAB:     {"MACAB", []operand{opRow, opCol}},
	readBank:  {"RD", []operand{opPch, opGroup, opBank, opRow, opCol}},
	writeBank: {"WR", []operand{opPch, opGroup, opBank, opRow, opCol}},
	moves:     {"WRGB", []operand{opPch, opGroup, opBank}},
	moves + 1: {"MVSB", []operand{opPch, opGroup, opBank}},
	moves + 2: {"MVGB", []operand{opPch, opGroup, opBank}},
}

// String prints an instruction as ParseInstruction reads it.
func (in Instruction) String() string {
	k := &instructions[in.kind]
	text := k.name
	for _, o := range k.operands {
		text += " " + strconv.FormatInt(*o.of(&in), 10)
	}
	return text
}

// ParseInstruction reads a line, as "MACAB 3 17": words separated by blanks. The error names the word and the wanted values.
func ParseInstruction(line string) (in Instruction, err error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return in, fmt.Errorf("an empty line: an instruction wanted")
	}
	var known []string
	for kind, k := range instructions {
		known = append(known, k.name)
		if k.name != words[0] {
			continue
		}
		in.kind = kind
		if got := len(words) - 1; got != len(k.operands) {
			return in, fmt.Errorf("%d operands: %d wanted", got, len(k.operands))
		}
		for i, o := range k.operands {
			v, err := strconv.ParseInt(words[i+1], 10, 64)
			if err != nil || v < 0 || v >= o.below {
				return in, fmt.Errorf("%s %.80q: 0 to %d wanted", o.name, words[i+1], o.below-1)
			}
			*o.of(&in) = v
		}
		return in, nil
	}
	return in, fmt.Errorf("instruction %.80q is unknown%s: one of %s wanted", words[0], nearest.Hint(words[0], known), strings.Join(known, ", "))
}
