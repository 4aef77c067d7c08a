package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a protobuf message. b is the content of a field with a
// length, and the bytes of the number of any other; it points into the file.
type field struct {
	num protowire.Number
	typ protowire.Type
	b   []byte
	off int64 // of b in the file
}

// message is the bytes of a message and their place in the file.
type message struct {
	b   []byte
	off int64
}

// each calls f for every field in order. Errors name the offset in the file.
func (m message) each(f func(field) error) error {
	for at := 0; at < len(m.b); {
		bad := func(n int) error {
			return fmt.Errorf("offset %d: not a protobuf field: %w", m.off+int64(at), protowire.ParseError(n))
		}
		num, typ, n := protowire.ConsumeTag(m.b[at:])
		if n < 0 {
			return bad(n)
		}
		v := protowire.ConsumeFieldValue(num, typ, m.b[at+n:])
		if v < 0 {
			return bad(v)
		}
		fd := field{num, typ, m.b[at+n : at+n+v], m.off + int64(at+n)}
		if typ == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(fd.b)
			fd.off += int64(len(fd.b) - len(content))
			fd.b = content
		}
		if err := f(fd); err != nil {
			return err
		}
		at += n + v
	}
	return nil
}

// want refuses a field that is not of the wire type that its number has.
func (fd field) want(t protowire.Type, what string) error {
	if fd.typ != t {
		return fmt.Errorf("offset %d: %s has wire type %d: %d wanted", fd.off, what, fd.typ, t)
	}
	return nil
}

func (fd field) str(to *string, what string) error {
	if err := fd.want(protowire.BytesType, what); err != nil {
		return err
	}
	*to = string(fd.b)
	return nil
}

func (fd field) int(to *int64, what string) error {
	if err := fd.want(protowire.VarintType, what); err != nil {
		return err
	}
	v, _ := protowire.ConsumeVarint(fd.b)
	*to = int64(v)
	return nil
}

func (fd field) msg(what string) (message, error) {
	return message{fd.b, fd.off}, fd.want(protowire.BytesType, what)
}

// ints appends a repeated integer, packed or not.
func (fd field) ints(to *[]int64, what string) error {
	if fd.typ != protowire.BytesType {
		if err := fd.want(protowire.VarintType, what); err != nil {
			return err
		}
	}
	for b := fd.b; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return fmt.Errorf("offset %d: %s: %w", fd.off+int64(len(fd.b)-len(b)), what, protowire.ParseError(n))
		}
		*to = append(*to, int64(v))
		b = b[n:]
	}
	return nil
}

// fixed checks a repeated number of width bytes, packed or not.
func (fd field) fixed(width int, what string) error {
	if fd.typ != protowire.BytesType {
		t := protowire.Fixed32Type
		if width == 8 {
			t = protowire.Fixed64Type
		}
		return fd.want(t, what)
	}
	if len(fd.b)%width != 0 {
		return fmt.Errorf("offset %d: %s of %d bytes: a multiple of %d wanted", fd.off, what, len(fd.b), width)
	}
	return nil
}

// floats appends a repeated float, packed or not.
func (fd field) floats(to *[]float32, what string) error {
	if err := fd.fixed(4, what); err != nil {
		return err
	}
	for b := fd.b; len(b) > 0; b = b[4:] {
		*to = append(*to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return nil
}
