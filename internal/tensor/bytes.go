package tensor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Bounds of a shape that a file may state: far above any network's, and low
// enough that no product or byte count of it overflows an int64.
const (
	maxRank = 64
	maxSize = 1 << 40
)

// Check reports a rank over 64, a negative extent, or more than 2^40 values.
func (s Shape) Check() error {
	if len(s) > maxRank {
		return fmt.Errorf("%d dimensions: at most %d wanted", len(s), maxRank)
	}
	n := 1
	for _, d := range s {
		if d < 0 {
			return fmt.Errorf("shape %v: extents of 0 or more wanted", s)
		}
		// Zero extents are left out, so that 0x(2^62)x(2^62) is refused too.
		if d > 0 && n > maxSize/d {
			return fmt.Errorf("shape %v: at most 2^40 values wanted", s)
		}
		n *= max(d, 1)
	}
	return nil
}

// FromBytes returns a tensor over the little-endian values b, which it keeps and
// decodes when they are first asked for. It panics when b is not s.Size() values
// of type t long.
func FromBytes(t Type, s Shape, b []byte) *Tensor {
	if len(b) != s.Size()*t.Bytes() {
		panic(fmt.Sprintf("tensor: %d bytes for %v%v", len(b), t, s))
	}
	return FromReader(t, s, bytes.NewReader(b), 0)
}

// FromReader returns a tensor over little-endian values at an offset of r, which are read when they are
// first asked for. Values that r cannot read are 0: r keeps its error.
func FromReader(t Type, s Shape, r io.ReaderAt, off int64) *Tensor {
	src := &stored{r, off}
	x := Lazy(t, s, func() ([]float32, []int64) { return src.decode(t, s.Size()) })
	x.src = src
	return x
}

// stored is where the bytes of a tensor's values are.
type stored struct {
	r   io.ReaderAt
	off int64
}

// chunk is how many values are read or written at once.
const chunk = 1 << 14

// each calls f with the bytes of up to chunk values from value i on, in order.
func (s *stored) each(width, n int, f func(i int, b []byte) error) error {
	buf := make([]byte, min(n, chunk)*width)
	for i := 0; i < n; i += chunk {
		b := buf[:min(chunk, n-i)*width]
		if k, err := s.r.ReadAt(b, s.off+int64(i*width)); err != nil && k < len(b) {
			clear(b)
		}
		if err := f(i, b); err != nil {
			return err
		}
	}
	return nil
}

// WriteBytes writes the values as little-endian bytes of the tensor's type,
// x.Shape.Size() times x.Type.Bytes() of them, in bounded memory.
func (x *Tensor) WriteBytes(w io.Writer) error {
	n := x.Shape.Size()
	if x.src != nil {
		return x.src.each(x.Type.Bytes(), n, func(_ int, b []byte) error { _, err := w.Write(b); return err })
	}
	buf := make([]byte, 0, min(n, chunk)*x.Type.Bytes())
	for i := 0; i < n; i += chunk {
		j := min(i+chunk, n)
		if x.Type.Float() {
			buf = appendFloats(buf[:0], x.Type, x.Floats()[i:j])
		} else {
			buf = appendInts(buf[:0], x.Type, x.Ints()[i:j])
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// decode reads n values.
func (s *stored) decode(t Type, n int) (floats []float32, ints []int64) {
	if t.Float() {
		floats = make([]float32, n)
	} else {
		ints = make([]int64, n)
	}
	s.each(t.Bytes(), n, func(i int, b []byte) error {
		if t.Float() {
			decodeFloats(t, b, floats[i:])
		} else {
			decodeInts(t, b, ints[i:])
		}
		return nil
	})
	return floats, ints
}

func decodeFloats(t Type, b []byte, v []float32) {
	le := binary.LittleEndian
	for i := range len(b) / t.Bytes() {
		switch t {
		case Float32:
			v[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		case Float64:
			v[i] = float32(math.Float64frombits(le.Uint64(b[8*i:])))
		case Float16:
			v[i] = FromFloat16(le.Uint16(b[2*i:]))
		case BFloat16:
			v[i] = FromBFloat16(le.Uint16(b[2*i:]))
		}
	}
}

func decodeInts(t Type, b []byte, v []int64) {
	le := binary.LittleEndian
	for i := range len(b) / t.Bytes() {
		switch t {
		case Int64:
			v[i] = int64(le.Uint64(b[8*i:]))
		case Int32:
			v[i] = int64(int32(le.Uint32(b[4*i:])))
		default:
			v[i] = t.wrap(int64(b[i]))
		}
	}
}

func appendFloats(b []byte, t Type, v []float32) []byte {
	le := binary.LittleEndian
	for _, x := range v {
		switch t {
		case Float32:
			b = le.AppendUint32(b, math.Float32bits(x))
		case Float64:
			b = le.AppendUint64(b, math.Float64bits(float64(x)))
		case Float16:
			b = le.AppendUint16(b, ToFloat16(x))
		case BFloat16:
			b = le.AppendUint16(b, ToBFloat16(x))
		}
	}
	return b
}

func appendInts(b []byte, t Type, v []int64) []byte {
	le := binary.LittleEndian
	for _, x := range v {
		switch t {
		case Int64:
			b = le.AppendUint64(b, uint64(x))
		case Int32:
			b = le.AppendUint32(b, uint32(x))
		default:
			b = append(b, byte(x))
		}
	}
	return b
}
