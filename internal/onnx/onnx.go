// Package onnx reads .onnx files into graphs and writes graphs as .onnx files.
//
// Reading lowers ONNX's spellings, which changed from opset to opset, to the
// canonical operators of package op: an operand that must be constant becomes an
// attribute, shape arithmetic is evaluated, one node makes one value. Nothing is
// guessed: an operator, attribute, type or dimension whose meaning is not known
// is an error that names the file and the node.
//
// Weights are read from the file and decoded when they are first asked for, so that
// reading costs the nodes and not the weights. Files are not mapped into memory, whose
// values change and vanish with the file: File.Whole tells.
//
// The package does not know devices, plans or optimisations.
package onnx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pimflow/internal/budget"
	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// The opsets of the default domain whose operators are known, and those written.
const (
	minOpset = 1
	maxOpset = 25
)

// File is a model whose weights are read from files, so that the
// graph must not be used after Close.
type File struct {
	Graph    *graph.Graph
	Opset    int    // of the default domain
	Producer string // the program that wrote the file, as it says itself

	Bound    []Bound  // the dimensions of inputs that the file leaves open
	Warnings []string // what the file says and its nodes contradict

	names map[string]*Bound // dimensions by name
	disks []*disk           // the first is that of the model

	again   func(context.Context, Values) (*graph.Graph, error) // of Sized; nil: no extent depends on data
	tensors map[*tensorProto]*tensor.Tensor                     // the initializers, which all graphs share
}

// Read opens the model at path; the graph is named after the file. The context is looked at for each message and node.
func Read(ctx context.Context, path string, o Options) (*File, error) {
	f := &File{}
	if err := f.read(ctx, path, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close closes the files.
func (f *File) Close() error {
	var first error
	for _, d := range f.disks {
		if err := d.Close(); err != nil && first == nil {
			first = err
		}
	}
	f.disks = nil
	return first
}

// Names lists the files: the model's, and those of weights beside it.
func (f *File) Names() (list []string) {
	for _, d := range f.disks {
		list = append(list, d.name)
	}
	return list
}

// Whole returns an error if one of the files was changed since it was opened, or could not be read: values
// that were read of them are then not the model's.
func (f *File) Whole() error {
	for _, d := range f.disks {
		if err := d.whole(); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) read(ctx context.Context, path string, o Options) error {
	if o.Batch < 0 {
		return fmt.Errorf("batch %d: 1 or more wanted", o.Batch)
	}
	if st, err := os.Stat(files.At(path)); err == nil && !st.Mode().IsRegular() { // opening a pipe would wait for its writer
		return fmt.Errorf("%s: a regular file wanted", path)
	}
	file, err := os.Open(files.At(path))
	if err != nil {
		return err
	}
	d, err := f.keep(file, path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".onnx")
	ext := &external{dir: filepath.Dir(path), file: f, disks: map[string]*disk{}}
	defer ext.close()
	err = f.decode(ctx, d.source(budget.Of(ctx)), name, o, ext)
	if changed := f.Whole(); changed != nil {
		return changed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// keep keeps a file open until Close.
func (f *File) keep(file *os.File, name string) (*disk, error) {
	d, err := open(file, name)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.disks = append(f.disks, d)
	return d, nil
}

// decode is Read without the file system, but for external data, which ext finds.
func (f *File) decode(ctx context.Context, src *source, name string, o Options, ext *external) error {
	m, err := decodeModel(ctx, src)
	if err != nil {
		return err
	}
	opset, err := m.opset()
	if err != nil {
		return err
	}
	f.Opset = opset
	f.Producer = strings.TrimSpace(m.producer + " " + m.producerVersion)
	return f.lower(ctx, m, name, o, ext)
}

// opset is the version of the default domain that the model imports. Other
// domains are refused where a node uses them.
func (m *modelProto) opset() (int, error) { return defaultOpset(m.opsets) }

var errNoOpset = errors.New("the model imports no opset of the default domain")

func defaultOpset(list []opsetProto) (int, error) {
	v, found := int64(0), false
	for _, s := range list {
		if defaultDomain(s.domain) {
			if v = max(v, s.version); !found {
				v = s.version
			}
			found = true
		}
	}
	switch {
	case !found:
		return 0, errNoOpset
	case v < minOpset || v > maxOpset:
		return 0, fmt.Errorf("opset %d: %d to %d wanted", v, minOpset, maxOpset)
	}
	return int(v), nil
}

func defaultDomain(d string) bool { return d == "" || d == "ai.onnx" }
