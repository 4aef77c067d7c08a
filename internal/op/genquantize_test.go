package op

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

func init() {
	for _, name := range passed {
		generators[QLinear(name)] = drawPassed(name)
	}
	for i := range integerOps {
		generators[integerOps[i].Name] = drawIntegerProduct(&integerOps[i])
	}
	generators["QuantizeLinear"] = func(t *rapid.T) instance {
		typ := rapid.SampledFrom([]tensor.Type{tensor.Float32, tensor.Float16, tensor.Int32}).Draw(t, "type")
		x := fill(typ, drawShape(t, 1, 4), 1)
		a, scale, zero := drawScales(t, x.Shape, eight(t))
		return instance{a, []*tensor.Tensor{x, scale, zero}}
	}
	generators["DequantizeLinear"] = func(t *rapid.T) instance {
		typ := rapid.SampledFrom([]tensor.Type{tensor.Int8, tensor.Uint8, tensor.Int32}).Draw(t, "type")
		x := fill(typ, drawShape(t, 1, 4), 1)
		a, scale, zero := drawScales(t, x.Shape, typ)
		return instance{a, []*tensor.Tensor{x, scale, zero}}
	}
	for _, name := range []string{"DynamicQuantizeScale", "DynamicQuantizeZeroPoint"} {
		generators[name] = func(t *rapid.T) instance {
			return instance{in: []*tensor.Tensor{fill(tensor.Float32, drawShape(t, 0, 3), 1)}}
		}
	}
}

func eight(t *rapid.T) tensor.Type {
	return rapid.SampledFrom([]tensor.Type{tensor.Int8, tensor.Uint8}).Draw(t, "integers")
}

// drawScales draws scales and zero points of a value: one, one an index of an axis, or one a block.
func drawScales(t *rapid.T, s tensor.Shape, typ tensor.Type) (a Attrs, scale, zero *tensor.Tensor) {
	d := drawAxis(t, len(s))
	a = Attrs{"axis": d}
	n := s[(int(d)+len(s))%len(s)]
	of := tensor.Shape{n}
	switch draw(t, "scales", 0, 2) {
	case 0:
		of = tensor.Shape{}
	case 1:
		b := draw(t, "block", 1, 3)
		a["block_size"] = int64(b)
		of = s.Clone()
		of[(int(d)+len(s))%len(s)] = ceilDiv(n, b)
	}
	return a, positive(fill(tensor.Float32, of, 5)), fill(typ, of, 6)
}

func scalarScale(seed int) *tensor.Tensor {
	return positive(fill(tensor.Float32, tensor.Shape{}, seed))
}

func eights(typ tensor.Type, s tensor.Shape, seed int) *tensor.Tensor {
	lo, hi := bounds(typ)
	return fillInts(typ, s, seed, int(lo), int(hi))
}

// drawPassed makes the operands of an operator integers.
func drawPassed(name string) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		real := generators[name](t)
		x := instance{attrs: real.attrs}
		for i, v := range real.in {
			x.in = append(x.in, eights(eight(t), v.Shape, i))
		}
		for i, v := range slices.Clone(x.in) {
			x.in = append(x.in, scalarScale(i), eights(v.Type, tensor.Shape{}, 7+i))
		}
		x.in = append(x.in, scalarScale(9), eights(eight(t), tensor.Shape{}, 3))
		return x
	}
}

func drawIntegerProduct(o *Op) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		real := map[string]func(*rapid.T) instance{"Conv": drawConv, "Gemm": drawGemm, "MatMul": drawMatMul}[o.Real](t)
		if real.attrs["beta"] != nil {
			real.attrs["beta"] = float32(1)
		}
		if real.attrs == nil {
			real.attrs = Attrs{}
		}
		typ := [2]tensor.Type{eight(t), eight(t)}
		x := instance{attrs: real.attrs, in: []*tensor.Tensor{eights(typ[0], real.in[0].Shape, 1), eights(typ[1], real.in[1].Shape, 2)}}
		a, _ := real.attrs.Complete(generatedRow(o.Real))
		outs, _ := weightOutputs(o.Real, a, real.in[1].Shape)
		each := tensor.Shape{}
		if rapid.Bool().Draw(t, "each output") {
			each = tensor.Shape{outs}
		}
		xs, xz := scalarScale(1), eights(typ[0], tensor.Shape{}, 2)
		ws, wz := positive(fill(tensor.Float32, each, 3)), eights(typ[1], each, 4)
		bias := tensor.Int32
		switch o.product.result {
		case sumResult:
			x.in = append(x.in, xz, wz)
			return x
		case realResult:
			x.in = append(x.in, xs, xz, ws, wz)
			bias = tensor.Float32
		case integerResult:
			x.in = append(x.in, xs, xz, ws, wz, scalarScale(5), eights(eight(t), tensor.Shape{}, 5))
			if rapid.Bool().Draw(t, "clamped") {
				x.attrs["low"], x.attrs["high"] = int64(3), int64(90)
			}
		}
		if len(real.in) > 2 && o.MaxIn > len(x.in) {
			x.in = append(x.in, fill(bias, real.in[2].Shape, 6))
		}
		return x
	}
}

func generatedRow(name string) *Op {
	o, err := Lookup(name)
	if err != nil {
		panic(err)
	}
	return o
}

// TestIntegerProducts compares products on integers with sums in integers by their definition, on depths beyond what
// float32 adds exactly.
func TestIntegerProducts(t *testing.T) {
	const m, k, n = 3, 1000, 5
	x, w := tensor.New(tensor.Uint8, tensor.Shape{m, k}), tensor.New(tensor.Int8, tensor.Shape{k, n})
	for i := range x.Ints() {
		x.Ints()[i] = 255 - int64(hash(i, 1)%3)
	}
	for i := range w.Ints() {
		w.Ints()[i] = 127 - int64(hash(i, 2)%3)
	}
	zx, zw := tensor.New(tensor.Uint8, tensor.Shape{}), tensor.New(tensor.Int8, tensor.Shape{})
	zw.Ints()[0] = -128
	o, a, y := prepare(t, "MatMulInteger", instance{in: []*tensor.Tensor{x, w, zx, zw}})
	o.Eval(a, []*tensor.Tensor{x, w, zx, zw}, y, tensor.Full(y.Shape))
	for i := range m {
		for j := range n {
			sum := int64(0)
			for l := range k {
				sum += x.Ints()[i*k+l] * (w.Ints()[l*n+j] + 128)
			}
			if got := y.Ints()[i*n+j]; got != sum {
				t.Errorf("[%d %d] is %d: %d wanted", i, j, got, sum)
			}
		}
	}
	// The same as a convolution of one pixel with 1000 channels, and as one of 1000 taps of a single channel.
	wt := tensor.New(tensor.Int8, tensor.Shape{n, k, 1})
	for i := range w.Ints() {
		wt.Ints()[i%n*k+i/n] = w.Ints()[i]
	}
	for _, c := range []struct{ x, w tensor.Shape }{{tensor.Shape{m, k, 1}, tensor.Shape{n, k, 1}}, {tensor.Shape{m, 1, k}, tensor.Shape{n, 1, k}}} {
		in := []*tensor.Tensor{x.Reshape(c.x), wt.Reshape(c.w), zx, zw}
		kernel := int64(c.w[2])
		attrs := Attrs{"kernel_shape": []int64{kernel}, "strides": []int64{1}, "dilations": []int64{1}, "pads": []int64{0, 0}}
		o, a, z := prepare(t, "ConvInteger", instance{attrs, in})
		o.Eval(a, in, z, tensor.Full(z.Shape))
		if !slices.Equal(z.Ints(), y.Ints()) {
			t.Errorf("ConvInteger of %v by %v: %v; %v wanted", c.x, c.w, z.Ints(), y.Ints())
		}
	}
}

// TestQuantize: ties go to even, values saturate, and NaN is the least integer.
func TestQuantize(t *testing.T) {
	for _, c := range []struct {
		x      float32
		zero   int64
		typ    tensor.Type
		wanted int64
	}{
		{0.5, 0, tensor.Uint8, 0}, {1.5, 0, tensor.Uint8, 2}, {2.5, 1, tensor.Uint8, 3}, {-0.5, 3, tensor.Int8, 3}, {-1.5, 0, tensor.Int8, -2},
		{1e30, 128, tensor.Uint8, 255}, {-1e30, 128, tensor.Uint8, 0}, {127.4, 1, tensor.Int8, 127}, {-200, 0, tensor.Int8, -128},
		{float32(nan()), 9, tensor.Int8, -128}, {float32(nan()), 9, tensor.Uint8, 0},
	} {
		lo, hi := bounds(c.typ)
		if got := quantize(c.x, c.zero, lo, hi); got != c.wanted {
			t.Errorf("%v with zero point %d in %v is %d: %d wanted", c.x, c.zero, c.typ, got, c.wanted)
		}
	}
}

func nan() float64 { var zero float64; return zero / zero }
