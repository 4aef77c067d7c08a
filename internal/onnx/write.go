package onnx

import (
	"bufio"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Write writes g as an ONNX model. Weights are written straight through: those
// that come from a file are never decoded. A graph of 2 GiB or more is an error,
// since protobuf cannot hold it.
func Write(w io.Writer, g *graph.Graph) error { return WriteNotes(w, g, Notes{}) }

// Note is a key and a value of a file's metadata.
type Note struct{ Key, Value string }

// Notes are the metadata of a model (ModelProto.metadata_props) and of its nodes (NodeProto.metadata_props), which runtimes
// keep and do not interpret.
type Notes struct {
	Model []Note
	Nodes map[graph.ID][]Note
}

// WriteNotes is Write with metadata.
func WriteNotes(w io.Writer, g *graph.Graph, notes Notes) error {
	e := &encoder{g: g, notes: notes, taken: map[string]bool{}, names: make([]string, len(g.Nodes))}
	e.opset, e.ir = versions(g)
	if err := e.graph(); err != nil {
		return err
	}
	size := len(e.head) + len(e.nodes) + len(e.tail)
	for _, c := range e.inits {
		size += protowire.SizeTag(5) + protowire.SizeBytes(c.size())
	}
	if size > math.MaxInt32-1<<16 {
		return fmt.Errorf("%d bytes: below 2 GiB wanted, protobuf's limit", size)
	}
	var model []byte
	model = appendInt(model, 1, e.ir)
	model = appendString(model, 2, "pimflow")
	model = appendMessage(model, 8, appendInt(appendString(nil, 1, ""), 2, e.opset))
	if e.foreign {
		model = appendMessage(model, 8, appendInt(appendString(nil, 1, microsoft), 2, 1))
	}
	model = appendNotes(model, 14, notes.Model)
	model = protowire.AppendTag(model, 7, protowire.BytesType)
	model = protowire.AppendVarint(model, uint64(size))

	b := bufio.NewWriterSize(w, 1<<16)
	for _, part := range [][]byte{model, e.head, e.nodes} {
		b.Write(part) // its error comes again from Flush
	}
	for _, c := range e.inits {
		h := protowire.AppendTag(nil, 5, protowire.BytesType)
		h = protowire.AppendVarint(h, uint64(c.size()))
		h = append(h, c.head...)
		b.Write(protowire.AppendVarint(h, uint64(c.bytes)))
		if err := c.t.WriteBytes(b); err != nil {
			return err
		}
	}
	b.Write(e.tail)
	return b.Flush()
}

// encoder builds the small parts of a GraphProto; the weights stay where they
// are.
type encoder struct {
	g                 *graph.Graph
	opset, ir         uint64
	notes             Notes
	note              []Note   // of the nodes that are added
	names             []string // of each node's value
	taken             map[string]bool
	head, nodes, tail []byte
	inits             []initializer
	foreign           bool // some node is of the domain microsoft
}

// initializer is a TensorProto up to the length of its raw_data, and the data.
type initializer struct {
	head  []byte
	bytes int
	t     *tensor.Tensor
}

func (c initializer) size() int { return len(c.head) + protowire.SizeBytes(c.bytes) }

func (e *encoder) graph() error {
	if err := e.name(); err != nil {
		return err
	}
	name := e.g.Name
	if name == "" {
		name = "graph" // ONNX wants one
	}
	e.head = appendString(nil, 2, name)
	for i := range e.g.Nodes {
		nd := &e.g.Nodes[i]
		switch {
		case nd.Const != nil:
			e.constant(e.names[i], nd.Const)
		case nd.Op != nil:
			e.note = e.notes.Nodes[nd.ID]
			if err := e.operation(nd); err != nil {
				return fmt.Errorf("node %%%d %.80q (%s): %w", i, nd.Name, nd.Op.Name, err)
			}
			e.note = nil
		}
	}
	for _, id := range e.g.Inputs {
		e.tail = appendMessage(e.tail, 11, e.value(e.names[id], id))
	}
	for _, o := range e.g.Outputs {
		// An input, a constant, or a value that is a result already.
		if e.names[o.ID] != o.Name {
			e.node(o.Name, "Identity", nil, []string{e.names[o.ID]}, o.Name)
		}
		e.tail = appendMessage(e.tail, 12, e.value(o.Name, o.ID))
	}
	return nil
}

// name names the values: inputs keep their names, a result has that of the
// output, all others those of their nodes, made unique.
func (e *encoder) name() error {
	for _, id := range e.g.Inputs {
		e.names[id] = e.unique(e.g.Nodes[id].Name)
	}
	seen := map[string]bool{}
	for _, o := range e.g.Outputs {
		if seen[o.Name] || o.Name == "" || e.taken[o.Name] && e.names[o.ID] != o.Name {
			return fmt.Errorf("output %.80q has no name, or that of another output or an input", o.Name)
		}
		seen[o.Name] = true
		nd := &e.g.Nodes[o.ID]
		if e.names[o.ID] == "" && (nd.Op != nil || nd.Const != nil && nd.Name == o.Name) {
			e.names[o.ID] = o.Name
		}
		e.taken[o.Name] = true
	}
	for i := range e.names {
		if e.names[i] == "" {
			e.names[i] = e.unique(e.g.Nodes[i].Name)
		}
	}
	return nil
}

// unique returns name, or name with a number, and takes it.
func (e *encoder) unique(name string) string {
	free := name
	for i := 1; free == "" || e.taken[free]; i++ {
		free = fmt.Sprintf("%s_%d", name, i)
	}
	e.taken[free] = true
	return free
}

// constant adds an initializer.
func (e *encoder) constant(name string, t *tensor.Tensor) {
	var h []byte
	for _, d := range t.Shape {
		h = appendInt(h, 1, uint64(d))
	}
	h = appendInt(h, 2, uint64(t.Type))
	h = appendString(h, 8, name)
	h = protowire.AppendTag(h, 9, protowire.BytesType)
	e.inits = append(e.inits, initializer{h, t.Shape.Size() * t.Type.Bytes(), t})
}

// helper adds a constant that is an attribute in the graph, and returns its name.
func (e *encoder) helper(name string, t *tensor.Tensor) string {
	name = e.unique(name)
	e.constant(name, t)
	return name
}

// node adds a NodeProto; attrs are encoded AttributeProto fields.
func (e *encoder) node(name, opType string, attrs []byte, in []string, out ...string) {
	e.nodeOf("", name, opType, attrs, in, out)
}

// nodeOf is node of any domain.
func (e *encoder) nodeOf(domain, name, opType string, attrs []byte, in, out []string) {
	var b []byte
	for _, s := range in {
		b = appendString(b, 1, s)
	}
	for _, s := range out {
		b = appendString(b, 2, s)
	}
	b = appendString(b, 3, name)
	b = appendString(b, 4, opType)
	if domain != "" {
		e.foreign = true
		b = appendString(b, 7, domain)
	}
	e.nodes = appendMessage(e.nodes, 1, appendNotes(append(b, attrs...), 9, e.note))
}

// appendNotes adds StringStringEntryProtos.
func appendNotes(b []byte, num protowire.Number, notes []Note) []byte {
	for _, n := range notes {
		b = appendMessage(b, num, appendString(appendString(nil, 1, n.Key), 2, n.Value))
	}
	return b
}

// value is a ValueInfoProto.
func (e *encoder) value(name string, id graph.ID) []byte {
	nd := &e.g.Nodes[id]
	var shape []byte
	for _, d := range nd.Shape {
		shape = appendMessage(shape, 1, appendInt(nil, 1, uint64(d)))
	}
	typ := appendMessage(appendInt(nil, 1, uint64(nd.Type)), 2, shape)
	return appendMessage(appendString(nil, 1, name), 2, appendMessage(nil, 1, typ))
}

func appendInt(b []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func appendMessage(b []byte, num protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), m)
}
