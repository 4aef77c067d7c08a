package vector

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas/gonum"
	"pgregory.net/rapid"
)

// everywhere runs a test with the loops in Go and with each kind of instructions that this CPU has.
func everywhere(t *testing.T, test func(t *testing.T)) {
	defer func(old *instructions) { use = old }(use)
	for _, use = range append(available(), nil) {
		name := "Go"
		if use != nil {
			name = use.name
		}
		t.Run(name, test)
	}
}

// values draws numbers, some of them special.
func values(t *rapid.T, n int, name string) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
		math.SmallestNonzeroFloat32, math.MaxFloat32, 65504, 65520, 0x1p-14, 0x1p-24, 0x1p-25, 0x1.8p-24, 1, -1}
	seed := rapid.Uint32().Draw(t, name)
	usual := rapid.Bool().Draw(t, name+" are usual")
	v := make([]float32, n)
	for i := range v {
		seed = seed*1664525 + 1013904223
		switch r := seed >> 8; {
		case usual || r%8 > 1:
			v[i] = float32(int32(seed)) * 0x1p-31
		case r%8 == 0:
			v[i] = special[r/8%uint32(len(special))]
		default:
			v[i] = math.Float32frombits(seed * 2654435761)
		}
	}
	return v
}

// same wants equal bits, but that any NaN is as good.
func same[T float32 | float64](t *rapid.T, what string, got, want []T) {
	bits := func(v T) uint64 { return math.Float64bits(float64(v)) }
	for i := range want {
		if bits(got[i]) != bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
			t.Fatalf("%s: value %d of %d is %v (%x), want %v (%x)", what, i, len(want), got[i], bits(got[i]), want[i], bits(want[i]))
		}
	}
}

// TestMulAdd: every element is the sum in the order of k, and nothing else is written.
func TestMulAdd(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			m, n, k := rapid.IntRange(0, 19).Draw(t, "m"), Columns*rapid.IntRange(0, 5).Draw(t, "n"), rapid.IntRange(0, 40).Draw(t, "k")
			gap := func(name string) int { return rapid.IntRange(0, 3).Draw(t, name) }
			stepA, stepB, stepC := k+gap("a"), n+gap("b"), n+gap("c")
			a, b, c := values(t, m*stepA, "a"), values(t, k*stepB, "b"), values(t, m*stepC, "c")
			want := slices.Clone(c)
			for i := range m {
				for j := range n {
					for l := range k {
						want[i*stepC+j] += float32(a[i*stepA+l] * b[l*stepB+j])
					}
				}
			}
			wide := func(v []float32) []float64 {
				w := make([]float64, len(v))
				for i, x := range v {
					w[i] = float64(x)
				}
				return w
			}
			aw, bw, cw := wide(a), wide(b), wide(c)
			wantWide := slices.Clone(cw)
			for i := range m {
				for j := range n {
					for l := range k {
						wantWide[i*stepC+j] += aw[i*stepA+l] * bw[l*stepB+j]
					}
				}
			}
			MulAdd(Matrix[float32]{c, stepC}, Matrix[float32]{a, stepA}, Matrix[float32]{b, stepB}, m, n, k)
			same(t, "product", c, want)
			MulAddWide(Matrix[float64]{cw, stepC}, Matrix[float64]{aw, stepA}, Matrix[float64]{bw, stepB}, m, n, k)
			same(t, "wide product", cw, wantWide)
		})
	})
}

// TestBounds: what does not fit is a panic, not a write beyond.
func TestBounds(t *testing.T) {
	v := func(n int) []float32 { return make([]float32, n) }
	m := func(n, step int) Matrix[float32] { return Matrix[float32]{v(n), step} }
	everywhere(t, func(t *testing.T) {
		for name, f := range map[string]func(){
			"c is short":        func() { MulAdd(m(31, 16), m(6, 3), m(48, 16), 2, 16, 3) },
			"a is short":        func() { MulAdd(m(32, 16), m(5, 3), m(48, 16), 2, 16, 3) },
			"b is short":        func() { MulAdd(m(32, 16), m(6, 3), m(47, 16), 2, 16, 3) },
			"rows overlap":      func() { MulAdd(m(32, 15), m(6, 3), m(48, 16), 2, 16, 3) },
			"columns":           func() { MulAdd(m(34, 17), m(6, 3), m(51, 17), 2, 17, 3) },
			"taps":              func() { SumTaps(v(64), v(65), v(2), []int{0, 2}) },
			"more taps":         func() { SumTaps(v(64), v(65), v(3), []int{0, 1}) },
			"a short summand":   func() { Add(v(64), v(64), v(63)) },
			"a short x":         func() { Shift(v(64), v(63), 1) },
			"nothing to clamp":  func() { Clamp(v(64), v(63), 0, 1) },
			"nothing to scale":  func() { Affine(v(64), v(63), 0, 1, 0) },
			"a short row":       func() { Dots(v(2), v(9), m(17, 9), 0) },
			"a head too long":   func() { Dots(v(2), v(9), m(18, 9), 10) },
			"float16 is short":  func() { Float16(v(64), v(63)) },
			"bfloat16 is short": func() { BFloat16(v(64), v(63)) },
		} {
			t.Run(name, func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				f()
			})
		}
	})
}

func TestSumTaps(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n, taps := rapid.IntRange(0, 300).Draw(t, "n"), rapid.IntRange(0, 12).Draw(t, "taps")
			y, x, w := values(t, n, "y"), values(t, n+50, "x"), values(t, taps, "w")
			at := rapid.SliceOfN(rapid.IntRange(0, 50), taps, taps).Draw(t, "at")
			want := slices.Clone(y)
			for i := range want {
				for k, a := range at {
					want[i] += float32(w[k] * x[a+i])
				}
			}
			SumTaps(y, x, w, at)
			same(t, "sums", y, want)
		})
	})
}

func TestElements(t *testing.T) {
	bounds := []float32{0, float32(math.Copysign(0, -1)), 6, -1, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.MaxFloat32}
	everywhere(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(0, 100).Draw(t, "n")
			x, z, y := values(t, n, "x"), values(t, n, "z"), make([]float32, n)
			lo, hi := rapid.SampledFrom(bounds).Draw(t, "lo"), rapid.SampledFrom(bounds).Draw(t, "hi")
			hold := func(what string, want func(i int) float32) {
				all := make([]float32, n)
				for i := range all {
					all[i] = want(i)
				}
				same(t, what, y, all)
			}
			Add(y, x, z)
			hold("sum", func(i int) float32 { return x[i] + z[i] })
			Shift(y, x, lo)
			hold("shifted", func(i int) float32 { return x[i] + lo })
			Clamp(y, x, lo, hi)
			hold(fmt.Sprintf("clamped to %v, %v", lo, hi), func(i int) float32 { return min(max(x[i], lo), hi) })
			mean, scale, bias := float64(lo)/3, float64(hi)*0.3, rapid.Float64().Draw(t, "bias")
			Affine(y, x, mean, scale, bias)
			hold("affine", func(i int) float32 { return float32(float64((float64(x[i])-mean)*scale) + bias) })
			Float16(y, x)
			hold("float16", func(i int) float32 { return ToFloat16(x[i]) })
			BFloat16(y, x)
			hold("bfloat16", func(i int) float32 { return ToBFloat16(x[i]) })
		})
	})
}

// TestDots: one order of additions everywhere, and that of the library that sums were made with before where it is known.
func TestDots(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			rows, n, gap := rapid.IntRange(0, 18).Draw(t, "rows"), rapid.IntRange(0, 70).Draw(t, "n"), rapid.IntRange(0, 3).Draw(t, "gap")
			head := rapid.IntRange(0, n).Draw(t, "head")
			x, w, to := values(t, n, "x"), values(t, rows*(n+gap), "w"), make([]float32, rows)
			Dots(to, x, Matrix[float32]{w, n + gap}, head)
			want := make([]float32, rows)
			for i := range want {
				want[i] = dot(x, w[i*(n+gap):][:n], head)
			}
			same(t, "sums", to, want)
		})
	})
}

func TestSquares(t *testing.T) {
	for n := range 12 {
		x, want := make([]float32, n), 0.0
		for i := range x {
			x[i] = float32(i + 1)
			want += float64((i + 1) * (i + 1))
		}
		if got := Squares(x); got != want {
			t.Errorf("%v: %v, want %v", x, got, want)
		}
	}
}

// TestDotOrder: gonum's Sdot on amd64 adds in the same order, with a head up to the first multiple of 16 bytes.
func TestDotOrder(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("gonum adds in another order here")
	}
	rapid.Check(t, func(t *rapid.T) {
		n, first := rapid.IntRange(8, 70).Draw(t, "n"), rapid.IntRange(0, 3).Draw(t, "first")
		x, w, to := values(t, n, "x"), values(t, first+n, "w")[first:], make([]float32, 1)
		Dots(to, x, Matrix[float32]{w, n}, (4-first)%4)
		same(t, "sum", to, []float32{gonum.Implementation{}.Sdot(n, x, 1, w, 1)})
	})
}

func BenchmarkMulAdd(b *testing.B) {
	defer func(old *instructions) { use = old }(use)
	for _, use = range available() {
		b.Run(use.name, func(b *testing.B) {
			const m, n, k = 256, 208, 128
			of := func(rows, n int) Matrix[float32] { return Matrix[float32]{make([]float32, rows*n), n} }
			x, y, z := of(m, n), of(m, k), of(k, n)
			for b.Loop() {
				MulAdd(x, y, z, m, n, k)
			}
			b.ReportMetric(2*m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
