package graph

import (
	"fmt"
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Builder appends nodes to a graph, inferring shapes and refusing what does not
// fit. A name that is taken, or empty, is made unique with a number.
type Builder struct {
	g     Graph
	names map[string]bool
	tried map[string]int // the last number put to a name
	ops   int
	made  made
}

// NewBuilder returns a builder of a graph called name.
func NewBuilder(name string) *Builder {
	return &Builder{g: Graph{Name: name}, names: map[string]bool{}, tried: map[string]int{}}
}

// Input appends an input.
func (b *Builder) Input(name string, t tensor.Type, s tensor.Shape) ID {
	id := b.append(Node{Name: name, Type: t, Shape: s.Clone()})
	b.g.Inputs = append(b.g.Inputs, id)
	return id
}

// Const appends a constant.
func (b *Builder) Const(name string, t *tensor.Tensor) ID {
	return b.append(Node{Name: name, Type: t.Type, Shape: t.Shape, Const: t})
}

// Op appends an operation. The error names the operator and what does not fit;
// the caller adds file and node.
func (b *Builder) Op(name, opName string, a op.Attrs, in ...ID) (ID, error) {
	o, err := op.Lookup(opName)
	if err != nil {
		return 0, err
	}
	return b.Node(Node{Name: name, Op: o, Attrs: a, In: in})
}

// Node appends an operation with its epilogue; ID, Shape and Type are inferred.
func (b *Builder) Node(nd Node) (ID, error) {
	for _, x := range nd.In {
		if x < 0 || int(x) >= len(b.g.Nodes) {
			return 0, fmt.Errorf("%s reads %%%d, which does not exist before it", nd.Op.Name, x)
		}
	}
	if b.ops++; b.ops > MaxOperations {
		return 0, fmt.Errorf("more than %d operations in one graph", MaxOperations)
	}
	if err := infer(&b.g, &nd); err != nil {
		return 0, err
	}
	return b.append(nd), nil
}

// Output names the value of a node as a result.
func (b *Builder) Output(name string, id ID) { b.g.Outputs = append(b.g.Outputs, Output{name, id}) }

// Peek returns the graph as built so far, to look at shapes and values.
func (b *Builder) Peek() *Graph { return &b.g }

// Small refuses a graph so far whose constants alone make so much that none of it should be evaluated.
func (b *Builder) Small() error { return b.made.check(&b.g) }

// Graph checks and returns the graph; the builder must not be used again.
func (b *Builder) Graph() (*Graph, error) {
	if err := b.Small(); err != nil {
		return nil, err
	}
	if err := b.g.Check(); err != nil {
		return nil, err
	}
	return &b.g, nil
}

func (b *Builder) append(nd Node) ID {
	nd.ID = ID(len(b.g.Nodes))
	if nd.Name == "" && nd.Op != nil {
		nd.Name = nd.Op.Name
	}
	base := nd.Name
	for nd.Name == "" || b.names[nd.Name] {
		b.tried[base]++
		nd.Name = fmt.Sprintf("%s_%d", base, b.tried[base])
	}
	b.names[nd.Name] = true
	nd.varies = nd.Op == nil && nd.Const == nil || slices.ContainsFunc(nd.In, b.varies)
	b.g.Nodes = append(b.g.Nodes, nd)
	if !nd.varies {
		b.made.constant(&b.g, &nd)
	}
	return nd.ID
}

// varies reports whether a node depends on an input of the graph; one that is not there
// does not, which Check finds.
func (b *Builder) varies(id ID) bool {
	return 0 <= id && int(id) < len(b.g.Nodes) && b.g.Nodes[id].varies
}

// infer completes the attributes of an operation and sets its type and shape.
func infer(g *Graph, nd *Node) error {
	k := nd.Operands()
	if k < nd.Op.MinIn || nd.Op.MaxIn >= 0 && k > nd.Op.MaxIn {
		return fmt.Errorf("%s has %d inputs: %s wanted", nd.Op.Name, k, arity(nd.Op))
	}
	a, err := nd.Attrs.Complete(nd.Op)
	if err != nil {
		return err
	}
	types := make([]tensor.Type, k)
	for i := range types {
		types[i] = g.Nodes[nd.In[i]].Type
	}
	nd.Attrs, nd.Type = a, types[0]
	if nd.Op.Type != nil {
		if nd.Type, err = nd.Op.Type(a, types); err != nil {
			return fmt.Errorf("%s: %w", nd.Op.Name, err)
		}
	}
	if nd.Shape, err = nd.Op.Shape(a, g.shapes(nd, k)); err != nil {
		return fmt.Errorf("%s: %w", nd.Op.Name, err)
	}
	return inferPost(g, nd, k)
}

// inferPost completes the attributes of an epilogue and checks its operands.
func inferPost(g *Graph, nd *Node, k int) error {
	for i := range nd.Post {
		s := &nd.Post[i]
		a, err := s.Attrs.Complete(s.Op)
		if err != nil {
			return err
		}
		s.Attrs = a
		switch {
		case !nd.Type.Float():
			return fmt.Errorf("epilogue %s on %v: a floating type wanted", s.Op.Name, nd.Type)
		case s.Op.Map != nil:
		case s.Op.Combine == nil:
			return fmt.Errorf("%s cannot be an epilogue", s.Op.Name)
		case s.Operand != k:
			return fmt.Errorf("epilogue %s reads operand %d: %d wanted", s.Op.Name, s.Operand, k)
		default:
			if x := g.Nodes[nd.In[k]]; !x.Shape.Equal(nd.Shape) || x.Type != nd.Type {
				return fmt.Errorf("epilogue %s of %v%v reads %v%v: the same wanted", s.Op.Name, nd.Type, nd.Shape, x.Type, x.Shape)
			}
			k++
		}
	}
	return nil
}

func arity(o *op.Op) string {
	switch {
	case o.MaxIn < 0:
		return fmt.Sprintf("at least %d", o.MinIn)
	case o.MinIn == o.MaxIn:
		return fmt.Sprint(o.MinIn)
	}
	return fmt.Sprintf("%d to %d", o.MinIn, o.MaxIn)
}

// Check reports the first thing that is wrong with a graph: a value read before
// it is made, a wrong shape or type, an output that is not there, two values of
// one name. It runs after reading a file and after every pass.
func (g *Graph) Check() error {
	names := map[string]ID{}
	for i := range g.Nodes {
		nd := g.Nodes[i] // a copy: infer writes
		at := func(format string, a ...any) error {
			return fmt.Errorf("node %%%d %.80q: %s", i, nd.Name, fmt.Sprintf(format, a...))
		}
		if nd.ID != ID(i) {
			return at("its ID is %d", nd.ID)
		}
		if j, dup := names[nd.Name]; dup || nd.Name == "" {
			return at("%%%d has the same name, or it has none", j)
		}
		names[nd.Name] = nd.ID
		for _, d := range nd.Shape {
			if d < 0 {
				return at("shape %v", nd.Shape)
			}
		}
		switch {
		case nd.Const != nil:
			if nd.Op != nil || !nd.Const.Shape.Equal(nd.Shape) || nd.Const.Type != nd.Type {
				return at("constant of %v%v in a node of %v%v", nd.Const.Type, nd.Const.Shape, nd.Type, nd.Shape)
			}
		case nd.Op != nil:
			for _, x := range nd.In {
				if x < 0 || int(x) >= i {
					return at("reads %%%d, which is not made before it", x)
				}
			}
			shape, typ := nd.Shape, nd.Type
			nd.Post = append([]Stage{}, nd.Post...)
			if err := infer(g, &nd); err != nil {
				return at("%v", err)
			}
			if !shape.Equal(nd.Shape) || typ != nd.Type {
				return at("it says %v%v, its operator makes %v%v", typ, shape, nd.Type, nd.Shape)
			}
		}
	}
	if len(g.Outputs) == 0 {
		return fmt.Errorf("graph %.80q has no output", g.Name)
	}
	for _, o := range g.Outputs {
		if o.ID < 0 || int(o.ID) >= len(g.Nodes) {
			return fmt.Errorf("output %.80q is node %%%d, which does not exist", o.Name, o.ID)
		}
	}
	for _, id := range g.Inputs {
		if id < 0 || int(id) >= len(g.Nodes) || g.Nodes[id].Op != nil || g.Nodes[id].Const != nil {
			return fmt.Errorf("input %%%d is not an input node", id)
		}
	}
	return nil
}
