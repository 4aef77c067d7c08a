package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// external finds the data that a model keeps in files beside it. A nil external
// has none.
type external struct {
	dir   string
	file  *File // keeps the files open
	root  *os.Root
	disks map[string]*disk
}

// find returns the file and the offset of the size bytes that external_data's entries name. The
// location is relative to the model's folder and cannot leave it.
func (e *external) find(entries map[string]string, size int64) (io.ReaderAt, int64, error) {
	loc := entries["location"]
	if loc == "" {
		return nil, 0, errors.New("no location")
	}
	if e == nil {
		return nil, 0, fmt.Errorf("location %.80q: a model in a folder wanted", loc)
	}
	d, err := e.load(loc)
	if err != nil {
		return nil, 0, fmt.Errorf("location %.80q: %w", loc, err)
	}
	num := func(key string, def int64) (int64, error) {
		text, ok := entries[key]
		if !ok {
			return def, nil
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 0 {
			return 0, fmt.Errorf("%s %.80q: a number of bytes wanted", key, text)
		}
		return v, nil
	}
	off, err := num("offset", 0)
	if err != nil {
		return nil, 0, err
	}
	n, err := num("length", size)
	if err != nil {
		return nil, 0, err
	}
	if n != size {
		return nil, 0, fmt.Errorf("location %.80q: length %d: %d wanted", loc, n, size)
	}
	if off > d.size || n > d.size-off {
		return nil, 0, fmt.Errorf("location %.80q: %d bytes at offset %d wanted, the file has %d", loc, n, off, d.size)
	}
	return d, off, nil
}

func (e *external) load(loc string) (*disk, error) {
	if d, ok := e.disks[loc]; ok {
		return d, nil
	}
	if e.root == nil {
		root, err := os.OpenRoot(e.dir)
		if err != nil {
			return nil, err
		}
		e.root = root
	}
	// A pipe would wait for a writer: keep refuses it, but not before it is open.
	if st, err := e.root.Stat(loc); err == nil && !st.Mode().IsRegular() {
		return nil, errors.New("a regular file wanted")
	}
	f, err := e.root.Open(loc)
	if err != nil {
		return nil, err
	}
	d, err := e.file.keep(f, filepath.Join(e.dir, loc))
	if err != nil {
		return nil, err
	}
	e.disks[loc] = d
	return d, nil
}

func (e *external) close() {
	if e.root != nil {
		e.root.Close()
	}
}
