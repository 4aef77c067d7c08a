package pim

import (
	"math"
	"math/rand/v2"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/tensor"
)

// ends are sizes of weights at the ends of float32: sums that overflow or are subnormal.
var ends = []float64{1e38, 5e37, 1e-38, 1e-44}

// atEnd is a layer of such weights, with inputs and a bias of about the size that keeps sums at that end.
func atEnd(t fataler, size float64, bias bool) net {
	r := rand.New(rand.NewPCG(5, 6))
	n := reals(r, conv(t, r, tensor.Shape{1, 20, 6, 6}, 8, 1, 3, 1, 1, []int64{1, 1, 1, 1}, bias), 1, size, size)
	for _, w := range n.in[1:] {
		for i, v := range w.Floats() {
			if !finite(v) {
				w.Floats()[i] = float32(math.Copysign(math.MaxFloat32, float64(v)))
			}
		}
	}
	return n
}

// TestJudgeEnds: at the ends of float32 what the streams compute is right in each format, and a value that is moved, or one
// that is finite in place of an infinity, is seen.
func TestJudgeEnds(t *testing.T) {
	for _, name := range []string{"newton", "aim", "artifact"} {
		for _, format := range []string{"fp16", "bf16", "fp32"} {
			for i, size := range append(ends, ends...) {
				m := machineOf(t, name)
				inFormat(&m.PIM, format)
				n := atEnd(t, size, i < len(ends))
				code := compile(t, m, 4, n.g, n.g.Whole(n.id))
				_, tried := code.compared()
				for _, at := range tried {
					code.mapping = at.at(code.layer)
					judgeEnds(t, code, n)
				}
			}
		}
	}
}

// judgeEnds judges what a mapping computes, and then with a value that is wrong.
func judgeEnds(t *testing.T, code *mappedCode, n net) {
	right := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
	if err := code.Eval(n.in, right); err != nil {
		t.Fatal(err)
	}
	wrong := func(change func(y []float32)) device.Judgement {
		y := tensor.Floats32(right.Shape, append([]float32{}, right.Floats()...))
		change(y.Floats())
		return code.Judge(n.in, y)
	}
	if j := wrong(func([]float32) {}); j.Wrong > 0 || int(j.Compared+j.NotFinite) != right.Shape.Size() || j.Compared == 0 {
		t.Errorf("%v, %v: %+v, first %+v", code.device.format, code.mapping, j, j.First)
	}
	if j := wrong(func(y []float32) {
		for i, v := range y {
			if finite(v) {
				y[i] = v/2 + float32(math.Copysign(0x1p-145, float64(v)))
			}
		}
	}); float64(j.Wrong) < 0.9*float64(j.Compared) {
		t.Errorf("%v, %v: %d values wrong of %d halved", code.device.format, code.mapping, j.Wrong, j.Compared)
	}
	infinite := 0
	if j := wrong(func(y []float32) {
		for i, v := range y {
			if !finite(v) {
				y[i], infinite = 1e38, infinite+1
			}
		}
	}); float64(j.Wrong) < 0.9*float64(infinite) {
		t.Errorf("%v, %v: %d values wrong of %d in place of infinities", code.device.format, code.mapping, j.Wrong, infinite)
	}
}

// TestWanted: steps at the ends of float32, by hand.
func TestWanted(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		about      string
		from       wanted
		step       func(w *wanted)
		low, high  float64 // of what is right
		plus, less bool    // infinities are right
	}{
		{"beyond the largest", wanted{value: 0x1p128, bound: 1}, (*wanted).limit, inf, inf, true, false},
		{"perhaps beyond", wanted{value: 0x1p128, bound: 0x1p104}, (*wanted).limit, 0x1p128 - 0x1p104, 0x1p128 + 0x1p104, true, false},
		{"below the least", wanted{value: -0x1p129}, (*wanted).limit, -inf, -inf, false, true},
		{"a division up", wanted{value: 0x1p100}, func(w *wanted) { w.divide(-30) }, inf, inf, true, false},
		{"a division down", wanted{value: 3}, func(w *wanted) { w.divide(150) }, 0x1p-149, 0x1p-148, false, false},
		{"no division", wanted{value: 3}, func(w *wanted) { w.divide(0) }, 3, 3, false, false},
		{"-4 times", wanted{value: 0x1p127, over: true}, func(w *wanted) { w.scale(-4) }, -inf, -inf, false, true},
		{"0 times", wanted{value: 1, over: true}, func(w *wanted) { w.scale(0) }, -0x1p-150, 0x1p-150, true, true},
		{"a bias beyond", wanted{value: -0x1p127}, func(w *wanted) { w.add(0x1p129) }, inf, inf, true, false},
		{"to float16", wanted{value: 65519, bound: 0.5}, func(w *wanted) { w.round(tensor.Float16) }, 65504, 65504, false, false},
		{"perhaps beyond float16", wanted{value: 65519, bound: 1.5}, func(w *wanted) { w.round(tensor.Float16) }, 65472, 65536, true, false},
		{"beyond float16", wanted{value: -70000, bound: 1}, func(w *wanted) { w.round(tensor.Float16) }, -inf, -inf, false, true},
		{"subnormal in float16", wanted{value: 0x1.8p-24, bound: 0x1p-26}, func(w *wanted) { w.round(tensor.Float16) }, 0x1p-24, 0x1p-23 + 0x1p-24, false, false},
	} {
		w := c.from
		c.step(&w)
		low, high := w.value-w.bound, w.value+w.bound
		if low != c.low || high != c.high || w.over != c.plus || w.under != c.less || w.allows(inf) != c.plus || w.allows(-inf) != c.less || w.allows(math.NaN()) != (c.plus && c.less) {
			t.Errorf("%s: %v to %v, %+v", c.about, low, high, w)
		}
	}
}
