package onnx

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of onnx.proto that are read, with the fields that have a meaning
// here. Field numbers are those of ONNX's onnx.proto.
type (
	modelProto struct {
		producer, producerVersion string
		opsets                    []opsetProto
		graph                     *graphProto
		functions                 []*functionProto
	}
	opsetProto struct {
		domain  string
		version int64
	}
	graphProto struct {
		nodes           []*nodeProto
		inits           []*tensorProto
		inputs, outputs []*valueProto
		values          []*valueProto // what the file says of values that nodes make
		sparse          bool
	}
	functionProto struct {
		name, domain, overload string
		in, out, attrs         []string     // attrs: those without a default
		defaults               []*attrProto // the others
		opsets                 []opsetProto
		body                   graphProto // its nodes
	}
	nodeProto struct {
		name, opType, domain, overload string
		in, out                        []string
		attrs                          []*attrProto

		scanned bool
		all     []string // once scanned: reads
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
		graph   *graphProto
		has     int64  // the type that the fields present have
		ref     string // the attribute of the function whose value it has; "": its own
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
	10: attrTensors, 11: attrGraphs, 14: attrType, 15: attrTypes, 22: attrSparse, 23: attrSparses,
}

func decodeModel(ctx context.Context, src *source) (*modelProto, error) {
	m, of := &modelProto{}, &tally{ctx: ctx}
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
			return in("graph", m.graph.decode(msg, of))
		case 8:
			return decodeOpset(fd, &m.opsets)
		case 25:
			f := &functionProto{}
			m.functions = append(m.functions, f)
			msg, err := fd.msg("functions")
			if err == nil {
				err = of.add(fd)
			}
			if err == nil {
				err = f.decode(msg, of)
			}
			return in(fmt.Sprintf("functions[%d]", len(m.functions)-1), err)
		}
		return nil
	})
	if err == nil && m.graph == nil {
		err = errors.New("no graph in it: an ONNX model wanted")
	}
	return m, err
}

func decodeOpset(fd field, to *[]opsetProto) error {
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
	*to = append(*to, s)
	return in("opset_import", err)
}

// in puts the path of a field before an error.
func in(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
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
