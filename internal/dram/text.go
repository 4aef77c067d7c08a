package dram

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Bounds of a text: of a line, of what gzip has compressed, and of its comments and blank lines, in bytes. The generator's lines are under 100; 2^40
// bytes take an hour (estimated).
const (
	MaxLine   = 4096
	maxText   = 1 << 40
	maxSilent = 1 << 30
)

// TraceText returns a reader of lines of up to MaxLine bytes of a plain or gzip text.
func TraceText(name string, trace io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(trace, MaxLine)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, unzipping(err))
		}
		in = bufio.NewReaderSize(&unzipped{z, maxText}, MaxLine)
	}
	return in, nil
}

// unzipped reads what gzip has compressed, up to a number of bytes. Its errors are in words.
type unzipped struct {
	z    *gzip.Reader
	left int64
}

func (u *unzipped) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return n, fmt.Errorf("more than %d bytes of text in a gzip file: fewer wanted", int64(maxText))
	}
	return n, unzipping(err)
}

// unzipping says in words what is wrong with a gzip file; other errors are those of its reader.
func unzipping(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the gzip file is cut off: the whole file wanted")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return errors.New("the gzip file is damaged: one as gzip writes it wanted")
	}
	return err
}

// Lines reads a text line by line, in constant memory.
type Lines struct {
	Unended bool // the line read last has no end

	name   string
	in     *bufio.Reader
	n      int64 // of the line read last, from 1
	silent int64 // bytes of lines that say nothing
}

// NewLines reads what TraceText returned.
func NewLines(name string, in *bufio.Reader) *Lines { return &Lines{name: name, in: in} }

// Next returns the next line without its end, valid until the one after. The error is io.EOF after the last, else `name:line: …`.
func (l *Lines) Next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	l.n++
	switch {
	case err == io.EOF && len(line) == 0:
		return nil, err
	case err == bufio.ErrBufferFull:
		return nil, fmt.Errorf("%s:%d: a line of over %d bytes", l.name, l.n, MaxLine)
	case err != nil && err != io.EOF:
		return nil, fmt.Errorf("%s:%d: %w", l.name, l.n, err)
	}
	l.Unended = err == io.EOF
	return bytes.TrimSuffix(line, []byte{'\n'}), nil
}

// Number is that of the line read last, from 1; after the last, of the one that is not there.
func (l *Lines) Number() int64 { return l.n }

// Wrong is the error of the line read last.
func (l *Lines) Wrong(line []byte, err error) error {
	return fmt.Errorf("%s:%d: %.80q: %w", l.name, l.n, line, err)
}

// Silent counts a line that says nothing. The error is that of too many.
func (l *Lines) Silent(line []byte) error {
	if l.silent += int64(len(line)) + 1; l.silent > maxSilent {
		return fmt.Errorf("%s:%d: more than %d bytes of comments and blank lines: fewer wanted", l.name, l.n, maxSilent)
	}
	return nil
}
