// Package onnx reads .onnx files into graphs and writes graphs as .onnx files.
//
// Reading lowers ONNX's spellings, which changed from opset to opset, to the
// canonical operators of package op: an operand that must be constant becomes an
// attribute, shape arithmetic is evaluated, one node makes one value. Nothing is
// guessed: an operator, attribute, type or dimension whose meaning is not known
// is an error that names the file and the node.
//
// Files are memory-mapped and weights are decoded when they are first asked for,
// so that reading costs the nodes and not the weights.
//
// The package does not know devices, plans or optimisations.
package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/edsrzf/mmap-go"

	"pimflow/internal/graph"
)

// The opsets of the default domain whose operators are known, and those written.
const (
	minOpset = 7
	maxOpset = 25
)

// File is a model in memory. Its weights point into the mapped file, so that the
// graph must not be used after Close.
type File struct {
	Graph    *graph.Graph
	Opset    int    // of the default domain
	Producer string // the program that wrote the file, as it says itself

	maps []mmap.MMap
}

// Options bind what a file leaves open.
type Options struct {
	Batch int // a symbolic first dimension of the inputs; 0: 1
}

// Read opens the model at path; the graph is named after the file.
func Read(path string, o Options) (*File, error) {
	f := &File{}
	if err := f.read(path, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close unmaps the file.
func (f *File) Close() error {
	var first error
	for _, m := range f.maps {
		if err := m.Unmap(); err != nil && first == nil {
			first = err
		}
	}
	f.maps = nil
	return first
}

func (f *File) read(path string, o Options) error {
	if o.Batch < 0 {
		return fmt.Errorf("batch %d: 1 or more wanted", o.Batch)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() { // opening a pipe would wait for its writer
		return fmt.Errorf("%s: a regular file wanted", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := f.mapFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".onnx")
	ext := &external{dir: filepath.Dir(path), file: f, maps: map[string][]byte{}}
	defer ext.close()
	if err := f.decode(data, name, o, ext); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// decode is Read without the file system, but for external data, which ext finds.
func (f *File) decode(data []byte, name string, o Options, ext *external) error {
	m, err := decodeModel(data)
	if err != nil {
		return err
	}
	opset, err := m.opset()
	if err != nil {
		return err
	}
	f.Opset = opset
	f.Producer = strings.TrimSpace(m.producer + " " + m.producerVersion)
	f.Graph, err = lower(m.graph, name, opset, o, ext)
	return err
}

// mapFile maps a whole file, until Close.
func (f *File) mapFile(file *os.File) ([]byte, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("a regular file wanted")
	}
	if st.Size() == 0 {
		return nil, nil
	}
	m, err := mmap.Map(file, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("mapping it: %w", err)
	}
	f.maps = append(f.maps, m)
	return m, nil
}

// opset is the version of the default domain that the model imports. Other
// domains are refused where a node uses them.
func (m *modelProto) opset() (int, error) {
	v := int64(0)
	for _, s := range m.opsets {
		if defaultDomain(s.domain) {
			v = max(v, s.version)
		}
	}
	switch {
	case v == 0:
		return 0, errors.New("the model imports no opset of the default domain")
	case v < minOpset || v > maxOpset:
		return 0, fmt.Errorf("opset %d: %d to %d wanted", v, minOpset, maxOpset)
	}
	return int(v), nil
}

func defaultDomain(d string) bool { return d == "" || d == "ai.onnx" }
