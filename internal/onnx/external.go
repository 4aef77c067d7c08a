package onnx

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// external finds the data that a model keeps in files beside it. A nil external
// has none.
type external struct {
	dir  string
	file *File // keeps the mappings
	root *os.Root
	maps map[string][]byte
}

// bytes returns the size bytes that external_data's entries name. The location
// is relative to the model's folder and cannot leave it.
func (e *external) bytes(entries map[string]string, size int64) ([]byte, error) {
	loc := entries["location"]
	if loc == "" {
		return nil, errors.New("no location")
	}
	if e == nil {
		return nil, fmt.Errorf("location %q: a model in a folder wanted", loc)
	}
	b, err := e.load(loc)
	if err != nil {
		return nil, fmt.Errorf("location %q: %w", loc, err)
	}
	num := func(key string, def int64) (int64, error) {
		text, ok := entries[key]
		if !ok {
			return def, nil
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 0 {
			return 0, fmt.Errorf("%s %q: a number of bytes wanted", key, text)
		}
		return v, nil
	}
	off, err := num("offset", 0)
	if err != nil {
		return nil, err
	}
	n, err := num("length", size)
	if err != nil {
		return nil, err
	}
	if n != size {
		return nil, fmt.Errorf("location %q: length %d: %d wanted", loc, n, size)
	}
	if off > int64(len(b)) || n > int64(len(b))-off {
		return nil, fmt.Errorf("location %q: %d bytes at offset %d wanted, the file has %d", loc, n, off, len(b))
	}
	return b[off : off+n], nil
}

func (e *external) load(loc string) ([]byte, error) {
	if b, ok := e.maps[loc]; ok {
		return b, nil
	}
	if e.root == nil {
		root, err := os.OpenRoot(e.dir)
		if err != nil {
			return nil, err
		}
		e.root = root
	}
	// A pipe would wait for a writer: mapFile refuses it, but not before it is open.
	if st, err := e.root.Stat(loc); err == nil && !st.Mode().IsRegular() {
		return nil, errors.New("a regular file wanted")
	}
	f, err := e.root.Open(loc)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := e.file.mapFile(f)
	if err != nil {
		return nil, err
	}
	e.maps[loc] = b
	return b, nil
}

func (e *external) close() {
	if e.root != nil {
		e.root.Close()
	}
}
