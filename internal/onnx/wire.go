package onnx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"pimflow/internal/budget"
)

// source is a file, or a part of memory, while it is decoded.
type source struct {
	io.ReaderAt
	size  int64
	block []byte // the bytes read last
	at    int64  // of block in the file

	memory budget.Memory // for what is kept
	kept   int64         // bytes, of names and of numbers
}

// keep counts bytes that are kept. Weights stay in the file.
func (s *source) keep(bytes int64) error {
	s.kept += bytes
	return s.memory.Holds(s.kept, "its names and numbers")
}

// blockSize is how much is read at once. Estimated.
const blockSize = 1 << 16

func memory(b []byte) *source { return &source{ReaderAt: bytes.NewReader(b), size: int64(len(b))} }

// message is all of the source.
func (s *source) message() message { return message{s, 0, s.size} }

// peek returns the bytes from off up to end, or the first n of them. They are good until the next call.
func (s *source) peek(off, end int64, n int) ([]byte, error) {
	n = int(min(int64(n), end-off))
	if off < s.at || off+int64(n) > s.at+int64(len(s.block)) {
		s.block = slices.Grow(s.block[:0], blockSize)[:min(blockSize, s.size-off)]
		if s.at = off; len(s.block) > 0 {
			if k, err := s.ReadAt(s.block, off); k < len(s.block) {
				s.block = s.block[:0]
				return nil, err
			}
		}
	}
	return s.block[off-s.at:][:n], nil
}

// field is one field of a protobuf message: the place of a content with a length, and the value of any number.
type field struct {
	num protowire.Number
	typ protowire.Type
	v   uint64 // of a number
	src *source
	off int64 // of the number, or of the content
	n   int   // bytes of the content
}

// message is the place of a message.
type message struct {
	src      *source
	off, end int64
}

// each calls f for every field in order. Errors name the offset in the file.
func (m message) each(f func(field) error) error {
	for at := m.off; at < m.end; {
		b, err := m.src.peek(at, m.end, 2*binary.MaxVarintLen64)
		if err != nil {
			return err
		}
		bad := func(n int) error {
			return fmt.Errorf("offset %d: not a protobuf field: %w", at, protowire.ParseError(n))
		}
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return bad(n)
		}
		fd := field{num: num, typ: typ, src: m.src, off: at + int64(n)}
		k := 0
		switch b = b[n:]; typ {
		case protowire.VarintType, protowire.BytesType:
			fd.v, k = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, k = protowire.ConsumeFixed32(b)
			fd.v = uint64(v)
		case protowire.Fixed64Type:
			fd.v, k = protowire.ConsumeFixed64(b)
		default:
			return fmt.Errorf("offset %d: not a protobuf field of ONNX: wire type %d", at, typ)
		}
		if k < 0 {
			return bad(k)
		}
		at += int64(n + k)
		if typ == protowire.BytesType {
			if fd.v > uint64(m.end-at) {
				at -= int64(n + k)
				return bad(protowireTruncated)
			}
			fd.off, fd.n = at, int(fd.v)
			at += int64(fd.n)
		}
		if err := f(fd); err != nil {
			return err
		}
	}
	return nil
}

// protowireTruncated is protowire's code of a field that is cut off.
const protowireTruncated = -1

// bytes reads the content.
func (fd field) bytes() ([]byte, error) {
	if fd.n <= blockSize/2 {
		b, err := fd.src.peek(fd.off, fd.off+int64(fd.n), fd.n)
		return slices.Clone(b), err
	}
	b := make([]byte, fd.n)
	k, err := fd.src.ReadAt(b, fd.off)
	if k == fd.n {
		err = nil
	}
	return b, err
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
	err := fd.src.keep(int64(fd.n))
	if err != nil {
		return err
	}
	b, err := fd.bytes()
	*to = string(b)
	return err
}

func (fd field) int(to *int64, what string) error {
	if err := fd.want(protowire.VarintType, what); err != nil {
		return err
	}
	*to = int64(fd.v)
	return nil
}

func (fd field) msg(what string) (message, error) {
	return message{fd.src, fd.off, fd.off + int64(fd.n)}, fd.want(protowire.BytesType, what)
}

// ints appends a repeated integer, packed or not.
func (fd field) ints(to *[]int64, what string) error {
	if fd.typ != protowire.BytesType {
		*to = append(*to, int64(fd.v))
		return fd.want(protowire.VarintType, what)
	}
	if err := fd.src.keep(8 * int64(fd.n)); err != nil {
		return err
	}
	all, err := fd.bytes()
	if err != nil {
		return err
	}
	for b := all; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return fmt.Errorf("offset %d: %s: %w", fd.off+int64(len(all)-len(b)), what, protowire.ParseError(n))
		}
		*to = append(*to, int64(v))
		b = b[n:]
	}
	return nil
}

// fixed checks a repeated number of width bytes, packed or not, and returns how many there are.
func (fd field) fixed(width int, what string) (int, error) {
	if fd.typ != protowire.BytesType {
		t := protowire.Fixed32Type
		if width == 8 {
			t = protowire.Fixed64Type
		}
		return 1, fd.want(t, what)
	}
	if fd.n%width != 0 {
		return 0, fmt.Errorf("offset %d: %s of %d bytes: a multiple of %d wanted", fd.off, what, fd.n, width)
	}
	return fd.n / width, nil
}

// floats appends a repeated float, packed or not.
func (fd field) floats(to *[]float32, what string) error {
	_, err := fd.fixed(4, what)
	if err != nil {
		return err
	}
	if fd.typ != protowire.BytesType {
		*to = append(*to, math.Float32frombits(uint32(fd.v)))
		return nil
	}
	if err := fd.src.keep(int64(fd.n)); err != nil {
		return err
	}
	b, err := fd.bytes()
	for ; err == nil && len(b) > 0; b = b[4:] {
		*to = append(*to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return err
}
