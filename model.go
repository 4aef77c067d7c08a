package pimflow

import (
	"context"
	"io"
	"slices"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/onnx"
	"pimflow/internal/zoo"
)

// maxText bounds a graph or a plan as text, in bytes: a graph has its weights in it. Estimated.
const maxText = 16 << 30

// read loads a model, and the file that its weights are read from later; nil for none.
func read(ctx context.Context, model string, batch int) (*graph.Graph, *onnx.File, error) {
	switch {
	case strings.HasSuffix(model, ".onnx"):
		f, err := onnx.Read(ctx, model, onnx.Options{Batch: batch})
		if err != nil {
			return nil, nil, err
		}
		return f.Graph, f, nil
	case strings.HasSuffix(model, ".graph"):
		if batch > 0 {
			return nil, nil, fault.Usagef("%s: a graph as text has its batch in it: --batch is for zoo networks and .onnx files", model)
		}
		f, err := files.OpenText(model, maxText)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		g, err := graph.Parse(files.While(ctx, f), model)
		return g, nil, err
	case slices.Contains(zoo.Names(), model):
		g, err := zoo.Build(model, max(batch, 1))
		return g, nil, err
	}
	return nil, nil, fault.Usagef("model %.80q is not known%s: an .onnx file, a .graph file or one of %s wanted",
		model, nearest.Hint(model, zoo.Names()), strings.Join(zoo.Names(), ", "))
}

// Print writes the graph that plans are made for as text, which Open reads from a .graph file;
// raw as it was read, before it was simplified. With values the text has those of all
// constants, so that it can be executed.
func (s *Session) Print(w io.Writer, raw, values bool) (err error) {
	defer s.whole(&err)
	g := s.graph
	if raw {
		g = s.model
	}
	return g.Print(w, values)
}
