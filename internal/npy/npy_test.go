package npy

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom(descrs).Draw(t, "type")
		shape := tensor.Shape(rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape"))
		x := tensor.New(d.typ, shape)
		for i := range shape.Size() {
			v := rapid.IntRange(0, 1).Draw(t, "v")
			if d.typ.Float() {
				x.Floats()[i] = float32(v) * 0.5
			} else {
				x.Ints()[i] = int64(v)
			}
		}
		var b bytes.Buffer
		if err := Write(&b, x); err != nil {
			t.Fatal(err)
		}
		y, err := Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if y.Type != x.Type || !y.Shape.Equal(x.Shape) {
			t.Fatalf("%v%v came back as %v%v", x.Type, x.Shape, y.Type, y.Shape)
		}
		if d.typ.Float() {
			if !cmp.Equal(append([]float32{}, x.Floats()...), append([]float32{}, y.Floats()...)) {
				t.Fatal("values differ")
			}
		} else if !cmp.Equal(append([]int64{}, x.Ints()...), append([]int64{}, y.Ints()...)) {
			t.Fatal("values differ")
		}
	})
}

// TestNumPyFile reads bytes that numpy.save(f, numpy.array([[1, 2], [3, 4]], "<f4"))
// of NumPy 1.24 writes.
func TestNumPyFile(t *testing.T) {
	head := "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
	head += strings.Repeat(" ", 118-1-len(head)) + "\n"
	file := "\x93NUMPY\x01\x00\x76\x00" + head + "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40"
	x, err := Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{1, 2, 3, 4}, x.Floats()); diff != "" || !x.Shape.Equal(tensor.Shape{2, 2}) {
		t.Fatal(x.Shape, diff)
	}
	var b bytes.Buffer
	if err := Write(&b, x); err != nil || b.String() != file {
		t.Fatalf("written otherwise: %q, %v", b.String(), err)
	}
}

func TestErrors(t *testing.T) {
	file := func(head string) string {
		return "\x93NUMPY\x01\x00" + string([]byte{byte(len(head)), 0}) + head
	}
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "not a .npy file"},
		{"magic", "PK\x03\x04aaaaaaaa", "not a .npy file"},
		{"version", "\x93NUMPY\x09\x00aaaa", "format version 9"},
		{"cut header", "\x93NUMPY\x01\x00\x76\x00{", "ends in its header"},
		{"long header", "\x93NUMPY\x02\x00\xff\xff\xff\x7f{", "a header of"},
		{"no shape", file("{'descr': '<f4', 'fortran_order': False}"), "descr, fortran_order and shape wanted"},
		{"type", file("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }"), `descr "c8"`},
		{"big endian", file("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"), "little-endian"},
		{"fortran", file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"), "C order wanted"},
		{"negative", file("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"), "extents below"},
		{"huge", file("{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000), }"), "fewer than"},
		{"more values", file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") + "aaaabbbbc", "1 bytes follow the values of shape 2: the end of the file wanted"},
		{"cut values", file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") + "aaaa", "ends after 1 of 2 values"},
	} {
		if _, err := Read(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: %q wanted", c.name, err, c.want)
		}
	}
}
