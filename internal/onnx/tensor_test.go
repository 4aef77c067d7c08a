package onnx

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// typedMessage is a TensorProto whose values are in the typed data field of its
// type, in pieces: a piece of several values is packed, one of a single value is
// not.
func typedMessage(x *tensor.Tensor, pieces []int) []byte {
	b := appendInt(nil, 2, uint64(x.Type))
	for _, d := range x.Shape {
		b = appendInt(b, 1, uint64(d))
	}
	num := protowire.Number(dataField[x.Type])
	at := 0
	for _, n := range pieces {
		var packed []byte
		for i := at; i < at+n; i++ {
			packed = append(packed, element(x, i)...)
		}
		at += n
		switch {
		case n != 1:
			b = appendMessage(b, num, packed)
		case num == floatData:
			b = append(protowire.AppendTag(b, num, protowire.Fixed32Type), packed...)
		case num == doubleData:
			b = append(protowire.AppendTag(b, num, protowire.Fixed64Type), packed...)
		default:
			b = append(protowire.AppendTag(b, num, protowire.VarintType), packed...)
		}
	}
	return b
}

// element is the encoding of one value in a typed data field.
func element(x *tensor.Tensor, i int) []byte {
	switch x.Type {
	case tensor.Float32:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(x.Floats()[i]))
	case tensor.Float64:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(x.Floats()[i])))
	case tensor.Float16:
		return protowire.AppendVarint(nil, uint64(tensor.ToFloat16(x.Floats()[i])))
	case tensor.BFloat16:
		return protowire.AppendVarint(nil, uint64(tensor.ToBFloat16(x.Floats()[i])))
	}
	return protowire.AppendVarint(nil, uint64(x.Ints()[i]))
}

// TestTensorEncodings wants the same values from raw_data and from typed data,
// packed and not, of every type.
func TestTensorEncodings(t *testing.T) {
	for typ := range dataField {
		t.Run(typ.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				pieces := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "pieces")
				n := 0
				for _, p := range pieces {
					n += p
				}
				x := tensor.New(typ, tensor.Shape{n})
				for i := range n {
					if typ.Float() {
						x.Floats()[i] = tensor.Round(typ, rapid.Float32().Draw(t, "value"))
					} else {
						x.Ints()[i] = tensor.Wrap(typ, rapid.Int64().Draw(t, "value"))
					}
				}
				for _, b := range [][]byte{tensorMessage("", x), typedMessage(x, pieces)} {
					p := &tensorProto{}
					if err := p.decode(memory(b).message()); err != nil {
						t.Fatal(err)
					}
					y, err := p.tensor(nil)
					if err != nil {
						t.Fatal(err)
					}
					if typ.Float() && !slices.Equal(x.Floats(), y.Floats()) || !typ.Float() && !slices.Equal(x.Ints(), y.Ints()) {
						t.Fatalf("%v differs", typ)
					}
				}
			})
		})
	}
}

func TestTensorErrors(t *testing.T) {
	of := func(typ tensor.Type, dims ...int) []byte {
		b := appendInt(nil, 2, uint64(typ))
		for _, d := range dims {
			b = appendInt(b, 1, uint64(d))
		}
		return b
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{appendMessage(of(tensor.Float32, 1), floatData, []byte{1, 2, 3}), `offset 6: float_data of 3 bytes: a multiple of 4 wanted`},
		{appendInt(of(tensor.Float32, 1), floatData, 1), `offset 5: float_data has wire type 0: 5 wanted`},
		{appendInt(of(tensor.Uint8, 1), int32Data, 256), `offset 5: value 256 in a tensor of uint8`},
		{appendInt(of(tensor.Bool, 1), int32Data, 2), `offset 5: value 2 in a tensor of bool`},
		{appendMessage(of(tensor.Int64, 1), int64Data, []byte{0x80}), `offset 6: not an integer: unexpected EOF`},
		{appendInt(of(tensor.Int64, 2), int64Data, 1), `1 values for int64 2: 2 wanted`},
		{appendInt(of(tensor.Int64, 1), 14, 2), `data_location 2: 0 or 1 wanted`},
		{appendMessage(of(tensor.Int64, 1), 3, nil), `offset 6: a tensor in segments`},
	} {
		p := &tensorProto{}
		err := p.decode(memory(c.b).message())
		if err == nil {
			_, err = p.tensor(nil)
		}
		if err == nil || strings.TrimPrefix(err.Error(), `"": `) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
