// Package npy reads and writes NumPy's .npy files (format versions 1 to 3, NEP 1)
// of one dense array. A stream goes in or out, a tensor the other way.
//
// The package does not know what the values mean.
package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/tensor"
)

const magic = "\x93NUMPY"

// maxHeader bounds the header of a damaged file; NumPy writes about 100 bytes.
const maxHeader = 1 << 16

// maxSize bounds the values of a file: 2^31 of them.
const maxSize = 1 << 31

// codec turns an element's bytes, little endian, into a value and back. Exactly
// one pair is set.
type codec struct {
	typ   tensor.Type
	bytes int
	getF  func(b []byte) float32
	putF  func(b []byte, v float32)
	getI  func(b []byte) int64
	putI  func(b []byte, v int64)
}

var le = binary.LittleEndian

// descrs maps NumPy's type strings, less the byte order, to codecs.
var descrs = []struct {
	descr string
	codec
}{
	{"f4", codec{typ: tensor.Float32, bytes: 4,
		getF: func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) },
		putF: func(b []byte, v float32) { le.PutUint32(b, math.Float32bits(v)) }}},
	{"f8", codec{typ: tensor.Float64, bytes: 8,
		getF: func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) },
		putF: func(b []byte, v float32) { le.PutUint64(b, math.Float64bits(float64(v))) }}},
	{"f2", codec{typ: tensor.Float16, bytes: 2,
		getF: func(b []byte) float32 { return tensor.FromFloat16(le.Uint16(b)) },
		putF: func(b []byte, v float32) { le.PutUint16(b, tensor.ToFloat16(v)) }}},
	{"i8", codec{typ: tensor.Int64, bytes: 8,
		getI: func(b []byte) int64 { return int64(le.Uint64(b)) },
		putI: func(b []byte, v int64) { le.PutUint64(b, uint64(v)) }}},
	{"i4", codec{typ: tensor.Int32, bytes: 4,
		getI: func(b []byte) int64 { return int64(int32(le.Uint32(b))) },
		putI: func(b []byte, v int64) { le.PutUint32(b, uint32(v)) }}},
	{"i1", codec{typ: tensor.Int8, bytes: 1,
		getI: func(b []byte) int64 { return int64(int8(b[0])) },
		putI: func(b []byte, v int64) { b[0] = byte(v) }}},
	{"u1", codec{typ: tensor.Uint8, bytes: 1,
		getI: func(b []byte) int64 { return int64(b[0]) },
		putI: func(b []byte, v int64) { b[0] = byte(v) }}},
	{"b1", codec{typ: tensor.Bool, bytes: 1,
		getI: func(b []byte) int64 { return int64(b[0]) },
		putI: func(b []byte, v int64) { b[0] = byte(v) }}},
}

// header is what a file says of itself. NumPy writes a Python dictionary; the
// three keys may come in any order.
var (
	descrKey = regexp.MustCompile(`'descr'\s*:\s*'([<>|=]?)(\w+)'`)
	orderKey = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shapeKey = regexp.MustCompile(`'shape'\s*:\s*\(([^)]*)\)`)
)

// Read reads one array. The error says what of the file does not fit.
func Read(r io.Reader) (*tensor.Tensor, error) {
	b := bufio.NewReader(r)
	c, shape, err := describe(b)
	if err != nil {
		return nil, err
	}
	x, err := readValues(b, c, shape)
	if err != nil {
		return nil, err
	}
	if n, err := io.Copy(io.Discard, b); err != nil {
		return nil, err
	} else if n > 0 {
		return nil, fmt.Errorf("%d bytes follow the values of shape %v: the end of the file wanted", n, shape)
	}
	return x, nil
}

// Shape reads the shape of an array, and none of its values.
func Shape(r io.Reader) (tensor.Shape, error) {
	_, shape, err := describe(bufio.NewReader(r))
	return shape, err
}

// describe reads what a file says of its array.
func describe(b *bufio.Reader) (c codec, shape tensor.Shape, err error) {
	head, err := readHeader(b)
	if err != nil {
		return c, nil, err
	}
	d, o, s := descrKey.FindStringSubmatch(head), orderKey.FindStringSubmatch(head), shapeKey.FindStringSubmatch(head)
	if d == nil || o == nil || s == nil {
		return c, nil, fmt.Errorf("header %.80q: descr, fortran_order and shape wanted", strings.TrimSpace(head))
	}
	c, err = lookup(d[2])
	if err != nil {
		return c, nil, err
	}
	if d[1] == ">" && c.bytes > 1 {
		return c, nil, fmt.Errorf("descr %.80q: little-endian values wanted", d[1]+d[2])
	}
	shape, err = parseShape(s[1])
	if err != nil {
		return c, nil, err
	}
	if o[1] == "True" && len(shape) > 1 {
		return c, nil, fmt.Errorf("fortran_order is True: C order wanted (numpy.ascontiguousarray)")
	}
	return c, shape, nil
}

func readHeader(b *bufio.Reader) (string, error) {
	var fix [8]byte
	if _, err := io.ReadFull(b, fix[:]); err != nil || string(fix[:6]) != magic {
		return "", fmt.Errorf("not a .npy file: it does not begin with %.80q", magic)
	}
	width := 4
	switch fix[6] {
	case 1:
		width = 2
	case 2, 3:
	default:
		return "", fmt.Errorf("format version %d: 1, 2 or 3 wanted", fix[6])
	}
	var size [4]byte
	if _, err := io.ReadFull(b, size[:width]); err != nil {
		return "", fmt.Errorf("the file ends in its header")
	}
	n := le.Uint32(size[:])
	if n > maxHeader {
		return "", fmt.Errorf("a header of %d bytes: at most %d wanted", n, maxHeader)
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(b, head); err != nil {
		return "", fmt.Errorf("the file ends in its header")
	}
	return string(head), nil
}

func lookup(descr string) (codec, error) {
	var known []string
	for _, d := range descrs {
		if d.descr == descr {
			return d.codec, nil
		}
		known = append(known, d.descr)
	}
	return codec{}, fmt.Errorf("descr %.80q: one of %s wanted", descr, fault.Names(known))
}

func parseShape(text string) (tensor.Shape, error) {
	shape, size := tensor.Shape{}, 1
	for _, p := range strings.Split(text, ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		d, err := strconv.Atoi(p)
		if err != nil || d < 0 || d > maxSize {
			return nil, fmt.Errorf("shape (%s): extents below 2^31 wanted", fault.Name(text))
		}
		shape = append(shape, d)
		if size *= d; size > maxSize {
			return nil, fmt.Errorf("shape (%s): fewer than 2^31 values wanted", fault.Name(text))
		}
	}
	return shape, nil
}

// readValues reads in pieces, so that a file that claims more than it holds
// costs no more memory than it has bytes.
func readValues(r io.Reader, c codec, shape tensor.Shape) (*tensor.Tensor, error) {
	n := shape.Size()
	var floats []float32
	var ints []int64
	buf := make([]byte, 1<<16)
	for done := 0; done < n; {
		k := min(n-done, len(buf)/c.bytes)
		if got, err := io.ReadFull(r, buf[:k*c.bytes]); err != nil {
			return nil, fmt.Errorf("the file ends after %d of %d values", done+got/c.bytes, n)
		}
		for i := range k {
			if b := buf[i*c.bytes:]; c.getF != nil {
				floats = append(floats, c.getF(b))
			} else {
				ints = append(ints, c.getI(b))
			}
		}
		done += k
	}
	return tensor.Lazy(c.typ, shape, func() ([]float32, []int64) { return floats, ints }), nil
}

// Write writes x as version 1, in C order. A bfloat16 tensor is written as f4,
// since NumPy has no such type.
func Write(w io.Writer, x *tensor.Tensor) error {
	typ := x.Type
	if typ == tensor.BFloat16 {
		typ = tensor.Float32
	}
	for _, d := range descrs {
		if d.typ == typ {
			return write(w, x, d.descr, d.codec)
		}
	}
	return fmt.Errorf("no .npy type for %v", x.Type)
}

func write(w io.Writer, x *tensor.Tensor, descr string, c codec) error {
	dims := make([]string, len(x.Shape))
	for i, d := range x.Shape {
		dims[i] = strconv.Itoa(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	order := "<"
	if c.bytes == 1 {
		order = "|"
	}
	head := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, descr, shape)
	// The values begin at a multiple of 64 bytes, as the format asks.
	pad := 63 - (len(magic)+4+len(head))%64
	head += strings.Repeat(" ", pad) + "\n"
	b := bufio.NewWriter(w)
	b.WriteString(magic + "\x01\x00")
	b.Write(le.AppendUint16(nil, uint16(len(head))))
	b.WriteString(head)
	buf := make([]byte, 8)
	if c.putF != nil {
		for _, v := range x.Floats() {
			c.putF(buf, v)
			b.Write(buf[:c.bytes])
		}
	} else {
		for _, v := range x.Ints() {
			c.putI(buf, v)
			b.Write(buf[:c.bytes])
		}
	}
	return b.Flush()
}
