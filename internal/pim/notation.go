package pim

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"pimflow/internal/dram"
)

// The notation of streams: a line for each command, "loop n {" and "}" for each loop. An address is its base plus, for
// each loop around the command that moves it, the step times the loop's index i, j, … (the outermost first).
// docs/streams.md has the grammar. ParseStream reads what PrintStream writes.

const (
	streamForm = "pimflow stream 1" // the first words of a file
	firstIndex = 'i'                // of the outermost loop
	maxNesting = 'z' - firstIndex + 1
)

// PrintStream writes a stream as a file: a line that names the DRAM standard, notes as comments, then the loop nest. It panics if more loops
// are nested than there are names of indices.
func (c *Commands) PrintStream(w io.Writer, s dram.Stream, notes ...string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, c.Header(false))
	for _, line := range notes {
		fmt.Fprintln(b, "#", line)
	}
	c.print(b, s, 0, 0)
	return b.Flush()
}

// Header is the first line of a file; timed, of one that has the cycle of each command.
func (c *Commands) Header(timed bool) string {
	h := streamForm + " " + c.dialect.standard
	if timed {
		h += " timed"
	}
	return h
}

// print writes a stream inside so many loops, indented by so many steps.
func (c *Commands) print(b *bufio.Writer, s dram.Stream, loops, indent int) {
	if loops > maxNesting {
		panic(fmt.Sprintf("pim: more than %d loops inside each other", maxNesting))
	}
	in := strings.Repeat("  ", indent)
	for i := range s {
		it := &s[i]
		if it.Times > 0 {
			fmt.Fprintf(b, "%sloop %d {\n", in, it.Times)
			c.print(b, it.Body, loops+1, indent+1)
			fmt.Fprintf(b, "%s}\n", in)
			continue
		}
		fmt.Fprintf(b, "%s%s\n", in, c.text(it.Command))
	}
}

// text is a command with its operands.
func (c *Commands) text(k *dram.Command) string {
	s := c.names[k.Op]
	for _, o := range c.operands[k.Op] {
		s += fmt.Sprintf(" %s=%s", o.print, affine(*o.of(k)))
	}
	if g := k.Fill; c.roles[k.Op] == gatherRole {
		s += fmt.Sprintf(" fill=%dx%d pitch=%d", g.Count, g.Len, g.Pitch)
	}
	return s
}

// affine prints 5+16i+2k.
func affine(a dram.Affine) string {
	var s strings.Builder
	if a.Base != 0 {
		fmt.Fprint(&s, a.Base)
	}
	for d, step := range a.Stride {
		if step == 0 {
			continue
		}
		if s.Len() > 0 && step > 0 {
			s.WriteByte('+')
		}
		switch step {
		case 1:
		case -1:
			s.WriteByte('-')
		default:
			fmt.Fprint(&s, step)
		}
		s.WriteByte(byte(firstIndex + d))
	}
	if s.Len() == 0 {
		return "0"
	}
	return s.String()
}
