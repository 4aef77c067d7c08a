package tensor

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func drawShape(t *rapid.T) Shape {
	return rapid.SliceOfN(rapid.IntRange(1, 5), 0, 4).Draw(t, "shape")
}

func drawBox(t *rapid.T, s Shape, name string) Box {
	b := make(Box, len(s))
	for i, d := range s {
		lo := rapid.IntRange(0, d).Draw(t, name)
		b[i] = Range{lo, rapid.IntRange(lo, d).Draw(t, name)}
	}
	return b
}

// members lists the offsets of a box's values the slow way.
func members(b Box, s Shape) map[int]bool {
	m := map[int]bool{}
	st := s.Strides()
	for off := range s.Size() {
		in := true
		for i := range s {
			v := off / st[i] % s[i]
			in = in && v >= b[i].Lo && v < b[i].Hi
		}
		if in {
			m[off] = true
		}
	}
	return m
}

func TestBoxes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawShape(t)
		a, b := drawBox(t, s, "a"), drawBox(t, s, "b")
		ma, mb := members(a, s), members(b, s)
		seen, last := map[int]bool{}, -1
		a.Runs(s, func(off, n int) {
			for i := off; i < off+n; i++ {
				if i <= last || !ma[i] {
					t.Fatalf("run of %v visits %d after %d", a, i, last)
				}
				last, seen[i] = i, true
			}
		})
		if len(seen) != len(ma) || a.Size() != len(ma) {
			t.Fatalf("%v: %d values visited, size %d, %d wanted", a, len(seen), a.Size(), len(ma))
		}
		mi, contains := members(a.Intersect(b), s), true
		for i := range mb {
			contains = contains && ma[i]
			if mi[i] != ma[i] {
				t.Fatalf("%v and %v share %d: intersection says %v", a, b, i, mi[i])
			}
		}
		if a.Contains(b) != contains {
			t.Fatalf("%v contains %v: %v", a, b, a.Contains(b))
		}
		if h := a.Hull(b); !h.Contains(a) || !h.Contains(b) {
			t.Fatalf("hull %v of %v and %v", h, a, b)
		}
		if back, err := ParseBox(a.String()); err != nil || !back.Equal(a) {
			t.Fatalf("%v parsed as %v, %v", a, back, err)
		}
		if back, err := ParseShape(s.String()); err != nil || !back.Equal(s) {
			t.Fatalf("%v parsed as %v, %v", s, back, err)
		}
	})
}

func TestParseBoxErrors(t *testing.T) {
	for _, text := range []string{"", "[", "0:1", "[0]", "[1:0]", "[-1:2]", "[a:b]", "[0:1 2]", "[0:1"} {
		if b, err := ParseBox(text); err == nil {
			t.Errorf("%q parsed as %v", text, b)
		}
	}
}

func TestRound(t *testing.T) {
	for _, c := range []struct {
		typ     Type
		v, want float32
	}{
		{Float32, 0.1, 0.1},
		{Float16, 2049, 2048}, // ties to even
		{Float16, 2051, 2052},
		{Float16, 1 + 1.0/4096, 1},
		{Float16, 65520, float32(math.Inf(1))},
		{Float16, 5.9604645e-08, 5.9604645e-08}, // the smallest subnormal, 2^-24
		{BFloat16, 257, 256},
		{BFloat16, 259, 260},
		{BFloat16, -1.0 / 3, -0.33398438},
		{BFloat16, math.MaxFloat32, float32(math.Inf(1))},
	} {
		if got := Round(c.typ, c.v); got != c.want {
			t.Errorf("Round(%v, %v) = %v: %v wanted", c.typ, c.v, got, c.want)
		}
	}
	if nan := float32(math.NaN()); Round(BFloat16, nan) == Round(BFloat16, nan) {
		t.Error("a NaN became a number")
	}
}

func TestConvert(t *testing.T) {
	x := Floats32(Shape{4}, []float32{-1.7, 0, 2.9, 300})
	for _, c := range []struct {
		typ  Type
		want [4]int64
	}{
		{Int64, [4]int64{-1, 0, 2, 300}},
		{Uint8, [4]int64{255, 0, 2, 44}},
		{Bool, [4]int64{1, 0, 1, 1}},
	} {
		if got := [4]int64(x.Convert(c.typ).Ints()); got != c.want {
			t.Errorf("to %v: %v: %v wanted", c.typ, got, c.want)
		}
	}
	if got := Ints64(Shape{1}, []int64{2049}).Convert(Float16).Floats()[0]; got != 2048 {
		t.Errorf("2049 as float16 is %v", got)
	}
}

func TestLazyOnce(t *testing.T) {
	n := 0
	x := Lazy(Int64, Shape{2}, func() ([]float32, []int64) { n++; return nil, []int64{1, 2} })
	if n != 0 {
		t.Fatal("made before it was asked for")
	}
	if x.Ints()[1] != 2 || x.Reshape(Shape{2, 1}).Ints()[0] != 1 || n != 1 {
		t.Fatalf("made %d times: %v", n, x.Ints())
	}
}
