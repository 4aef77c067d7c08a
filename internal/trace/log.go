package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/nearest"
	"pimflow/internal/pim"
)

// event is a command of a log.
type event struct {
	channel int
	op      dram.Op
	bank    int   // dram.AllBanks: of all
	row     int64 // dram.AnyRow: not said
	at      dram.Cycle
	moves   int64 // elements
	line    int64
}

const (
	maxChannels = 1 << 10 // of a log
	maxCycle    = 1 << 60 // of a log
)

// logForm is a form of text with a command a line.
type logForm struct {
	begins func(head string) bool
	// reader returns the reader of the lines after the head.
	reader func(l *logReader, head string) (func(line []byte, e *event) error, error)
}

var logForms = []logForm{
	{func(head string) bool {
		return strings.HasPrefix(head, "pimflow stream ") && strings.HasSuffix(head, " timed")
	}, (*logReader).notation},
	{func(head string) bool { return slices.Contains(strings.Split(head, ","), "command") }, (*logReader).table},
}

// logReader reads logs of a standard.
type logReader struct {
	std   *dram.Standard
	ops   map[string]dram.Op
	timed bool             // the log has cycles, known once its first line is read
	most  map[string]int64 // the largest addresses of the machine, by the word of an operand
}

func newLogReader(std *dram.Standard, most map[string]int64) *logReader {
	l := &logReader{std: std, ops: map[string]dram.Op{}, most: most}
	for op, o := range std.Ops {
		l.ops[o.Name] = dram.Op(op)
	}
	return l
}

// read calls f for each command of a log. Its memory does not grow with the log. The error is `name:line: …`.
func (l *logReader) read(name string, in *bufio.Reader, f func(*event) error) error {
	var read func(line []byte, e *event) error
	e := event{}
	lines := dram.NewLines(name, in)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			if read == nil {
				return fmt.Errorf("%s:%d: it is empty: %s", name, lines.Number(), headWanted)
			}
			return nil
		}
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r")
		if read == nil {
			if read, err = l.begin(string(line)); err != nil {
				return lines.Wrong(line, err)
			}
			continue
		}
		if len(line) == 0 || line[0] == '#' {
			if err := lines.Silent(line); err != nil {
				return err
			}
			continue
		}
		e = event{bank: dram.AllBanks, row: dram.AnyRow, line: lines.Number()}
		if err = read(line, &e); err == nil {
			err = f(&e)
		}
		if err != nil {
			return lines.Wrong(line, err)
		}
	}
}

const headWanted = "a table with a column command, or \"pimflow stream 1 … timed\", wanted first"

func (l *logReader) begin(head string) (func([]byte, *event) error, error) {
	head = strings.TrimPrefix(head, "\ufeff")
	for _, f := range logForms {
		if f.begins(head) {
			return f.reader(l, head)
		}
	}
	return nil, errors.New(headWanted)
}

// op finds a command by name.
func (l *logReader) op(name []byte) (dram.Op, error) {
	if op, ok := l.ops[string(name)]; ok {
		return op, nil
	}
	var known []string
	for _, o := range l.std.Ops {
		known = append(known, o.Name)
	}
	return 0, fmt.Errorf("command %.80q is none of standard %s%s; it has %s", name, l.std.Name, nearest.Hint(string(name), known), strings.Join(known, ", "))
}

// cell is a column of a table that is read.
type cell struct {
	name string
	set  func(l *logReader, e *event, text []byte) error
}

var cells = []cell{
	{"cycle", func(_ *logReader, e *event, text []byte) error {
		n, err := natural(text, maxCycle)
		e.at = dram.Cycle(n)
		return err
	}},
	{"command", func(l *logReader, e *event, text []byte) (err error) {
		e.op, err = l.op(text)
		return err
	}},
	{"channel", func(_ *logReader, e *event, text []byte) error {
		n, err := natural(text, maxChannels-1)
		e.channel = int(n)
		return err
	}},
	{"bank", func(l *logReader, e *event, text []byte) error {
		if !l.std.Ops[e.op].Bank {
			return nil
		}
		n, err := natural(text, int64(l.std.Banks.Groups*l.std.Banks.PerGroup-1))
		e.bank = int(n)
		return err
	}},
	{"row", func(l *logReader, e *event, text []byte) (err error) {
		if len(text) > 0 {
			e.row, err = natural(text, l.most["row"])
		}
		return err
	}},
	held("column", "col"), held("buffer", "buf"), held("accumulator", "acc"),
	{"elements", func(_ *logReader, e *event, text []byte) error {
		if len(text) == 0 {
			return nil
		}
		n, err := natural(text, 1<<40)
		e.moves = n
		return err
	}},
}

// held is a column with an address, which is held against the machine.
func held(name, word string) cell {
	return cell{name, func(l *logReader, _ *event, text []byte) error {
		if len(text) == 0 {
			return nil
		}
		_, err := natural(text, l.most[word])
		return err
	}}
}

// natural reads a number from 0 to most.
func natural(text []byte, most int64) (n int64, err error) {
	for _, c := range text {
		if c < '0' || c > '9' || n > most {
			n = most + 1
			break
		}
		n = 10*n + int64(c-'0')
	}
	if len(text) == 0 || n > most {
		return 0, fmt.Errorf("%.80q: a number from 0 to %d wanted", text, most)
	}
	return n, nil
}

// table reads CSV without quotes; columns may come in any order, and others are ignored.
func (l *logReader) table(head string) (func([]byte, *event) error, error) {
	names := strings.Split(head, ",")
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("column %.80q twice: once wanted", name)
		}
	}
	at := make([]int, len(cells)) // by cell, its column; -1: none
	last := 0
	for i, c := range cells {
		at[i] = slices.Index(names, c.name)
		last = max(last, at[i])
	}
	l.timed = at[0] >= 0
	var text [][]byte
	return func(line []byte, e *event) error {
		if n := bytes.Count(line, []byte{','}) + 1; n > len(names) {
			return fmt.Errorf("%d columns: %d wanted, those of the first line", n, len(names))
		}
		text = text[:0]
		for rest, more := line, true; more && len(text) <= last; {
			var one []byte
			one, rest, more = bytes.Cut(rest, []byte{','})
			text = append(text, one)
		}
		if len(text) <= last {
			return fmt.Errorf("%d columns: %d wanted", len(text), last+1)
		}
		for i, c := range cells {
			if at[i] < 0 {
				continue
			}
			if err := c.set(l, e, text[at[i]]); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		if l.std.Ops[e.op].Bank && e.bank == dram.AllBanks {
			return fmt.Errorf("%s acts on one bank: a column bank wanted", l.std.Ops[e.op].Name)
		}
		return nil
	}, nil
}

// notation reads the commands of a stream after their cycles, as "@17 COMP0 row=3 col=0 buf=4".
func (l *logReader) notation(head string) (func([]byte, *event) error, error) {
	ops, err := pim.NewCommands(l.std)
	if err != nil {
		return nil, err
	}
	if want := ops.Header(true); head != want {
		return nil, fmt.Errorf("%.80q wanted, the standard of the machine", want)
	}
	l.timed = true
	return func(line []byte, e *event) error {
		line = bytes.TrimLeft(line, " ")
		cycle, rest, _ := bytes.Cut(line, []byte{' '})
		if len(cycle) == 0 || cycle[0] != '@' {
			return errors.New("@ and a cycle wanted before the command")
		}
		n, err := natural(cycle[1:], maxCycle)
		if err != nil {
			return err
		}
		e.at = dram.Cycle(n)
		name, operands, _ := bytes.Cut(rest, []byte{' '})
		if e.op, err = l.op(name); err != nil {
			return err
		}
		if l.std.Ops[e.op].Bank {
			return fmt.Errorf("%s acts on one bank, which streams do not name: a table wanted", name)
		}
		for more := len(operands) > 0; more; {
			var one []byte
			one, operands, more = bytes.Cut(operands, []byte{' '})
			word, value, _ := bytes.Cut(one, []byte{'='})
			switch string(word) {
			case "row":
				e.row, err = natural(value, l.most["row"])
			case "col", "buf", "bank", "acc", "data":
				_, err = natural(value, l.most[ops.Bound(e.op, string(word))])
			case "pitch":
				_, err = natural(value, 1<<30)
			case "fill":
				count, length, _ := bytes.Cut(value, []byte{'x'})
				var n, m int64
				if n, err = natural(count, 1<<30); err == nil {
					m, err = natural(length, 1<<30)
				}
				e.moves = n * m
			default:
				err = errors.New("no operand of a command has this name")
			}
			if err != nil {
				return fmt.Errorf("%s: %w", word, err)
			}
		}
		return nil
	}, nil
}
