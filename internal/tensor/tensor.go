// Package tensor holds dense values, their shapes, and boxes of them.
//
// A Tensor is row-major and contiguous. Its values live in one of two stores:
// float32 for the floating types and int64 for the integer types and bool. A
// float16 or bfloat16 tensor therefore holds float32 numbers that the narrow
// type can represent; Round makes any float32 such a number.
//
// The package does not know what an operator, a graph or a device is.
package tensor

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Tensor is a dense, row-major, immutable-by-convention array. Values may be
// made on first use (Lazy): a tensor whose values nobody asks for costs nothing.
type Tensor struct {
	Shape Shape
	Type  Type

	once   sync.Once
	load   func() ([]float32, []int64)
	floats []float32
	ints   []int64
	src    *stored // the values as FromReader got them, else nil
}

// New returns a tensor of zeros.
func New(t Type, s Shape) *Tensor {
	x := &Tensor{Shape: s.Clone(), Type: t}
	if t.Float() {
		x.floats = make([]float32, s.Size())
	} else {
		x.ints = make([]int64, s.Size())
	}
	return x
}

// Floats32 returns a float32 tensor over v, which it keeps. It panics when the
// length of v is not the size of s.
func Floats32(s Shape, v []float32) *Tensor {
	if len(v) != s.Size() {
		panic(fmt.Sprintf("tensor: %d values for shape %v", len(v), s))
	}
	return &Tensor{Shape: s.Clone(), Type: Float32, floats: v}
}

// Ints64 returns an int64 tensor over v, which it keeps. It panics when the
// length of v is not the size of s.
func Ints64(s Shape, v []int64) *Tensor {
	if len(v) != s.Size() {
		panic(fmt.Sprintf("tensor: %d values for shape %v", len(v), s))
	}
	return &Tensor{Shape: s.Clone(), Type: Int64, ints: v}
}

// Lazy returns a tensor whose values load makes when they are first asked for.
// load returns floats for a floating type and ints for the others, s.Size()
// of them; anything else panics at first use. load runs once.
func Lazy(t Type, s Shape, load func() ([]float32, []int64)) *Tensor {
	return &Tensor{Shape: s.Clone(), Type: t, load: load}
}

func (x *Tensor) force() {
	x.once.Do(func() {
		if x.load == nil {
			return
		}
		x.floats, x.ints = x.load()
		x.load = nil
		n := len(x.ints)
		if x.Type.Float() {
			n = len(x.floats)
		}
		if n != x.Shape.Size() {
			panic(fmt.Sprintf("tensor: loaded %d values for %v%v", n, x.Type, x.Shape))
		}
	})
}

// Floats returns the values of a floating tensor, shared with it. It panics on
// an integer tensor.
func (x *Tensor) Floats() []float32 {
	if !x.Type.Float() {
		panic("tensor: Floats of " + x.Type.String())
	}
	x.force()
	return x.floats
}

// Ints returns the values of an integer or bool tensor, shared with it. It
// panics on a floating tensor.
func (x *Tensor) Ints() []int64 {
	if x.Type.Float() {
		panic("tensor: Ints of " + x.Type.String())
	}
	x.force()
	return x.ints
}

// Reshape returns a tensor of the same values under another shape of the same
// size; it panics on a different size.
func (x *Tensor) Reshape(s Shape) *Tensor {
	if s.Size() != x.Shape.Size() {
		panic(fmt.Sprintf("tensor: reshape %v to %v", x.Shape, s))
	}
	y := Lazy(x.Type, s, func() ([]float32, []int64) {
		x.force()
		return x.floats, x.ints
	})
	y.src = x.src
	return y
}

// Convert returns the tensor as type t: floats are rounded to t (Round) or
// truncated towards zero to integers, integers wrap to the width of t, and bool
// is 1 for anything but 0, as ONNX Cast says.
func (x *Tensor) Convert(t Type) *Tensor {
	if t == x.Type {
		return x
	}
	return Lazy(t, x.Shape, func() ([]float32, []int64) {
		x.force()
		switch {
		case x.Type.Float() && t.Float():
			out := make([]float32, len(x.floats))
			RoundAll(t, out, x.floats)
			return out, nil
		case x.Type.Float():
			out := make([]int64, len(x.floats))
			for i, v := range x.floats {
				if t == Bool {
					if v != 0 {
						out[i] = 1
					}
					continue
				}
				out[i] = t.wrap(int64(v))
			}
			return nil, out
		case t.Float():
			out := make([]float32, len(x.ints))
			for i, v := range x.ints {
				out[i] = Round(t, float32(v))
			}
			return out, nil
		}
		out := make([]int64, len(x.ints))
		for i, v := range x.ints {
			out[i] = t.wrap(v)
		}
		return nil, out
	})
}

// Shape is the extent of each dimension, outermost first; a scalar has none.
type Shape []int

// Size is the number of values: the product of the extents, 1 for a scalar.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Clone returns a copy.
func (s Shape) Clone() Shape { return append(Shape{}, s...) }

// Equal reports whether both have the same extents.
func (s Shape) Equal(o Shape) bool {
	if len(s) != len(o) {
		return false
	}
	for i := range s {
		if s[i] != o[i] {
			return false
		}
	}
	return true
}

// Strides returns the distance in values between neighbours of each dimension.
func (s Shape) Strides() []int {
	st := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// String prints 1x3x224x224; a scalar prints "scalar".
func (s Shape) String() string {
	if len(s) == 0 {
		return "scalar"
	}
	p := make([]string, len(s))
	for i, d := range s {
		p[i] = strconv.Itoa(d)
	}
	return strings.Join(p, "x")
}

// ParseShape reads what Shape.String prints.
func ParseShape(text string) (Shape, error) {
	if text == "scalar" {
		return Shape{}, nil
	}
	var s Shape
	for _, p := range strings.Split(text, "x") {
		d, err := strconv.Atoi(p)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("shape %.80q: extents like 1x3x224x224 wanted", text)
		}
		s = append(s, d)
	}
	return s, nil
}
