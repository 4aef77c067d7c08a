package tensor

import (
	"fmt"
	"math"

	"github.com/x448/float16"

	"pimflow/internal/vector"
)

// Type is the element type of a tensor, named and numbered as ONNX does
// (TensorProto.DataType).
type Type uint8

// The element types that have a meaning here.
const (
	Float32  Type = 1
	Uint8    Type = 2
	Int8     Type = 3
	Int32    Type = 6
	Int64    Type = 7
	Bool     Type = 9
	Float16  Type = 10
	Float64  Type = 11 // held as float32: the values are rounded when read
	BFloat16 Type = 16
)

// types is the table of element types: bits is the width in a file.
var types = map[Type]struct {
	name  string
	bits  int
	float bool
}{
	Float32:  {"float32", 32, true},
	Uint8:    {"uint8", 8, false},
	Int8:     {"int8", 8, false},
	Int32:    {"int32", 32, false},
	Int64:    {"int64", 64, false},
	Bool:     {"bool", 8, false},
	Float16:  {"float16", 16, true},
	Float64:  {"float64", 64, true},
	BFloat16: {"bfloat16", 16, true},
}

// Known reports whether t is one of the types above.
func (t Type) Known() bool { _, ok := types[t]; return ok }

// Float reports whether values of t are kept as float32 rather than int64.
func (t Type) Float() bool { return types[t].float }

// Bytes is the width of one value in a file or a device memory.
func (t Type) Bytes() int { return types[t].bits / 8 }

// String is the type's name, as "float32".
func (t Type) String() string {
	if v, ok := types[t]; ok {
		return v.name
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// ParseType reads what Type.String prints.
func ParseType(name string) (Type, error) {
	for t, v := range types {
		if v.name == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("element type %.80q: one of float32, float16, bfloat16, float64, int64, int32, int8, uint8, bool wanted", name)
}

// Round returns the nearest value of floating type t, ties to even; overflow
// gives an infinity, as IEEE 754 says.
func Round(t Type, v float32) float32 {
	switch t {
	case Float16:
		return vector.ToFloat16(v)
	case BFloat16:
		return vector.ToBFloat16(v)
	}
	return v
}

// RoundAll sets y to the first values of x, as many as y has, rounded as by Round; y may be x.
func RoundAll(t Type, y, x []float32) {
	switch t {
	case Float16:
		vector.Float16(y, x)
	case BFloat16:
		vector.BFloat16(y, x)
	default:
		copy(y, x)
	}
}

// ToBFloat16 returns the bits of the bfloat16 nearest to v, ties to even; a NaN
// stays a (quiet) NaN.
func ToBFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	if v != v {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// FromBFloat16 widens the bits of a bfloat16, exactly.
func FromBFloat16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// ToFloat16 returns the bits of the float16 nearest to v, ties to even.
func ToFloat16(v float32) uint16 { return float16.Fromfloat32(v).Bits() }

// FromFloat16 widens the bits of a float16, exactly.
func FromFloat16(b uint16) float32 { return float16.Frombits(b).Float32() }

// Wrap returns v as the integer type t holds it: modulo its width, and 1 for
// anything but 0 of a bool.
func Wrap(t Type, v int64) int64 { return t.wrap(v) }

func (t Type) wrap(v int64) int64 {
	switch t {
	case Int32:
		return int64(int32(v))
	case Int8:
		return int64(int8(v))
	case Uint8:
		return int64(uint8(v))
	case Bool:
		if v != 0 {
			return 1
		}
	}
	return v
}
