package dram

import (
	"bufio"
	"fmt"
	"io"
)

// Bits 24:11 and 10:6 of an address (PIMFlow, pim/pim_trace.cc).
const (
	traceRows    = 1 << 14
	traceColumns = 1 << 5
)

// WriteTrace prints a stream of the standard artifact as the text that the published
// simulator reads. A line is a command: the address in 8 hexadecimal digits (activation
// index in bits 28:27, row in 24:11, column in 10:6), a blank, the name; READRES has no
// address. Buffer writes have the name gwrite: the simulator accepts any word that contains
// GWRITE, and ignores the rest of the line. The error is w's, or names an address that does
// not fit.
func WriteTrace(w io.Writer, s Stream, gwrite string) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	var err error
	s.Walk(func(c *Command, index []int) bool {
		line = line[:0]
		if c.Op == artREADRES {
			_, err = out.WriteString("READRES\n")
			return err == nil
		}
		row, col := c.Row.At(index), c.Col.At(index)
		if row < 0 || row >= traceRows || col < 0 || col >= traceColumns {
			err = fmt.Errorf("a trace has no room for row %d, column %d: rows under %d and columns under %d wanted", row, col, traceRows, traceColumns)
			return false
		}
		address := row<<11 | col<<6
		if artGACT0 <= c.Op && c.Op <= artGACT3 {
			address |= int64(c.Op-artGACT0) << 27
		}
		line = append(line, "0x"...)
		for shift := 28; shift >= 0; shift -= 4 {
			line = append(line, "0123456789abcdef"[address>>shift&15])
		}
		line = append(line, ' ')
		if c.Op == artGWRITE {
			line = append(line, gwrite...)
		} else {
			line = append(line, artifact.Ops[c.Op].Name...)
		}
		line = append(line, '\n')
		_, err = out.Write(line)
		return err == nil
	})
	if err != nil {
		return err
	}
	return out.Flush()
}
