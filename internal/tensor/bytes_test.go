package tensor_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestBytes wants values back from their bytes, whether decoded in between or
// not.
func TestBytes(t *testing.T) {
	types := []tensor.Type{
		tensor.Float32, tensor.Float16, tensor.BFloat16, tensor.Float64,
		tensor.Int64, tensor.Int32, tensor.Int8, tensor.Uint8, tensor.Bool,
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		x := tensor.New(typ, tensor.Shape{rapid.SampledFrom([]int{0, 1, 5, 40000}).Draw(t, "size")})
		for i := range min(x.Shape[0], 5) {
			if typ.Float() {
				x.Floats()[x.Shape[0]-1-i] = tensor.Round(typ, rapid.Float32().Draw(t, "float"))
			} else {
				x.Ints()[x.Shape[0]-1-i] = tensor.Wrap(typ, rapid.Int64().Draw(t, "int"))
			}
		}
		var b, again bytes.Buffer
		if err := x.WriteBytes(&b); err != nil {
			t.Fatal(err)
		}
		y := tensor.FromBytes(typ, x.Shape, b.Bytes())
		if err := y.WriteBytes(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Fatal("the bytes differ")
		}
		for i := range x.Shape[0] {
			if typ.Float() && x.Floats()[i] != y.Floats()[i] || !typ.Float() && x.Ints()[i] != y.Ints()[i] {
				t.Fatalf("value %d of %v differs", i, typ)
			}
		}
	})
}

func TestShapeCheck(t *testing.T) {
	for _, c := range []struct {
		s    tensor.Shape
		want string
	}{
		{tensor.Shape{}, ""},
		{tensor.Shape{0, 5}, ""},
		{tensor.Shape{1 << 20, 1 << 20}, ""},
		{tensor.Shape{1 << 20, 1 << 20, 2}, "shape 1048576x1048576x2: at most 2^40 values wanted"},
		{tensor.Shape{0, 1 << 62, 1 << 62}, "shape 0x4611686018427387904x4611686018427387904: at most 2^40 values wanted"},
		{tensor.Shape{1, -1}, "shape 1x-1: extents of 0 or more wanted"},
		{make(tensor.Shape, 65), "65 dimensions: at most 64 wanted"},
	} {
		got := ""
		if err := c.s.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
