package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// outputSize is the most bytes of an output that are kept until it is whole.
const outputSize = 16 << 20

// output is the standard output. What a command writes appears when it is whole, so that a signal leaves no
// half of it, or as soon as it is larger than outputSize. After a signal nothing more appears.
type output struct {
	ctx  context.Context
	w    io.Writer
	kept bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	if o.kept.Len()+len(p) > outputSize {
		if err := o.flush(); err != nil {
			return 0, err
		}
	}
	return o.kept.Write(p)
}

// flush writes what is kept.
func (o *output) flush() error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	_, err := o.kept.WriteTo(o.w)
	return err
}

// lines returns a writer whose lines appear at once.
func lines(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return &liner{o}
	}
	return w
}

// liner flushes an output after each line end.
type liner struct{ to *output }

func (l *liner) Write(p []byte) (int, error) {
	n, err := l.to.Write(p)
	if err == nil && bytes.HasSuffix(p, []byte("\n")) {
		err = l.to.flush()
	}
	return n, err
}

// flush writes what is kept of the standard output.
func flush(w io.Writer) error {
	if o, ok := w.(*output); ok {
		return o.flush()
	}
	return nil
}

// despite lets the standard output take what is known when the context has ended.
func despite(w io.Writer) {
	if o, ok := w.(*output); ok {
		o.ctx = context.WithoutCancel(o.ctx)
	}
}

// usualColumns is the length of a line where no terminal says another.
const usualColumns = 80

func columnsFlag(c *cobra.Command, to *int) {
	*to = usualColumns
	c.Flags().Var((*columnCount)(to), "columns", "characters that a line of a table may have; 0: as many as it takes (default: those of the terminal, else 80)")
}

// columnCount is a number of characters as a flag has it.
type columnCount int

func (n *columnCount) String() string { return strconv.Itoa(int(*n)) }

func (n *columnCount) Type() string { return "int" }

// Set reads a whole number of 0 or more.
func (n *columnCount) Set(text string) error {
	x, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return errors.New("a whole number, 0 or more, wanted")
	}
	*n = columnCount(x)
	return nil
}

// columnsOf is the length of lines that a flag asks for, or that of the terminal.
func columnsOf(c *cobra.Command, flag int) int {
	if o, ok := c.OutOrStdout().(*output); ok && !c.Flags().Changed("columns") {
		if f, ok := o.w.(*os.File); ok {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil {
				return max(n, usualColumns)
			}
		}
	}
	return flag
}
