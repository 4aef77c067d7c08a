package graph

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"pimflow/internal/nearest"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Parse reads what Print writes. Blank lines and lines that start with # are
// skipped; the numbers of nodes need only be different; "-> type shape" may be
// left out, and is checked where it is there. Errors start with name:line.
func Parse(r io.Reader, name string) (*Graph, error) {
	p := &parser{ids: map[string]ID{}}
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		text, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		p.rest = strings.TrimSpace(text)
		if p.rest != "" && p.rest[0] != '#' {
			if err := p.line(); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
		if err == io.EOF {
			break
		}
	}
	if p.b == nil {
		return nil, fmt.Errorf("%s: nothing in it: a graph wanted", name)
	}
	g, err := p.b.Graph()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return g, nil
}

func (p *parser) line() error {
	word := p.word()
	if p.b == nil {
		if word != "graph" {
			return fmt.Errorf(`%.80q: graph "name" wanted first`, word)
		}
		name, err := p.quoted()
		if err != nil {
			return err
		}
		p.b = NewBuilder(name)
		return p.end()
	}
	if word != "output" && (len(word) < 2 || word[0] != '%') {
		return fmt.Errorf(`%.80q: a node (%%1 "name" = …) or output "name" = %%1 wanted`, word)
	}
	name, err := p.quoted()
	if err != nil {
		return err
	}
	if err := p.expect("="); err != nil {
		return err
	}
	if word == "output" {
		id, err := p.ref()
		if err != nil {
			return err
		}
		p.b.Output(name, id)
		return p.end()
	}
	if _, dup := p.ids[word]; dup {
		return fmt.Errorf("a second %s", word)
	}
	if name == "" || p.b.names[name] {
		return fmt.Errorf("name %.80q is empty, or has been there", name)
	}
	id, err := p.node(name)
	if err != nil {
		return err
	}
	p.ids[word] = id
	return p.end()
}

func (p *parser) node(name string) (ID, error) {
	switch kind := p.word(); kind {
	case "input":
		t, s, err := p.typeShape()
		if err != nil {
			return 0, err
		}
		return p.b.Input(name, t, s), nil
	case "const":
		t, s, err := p.typeShape()
		if err != nil {
			return 0, err
		}
		x, err := p.values(t, s)
		if err != nil {
			return 0, err
		}
		return p.b.Const(name, x), nil
	default:
		return p.operation(name, kind)
	}
}

// operation reads an operation whose operator has been read.
func (p *parser) operation(name, opName string) (ID, error) {
	nd := Node{Name: name}
	var swap bool
	var err error
	if nd.Op, nd.In, nd.Attrs, swap, err = p.call(opName); err != nil {
		return 0, err
	}
	if swap {
		return 0, errors.New("a dot stands for a value, in an epilogue alone")
	}
	for p.take("+") {
		s := Stage{Operand: len(nd.In)}
		var in []ID
		if s.Op, in, s.Attrs, s.Swap, err = p.call(p.word()); err != nil {
			return 0, err
		}
		switch want := operands(s.Op); {
		case s.Op.Map == nil && s.Op.Combine == nil:
			return 0, fmt.Errorf("%s cannot be an epilogue", s.Op.Name)
		case len(in) != want:
			return 0, fmt.Errorf("epilogue %s of %d operands: %d wanted", s.Op.Name, len(in), want)
		}
		if len(in) == 0 {
			s.Operand = 0
		}
		nd.In = append(nd.In, in...)
		nd.Post = append(nd.Post, s)
	}
	stated := p.take("->")
	var t tensor.Type
	var shape tensor.Shape
	if stated {
		if t, shape, err = p.typeShape(); err != nil {
			return 0, err
		}
	}
	id, err := p.b.Node(nd)
	if err != nil {
		return 0, err
	}
	if made := &p.b.g.Nodes[id]; stated && (made.Type != t || !made.Shape.Equal(shape)) {
		return 0, fmt.Errorf("it says %v %v, the operator makes %v %v", t, shape, made.Type, made.Shape)
	}
	return id, nil
}

// operands is the number of operands a stage has beside the value.
func operands(o *op.Op) int {
	if o.Combine != nil {
		return 1
	}
	return 0
}

// call reads (operands) and {attributes}, both of which may be left out; swap is
// set by an operand list that ends in a dot.
func (p *parser) call(opName string) (o *op.Op, in []ID, a op.Attrs, swap bool, err error) {
	if o, err = op.Lookup(opName); err != nil {
		return
	}
	if p.take("(") && !p.take(")") {
		for {
			if swap = p.take("."); !swap {
				var id ID
				if id, err = p.ref(); err != nil {
					return
				}
				in = append(in, id)
			}
			if p.take(")") {
				break
			}
			if err = p.expect(","); err != nil {
				return
			}
			if swap {
				err = errors.New("the dot stands for the value, as the last operand")
				return
			}
		}
	}
	a, err = p.attrs(o)
	return
}

func (p *parser) attrs(o *op.Op) (op.Attrs, error) {
	a := op.Attrs{}
	if !p.take("{") {
		return a, nil
	}
	for !p.take("}") {
		name := p.word()
		var kind op.Kind
		var known []string
		found := false
		for _, d := range o.Attrs {
			known = append(known, d.Name)
			if d.Name == name {
				kind, found = d.Kind, true
			}
		}
		if !found {
			return nil, fmt.Errorf("attribute %.80q is not known to %s%s", name, o.Name, nearest.Hint(name, known))
		}
		if _, dup := a[name]; dup {
			return nil, fmt.Errorf("attribute %.80q is there twice", name)
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		v, err := p.attr(kind)
		if err != nil {
			return nil, fmt.Errorf("attribute %.80q: %w", name, err)
		}
		a[name] = v
	}
	return a, nil
}

func (p *parser) attr(kind op.Kind) (any, error) {
	switch kind {
	case op.String:
		return p.quoted()
	case op.Int:
		return parseInt(p.word())
	case op.Float:
		return parseFloat(p.word())
	case op.Ints:
		return list(p, parseInt)
	}
	return list(p, parseFloat)
}

func (p *parser) typeShape() (tensor.Type, tensor.Shape, error) {
	t, err := tensor.ParseType(p.word())
	if err != nil {
		return 0, nil, err
	}
	s, err := tensor.ParseShape(p.word())
	if err != nil {
		return 0, nil, err
	}
	return t, s, s.Check()
}

// values reads the values of a constant.
func (p *parser) values(t tensor.Type, s tensor.Shape) (*tensor.Tensor, error) {
	n := s.Size()
	count := func(k int) error {
		if k != n {
			return fmt.Errorf("%d values for %v %v: %d wanted", k, t, s, n)
		}
		return nil
	}
	switch {
	case p.take("..."):
		return nil, errors.New("the constant's values were left out: a graph printed with --values wanted")
	case p.take("base64:"):
		b, err := base64.RawStdEncoding.DecodeString(p.word())
		if err != nil {
			return nil, fmt.Errorf("base64: %w", err)
		}
		if len(b) != n*t.Bytes() {
			return nil, fmt.Errorf("base64 of %d bytes for %v %v: %d wanted", len(b), t, s, n*t.Bytes())
		}
		return tensor.FromBytes(t, s, b), nil
	case t.Float():
		v, err := list(p, parseFloat)
		if err != nil {
			return nil, err
		}
		for _, x := range v {
			if r := tensor.Round(t, x); r != x && r == r {
				return nil, fmt.Errorf("%v is not a %v", x, t)
			}
		}
		if err := count(len(v)); err != nil {
			return nil, err
		}
		x := tensor.New(t, s)
		copy(x.Floats(), v)
		return x, nil
	}
	v, err := list(p, parseInt)
	if err != nil {
		return nil, err
	}
	if err := count(len(v)); err != nil {
		return nil, err
	}
	x := tensor.Ints64(s, v).Convert(t)
	for i, k := range x.Ints() {
		if k != v[i] {
			return nil, fmt.Errorf("%d is not a %v", v[i], t)
		}
	}
	return x, nil
}
