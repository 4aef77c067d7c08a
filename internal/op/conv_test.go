package op

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// TestConvIsItsDefinition compares with the seven loops of the definition on
// integers, of which every sum is exact.
func TestConvIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var kernel, stride, dilation, pads [2]int
		var ends [2]int
		var size [2]int
		for d := range kernel {
			kernel[d], stride[d], dilation[d] = draw(t, "kernel", 1, 7), draw(t, "stride", 1, 4), draw(t, "dilation", 1, 3)
			pads[d], ends[d] = draw(t, "begin", 0, 5), draw(t, "end", 0, 5)
			size[d] = max(1, dilation[d]*(kernel[d]-1)+1-pads[d]-ends[d]) + draw(t, "more", 0, 20)
		}
		g, cg, mg := draw(t, "group", 1, 4), draw(t, "cg", 1, 9), draw(t, "mg", 1, 9)
		x := fillInteger(tensor.Shape{draw(t, "n", 1, 2), g * cg, size[0], size[1]}, 1)
		w := fillInteger(tensor.Shape{g * mg, cg, kernel[0], kernel[1]}, 2)
		b := fillInteger(tensor.Shape{g * mg}, 3)
		o, a, y := prepare(t, "Conv", instance{Attrs{
			"kernel_shape": ints(kernel[:]...), "strides": ints(stride[:]...), "dilations": ints(dilation[:]...),
			"pads": ints(pads[0], pads[1], ends[0], ends[1]), "group": int64(g),
		}, []*tensor.Tensor{x, w, b}})
		o.Eval(a, []*tensor.Tensor{x, w, b}, y, tensor.Full(y.Shape))
		for d := range size {
			if want := (size[d]+pads[d]+ends[d]-dilation[d]*(kernel[d]-1)-1)/stride[d] + 1; y.Shape[2+d] != want {
				t.Fatalf("shape %v: %d wanted", y.Shape, want)
			}
		}
		i := 0
		for n := range y.Shape[0] {
			for m := range y.Shape[1] {
				for oh := range y.Shape[2] {
					for ow := range y.Shape[3] {
						sum := b.Floats()[m]
						for c := range cg {
							for kh := range kernel[0] {
								for kw := range kernel[1] {
									ih, iw := oh*stride[0]-pads[0]+kh*dilation[0], ow*stride[1]-pads[1]+kw*dilation[1]
									if ih >= 0 && ih < size[0] && iw >= 0 && iw < size[1] {
										sum += x.Floats()[((n*g*cg+m/mg*cg+c)*size[0]+ih)*size[1]+iw] * w.Floats()[((m*cg+c)*kernel[0]+kh)*kernel[1]+kw]
									}
								}
							}
						}
						if got := y.Floats()[i]; got != sum {
							t.Fatalf("%v at %d: %v, %v wanted", y.Shape, i, got, sum)
						}
						i++
					}
				}
			}
		}
	})
}

// TestConvTransposeIsItsDefinition scatters every input as the definition does.
func TestConvTransposeIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawTransposed(t)
		for i, v := range x.in {
			x.in[i] = fillInteger(v.Shape, i)
		}
		o, a, y := prepare(t, "ConvTranspose", x)
		o.Eval(a, x.in, y, tensor.Full(y.Shape))
		want := tensor.New(y.Type, y.Shape)
		if len(x.in) > 2 {
			move(want, tensor.Full(y.Shape), x.in[2], view{0, append([]int{0, 1}, make([]int, len(y.Shape)-2)...)})
		}
		xs, ws := x.in[0].Shape, x.in[1].Shape
		cg := xs[1] / a.Int("group")
		each(xs, func(i []int, xo int) {
			each(ws[1:], func(k []int, wo int) {
				at := []int{i[0], i[1]/cg*ws[1] + k[0]}
				for d := range i[2:] {
					at = append(at, i[2+d]*a.Ints("strides")[d]-a.Ints("pads")[d]+k[1+d]*a.Ints("dilations")[d])
				}
				off := 0
				for d, st := range y.Shape.Strides() {
					if at[d] < 0 || at[d] >= y.Shape[d] {
						return
					}
					off += at[d] * st
				}
				want.Floats()[off] += x.in[0].Floats()[xo] * x.in[1].Floats()[i[1]*ws[1:].Size()+wo]
			})
		})
		if !sameBits(y, want) {
			t.Fatalf("got %v\nwant %v", y.Floats(), want.Floats())
		}
	})
}

// each calls f for every index of s and its offset.
func each(s tensor.Shape, f func(idx []int, off int)) {
	for off := range s.Size() {
		idx, rest := make([]int, len(s)), off
		for d := len(s) - 1; d >= 0; d-- {
			idx[d], rest = rest%s[d], rest/s[d]
		}
		f(idx, off)
	}
}

func fillInteger(s tensor.Shape, seed int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, s)
	for i := range x.Floats() {
		x.Floats()[i] = float32(hash(i, seed)%9 - 4)
	}
	return x
}

// TestProductsAreTheirDefinition multiplies matrices larger than the blocks.
func TestProductsAreTheirDefinition(t *testing.T) {
	for _, trans := range []int64{0, 1} {
		const m, n, k = 260, 200, 130
		as, bs := tensor.Shape{m, k}, tensor.Shape{k, n}
		if trans == 1 {
			as, bs = tensor.Shape{k, m}, tensor.Shape{n, k}
		}
		in := []*tensor.Tensor{fillInteger(as, 1), fillInteger(bs, 2)}
		o, a, y := prepare(t, "Gemm", instance{Attrs{"transA": trans, "transB": trans}, in})
		o.Eval(a, in, y, tensor.Full(y.Shape))
		for i := range m {
			for j := range n {
				var sum float32
				for l := range k {
					if trans == 1 {
						sum += in[0].Floats()[l*m+i] * in[1].Floats()[j*k+l]
					} else {
						sum += in[0].Floats()[i*k+l] * in[1].Floats()[l*n+j]
					}
				}
				if y.Floats()[i*n+j] != sum {
					t.Fatalf("transposed %d, %d %d: %v, %v wanted", trans, i, j, y.Floats()[i*n+j], sum)
				}
			}
		}
	}
}

// TestLargeCutsAreExact cuts values larger than the blocks of a product, whose
// sums are not exact: every bit must be that of the whole all the same.
func TestLargeCutsAreExact(t *testing.T) {
	conv := Attrs{"kernel_shape": ints(3, 3), "strides": ints(1, 1), "pads": ints(1, 1, 1, 1), "dilations": ints(1, 1)}
	for _, c := range []struct {
		name string
		x    instance
	}{
		{"Conv", instance{conv, []*tensor.Tensor{fillIrrational(tensor.Shape{1, 40, 30, 31}, 1), fillIrrational(tensor.Shape{90, 40, 3, 3}, 2)}}},
		{"Gemm", instance{nil, []*tensor.Tensor{fillIrrational(tensor.Shape{300, 400}, 1), fillIrrational(tensor.Shape{400, 250}, 2)}}},
		{"MatMul", instance{nil, []*tensor.Tensor{fillIrrational(tensor.Shape{2, 70, 400}, 1), fillIrrational(tensor.Shape{2, 400, 250}, 2)}}},
	} {
		o, a, whole := prepare(t, c.name, c.x)
		o.Eval(a, c.x.in, whole, tensor.Full(whole.Shape))
		got := tensor.New(whole.Type, whole.Shape)
		for d, n := range whole.Shape {
			for lo := 0; lo < n; {
				hi := min(n, lo+1+hash(lo, d)%100)
				o.Eval(a, c.x.in, got, tensor.Full(whole.Shape).With(d, tensor.Range{Lo: lo, Hi: hi}))
				lo = hi
			}
			if !sameBits(got, whole) {
				t.Errorf("%s cut along dimension %d", c.name, d)
			}
		}
	}
}

func fillIrrational(s tensor.Shape, seed int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, s)
	for i := range x.Floats() {
		x.Floats()[i] = float32(math.Sin(float64(hash(i, seed) % 1000)))
	}
	return x
}

// TestZeroTimesInfinity: a weight of zero does not hide an infinity.
func TestZeroTimesInfinity(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, m := range []int{1, fewChannels} { // both ways of convolving
		x := tensor.Floats32(tensor.Shape{1, 1, 3}, []float32{1, inf, 2})
		w := tensor.New(tensor.Float32, tensor.Shape{m, 1, 1})
		a := Attrs{"kernel_shape": ints(1), "strides": ints(1), "pads": ints(0, 0), "dilations": ints(1)}
		o, a, y := prepare(t, "Conv", instance{a, []*tensor.Tensor{x, w}})
		o.Eval(a, []*tensor.Tensor{x, w}, y, tensor.Full(y.Shape))
		if got := fmt.Sprint(y.Floats()[:3]); got != "[0 NaN 0]" {
			t.Errorf("%d channels: %s", m, got)
		}
	}
	a, b := tensor.New(tensor.Float32, tensor.Shape{1, 2}), tensor.Floats32(tensor.Shape{2, 1}, []float32{inf, 1})
	o, attrs, y := prepare(t, "MatMul", instance{nil, []*tensor.Tensor{a, b}})
	o.Eval(attrs, []*tensor.Tensor{a, b}, y, tensor.Full(y.Shape))
	if v := y.Floats()[0]; v == v {
		t.Errorf("MatMul: %v", v)
	}
}

func BenchmarkConv(b *testing.B) {
	for _, c := range []struct {
		name            string
		n, m, size, k   int
		groups, strides int
	}{
		{"3x3x256x256/14", 256, 256, 14, 3, 1, 1},
		{"3x3x64x64/112", 64, 64, 112, 3, 1, 1},
		{"1x1x256x1024/14", 256, 1024, 14, 1, 1, 1},
		{"1x1x2048x512/7", 2048, 512, 7, 1, 1, 1},
		{"7x7x3x64/224", 3, 64, 224, 7, 1, 2},
		{"depthwise3x3x144/56", 144, 144, 56, 3, 144, 1},
		{"depthwise3x3x960/7", 960, 960, 7, 3, 960, 1},
		{"depthwise5x5x240/28", 240, 240, 28, 5, 240, 2},
		{"grouped3x3x256/14", 256, 256, 14, 3, 32, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			in := []*tensor.Tensor{fillIrrational(tensor.Shape{1, c.n, c.size, c.size}, 1), fillIrrational(tensor.Shape{c.m, c.n / c.groups, c.k, c.k}, 2)}
			p := c.k / 2
			o, a, y := prepare(b, "Conv", instance{Attrs{"kernel_shape": ints(c.k, c.k), "strides": ints(c.strides, c.strides),
				"pads": ints(p, p, p, p), "dilations": ints(1, 1), "group": int64(c.groups)}, in})
			full := tensor.Full(y.Shape)
			for b.Loop() {
				o.Eval(a, in, y, full)
			}
			macs := float64(o.MACs(a, []tensor.Shape{in[0].Shape, in[1].Shape}, full))
			b.ReportMetric(macs*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}

func BenchmarkPool(b *testing.B) {
	in := []*tensor.Tensor{fillIrrational(tensor.Shape{1, 64, 112, 112}, 1)}
	for _, name := range []string{"MaxPool", "AveragePool"} {
		b.Run(name, func(b *testing.B) {
			o, a, y := prepare(b, name, instance{Attrs{"kernel_shape": ints(3, 3), "strides": ints(2, 2), "pads": ints(1, 1, 1, 1), "dilations": ints(1, 1)}, in})
			for b.Loop() {
				o.Eval(a, in, y, tensor.Full(y.Shape))
			}
		})
	}
}

func BenchmarkGemm(b *testing.B) {
	in := []*tensor.Tensor{fillIrrational(tensor.Shape{1, 4096}, 1), fillIrrational(tensor.Shape{4096, 4096}, 2)}
	o, a, y := prepare(b, "Gemm", instance{Attrs{"transB": int64(1)}, in})
	for b.Loop() {
		o.Eval(a, in, y, tensor.Full(y.Shape))
	}
	b.ReportMetric(float64(in[1].Shape.Size())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}
