package onnx

import (
	"context"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of onnx.proto that are read, with the fields that have a meaning
// here. Field numbers are those of ONNX's onnx.proto.
type (
	modelProto struct {
		producer, producerVersion string
		opsets                    []opsetProto
		graph                     *graphProto
	}
	opsetProto struct {
		domain  string
		version int64
	}
	graphProto struct {
		nodes           []*nodeProto
		inits           []*tensorProto
		inputs, outputs []*valueProto
		sparse          bool
		attrs           int // of all nodes
	}
	nodeProto struct {
		name, opType, domain string
		in, out              []string
		attrs                []*attrProto
	}
	attrProto struct {
		name    string
		typ     int64
		i       int64
		f       float32
		s       string
		ints    []int64
		floats  []float32
		strings []string
		tensor  *tensorProto
		has     int64 // the type that the fields present have
	}
	valueProto struct {
		name     string
		elem     int64 // 0: not a tensor, or no type
		kind     string
		hasShape bool
		dims     []dimProto
	}
	dimProto struct {
		value int64
		known bool
		param string
	}
)

// AttributeProto.AttributeType.
const (
	attrFloat = 1 + iota
	attrInt
	attrString
	attrTensor
	attrGraph
	attrFloats
	attrInts
	attrStrings
	attrTensors
	attrGraphs
	attrSparse
	attrSparses
	attrType
	attrTypes
)

var attrTypeNames = map[int64]string{
	attrFloat: "a float", attrInt: "an integer", attrString: "a string", attrTensor: "a tensor",
	attrGraph: "a graph", attrFloats: "floats", attrInts: "integers", attrStrings: "strings",
	attrTensors: "tensors", attrGraphs: "graphs", attrSparse: "a sparse tensor",
	attrSparses: "sparse tensors", attrType: "a type", attrTypes: "types",
}

// otherAttrs are the fields of AttributeProto whose values are not read, by
// number.
var otherAttrs = map[protowire.Number]int64{
	6: attrGraph, 10: attrTensors, 11: attrGraphs, 14: attrType, 15: attrTypes, 22: attrSparse, 23: attrSparses,
}

func decodeModel(ctx context.Context, src *source) (*modelProto, error) {
	m := &modelProto{}
	err := src.message().each(func(fd field) error {
		switch fd.num {
		case 2:
			return fd.str(&m.producer, "producer_name")
		case 3:
			return fd.str(&m.producerVersion, "producer_version")
		case 7:
			if m.graph != nil {
				return fmt.Errorf("offset %d: a second graph", fd.off)
			}
			msg, err := fd.msg("graph")
			if err != nil {
				return err
			}
			m.graph = &graphProto{}
			return in("graph", m.graph.decode(ctx, msg))
		case 8:
			var s opsetProto
			msg, err := fd.msg("opset_import")
			if err != nil {
				return err
			}
			err = msg.each(func(fd field) error {
				switch fd.num {
				case 1:
					return fd.str(&s.domain, "domain")
				case 2:
					return fd.int(&s.version, "version")
				}
				return nil
			})
			m.opsets = append(m.opsets, s)
			return in("opset_import", err)
		}
		return nil
	})
	if err == nil && m.graph == nil {
		err = errors.New("no graph in it: an ONNX model wanted")
	}
	return m, err
}

// in puts the path of a field before an error.
func in(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (g *graphProto) decode(ctx context.Context, m message) error {
	return m.each(func(fd field) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sub := func(what string, n int, decode func(message) error) error {
			msg, err := fd.msg(what)
			if n >= maxMessages {
				err = fmt.Errorf("offset %d: at most %d wanted", fd.off, maxMessages)
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
			return sub("node", len(g.nodes)-1, func(m message) error { return n.decode(m, &g.attrs) })
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
		case 15:
			g.sparse = true
		}
		return nil
	})
}

// maxMessages bounds the nodes, initializers, inputs and outputs of a graph, and half of the attributes of all nodes: an
// empty one takes two bytes of the file and up to 500 of memory. Estimated; models have some thousands.
const maxMessages = 1 << 16

// decode reads a node; attrs counts the attributes of all nodes.
func (n *nodeProto) decode(m message, attrs *int) error {
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
			msg, err := fd.msg("attribute")
			if err != nil {
				return err
			}
			if *attrs++; *attrs > 2*maxMessages {
				return fmt.Errorf("attribute[%d]: offset %d: at most %d attributes of all nodes wanted", len(n.attrs), fd.off, 2*maxMessages)
			}
			a := &attrProto{}
			n.attrs = append(n.attrs, a)
			return in(fmt.Sprintf("attribute[%d]", len(n.attrs)-1), a.decode(msg))
		case 7:
			return fd.str(&n.domain, "domain")
		}
		return nil
	})
}

func (a *attrProto) decode(m message) error {
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
			return fmt.Errorf("offset %d: a reference to the attribute of a function", fd.off)
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
	if err == nil && a.typ == attrTensor && a.tensor == nil {
		err = errors.New("no tensor in it")
	}
	return in(fmt.Sprintf("%.80q", a.name), err)
}

func (v *valueProto) decode(m message) error {
	err := m.each(func(fd field) error {
		switch fd.num {
		case 1:
			return fd.str(&v.name, "name")
		case 2:
			msg, err := fd.msg("type")
			if err != nil {
				return err
			}
			return in("type", v.decodeType(msg))
		}
		return nil
	})
	return in(fmt.Sprintf("%.80q", v.name), err)
}

// typeKinds are the members of TypeProto's value by field number.
var typeKinds = map[protowire.Number]string{1: aTensor, 4: "a sequence", 5: "a map", 7: "an opaque type", 8: "a sparse tensor", 9: "an optional"}

const aTensor = "a tensor"

func (v *valueProto) decodeType(m message) error {
	return m.each(func(fd field) error {
		if k, ok := typeKinds[fd.num]; ok {
			v.kind = k
		}
		if fd.num != 1 {
			return nil
		}
		msg, err := fd.msg("tensor_type")
		if err != nil {
			return err
		}
		return in("tensor_type", msg.each(func(fd field) error {
			switch fd.num {
			case 1:
				return fd.int(&v.elem, "elem_type")
			case 2:
				msg, err := fd.msg("shape")
				if err != nil {
					return err
				}
				v.hasShape = true
				return in("shape", v.decodeShape(msg))
			}
			return nil
		}))
	})
}

func (v *valueProto) decodeShape(m message) error {
	return m.each(func(fd field) error {
		if fd.num != 1 {
			return nil
		}
		msg, err := fd.msg("dim")
		if err != nil {
			return err
		}
		var d dimProto
		err = msg.each(func(fd field) error {
			switch fd.num {
			case 1:
				d.known = true
				return fd.int(&d.value, "dim_value")
			case 2:
				return fd.str(&d.param, "dim_param")
			}
			return nil
		})
		v.dims = append(v.dims, d)
		return in("dim", err)
	})
}
