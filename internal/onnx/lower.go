package onnx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/interval"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// foldSize is the most values that an operand or result of shape arithmetic has;
// larger constant expressions stay nodes of the graph.
const foldSize = 1 << 12

// reading is the state of turning a ModelProto into a graph, over all its graphs and functions.
type reading struct {
	ctx       context.Context
	b         *graph.Builder
	tell      Values
	intervals *interval.Analysis
	tensors   map[*tensorProto]*tensor.Tensor // of initializers
	ext       *external
	rows      map[string]map[string]row // by domain and operator
	functions map[functionKey]*functionProto
	missing   missing
	spent     int // on graphs and functions in others, see spend
}

// lowering is one scope of names: the model's graph, one in it, or a function that is called.
type lowering struct {
	*reading
	opset int
	outer *lowering // whose names are seen too, where they are not hidden; nil: none
	env   map[string]*value
	read  map[string]bool // the names that a node or the result reads
	call  *invocation     // nil outside of functions
	depth int             // of graphs and functions around it
}

// value is what a name of the file stands for: a node of the graph, or a tensor
// known now that becomes a constant of the graph when a node reads it.
type value struct {
	name  string
	typ   tensor.Type
	shape tensor.Shape
	known *tensor.Tensor
	id    graph.ID // -1: not in the graph
	lost  bool     // it is made by an operator that is not supported, or of such a value
}

func known(name string, t *tensor.Tensor) *value {
	return &value{name: name, typ: t.Type, shape: t.Shape, known: t, id: -1}
}

// lower turns the graph of m into f's.
func (f *File) lower(ctx context.Context, m *modelProto, name string, o Options, ext *external) error {
	opset, err := m.opset()
	if err != nil {
		return err
	}
	if f.tensors == nil {
		f.tensors = map[*tensorProto]*tensor.Tensor{}
	}
	r := &reading{ctx: ctx, b: graph.NewBuilder(name), tell: o.Values, tensors: f.tensors, ext: ext, rows: tables()}
	r.intervals = interval.New(r.b.Peek())
	if r.functions, err = m.index(); err != nil {
		return err
	}
	g := m.graph
	if len(o.Until) > 0 {
		if g, err = g.until(o.Until); err != nil {
			return err
		}
	}
	l := &lowering{reading: r, opset: opset, env: map[string]*value{}}
	if err := l.initializers(g); err != nil {
		return err
	}
	if err := l.inputs(g, o, f); err != nil {
		return err
	}
	err = l.nodes(g)
	if len(r.missing) > 0 {
		return r.missing.err(r.rows[""])
	}
	if err == nil {
		err = l.outputs(g, f)
	}
	if err == nil {
		f.Graph, err = l.b.Graph()
	}
	if err == nil && slices.ContainsFunc(f.Graph.Nodes, func(nd graph.Node) bool { return nd.Counted() || nd.Sized() }) {
		f.again = func(ctx context.Context, values Values) (*graph.Graph, error) {
			o.Values = values
			c := File{tensors: f.tensors}
			err := c.lower(ctx, m, name, o, ext)
			return c.Graph, err
		}
	}
	return err
}

// Counted reports whether extents of the graph depend on data.
func (f *File) Counted() bool { return f.again != nil }

// Sized returns the graph again, with extents that depend on data as these values tell; nil where there are none.
// It shares the weights of Graph.
func (f *File) Sized(ctx context.Context, values Values) (*graph.Graph, error) {
	if f.again == nil {
		return nil, nil
	}
	g, err := f.again(ctx, values)
	if changed := f.Whole(); changed != nil {
		return nil, changed
	}
	return g, err
}

// tensor is the value of an initializer, made once.
func (r *reading) tensor(p *tensorProto) (*tensor.Tensor, error) {
	if t := r.tensors[p]; t != nil {
		return t, nil
	}
	t, err := p.tensor(r.ext)
	if err == nil {
		r.tensors[p] = t
	}
	return t, err
}

// nodes lowers the nodes of g. After an error it goes on to find all operators that are not supported.
func (l *lowering) nodes(g *graphProto) error {
	l.read = map[string]bool{}
	for _, p := range g.nodes {
		for _, name := range p.reads() {
			l.read[name] = true
		}
	}
	for _, p := range g.outputs {
		l.read[p.name] = true
	}
	order, err := sortNodes(g, l)
	if err == nil && l.sure(g, order) > graph.MaxOperations {
		err = fmt.Errorf("more than %d operations in one graph", graph.MaxOperations)
	}
	if err != nil {
		return err
	}
	for _, i := range order {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		switch p := g.nodes[i]; {
		case err == nil && l.depth < mostLabels:
			err = l.before(p, in(nodeLabel(p, i), l.node(p)))
		case err == nil:
			err = l.node(p)
		case !l.supported(p):
			l.missing.add(p)
		}
	}
	return err
}

// mostLabels bounds the nodes that an error names, from the outermost in.
const mostLabels = 5

// nodeLabel names a node in an error.
func nodeLabel(p *nodeProto, i int) string {
	name := p.name
	if name == "" && len(p.out) > 0 {
		name = p.out[0]
	}
	if name == "" {
		return fmt.Sprintf("node[%d] (%s)", i, fault.Name(p.opType))
	}
	return fmt.Sprintf("node %.80q (%s)", name, fault.Name(p.opType))
}

func (l *lowering) initializers(g *graphProto) error {
	if g.sparse {
		return errors.New("a sparse initializer: dense ones wanted")
	}
	if err := g.quantized(); err != nil {
		return err
	}
	for i, p := range g.inits {
		if p.name == "" {
			return fmt.Errorf("initializer[%d] has no name", i)
		}
		if l.env[p.name] != nil {
			return fmt.Errorf("initializer %.80q is there twice", p.name)
		}
		t, err := l.tensor(p)
		if err != nil {
			return fmt.Errorf("initializer %.80q: %w", p.name, err)
		}
		l.env[p.name] = known(p.name, t)
	}
	return nil
}

// value returns what a name stands for; nil: nothing.
func (l *lowering) value(name string) *value {
	for ; l != nil; l = l.outer {
		if v := l.env[name]; v != nil {
			return v
		}
	}
	return nil
}

// names returns the names of all values so far, sorted.
func (l *lowering) names() (list []string) {
	for ; l != nil; l = l.outer {
		list = append(list, slices.Collect(maps.Keys(l.env))...)
	}
	slices.Sort(list)
	return list
}

// id returns the node of v, after making it a constant where it has none.
func (l *lowering) id(v *value) graph.ID {
	if v.id < 0 {
		v.id = l.b.Const(v.name, v.known)
	}
	return v.id
}

// node lowers one node and binds its outputs.
func (l *lowering) node(p *nodeProto) (err error) {
	if p, err = l.call.resolve(p); err != nil {
		return err
	}
	if err := l.spend(p); err != nil {
		return err
	}
	known := l.supported(p)
	if !known {
		l.missing.add(p)
	}
	if !known || l.loses(p) {
		for _, name := range p.out {
			l.env[name] = &value{name: name, id: -1, lost: true}
		}
		return nil
	}
	n, err := l.newNode(p)
	if err != nil {
		return err
	}
	defer func() {
		if x := recover(); x != nil {
			s, ok := x.(stop)
			if !ok {
				panic(x)
			}
			err = s.err
		}
	}()
	out := l.lowered(n)
	for i, name := range p.out {
		switch {
		case name == "":
		case i < len(out) && out[i] != nil:
			l.env[name] = out[i]
		case l.read[name]:
			return fmt.Errorf("output %d (%.80q) is read: it is not supported", i, name)
		}
	}
	return nil
}

// lowered makes the outputs of a node: of a call, or of an operator.
func (l *lowering) lowered(n *node) []*value {
	p := n.p
	if f := l.function(p); f != nil {
		return n.inline(f)
	}
	r := l.rows[domain(p.domain)][p.opType]
	switch {
	case l.opset < r.since:
		n.fail("opset %d does not have it: %d or later wanted", l.opset, r.since)
	case r.until > 0 && l.opset > r.until:
		n.fail("opset %d does not have it: %d or earlier wanted", l.opset, r.until)
	}
	if n.opset < 7 {
		n.ignore("consumed_inputs") // of in-place execution, in opsets 1 to 5
	}
	out := r.lower(n)
	n.checkUsed()
	return out
}

// loses reports whether a node reads a value that an operator which is not supported would make.
func (l *lowering) loses(p *nodeProto) bool {
	return slices.ContainsFunc(p.reads(), func(name string) bool {
		v := l.value(name)
		return v != nil && v.lost
	})
}

// emit appends an operation, or evaluates it where all it reads is known and
// small. name is that of the value.
func (l *lowering) emit(name, opName string, a op.Attrs, operands ...*value) (*value, error) {
	if v, err := fold(name, opName, a, operands); v != nil || err != nil {
		return v, err
	}
	ids := make([]graph.ID, len(operands))
	for i, v := range operands {
		ids[i] = l.id(v)
	}
	id, err := l.b.Op(name, opName, a, ids...)
	if err != nil {
		return nil, err
	}
	nd := &l.b.Peek().Nodes[id]
	if err := nd.Shape.Check(); err != nil {
		return nil, err
	}
	return &value{name: name, typ: nd.Type, shape: nd.Shape, id: id}, nil
}

// fold evaluates an operation, when its values are asked for; nil where an
// operand is not known, or something is large.
func fold(name, opName string, a op.Attrs, operands []*value) (*value, error) {
	if o, err := op.Lookup(opName); err == nil && o.Widens {
		return nil, nil
	}
	b := graph.NewBuilder("")
	ids := make([]graph.ID, len(operands))
	for i, v := range operands {
		if v.known == nil || v.shape.Size() > foldSize {
			return nil, nil
		}
		ids[i] = b.Const(v.name, v.known)
	}
	id, err := b.Op(name, opName, a, ids...)
	if err != nil {
		return nil, err
	}
	s := b.Peek().Nodes[id].Shape
	if s.Check() != nil || s.Size() > foldSize {
		return nil, nil
	}
	t, _ := b.Peek().Value(id)
	return known(name, t), nil
}
