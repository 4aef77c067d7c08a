// Package files opens the files that people name and writes files as a whole or not at all.
//
// Names go in; bounded streams come out, and files at their places. The package does not know
// what is in the files.
package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Open opens an input, a regular file or a pipe, of at most most bytes. Errors of opening name the file, those
// of reading do not: what parses it names file and line.
func Open(name string, most int64) (io.ReadCloser, error) {
	f, err := os.Open(At(name))
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: a file wanted, not a folder", name)
	}
	return &input{&bounded{f, most, most}, f}, nil
}

// OpenText is Open of a file that is text.
func OpenText(name string, most int64) (io.ReadCloser, error) {
	f, err := Open(name, most)
	if err != nil {
		return nil, err
	}
	return &input{Text(f), f}, nil
}

// Read reads all of a text. Errors name the file.
func Read(name string, most int64) ([]byte, error) {
	f, err := OpenText(name, most)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// Text returns a stream without the byte order mark that editors and spreadsheets begin with, and until a zero byte, which
// is an error: no text has one, devices and other binary files soon do.
func Text(r io.Reader) io.Reader { return &text{r: r, first: true} }

// Size returns the bytes of a regular file, 0 of anything else.
func Size(name string) int {
	if info, err := os.Stat(At(name)); err == nil && info.Mode().IsRegular() {
		return int(info.Size())
	}
	return 0
}

type input struct {
	io.Reader
	io.Closer
}

// bounded reads at most most bytes.
type bounded struct {
	r          io.Reader
	most, left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		var next [1]byte
		if n, err := b.r.Read(next[:]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("more than %d bytes: a smaller file wanted", b.most)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// While returns a stream that ends with the error of a context as soon as that has ended.
func While(ctx context.Context, r io.Reader) io.Reader { return while{ctx, r} }

type while struct {
	ctx context.Context
	r   io.Reader
}

func (w while) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

type text struct {
	r     io.Reader
	first bool  // nothing was read yet
	err   error // of a zero byte: it comes again, whoever looks ahead
}

// mark is the byte order mark in UTF-8.
const mark = "\ufeff"

func (t *text) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	if t.first {
		t.first = false
		var head [len(mark)]byte
		n, err := io.ReadFull(t.r, head[:])
		if n < len(head) && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, err
		}
		if string(head[:n]) != mark {
			t.r = io.MultiReader(bytes.NewReader(head[:n]), t.r)
		}
	}
	n, err := t.r.Read(p)
	if at := bytes.IndexByte(p[:n], 0); at >= 0 {
		t.err = errors.New("a zero byte: text wanted")
		return at, t.err
	}
	return n, err
}
