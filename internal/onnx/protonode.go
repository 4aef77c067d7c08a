package onnx

import (
	"context"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// tally counts what all graphs and functions of a model have, so that their number is bounded.
type tally struct {
	ctx                    context.Context // of all of the reading
	messages, attrs, depth int
}

// maxMessages bounds the nodes, initializers, inputs, outputs and functions of a model, and half of the attributes of all
// nodes: an empty one takes two bytes of the file and up to 500 of memory. Estimated; models have some thousands.
const maxMessages = 1 << 16

// maxDepth bounds how deep graphs are nested. Estimated: a loop in a loop in a branch has 3.
const maxDepth = 16

// add counts a message.
func (t *tally) add(fd field) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if t.messages++; t.messages > maxMessages {
		return fmt.Errorf("offset %d: at most %d nodes, tensors, values and functions wanted", fd.off, maxMessages)
	}
	return nil
}

func (g *graphProto) decode(m message, of *tally) error {
	if of.depth++; of.depth > maxDepth {
		return fmt.Errorf("offset %d: graphs in graphs: at most %d deep wanted", m.off, maxDepth)
	}
	defer func() { of.depth-- }()
	return m.each(func(fd field) error {
		sub := func(what string, n int, decode func(message) error) error {
			msg, err := fd.msg(what)
			if err == nil {
				err = of.add(fd)
			}
			if err == nil {
				err = decode(msg)
			}
			return in(fmt.Sprintf("%s[%d]", what, n), err)
		}
		switch fd.num {
		case 1:
			n := &nodeProto{}
			g.nodes = append(g.nodes, n)
			return sub("node", len(g.nodes)-1, func(m message) error { return n.decode(m, of) })
		case 5:
			t := &tensorProto{}
			g.inits = append(g.inits, t)
			return sub("initializer", len(g.inits)-1, t.decode)
		case 11:
			v := &valueProto{}
			g.inputs = append(g.inputs, v)
			return sub("input", len(g.inputs)-1, v.decode)
		case 12:
			v := &valueProto{}
			g.outputs = append(g.outputs, v)
			return sub("output", len(g.outputs)-1, v.decode)
		case 13:
			v := &valueProto{}
			g.values = append(g.values, v)
			return sub("value_info", len(g.values)-1, v.decode)
		case 15:
			g.sparse = true
		}
		return nil
	})
}

func (n *nodeProto) decode(m message, of *tally) error {
	return m.each(func(fd field) error {
		var s string
		switch fd.num {
		case 1:
			err := fd.str(&s, "input")
			n.in = append(n.in, s)
			return err
		case 2:
			err := fd.str(&s, "output")
			n.out = append(n.out, s)
			return err
		case 3:
			return fd.str(&n.name, "name")
		case 4:
			return fd.str(&n.opType, "op_type")
		case 5:
			return decodeAttr(fd, "attribute", &n.attrs, of)
		case 7:
			return fd.str(&n.domain, "domain")
		case 8:
			return fd.str(&n.overload, "overload")
		}
		return nil
	})
}

func decodeAttr(fd field, what string, to *[]*attrProto, of *tally) error {
	msg, err := fd.msg(what)
	if err != nil {
		return err
	}
	at := fmt.Sprintf("%s[%d]", what, len(*to))
	if of.attrs++; of.attrs > 2*maxMessages {
		return fmt.Errorf("%s: offset %d: at most %d attributes of all nodes wanted", at, fd.off, 2*maxMessages)
	}
	a := &attrProto{}
	*to = append(*to, a)
	return in(at, a.decode(msg, of))
}

func (a *attrProto) decode(m message, of *tally) error {
	err := m.each(func(fd field) error {
		switch fd.num {
		case 1:
			return fd.str(&a.name, "name")
		case 2:
			a.has = attrFloat
			if err := fd.want(protowire.Fixed32Type, "f"); err != nil {
				return err
			}
			a.f = math.Float32frombits(uint32(fd.v))
		case 3:
			a.has = attrInt
			return fd.int(&a.i, "i")
		case 4:
			a.has = attrString
			return fd.str(&a.s, "s")
		case 5:
			a.has = attrTensor
			msg, err := fd.msg("t")
			if err != nil {
				return err
			}
			a.tensor = &tensorProto{}
			return in("t", a.tensor.decode(msg))
		case 6:
			a.has = attrGraph
			msg, err := fd.msg("g")
			if err != nil {
				return err
			}
			a.graph = &graphProto{}
			return in("g", a.graph.decode(msg, of))
		case 7:
			a.has = attrFloats
			return fd.floats(&a.floats, "floats")
		case 8:
			a.has = attrInts
			return fd.ints(&a.ints, "ints")
		case 9:
			a.has = attrStrings
			var s string
			err := fd.str(&s, "strings")
			a.strings = append(a.strings, s)
			return err
		case 20:
			return fd.int(&a.typ, "type")
		case 21:
			return fd.str(&a.ref, "ref_attr_name")
		default:
			if t, ok := otherAttrs[fd.num]; ok {
				a.has = t
			}
		}
		return nil
	})
	if a.typ == 0 {
		// Files of IR version 1 state no type; an empty list has no field either.
		a.typ = a.has
	}
	if err == nil && a.ref == "" && (a.typ == attrTensor && a.tensor == nil || a.typ == attrGraph && a.graph == nil) {
		err = fmt.Errorf("no %s in it", strings.TrimPrefix(attrTypeNames[a.typ], "a "))
	}
	return in(fmt.Sprintf("%.80q", a.name), err)
}

func (f *functionProto) decode(m message, of *tally) error {
	list := func(fd field, to *[]string, what string) error {
		var s string
		err := fd.str(&s, what)
		*to = append(*to, s)
		return err
	}
	err := m.each(func(fd field) error {
		switch fd.num {
		case 1:
			return fd.str(&f.name, "name")
		case 4:
			return list(fd, &f.in, "input")
		case 5:
			return list(fd, &f.out, "output")
		case 6:
			return list(fd, &f.attrs, "attribute")
		case 7:
			n := &nodeProto{}
			f.body.nodes = append(f.body.nodes, n)
			msg, err := fd.msg("node")
			if err == nil {
				err = of.add(fd)
			}
			if err == nil {
				err = n.decode(msg, of)
			}
			return in(fmt.Sprintf("node[%d]", len(f.body.nodes)-1), err)
		case 9:
			return decodeOpset(fd, &f.opsets)
		case 10:
			return fd.str(&f.domain, "domain")
		case 11:
			return decodeAttr(fd, "attribute_proto", &f.defaults, of)
		case 13:
			return fd.str(&f.overload, "overload")
		}
		return nil
	})
	return in(fmt.Sprintf("%.80q", f.name), err)
}
