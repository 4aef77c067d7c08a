package pimflow

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pimflow/internal/budget"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/npy"
	"pimflow/internal/onnx"
	"pimflow/internal/zoo"
)

// maxText bounds a graph or a plan as text, in bytes: a graph has its weights in it. Estimated.
const maxText = 16 << 30

// read loads a model, and the file that its weights are read from later; nil for none.
func read(ctx context.Context, model string, o Options) (*graph.Graph, *onnx.File, error) {
	if strings.HasSuffix(model, ".onnx") {
		f, err := onnx.Read(ctx, model, onnx.Options{Batch: o.Batch, Shapes: o.Shapes, Dims: o.Dims, Given: given(o.Inputs), Until: o.Until})
		if err != nil {
			return nil, nil, err
		}
		for _, w := range f.Warnings {
			if o.Warn != nil {
				o.Warn(model + ": " + w)
			}
		}
		return f.Graph, f, nil
	}
	if len(o.Shapes)+len(o.Dims) > 0 {
		return nil, nil, fault.Usagef("%s: --shape and --dim bind what an .onnx file leaves open", model)
	}
	g, err := readText(ctx, model, o.Batch)
	if err == nil && len(o.Until) > 0 {
		g, err = until(g, o.Until)
	}
	return g, nil, err
}

// readText loads a model that is no .onnx file.
func readText(ctx context.Context, model string, batch int) (*graph.Graph, error) {
	switch {
	case strings.HasSuffix(model, ".graph"):
		if batch > 0 {
			return nil, fault.Usagef("%s: a graph as text has its batch in it: --batch is for zoo networks and .onnx files", model)
		}
		f, err := files.OpenText(model, min(maxText, budget.Of(ctx).Bytes()))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return graph.Parse(files.While(ctx, f), model)
	case slices.Contains(zoo.Names(), model):
		return zoo.Build(model, max(batch, 1))
	}
	return nil, fault.Usagef("model %.80q is not known%s: an .onnx file, a .graph file or one of %s wanted",
		model, nearest.Hint(model, zoo.Names()), strings.Join(zoo.Names(), ", "))
}

// until is a graph whose outputs are the values of the named nodes. What does not make them is left in it, idle.
func until(g *graph.Graph, names []string) (*graph.Graph, error) {
	c := *g
	c.Outputs = nil
	var known []string
	for _, nd := range g.Nodes {
		if nd.Op != nil {
			known = append(known, nd.Name)
		}
	}
	for k, name := range names {
		i := slices.IndexFunc(g.Nodes, func(nd graph.Node) bool { return nd.Name == name && nd.Op != nil })
		switch {
		case i < 0:
			return nil, fault.Usagef("--until %.80q: a value that a node makes wanted%s", name, nearest.Hint(name, known))
		case slices.Contains(names[:k], name):
			return nil, fault.Usagef("--until %.80q is there twice", name)
		}
		c.Outputs = append(c.Outputs, graph.Output{Name: name, ID: graph.ID(i)})
	}
	return &c, nil
}

// given finds the file of an input among [NAME=]FILE, and its shape; nil where nobody can give one.
func given(list []string) func(input string) (*onnx.Given, error) {
	if list == nil {
		return nil
	}
	return func(input string) (*onnx.Given, error) {
		for _, text := range list {
			name, file, named := strings.Cut(text, "=")
			switch {
			case named && name == input:
				return shapeOf(file)
			case !named || exists(text):
				return shapeOf(text)
			}
		}
		return nil, nil
	}
}

func exists(file string) bool {
	_, err := os.Stat(files.At(file))
	return err == nil
}

// maxHead bounds what of a picture is before its size, in bytes. Estimated.
const maxHead = 1 << 26

// shapeOf reads the shape of a .npy tensor, or the size of a picture.
func shapeOf(file string) (*onnx.Given, error) {
	if info, err := os.Stat(files.At(file)); err == nil && !info.Mode().IsRegular() { // what is read here is read again
		return nil, fmt.Errorf("%s: a regular file wanted, whose shape binds what the model leaves open", file)
	}
	f, err := files.Open(file, maxHead)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if strings.EqualFold(filepath.Ext(file), ".npy") {
		s, err := npy.Shape(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return &onnx.Given{File: file, Shape: s}, nil
	}
	c, _, err := image.DecodeConfig(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: a .npy tensor or a .png, .jpg or .gif picture wanted: %w", file, err)
	}
	return &onnx.Given{File: file, Shape: []int{c.Height, c.Width}, Picture: true}, nil
}

// Binding is a dimension of an input that the model's file leaves open, and what it is bound to.
type Binding struct {
	Input     string `json:"input"`
	Dimension int    `json:"dimension"`      // its number, from 0
	Name      string `json:"name,omitempty"` // as the file has it
	Extent    int    `json:"extent"`
}

// Bindings lists the dimensions of inputs that the model's file leaves open, with what they are bound to.
func (s *Session) Bindings() (list []Binding) {
	if s.file == nil {
		return nil
	}
	for _, b := range s.file.Bound {
		list = append(list, Binding{b.Input, b.Dim, b.Name, b.Value})
	}
	return list
}

// Warnings lists what the model's file says and its nodes contradict; the nodes decide.
func (s *Session) Warnings() []string {
	if s.file == nil {
		return nil
	}
	return s.file.Warnings
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
