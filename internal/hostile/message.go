// Package hostile makes, for tests, files that no reader may trust: broken, contradictory, or small with a large
// meaning. It writes protobuf by hand, as an honest writer cannot make most of them. Field numbers are those of
// ONNX's onnx.proto.
package hostile

import (
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message, or some fields of one.
type message []byte

// field is one field: a number as a varint, a float32 as four bytes, everything else with its length.
func field(num protowire.Number, v any) message {
	switch v := v.(type) {
	case int:
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), uint64(v))
	case float32:
		return protowire.AppendFixed32(protowire.AppendTag(nil, num, protowire.Fixed32Type), math.Float32bits(v))
	case string:
		return protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), v)
	case message:
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), v)
	}
	panic(fmt.Sprintf("hostile: a field of %T", v))
}

// all joins fields.
func all(fields ...message) (m message) {
	for _, f := range fields {
		m = append(m, f...)
	}
	return m
}

// opset is the version of ONNX that models import.
const opset = 17

// model is a model of the fields of its graph.
func model(fields ...message) message {
	return all(field(1, 8), field(8, field(2, opset)), field(7, all(fields...)))
}

// node is a node; names of values are separated by spaces.
func node(op, in, out string, attrs ...message) message {
	var m message
	for _, x := range strings.Fields(in) {
		m = append(m, field(1, x)...)
	}
	for _, y := range strings.Fields(out) {
		m = append(m, field(2, y)...)
	}
	return field(1, all(m, field(3, out+"_node"), field(4, op), all(attrs...)))
}

// AttributeProto.AttributeType, with the field that holds each value.
const (
	attrFloat, floatField   = 1, 2
	attrInt, intField       = 2, 3
	attrString, stringField = 3, 4
	attrTensor, tensorField = 4, 5
	attrGraph, graphField   = 5, 6
	attrFloats, floatsField = 6, 7
	attrInts, intsField     = 7, 8
)

// attr is an attribute of an int, a float32, a string, or []int; a message is a tensor.
func attr(name string, v any) message {
	switch v := v.(type) {
	case []int:
		m := all(field(1, name), field(20, attrInts))
		for _, x := range v {
			m = append(m, field(intsField, x)...)
		}
		return field(5, m)
	case int:
		return typed(name, attrInt, field(intField, v))
	case float32:
		return typed(name, attrFloat, field(floatField, v))
	case string:
		return typed(name, attrString, field(stringField, v))
	case message:
		return typed(name, attrTensor, field(tensorField, v))
	}
	panic(fmt.Sprintf("hostile: an attribute of %T", v))
}

// typed is an attribute that says it is of a type, whatever its value is.
func typed(name string, typ int, value message) message {
	return field(5, all(field(1, name), field(20, typ), value))
}

// TensorProto.DataType.
const (
	typeFloat = 1
	typeInt64 = 7
)

// tensor is the fields of a tensor without values.
func tensor(name string, typ int, dims ...int) message {
	m := all(field(8, name), field(2, typ))
	for _, d := range dims {
		m = append(m, field(1, d)...)
	}
	return m
}

// ints is a tensor of int64 in one dimension.
func ints(name string, v ...int) message {
	m := tensor(name, typeInt64, len(v))
	for _, x := range v {
		m = append(m, field(7, x)...)
	}
	return m
}

// zeros is a tensor of float32 zeros.
func zeros(name string, dims ...int) message {
	n := 4
	for _, d := range dims {
		n *= d
	}
	return all(tensor(name, typeFloat, dims...), field(9, string(make([]byte, n))))
}

// weight is a tensor as an initializer of a graph.
func weight(t message) message { return field(5, t) }

// input and output are values of float32; output without dims leaves the shape open.
func input(name string, dims ...int) message { return field(11, value(name, dims)) }

func output(name string) message { return field(12, field(1, name)) }

func value(name string, dims []int) message {
	var shape message
	for _, d := range dims {
		shape = append(shape, field(1, field(1, d))...)
	}
	return all(field(1, name), field(2, field(1, all(field(1, typeFloat), field(2, shape)))))
}
