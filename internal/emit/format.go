package emit

import (
	"bufio"
	"fmt"
	"strconv"

	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/pim"
)

// format is a way to write streams.
type format struct {
	name, ending string
	timed        bool                      // it has a place for cycles
	fits         func(*dram.Standard) bool // nil: every standard
	write        func(to *bufio.Writer, code *pim.Code, c *pim.ChannelStream, timed bool) error
}

var formats = []format{
	{name: "pimflow", ending: "pim", timed: true, write: writeNotation},
	{name: "aim", ending: "isr", fits: aimhost.Hosts, write: writeInstructions},
	{name: "csv", ending: "csv", timed: true, write: writeTable},
}

// Formats are the names of the formats, the default first.
func Formats() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

func formatOf(name string) (*format, error) {
	for i := range formats {
		if formats[i].name == name {
			return &formats[i], nil
		}
	}
	return nil, fault.Usagef("--format %.80q: one of %s wanted%s", name, fault.Names(Formats()), nearest.Hint(name, Formats()))
}

// writeNotation writes the loop nest; timed, a line for each command, "@" and its cycle before it.
func writeNotation(to *bufio.Writer, code *pim.Code, c *pim.ChannelStream, timed bool) error {
	ops := code.Commands()
	if !timed {
		return ops.PrintStream(to, c.Stream, c.Notes...)
	}
	if _, err := fmt.Fprintln(to, ops.Header(true)); err != nil {
		return err
	}
	for _, note := range c.Notes {
		if _, err := fmt.Fprintln(to, "#", note); err != nil {
			return err
		}
	}
	var line []byte
	return expand(code.DRAM(), c.Stream, true, func(i *issue) error {
		line = strconv.AppendInt(append(line[:0], '@'), int64(i.at), 10)
		line = append(line, ' ')
		k := i.command
		if k == nil {
			line = append(line, code.DRAM().Standard().Ops[i.op].Name...)
		} else {
			line = ops.Text(line, k, i.index)
		}
		_, err := to.Write(append(line, '\n'))
		return err
	})
}

// columns are the columns of a table of commands, after "cycle" where cycles are wanted.
const columns = "channel,command,bank,row,column,buffer,accumulator,data,elements"

// writeTable writes a line for each command. Where it acts on several banks they are a range, as 4-7; where it names a bank it is that, of a command
// of the even or the odd ones the first. Cells of operands that a command does not have are empty; elements are those that it moves.
func writeTable(to *bufio.Writer, code *pim.Code, c *pim.ChannelStream, timed bool) error {
	head := columns + "\n"
	if timed {
		head = "cycle," + head
	}
	if _, err := to.WriteString(head); err != nil {
		return err
	}
	ops, std := code.Commands(), code.DRAM().Standard()
	starts := make([]string, len(std.Ops)) // of a line, by command, without a bank that it names
	named := make([]bool, len(std.Ops))
	for op := range std.Ops {
		starts[op] = fmt.Sprintf("%d,%s,", c.Channel, std.Ops[op].Name)
		if named[op] = ops.Has(dram.Op(op), "bank"); !named[op] {
			banks := code.Opened(dram.Op(op))
			starts[op] += fmt.Sprintf("%d-%d", banks.Lo, banks.Hi-1)
		}
	}
	cells := []struct {
		word string
		of   func(k *dram.Command) *dram.Affine
	}{
		{"row", func(k *dram.Command) *dram.Affine { return &k.Row }}, {"col", func(k *dram.Command) *dram.Affine { return &k.Col }},
		{"buf", func(k *dram.Command) *dram.Affine { return &k.Buf }}, {"acc", func(k *dram.Command) *dram.Affine { return &k.Acc }},
		{"data", func(k *dram.Command) *dram.Affine { return &k.Data }},
	}
	has := make([][]bool, len(std.Ops))
	for op := range std.Ops {
		for _, x := range cells {
			has[op] = append(has[op], ops.Has(dram.Op(op), x.word))
		}
	}
	var line []byte
	return expand(code.DRAM(), c.Stream, timed, func(i *issue) error {
		line = line[:0]
		if timed {
			line = append(strconv.AppendInt(line, int64(i.at), 10), ',')
		}
		line = append(line, starts[i.op]...)
		if named[i.op] && i.command != nil {
			line = strconv.AppendInt(line, i.command.Buf.At(i.index), 10)
		}
		for n, x := range cells {
			line = append(line, ',')
			if i.command != nil && has[i.op][n] {
				line = strconv.AppendInt(line, x.of(i.command).At(i.index), 10)
			}
		}
		line = append(line, ',')
		if i.command != nil && has[i.op][len(cells)-1] {
			line = strconv.AppendInt(line, code.Moves(i.command), 10)
		}
		_, err := to.Write(append(line, '\n'))
		return err
	})
}
