package onnx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// foldSize is the most values that an operand or result of shape arithmetic has;
// larger constant expressions stay nodes of the graph.
const foldSize = 1 << 12

// lowering is the state of turning a GraphProto into a graph.
type lowering struct {
	b     *graph.Builder
	opset int
	ext   *external
	env   map[string]*value
	dims  map[string]int  // symbolic dimensions bound, by name
	read  map[string]bool // the names that a node or the result reads
}

// value is what a name of the file stands for: a node of the graph, or a tensor
// known now that becomes a constant of the graph when a node reads it.
type value struct {
	name  string
	typ   tensor.Type
	shape tensor.Shape
	known *tensor.Tensor
	id    graph.ID // -1: not in the graph
}

func known(name string, t *tensor.Tensor) *value {
	return &value{name: name, typ: t.Type, shape: t.Shape, known: t, id: -1}
}

// lower turns g into a graph.
func lower(ctx context.Context, g *graphProto, name string, opset int, o Options, ext *external) (*graph.Graph, error) {
	if g.sparse {
		return nil, errors.New("a sparse initializer: dense ones wanted")
	}
	l := &lowering{b: graph.NewBuilder(name), opset: opset, ext: ext, env: map[string]*value{}, dims: map[string]int{}, read: map[string]bool{}}
	for _, p := range g.nodes {
		for _, name := range p.in {
			l.read[name] = true
		}
	}
	for _, p := range g.outputs {
		l.read[p.name] = true
	}
	if err := l.initializers(g); err != nil {
		return nil, err
	}
	if err := l.inputs(g, o); err != nil {
		return nil, err
	}
	order, err := sortNodes(g, l.env)
	if err != nil {
		return nil, err
	}
	for _, i := range order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := l.node(g.nodes[i]); err != nil {
			return nil, in(nodeLabel(g.nodes[i], i), err)
		}
	}
	if err := l.outputs(g); err != nil {
		return nil, err
	}
	return l.b.Graph()
}

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
	for i, p := range g.inits {
		if p.name == "" {
			return fmt.Errorf("initializer[%d] has no name", i)
		}
		if l.env[p.name] != nil {
			return fmt.Errorf("initializer %.80q is there twice", p.name)
		}
		t, err := p.tensor(l.ext)
		if err != nil {
			return fmt.Errorf("initializer %.80q: %w", p.name, err)
		}
		l.env[p.name] = known(p.name, t)
	}
	return nil
}

// inputs makes the inputs; one that has an initializer is its constant.
func (l *lowering) inputs(g *graphProto, o Options) error {
	seen := map[string]bool{}
	open, fixed := false, ""
	for _, p := range g.inputs {
		if p.name == "" || seen[p.name] {
			return fmt.Errorf("input %.80q has no name, or is there twice", p.name)
		}
		seen[p.name] = true
		if l.env[p.name] != nil {
			continue
		}
		typ, shape, err := l.inputType(p, max(o.Batch, 1))
		if err != nil {
			return fmt.Errorf("input %.80q: %w", p.name, err)
		}
		if len(p.dims) > 0 {
			open = open || !p.dims[0].known
			if p.dims[0].known && shape[0] != o.Batch && fixed == "" {
				fixed = fmt.Sprintf("input %.80q: a batch of %d wanted, the file fixes it to %d", p.name, o.Batch, shape[0])
			}
		}
		l.env[p.name] = &value{name: p.name, typ: typ, shape: shape, id: l.b.Input(p.name, typ, shape)}
	}
	if o.Batch > 0 && !open && fixed != "" {
		return errors.New(fixed)
	}
	return nil
}

func (l *lowering) inputType(p *valueProto, batch int) (tensor.Type, tensor.Shape, error) {
	if p.kind != aTensor {
		return 0, nil, fmt.Errorf("%s: a tensor wanted", or(p.kind, "no type"))
	}
	typ, err := elemType(p.elem)
	if err != nil {
		return 0, nil, err
	}
	if !p.hasShape {
		return 0, nil, errors.New("no shape: one wanted, fixed but for the first dimension")
	}
	shape := make(tensor.Shape, len(p.dims))
	for i, d := range p.dims {
		switch {
		case d.known:
			shape[i] = int(d.value)
		case i == 0:
			shape[i] = batch
			l.dims[d.param] = batch
		default:
			return 0, nil, fmt.Errorf("dimension %d (%.80q) is symbolic: a number wanted; only the first can be bound, as the batch", i, d.param)
		}
	}
	return typ, shape, shape.Check()
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// outputs names the results, and checks what the file says of their shapes.
func (l *lowering) outputs(g *graphProto) error {
	seen := map[string]bool{}
	for _, p := range g.outputs {
		v := l.env[p.name]
		if v == nil {
			return fmt.Errorf("output %.80q is made by no node%s", p.name, nearest.Hint(p.name, l.names()))
		}
		if seen[p.name] {
			return fmt.Errorf("output %.80q is there twice", p.name)
		}
		seen[p.name] = true
		if err := l.checkOutput(p, v); err != nil {
			return fmt.Errorf("output %.80q: %w", p.name, err)
		}
		l.b.Output(p.name, l.id(v))
	}
	return nil
}

// checkOutput compares the type the file states, where it does, with the value.
func (l *lowering) checkOutput(p *valueProto, v *value) error {
	if p.kind == "" {
		return nil
	}
	if p.kind != aTensor {
		return fmt.Errorf("%s: a tensor wanted", p.kind)
	}
	if p.elem != 0 && p.elem != int64(v.typ) {
		typ, err := elemType(p.elem)
		if err != nil {
			return err
		}
		return fmt.Errorf("the file says %v, its nodes make %v", typ, v.typ)
	}
	if !p.hasShape {
		return nil
	}
	differ := len(p.dims) != len(v.shape)
	for i := 0; i < len(p.dims) && !differ; i++ {
		d := p.dims[i]
		bound, ok := l.dims[d.param]
		switch {
		case d.known:
			differ = int(d.value) != v.shape[i]
		case ok && d.param != "":
			differ = bound != v.shape[i]
		}
	}
	if differ {
		return fmt.Errorf("the file says %s, its nodes make %v", p.shape(), v.shape)
	}
	return nil
}

// shape prints the shape a file states, as batchx3x224x224.
func (v *valueProto) shape() string {
	if len(v.dims) == 0 {
		return tensor.Shape{}.String()
	}
	s := ""
	for i, d := range v.dims {
		if i > 0 {
			s += "x"
		}
		if d.known {
			s += fmt.Sprint(d.value)
		} else {
			s += fault.Name(or(d.param, "?"))
		}
	}
	return s
}

// names returns the names of all values so far, sorted.
func (l *lowering) names() []string { return slices.Sorted(maps.Keys(l.env)) }

// id returns the node of v, after making it a constant where it has none.
func (l *lowering) id(v *value) graph.ID {
	if v.id < 0 {
		v.id = l.b.Const(v.name, v.known)
	}
	return v.id
}

// node lowers one node and binds its outputs.
func (l *lowering) node(p *nodeProto) (err error) {
	if !defaultDomain(p.domain) {
		return fmt.Errorf("domain %.80q is not known: operators of ONNX's default domain wanted", p.domain)
	}
	n, err := l.newNode(p)
	if err != nil {
		return err
	}
	r, ok := lowerings[p.opType]
	switch {
	case !ok && isStandard(p.opType):
		return errors.New("the operator is ONNX's, and not supported")
	case !ok:
		return fmt.Errorf("the operator is not known%s", nearest.Hint(p.opType, opTypes()))
	case l.opset < r.since:
		return fmt.Errorf("opset %d does not have it: %d or later wanted", l.opset, r.since)
	case r.until > 0 && l.opset > r.until:
		return fmt.Errorf("opset %d does not have it: %d or earlier wanted", l.opset, r.until)
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
	out := r.lower(n)
	n.checkUsed()
	for i, name := range p.out {
		switch {
		case name == "":
		case i < len(out):
			l.env[name] = out[i]
		case l.read[name]:
			return fmt.Errorf("output %d (%.80q) is read: it is not supported", i, name)
		}
	}
	return nil
}

// opTypes are the names of ONNX's operators that are known, sorted.
func opTypes() []string { return slices.Sorted(maps.Keys(lowerings)) }

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
