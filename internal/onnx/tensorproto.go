package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/tensor"
)

// tensorProto is a TensorProto whose values still lie in the file.
type tensorProto struct {
	name     string
	dims     []int64
	typ      int64
	raw      field
	hasRaw   bool
	data     [12][]field // the typed data fields by number
	location int64       // 1: external
	ext      map[string]string
}

// The numbers of TensorProto's typed data fields.
const (
	floatData  = 4
	int32Data  = 5
	int64Data  = 7
	doubleData = 10
)

// dataField is the typed data field that holds each element type.
var dataField = map[tensor.Type]int{
	tensor.Float32: floatData, tensor.Float64: doubleData, tensor.Int64: int64Data,
	tensor.Int32: int32Data, tensor.Int8: int32Data, tensor.Uint8: int32Data, tensor.Bool: int32Data,
	tensor.Float16: int32Data, tensor.BFloat16: int32Data, // as bits
}

// onnxTypes names TensorProto.DataType beyond those package tensor knows.
var onnxTypes = map[int64]string{
	0: "undefined", 4: "uint16", 5: "int16", 8: "string", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128",
	17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4",
	23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2",
}

// elemType checks a TensorProto.DataType.
func elemType(v int64) (tensor.Type, error) {
	if v > 0 && v < 256 && tensor.Type(v).Known() {
		return tensor.Type(v), nil
	}
	name, ok := onnxTypes[v]
	if !ok {
		name = fmt.Sprintf("number %d", v)
	}
	return 0, fmt.Errorf("element type %s: one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted", name)
}

func (t *tensorProto) decode(m message) error {
	err := m.each(func(fd field) error {
		switch fd.num {
		case 1:
			return fd.ints(&t.dims, "dims")
		case 2:
			return fd.int(&t.typ, "data_type")
		case 3:
			return fmt.Errorf("offset %d: a tensor in segments", fd.off)
		case floatData:
			t.data[fd.num] = append(t.data[fd.num], fd)
			_, err := fd.fixed(4, "float_data")
			return err
		case doubleData:
			t.data[fd.num] = append(t.data[fd.num], fd)
			_, err := fd.fixed(8, "double_data")
			return err
		case int32Data, int64Data:
			t.data[fd.num] = append(t.data[fd.num], fd)
			if fd.typ != protowire.BytesType {
				return fd.want(protowire.VarintType, "int data")
			}
		case 8:
			return fd.str(&t.name, "name")
		case 9:
			t.raw, t.hasRaw = fd, true
			return fd.want(protowire.BytesType, "raw_data")
		case 13:
			msg, err := fd.msg("external_data")
			if err != nil {
				return err
			}
			var k, v string
			err = msg.each(func(fd field) error {
				switch fd.num {
				case 1:
					return fd.str(&k, "key")
				case 2:
					return fd.str(&v, "value")
				}
				return nil
			})
			if t.ext == nil {
				t.ext = map[string]string{}
			}
			t.ext[k] = v
			return in("external_data", err)
		case 14:
			return fd.int(&t.location, "data_location")
		}
		return nil
	})
	return in(fmt.Sprintf("%.80q", t.name), err)
}

// tensor returns the values, which are decoded when they are first asked for.
// The errors do not name the tensor.
func (t *tensorProto) tensor(ext *external) (*tensor.Tensor, error) {
	typ, err := elemType(t.typ)
	if err != nil {
		return nil, err
	}
	shape := make(tensor.Shape, len(t.dims))
	for i, d := range t.dims {
		shape[i] = int(d)
	}
	if err := shape.Check(); err != nil {
		return nil, err
	}
	size := shape.Size()
	switch {
	case t.location == 1:
		r, off, err := ext.find(t.ext, int64(size)*int64(typ.Bytes()))
		if err != nil {
			return nil, fmt.Errorf("external data: %w", err)
		}
		return tensor.FromReader(typ, shape, r, off), nil
	case t.location != 0:
		return nil, fmt.Errorf("data_location %d: 0 or 1 wanted", t.location)
	case t.hasRaw:
		if t.raw.n != size*typ.Bytes() {
			return nil, fmt.Errorf("%d bytes of raw_data for %v %v: %d wanted", t.raw.n, typ, shape, size*typ.Bytes())
		}
		return tensor.FromReader(typ, shape, t.raw.src, t.raw.off), nil
	}
	return t.typed(typ, shape, size)
}

// typed returns a tensor over a typed data field.
func (t *tensorProto) typed(typ tensor.Type, shape tensor.Shape, size int) (*tensor.Tensor, error) {
	num := dataField[typ]
	fields, width := t.data[num], map[int]int{floatData: 4, doubleData: 8}[num]
	n := 0
	for _, fd := range fields {
		count := func() (int, error) { return countInts(typ, fd) }
		if width > 0 {
			count = func() (int, error) { return fd.fixed(width, "") }
		}
		k, err := count()
		if err != nil {
			return nil, err
		}
		n += k
	}
	if n != size {
		return nil, fmt.Errorf("%d values for %v %v: %d wanted", n, typ, shape, size)
	}
	switch {
	case width > 0 && len(fields) == 1 && fields[0].typ == protowire.BytesType: // the same bytes as raw_data
		return tensor.FromReader(typ, shape, fields[0].src, fields[0].off), nil
	case width > 0:
		b, err := joined(width, fields)
		if err != nil {
			return nil, err
		}
		return tensor.FromBytes(typ, shape, b), nil
	}
	return tensor.Lazy(typ, shape, func() ([]float32, []int64) { return decodeInts(typ, size, fields) }), nil
}

// joined is the bytes of numbers of a width, some of them in fields of their own.
func joined(width int, fields []field) (all []byte, err error) {
	for _, fd := range fields {
		b := binary.LittleEndian.AppendUint64(nil, fd.v)[:width]
		if fd.typ == protowire.BytesType {
			if err = fd.src.keep(int64(fd.n)); err != nil {
				return nil, err
			}
			if b, err = fd.bytes(); err != nil {
				return nil, err
			}
		}
		all = append(all, b...)
	}
	return all, nil
}

// intRange is the range of values of the types that int32_data holds.
var intRange = map[tensor.Type][2]int64{
	tensor.Int32: {math.MinInt32, math.MaxInt32}, tensor.Int8: {math.MinInt8, math.MaxInt8},
	tensor.Uint8: {0, math.MaxUint8}, tensor.Bool: {0, 1},
	tensor.Float16: {0, math.MaxUint16}, tensor.BFloat16: {0, math.MaxUint16},
	tensor.Int64: {math.MinInt64, math.MaxInt64},
}

// countInts counts the values of an integer field and checks their range.
func countInts(typ tensor.Type, fd field) (n int, err error) {
	r := intRange[typ]
	err = fd.eachInt(func(off int64, x int64) error {
		if n++; x < r[0] || x > r[1] {
			return fmt.Errorf("offset %d: value %d in a tensor of %v", off, x, typ)
		}
		return nil
	})
	return n, err
}

// eachInt calls f with every integer of a field and its offset in the file.
func (fd field) eachInt(f func(off, x int64) error) error {
	if fd.typ != protowire.BytesType {
		return f(fd.off, int64(fd.v))
	}
	all, err := fd.bytes()
	if err != nil {
		return err
	}
	for b := all; len(b) > 0; {
		off := fd.off + int64(len(all)-len(b))
		v, k := protowire.ConsumeVarint(b)
		if k < 0 {
			return fmt.Errorf("offset %d: not an integer: %w", off, protowire.ParseError(k))
		}
		if err := f(off, int64(v)); err != nil {
			return err
		}
		b = b[k:]
	}
	return nil
}

// decodeInts reads the integers of fields, of which countInts found size. What cannot be read any more is 0.
func decodeInts(typ tensor.Type, size int, fields []field) (f []float32, v []int64) {
	if typ.Float() {
		f = make([]float32, size)
	} else {
		v = make([]int64, size)
	}
	i := 0
	for _, fd := range fields {
		fd.eachInt(func(_, x int64) error {
			switch {
			case i == size: // the file grew
			case typ == tensor.Float16:
				f[i] = tensor.FromFloat16(uint16(x))
			case typ == tensor.BFloat16:
				f[i] = tensor.FromBFloat16(uint16(x))
			default:
				v[i] = x
			}
			i = min(i+1, size)
			return nil
		})
	}
	return f, v
}
