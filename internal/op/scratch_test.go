package op

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestConvOfVastWindows convolves with values of the kernel 2^20 pixels apart and more: the memory is bounded.
func TestConvOfVastWindows(t *testing.T) {
	for _, name := range []string{"Conv", "ConvInteger"} {
		for dims := 1; dims <= 3; dims++ {
			for _, by := range [][2]int{{1 << 20, 1}, {1 << 20, 1 << 10}, {1 << 30, 1 << 20}, {1 << 31, 1 << 31}} {
				dilation, stride := by[0], by[1]
				each := func(v int) []int64 { return slices.Repeat([]int64{int64(v)}, dims) }
				shape := append(tensor.Shape{1, 1}, slices.Repeat([]int{2}, dims)...)
				x, w := fillInteger(shape, 1), fillInteger(shape, 2)
				in := []*tensor.Tensor{x, w}
				if name == "ConvInteger" {
					in = []*tensor.Tensor{x.Convert(tensor.Int8), w.Convert(tensor.Int8), tensor.New(tensor.Int8, tensor.Shape{}), tensor.New(tensor.Int8, tensor.Shape{})}
				}
				o, a, y := prepare(t, name, instance{Attrs{
					"kernel_shape": each(2), "strides": each(stride), "dilations": each(dilation),
					"pads": slices.Concat(each(dilation), each(0)), "group": int64(1),
				}, in})
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				o.Eval(a, in, y, tensor.Full(y.Shape))
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
					t.Errorf("%s of %d dimensions, dilation %d, stride %d: %d bytes allocated", name, dims, dilation, stride, n)
				}
				// The first output sees the first input, under the last value of the kernel.
				want, got := float64(x.Floats()[0]*w.Floats()[1<<dims-1]), 0.0
				if y.Type.Float() {
					got = float64(y.Floats()[0])
				} else {
					got = float64(y.Ints()[0])
				}
				if got != want {
					t.Errorf("%s of %d dimensions, dilation %d, stride %d: %v, %v wanted", name, dims, dilation, stride, got, want)
				}
			}
		}
	}
}

// TestConvIsOneInAllWays convolves channel by channel and by products of matrices, and finds runs once and again: every bit
// is the same.
func TestConvIsOneInAllWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, s, d, g := draw(t, "kernel", 1, 4), draw(t, "stride", 1, 4), draw(t, "dilation", 1, 5), draw(t, "group", 1, 3)
		size := d*(k-1) + 1 + draw(t, "more", 0, 9)
		x, w := fill(tensor.Float32, tensor.Shape{1, 3 * g, size, size}, 1), fill(tensor.Float32, tensor.Shape{2 * g, 3, k, k}, 2)
		pads := draw(t, "pads", 0, 4)
		_, a, y := prepare(t, "Conv", instance{Attrs{
			"kernel_shape": ints(k, k), "strides": ints(s, s), "dilations": ints(d, d), "pads": ints(pads, 0, 0, pads), "group": int64(g),
		}, []*tensor.Tensor{x, w}})
		out := tensor.Full(y.Shape)
		v := &convolution{x: x.Floats(), w: w.Floats(), y: y.Floats(), c: 3 * g, m: 2 * g, cg: 3, mg: 2}
		v.win, v.out = cube(windowsOf(a, x.Shape[2:], false), out[2:])
		layout, ok := v.newBand()
		if !ok {
			t.Fatal("no band")
		}
		v.channels(out, layout)
		other := *v
		other.y = make([]float32, len(v.y))
		for _, j := range other.jobs(out) {
			segs, n := other.segments(j.p), other.kernel()
			once, again := other.tapRuns(segs), func(tap int) []tapRun { return other.runsOf(tap, segs, nil) }
			for tap := range n {
				if fmt.Sprint(once(tap)) != fmt.Sprint(again(tap)) {
					t.Fatalf("value %d: %v once, %v again", tap, once(tap), again(tap))
				}
			}
			other.tile(j)
		}
		for i, got := range other.y {
			if math.Float32bits(got) != math.Float32bits(v.y[i]) {
				t.Fatalf("output %d: %v by channels, %v by products", i, v.y[i], got)
			}
		}
	})
}

// TestConvOfManyTaps has a kernel whose runs are not kept.
func TestConvOfManyTaps(t *testing.T) {
	const n, m = maxTaps + 1, fewChannels
	x, w := fillInteger(tensor.Shape{1, 1, n + 1}, 1), fillInteger(tensor.Shape{m, 1, n}, 2)
	in := []*tensor.Tensor{x, w}
	o, a, y := prepare(t, "Conv", instance{Attrs{
		"kernel_shape": ints(n), "strides": ints(1), "dilations": ints(1), "pads": ints(0, 0), "group": int64(1),
	}, in})
	o.Eval(a, in, y, tensor.Full(y.Shape))
	for i, got := range y.Floats() {
		var want float32
		for k := range n {
			want += x.Floats()[i%2+k] * w.Floats()[i/2*n+k]
		}
		if got != want {
			t.Errorf("output %d: %v, %v wanted", i, got, want)
		}
	}
}
