package pim

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
)

const (
	// maxItems bounds the commands and loops that are written in a file; a layer has some thousands.
	maxItems = 1 << 21
	// maxCommands bounds the commands of a stream with all iterations of its loops.
	maxCommands = 1 << 60
	// maxAddress bounds a number of an address, and what an address reaches in its loops.
	maxAddress = 1 << 50
)

// ParseStream reads a stream that PrintStream wrote, plain or gzip. No loop is written out: memory is that of the lines.
// The error is `name:line: …`.
func (c *Commands) ParseStream(name string, in io.Reader) (dram.Stream, error) {
	return c.parseStream(name, in, nil)
}

// ParseStream reads a stream as Commands does, and refuses addresses that the machine has not, in any iteration of the loops.
func (m *Meter) ParseStream(name string, in io.Reader) (dram.Stream, error) {
	return m.Commands().parseStream(name, in, m.Bounds())
}

// Bounds are the largest addresses of the machine, by the word of an operand.
func (m *Meter) Bounds() map[string]int64 { return Bounds(m.device.m) }

// parity is the bound of the word bank of a command of all banks: 0 means the even ones, 1 the odd ones.
const parity = "parity"

// Bound is the name among Bounds of the largest address that an operand of a command may have, by the word of the operand.
func (c *Commands) Bound(op dram.Op, word string) string {
	if r := c.roles[op]; word == "bank" && (r == writeRole || r == compRole) {
		return parity
	}
	return word
}

// Bounds are those of a channel.
func Bounds(d *hw.PIM) map[string]int64 {
	return map[string]int64{
		"row": int64(d.Rows) - 1, "col": int64(d.Row/d.Column) - 1, "buf": int64(d.Buffer/d.Column) - 1, "bank": int64(d.Banks) - 1, parity: 1, "acc": int64(d.Sums) - 1, "data": maxAddress,
	}
}

func (c *Commands) parseStream(name string, in io.Reader, bounds map[string]int64) (dram.Stream, error) {
	text, err := dram.TraceText(name, in)
	if err != nil {
		return nil, err
	}
	p := streamParser{Commands: c, loops: make([]openLoop, 1), bounds: bounds}
	lines := dram.NewLines(name, text)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			if err := p.end(); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, lines.Number(), err)
			}
			return p.loops[0].body, nil
		}
		if err != nil {
			return nil, err
		}
		words := strings.Fields(string(line))
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			if err := lines.Silent(line); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.line(words); err != nil {
			return nil, lines.Wrong([]byte(strings.Join(words, " ")), err)
		}
	}
}

// streamParser reads a stream line by line.
type streamParser struct {
	*Commands
	loops []openLoop // the whole stream, then the loops that are open
	begun bool
	items int

	bounds map[string]int64 // nil: any address
}

// openLoop is a loop whose end has not been read.
type openLoop struct {
	times    int
	body     dram.Stream
	commands uint64 // of body
}

func (p *streamParser) line(words []string) error {
	if !p.begun {
		p.begun = true
		if want := p.Header(false); strings.Join(words, " ") != want {
			return fmt.Errorf("%.80q wanted first", want)
		}
		return nil
	}
	if p.items++; p.items > maxItems {
		return fmt.Errorf("more than %d lines: a stream of fewer wanted, with loops", maxItems)
	}
	switch words[0] {
	case "loop":
		return p.open(words)
	case "}":
		return p.close(words)
	}
	k, err := p.command(words)
	if err != nil {
		return err
	}
	return p.add(dram.Do(k), 1)
}

func (p *streamParser) end() error {
	switch {
	case !p.begun:
		return fmt.Errorf("it is empty: %.80q wanted first", p.Header(false))
	case len(p.loops) > 1:
		return fmt.Errorf("the end inside %d loops: } wanted", len(p.loops)-1)
	}
	return nil
}

func (p *streamParser) open(words []string) error {
	if len(words) != 3 || words[2] != "{" {
		return errors.New("\"loop N {\" wanted")
	}
	n, ok := naturalNumber(words[1], maxCommands)
	if !ok || n < 1 {
		return fmt.Errorf("%.80q iterations: 1 to 2^60 wanted", words[1])
	}
	if len(p.loops) > maxNesting {
		return fmt.Errorf("a loop inside %d others: at most %d wanted", len(p.loops)-1, maxNesting-1)
	}
	p.loops = append(p.loops, openLoop{times: int(n)})
	return nil
}

func (p *streamParser) close(words []string) error {
	last := len(p.loops) - 1
	l := p.loops[last]
	switch {
	case len(words) > 1:
		return errors.New("} alone wanted")
	case last == 0:
		return errors.New("no loop is open")
	case len(l.body) == 0:
		return errors.New("a loop of no commands: one at least wanted")
	}
	p.loops = p.loops[:last]
	over, commands := bits.Mul64(l.commands, uint64(l.times))
	if over > 0 {
		commands = maxCommands + 1
	}
	return p.add(dram.Loop(l.times, l.body...), commands)
}

// add appends an item of so many commands to the innermost loop.
func (p *streamParser) add(it dram.Item, commands uint64) error {
	l := &p.loops[len(p.loops)-1]
	if l.commands += commands; l.commands > maxCommands {
		return errors.New("more than 2^60 commands with the iterations of all loops")
	}
	l.body = append(l.body, it)
	return nil
}

// command reads a command with all its operands.
func (p *streamParser) command(words []string) (k dram.Command, err error) {
	op := slices.Index(p.names, words[0])
	if op < 0 || p.roles[op] == noRole {
		var known []string
		for o, r := range p.roles {
			if r != noRole {
				known = append(known, p.names[o])
			}
		}
		return k, fmt.Errorf("%.80q is no command of a stream of %s%s: loop, } or one of %s wanted",
			words[0], p.dialect.standard, nearest.Hint(words[0], known), strings.Join(known, ", "))
	}
	k.Op = dram.Op(op)
	wanted := p.operands[op]
	var keys []string
	for _, o := range wanted {
		keys = append(keys, o.print+"=")
	}
	gathers := p.roles[op] == gatherRole
	if gathers {
		keys = append(keys, "fill=", "pitch=")
	}
	if len(words)-1 != len(keys) {
		return k, fmt.Errorf("%d operands: %d wanted %.80q", len(words)-1, len(keys), keys)
	}
	for i, key := range keys {
		value, ok := strings.CutPrefix(words[1+i], key)
		if !ok {
			return k, fmt.Errorf("operand %.80q: %s… wanted", words[1+i], key)
		}
		if i < len(wanted) {
			a := wanted[i].of(&k)
			if *a, err = p.address(value); err == nil {
				err = p.bounded(*a, p.Bound(k.Op, wanted[i].print))
			}
		} else {
			err = gathered(&k.Fill, key, value)
		}
		if err != nil {
			return k, fmt.Errorf("%s%.80q: %w", key, value, err)
		}
	}
	return k, nil
}

// bounded is the error of an address that the loops around take out of its bounds, those of a name.
func (p *streamParser) bounded(a dram.Affine, bound string) error {
	most, ok := p.bounds[bound]
	if !ok {
		return nil
	}
	lo, hi := a.Base, a.Base
	for d, step := range a.Stride {
		far := step * int64(p.loops[d+1].times-1)
		lo, hi = lo+min(far, 0), hi+max(far, 0)
	}
	switch {
	case lo < 0:
		return fmt.Errorf("%d: 0 to %d wanted, those of the machine", lo, most)
	case hi > most:
		return fmt.Errorf("%d: 0 to %d wanted, those of the machine", hi, most)
	}
	return nil
}

// gathered reads the operands fill=COUNTxLEN and pitch=PITCH.
func gathered(g *dram.Gather, key, value string) error {
	const most = 1 << 30
	number := func(text string) (int, error) {
		n, ok := naturalNumber(text, most)
		if !ok || n < 1 {
			return 0, fmt.Errorf("a number from 1 to %d wanted", most)
		}
		return int(n), nil
	}
	var err error
	if key == "pitch=" {
		g.Pitch, err = number(value)
		return err
	}
	count, length, _ := strings.Cut(value, "x")
	if g.Count, err = number(count); err == nil {
		g.Len, err = number(length)
	}
	return err
}

// address reads 5+16i+2k: a base and the steps of the loops around, each at most once.
func (p *streamParser) address(text string) (a dram.Affine, err error) {
	based := false
	reach := int64(0)
	for rest := text; rest != "" || text == ""; {
		sign := int64(1)
		switch {
		case rest == "":
			return a, errors.New("an address wanted, as 5+16i+2k")
		case rest[0] == '-':
			sign, rest = -1, rest[1:]
		case rest[0] == '+' && rest != text:
			rest = rest[1:]
		case rest != text:
			return a, errors.New("+ or - wanted between the numbers of an address")
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, ok := naturalNumber(rest[:digits], maxAddress)
		if rest = rest[digits:]; digits > 0 && !ok {
			return a, fmt.Errorf("numbers up to %d wanted", int64(maxAddress))
		}
		if rest == "" || rest[0] == '+' || rest[0] == '-' {
			if digits == 0 || based {
				return a, errors.New("an address wanted, as 5+16i+2k, with one number alone at most")
			}
			based, a.Base = true, sign*n
			reach += n
			continue
		}
		d := int(rest[0]) - firstIndex
		rest = rest[1:]
		switch {
		case d < 0 || d >= len(p.loops)-1:
			return a, fmt.Errorf("it is inside %d loops, whose indices are i, j, …", len(p.loops)-1)
		case digits == 0:
			n = 1
		case n == 0:
			return a, errors.New("a step of 0 is left out")
		}
		for len(a.Stride) <= d {
			a.Stride = append(a.Stride, 0)
		}
		if a.Stride[d] != 0 {
			return a, errors.New("an index occurs once")
		}
		a.Stride[d] = sign * n
		over, far := bits.Mul64(uint64(n), uint64(p.loops[d+1].times-1))
		if over > 0 || far > maxAddress {
			far = maxAddress + 1
		}
		if reach += int64(far); reach > maxAddress {
			return a, fmt.Errorf("the loops reach an address beyond %d", int64(maxAddress))
		}
	}
	if reach > maxAddress {
		return a, fmt.Errorf("the loops reach an address beyond %d", int64(maxAddress))
	}
	return a, nil
}

// naturalNumber reads decimal digits, without a sign and without leading zeros.
func naturalNumber(text string, most int64) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil && int64(n) <= most && text[0] != '+' && (text == "0" || text[0] != '0')
}
