package pimflow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pimflow"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// looked is a context that counts how often it is asked whether it has ended, and ends at one of these.
type looked struct {
	context.Context
	looks, ends int
}

func (l *looked) Err() error {
	if l.looks++; l.looks >= l.ends {
		return context.Canceled
	}
	return nil
}

// TestOpenStops: whatever reading and simplifying are at, a context that ends is seen at the next node, and nothing is
// done after it.
func TestOpenStops(t *testing.T) {
	const nodes = 300
	dir := t.TempDir()
	for _, name := range []string{"chain.onnx", "chain.graph"} {
		file := filepath.Join(dir, name)
		if err := writeChain(file, nodes); err != nil {
			t.Fatal(err)
		}
		whole := &looked{t.Context(), 0, 1 << 30}
		s, err := pimflow.Open(whole, file, pimflow.Options{Machine: "toy"})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		least := 8 * nodes // passes of simplify
		if name == "chain.onnx" {
			least += 2 * nodes // decoding, lowering
		}
		if whole.looks < least {
			t.Errorf("%s: %d looks at the context: %d wanted at least, one a node of each pass", name, whole.looks, least)
		}
		for ends := 1; ends <= whole.looks; ends += 37 {
			l := &looked{t.Context(), 0, ends}
			_, err := pimflow.Open(l, file, pimflow.Options{Machine: "toy"})
			if !errors.Is(err, context.Canceled) || l.looks > ends {
				t.Errorf("%s: ended at look %d of %d: %v after look %d", name, ends, whole.looks, err, l.looks)
			}
		}
	}
}

// writeChain writes a chain of so many sigmoids.
func writeChain(file string, nodes int) error {
	b := graph.NewBuilder("chain")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 4})
	for i := range nodes {
		var err error
		if x, err = b.Op(fmt.Sprintf("s%d", i), "Sigmoid", op.Attrs{}, x); err != nil {
			return err
		}
	}
	b.Output("y", x)
	g, err := b.Graph()
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if filepath.Ext(file) == ".onnx" {
		return onnx.Write(f, g)
	}
	return g.Print(f, true)
}

// TestOpenMemory: what is kept of a model is held to the memory that the options give.
func TestOpenMemory(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"chain.onnx":  ": graph: node[7]: its names and numbers take 101 B of memory: at most 100 B wanted, or another --memory",
		"chain.graph": ":4: more than 100 bytes: a smaller file wanted",
	} {
		file := filepath.Join(dir, name)
		if err := writeChain(file, 40); err != nil {
			t.Fatal(err)
		}
		if _, err := pimflow.Open(t.Context(), file, pimflow.Options{Memory: 100}); err == nil || err.Error() != file+want {
			t.Errorf("got %v, want %s%s", err, file, want)
		}
		s, err := pimflow.Open(t.Context(), file, pimflow.Options{Machine: "toy", Memory: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}
