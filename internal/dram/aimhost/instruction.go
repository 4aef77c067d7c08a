package aimhost

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
	"unicode"

	"pimflow/internal/dram"
	"pimflow/internal/nearest"
)

// Instruction is one instruction of a host.
type Instruction struct {
	kind     int    // index into instructions
	Units    int64  // accesses of 32 bytes, 1 for instructions without a number
	Mask     uint32 // bit 31-i: channel i
	Bank     int
	Row      int64
	Register int // of the configuration
	Data     int64
}

// instruction is a row of the host's instruction set.
type instruction struct {
	name           string
	operands       []operand
	sends          string // the requested command; "": none
	access         access
	table          bool // its row is the table of the activation function
	single         bool // of one channel
	writesRegister bool // of the configuration
	sync, end      bool // waits for all the channels; ends the run
	refused        string
}

// operand is an operand of an instruction, with its range.
type operand struct {
	name        string
	least, most int64
	set         func(*Instruction, int64) // nil: no effect on time
}

// The operands. The published simulator checks neither rows nor registers. Their most is where
// another meaning begins: rows from tableRow on are tables.
var (
	opUnits   = operand{"opsize", 1, 1<<31 - 1, func(in *Instruction, v int64) { in.Units = v }}
	opGPR     = operand{"gpr", 0, 1<<32 - 1, nil}
	opMask    = operand{"mask", 1, 1<<MaxChannels - 1, func(in *Instruction, v int64) { in.Mask = uint32(v) }}
	opBank    = operand{"bank", 0, banks - 1, func(in *Instruction, v int64) { in.Bank = int(v) }}
	opRow     = operand{"row", 0, tableRow - 1, func(in *Instruction, v int64) { in.Row = v }}
	opChannel = operand{"channel", 0, MaxChannels - 1, func(in *Instruction, v int64) { in.Mask = 1 << (MaxChannels - 1 - v) }}
	opCFR     = operand{"cfr", 0, tableRegister, func(in *Instruction, v int64) { in.Register = int(v) }}
	opData    = operand{"data", 0, 1<<32 - 1, func(in *Instruction, v int64) { in.Data = v }}
)

// instructions are the instruction set of the host (aim_simulator, AiM_DRAM_system and its trace
// front end). An instruction that sends nothing takes one cycle of the decoder.
var instructions = []instruction{
	{name: "AiM WR_SBK", operands: []operand{opGPR, opMask, opBank, opRow}, sends: "WR", access: writeAccess},
	{name: "AiM RD_SBK", operands: []operand{opGPR, opMask, opBank, opRow}, sends: "RD", access: readAccess},
	{name: "AiM WR_ABK", operands: []operand{opGPR, opMask, opRow}, sends: "WRA16", single: true},
	{name: "AiM WR_GB", operands: []operand{opUnits, opGPR, opMask}, sends: "WRGB"},
	{name: "AiM WR_BIAS", operands: []operand{opGPR, opMask}, sends: "WRMAC16"},
	{name: "AiM RD_MAC", operands: []operand{opGPR, opMask}, sends: "RDMAC16"},
	{name: "AiM RD_AF", operands: []operand{opGPR, opMask}, sends: "RDAF16"},
	{name: "AiM COPY_BKGB", operands: []operand{opUnits, opMask, opBank, opRow}, sends: "RDCP"},
	{name: "AiM COPY_GBBK", operands: []operand{opUnits, opMask, opBank, opRow}, sends: "WRCP"},
	{name: "AiM MAC_SBK", operands: []operand{opUnits, opMask, opBank, opRow}, sends: "MAC"},
	{name: "AiM MAC_ABK", operands: []operand{opUnits, opMask, opRow}, sends: "MAC16"},
	{name: "AiM EWMUL", operands: []operand{opUnits, opMask, opRow}, sends: "EWMUL16"},
	{name: "AiM AF", operands: []operand{opMask}, sends: "AF16", table: true},
	{name: "AiM EWADD", operands: []operand{opUnits, opGPR, opGPR}},
	{name: "AiM SYNC", sync: true},
	{name: "AiM EOC", sync: true, end: true},
	{name: "AiM WR_AFLUT", operands: []operand{opUnits}, refused: "the published simulator refuses it"},
	{name: "W MEM", operands: []operand{opChannel, opBank, opRow}, sends: "WR", access: writeAccess},
	{name: "R MEM", operands: []operand{opChannel, opBank, opRow}, sends: "RD", access: readAccess},
	{name: "W GPR", operands: []operand{opGPR}},
	{name: "R GPR", operands: []operand{opGPR}},
	{name: "W CFR", operands: []operand{opCFR, opData}, writesRegister: true},
	{name: "R CFR", operands: []operand{opCFR, opData}},
}

// ParseInstruction reads one instruction, as "AiM MAC_ABK 64 0xffffffff 3": words separated by
// blanks, numbers decimal or 0x…, AiM opcodes with or without ISR_. It reports false for an
// empty line and a comment. The error names the word and the wanted values.
func ParseInstruction(line string) (Instruction, bool, error) {
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' })
	kept := words[:0]
	for _, w := range words {
		// The published parser splits at blanks and drops other white space.
		w = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, w)
		if w != "" {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 || kept[0] == "#" {
		return Instruction{}, false, nil
	}
	name, rest := kept[0], kept[1:]
	if len(rest) > 0 {
		opcode := rest[0]
		if name == "AiM" {
			opcode = strings.TrimPrefix(opcode, "ISR_")
		}
		name, rest = name+" "+opcode, rest[1:]
	}
	for i := range instructions {
		if k := &instructions[i]; k.name == name {
			in, err := k.parse(rest)
			in.kind = i
			return in, true, err
		}
	}
	var known []string
	for i := range instructions {
		known = append(known, instructions[i].name)
	}
	return Instruction{}, true, fmt.Errorf("instruction %.80q is unknown%s: one of %s wanted", name, nearest.Hint(name, known), strings.Join(known, ", "))
}

func (k *instruction) parse(words []string) (Instruction, error) {
	in := Instruction{Units: 1}
	if k.refused != "" {
		return in, errors.New(k.refused)
	}
	if len(words) != len(k.operands) {
		var names []string
		for _, o := range k.operands {
			names = append(names, o.name)
		}
		return in, fmt.Errorf("%d operands: %d wanted (%s)", len(words), len(k.operands), strings.Join(names, " "))
	}
	for i, o := range k.operands {
		v, err := number(words[i])
		if err != nil || v < o.least || v > o.most {
			return in, fmt.Errorf("%s %.80q: %d to %d wanted, decimal or 0x…", o.name, words[i], o.least, o.most)
		}
		if o.set != nil {
			o.set(&in, v)
		}
	}
	if k.single && bits.OnesCount32(in.Mask) != 1 {
		return in, fmt.Errorf("mask %#x has %d channels: WR_ABK writes to one", in.Mask, bits.OnesCount32(in.Mask))
	}
	return in, nil
}

func number(word string) (int64, error) {
	base := 10
	if digits, ok := strings.CutPrefix(strings.ToLower(word), "0x"); ok {
		word, base = digits, 16
	}
	v, err := strconv.ParseUint(word, base, 63)
	return int64(v), err
}

// Requests is the number of requests to a channel; 1 for what sends none.
func (in *Instruction) Requests() int64 {
	if instructions[in.kind].sends == "" {
		return 1
	}
	return in.Units
}

// End reports whether the instruction is EOC, the end of a run.
func (in *Instruction) End() bool { return instructions[in.kind].end }

// Time times a text of host instructions, plain or gzip, an instruction a line, in
// constant memory, on the given number of channels. The error is `name:line: …`.
func Time(c *dram.Channel, name string, trace io.Reader, channels int) (Result, error) {
	h, err := New(c, channels)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", name, err)
	}
	return h.Run(name, trace)
}

// Run is Time on a host that has done nothing yet.
func (h *Host) Run(name string, trace io.Reader) (Result, error) {
	in, err := dram.TraceText(name, trace)
	if err != nil {
		return Result{}, err
	}
	lines := dram.NewLines(name, in)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			return Result{}, fmt.Errorf("%s:%d: the trace ends without AiM EOC", name, lines.Number())
		}
		if err != nil {
			return Result{}, err
		}
		line = bytes.TrimRight(line, "\r")
		instruction, some, err := ParseInstruction(string(line))
		switch {
		case err != nil:
		case some:
			err = h.Do(instruction)
		default:
			if err := lines.Silent(line); err != nil {
				return Result{}, err
			}
		}
		if err != nil {
			return Result{}, lines.Wrong(line, err)
		}
		if some && instruction.End() {
			return h.Result(), nil
		}
	}
}
