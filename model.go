package pimflow

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/onnx"
	"pimflow/internal/zoo"
)

// read loads a model, and the file that its weights are read from later; nil for none.
func read(model string, batch int) (*graph.Graph, io.Closer, error) {
	switch {
	case strings.HasSuffix(model, ".onnx"):
		f, err := onnx.Read(model, onnx.Options{Batch: batch})
		if err != nil {
			return nil, nil, err
		}
		return f.Graph, f, nil
	case strings.HasSuffix(model, ".graph"):
		if batch > 0 {
			return nil, nil, fmt.Errorf("%s: a graph as text has its batch in it: --batch is for zoo networks and .onnx files", model)
		}
		f, err := os.Open(model)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		g, err := graph.Parse(f, model)
		return g, nil, err
	case slices.Contains(zoo.Names(), model):
		g, err := zoo.Build(model, max(batch, 1))
		return g, nil, err
	}
	return nil, nil, fmt.Errorf("model %q is not known%s: an .onnx file, a .graph file or one of %s wanted",
		model, nearest.Hint(model, zoo.Names()), strings.Join(zoo.Names(), ", "))
}

// Print writes the graph that plans are made for as text, which Open reads from a .graph file;
// raw as it was read, before it was simplified. With values the text has those of all
// constants, so that it can be executed.
func (s *Session) Print(w io.Writer, raw, values bool) error {
	if raw {
		return s.model.Print(w, values)
	}
	return s.graph.Print(w, values)
}
