package npy

import (
	"bytes"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// FuzzRead: what is read is written as a file that is read alike.
func FuzzRead(f *testing.F) {
	for _, typ := range []tensor.Type{tensor.Float32, tensor.Float16, tensor.Int64, tensor.Bool} {
		var b bytes.Buffer
		if err := Write(&b, tensor.New(typ, tensor.Shape{2, 3})); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(magic + "\x02\x00\x76\x00\x00\x00{'descr': '<f8', 'fortran_order': False, 'shape': (), }"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Read(bytes.NewReader(data))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		var b, again bytes.Buffer
		if err := Write(&b, x); err != nil {
			t.Fatal(err)
		}
		y, err := Read(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(&again, y); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) || y.Type != x.Type || !y.Shape.Equal(x.Shape) {
			t.Errorf("%v%v came back as %v%v", x.Type, x.Shape, y.Type, y.Shape)
		}
	})
}
