package op

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/tensor"
)

// instance is an operator with attributes and inputs that fit.
type instance struct {
	attrs Attrs
	in    []*tensor.Tensor
}

func (x instance) shapes() []tensor.Shape {
	s := make([]tensor.Shape, len(x.in))
	for i, t := range x.in {
		s[i] = t.Shape
	}
	return s
}

// prepare completes the attributes and returns the row and an empty value.
func prepare(t interface{ Fatalf(string, ...any) }, name string, x instance) (*Op, Attrs, *tensor.Tensor) {
	o, err := Lookup(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	a, err := x.attrs.Complete(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	types := make([]tensor.Type, len(x.in))
	for i, v := range x.in {
		types[i] = v.Type
	}
	typ := types[0]
	if o.Type != nil {
		if typ, err = o.Type(a, types); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	s, err := o.Shape(a, x.shapes())
	if err != nil {
		t.Fatalf("%s %v %v: %v", name, a, x.shapes(), err)
	}
	return o, a, tensor.New(typ, s)
}

func draw(t *rapid.T, name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }

func drawShape(t *rapid.T, lo, hi int) tensor.Shape {
	s := make(tensor.Shape, draw(t, "rank", lo, hi))
	for d := range s {
		s[d] = draw(t, "extent", 1, 5)
	}
	return s
}

// fillFloats returns a tensor of quarters from -4 to 4 in a hashed order.
func fillFloats(typ tensor.Type, s tensor.Shape, seed int) *tensor.Tensor {
	x := tensor.New(typ, s)
	for i := range x.Floats() {
		x.Floats()[i] = float32(hash(i, seed)%33-16) / 4
	}
	return x
}

func fillInts(typ tensor.Type, s tensor.Shape, seed, lo, hi int) *tensor.Tensor {
	x := tensor.New(typ, s)
	for i := range x.Ints() {
		x.Ints()[i] = int64(lo + hash(i, seed)%(hi-lo+1))
	}
	return x
}

func hash(i, seed int) int {
	h := uint32(i)*2654435761 + uint32(seed)*40503
	h ^= h >> 15
	h *= 2246822519
	h ^= h >> 13
	return int(h >> 1)
}

func floatType(t *rapid.T) tensor.Type {
	return rapid.SampledFrom([]tensor.Type{tensor.Float32, tensor.Float32, tensor.Float16, tensor.BFloat16}).Draw(t, "type")
}

func positive(x *tensor.Tensor) *tensor.Tensor {
	for i, v := range x.Floats() {
		x.Floats()[i] = float32(math.Abs(float64(v))) + 0.5
	}
	return x
}

func ints(v ...int) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

// drawUnary makes instances of element-wise operators, of integers too.
func drawUnary(types ...tensor.Type) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		typ := rapid.SampledFrom(append(types, tensor.Float32, tensor.Float16)).Draw(t, "type")
		return instance{in: []*tensor.Tensor{fill(typ, drawShape(t, 0, 4), 1)}}
	}
}

func fill(typ tensor.Type, s tensor.Shape, seed int) *tensor.Tensor {
	switch {
	case typ.Float():
		return fillFloats(typ, s, seed)
	case typ == tensor.Bool:
		return fillInts(typ, s, seed, 0, 1)
	case typ == tensor.Uint8:
		return fillInts(typ, s, seed, 0, 9)
	}
	return fillInts(typ, s, seed, -9, 9)
}

// drawBroadcast makes instances of n inputs that broadcast to each other.
func drawBroadcast(n int, types ...tensor.Type) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		s := drawShape(t, 0, 4)
		var x instance
		for i := range n {
			x.in = append(x.in, fill(typ, narrower(t, s), i))
		}
		return x
	}
}

// narrower is a shape that broadcasts to s.
func narrower(t *rapid.T, s tensor.Shape) tensor.Shape {
	n := s[draw(t, "missing", 0, len(s)):].Clone()
	for d := range n {
		if rapid.Bool().Draw(t, "one") {
			n[d] = 1
		}
	}
	return n
}

func drawWindows(t *rapid.T, spatial, more int) (Attrs, []int, tensor.Shape) {
	var kernel, stride, dilation, begin, end []int
	var x tensor.Shape
	for range spatial {
		k, d := draw(t, "kernel", 1, 4), draw(t, "dilation", 1, 3)
		ext := d*(k-1) + 1
		b, e := draw(t, "begin", 0, ext-1), draw(t, "end", 0, ext-1)
		kernel, dilation, begin, end = append(kernel, k), append(dilation, d), append(begin, b), append(end, e)
		stride = append(stride, draw(t, "stride", 1, 4))
		x = append(x, max(1, ext-b-e)+draw(t, "more", 0, more))
	}
	return Attrs{"kernel_shape": ints(kernel...), "strides": ints(stride...), "pads": ints(append(begin, end...)...), "dilations": ints(dilation...)}, kernel, x
}

func drawConv(t *rapid.T) instance { return drawConvOf(t, 6) }

func drawConvOf(t *rapid.T, more int) instance {
	a, kernel, x := drawWindows(t, draw(t, "spatial", 1, 3), more)
	g, cg, mg := draw(t, "group", 1, 3), draw(t, "cg", 1, 3), draw(t, "mg", 1, 6)
	a["group"] = int64(g)
	typ := floatType(t)
	in := []*tensor.Tensor{
		fill(typ, append(tensor.Shape{draw(t, "n", 1, 2), g * cg}, x...), 1),
		fill(typ, append(tensor.Shape{g * mg, cg}, kernel...), 2),
	}
	if rapid.Bool().Draw(t, "bias") {
		in = append(in, fill(typ, tensor.Shape{g * mg}, 3))
	}
	return instance{a, in}
}

func drawTransposed(t *rapid.T) instance {
	x := drawConvOf(t, 0)
	g := x.attrs.Int("group")
	w := x.in[1]
	ws := w.Shape.Clone()
	ws[0], ws[1] = x.in[0].Shape[1], w.Shape[0]/g
	x.in[1] = fill(w.Type, ws, 2)
	xs := x.in[0].Shape.Clone()
	for d := range xs[2:] {
		xs[2+d] = draw(t, "in", 1, 4)
	}
	x.in[0] = fill(w.Type, xs, 1)
	extra := make([]int, len(ws)-2)
	for d := range extra {
		extra[d] = draw(t, "output_padding", 0, 2)
		// Leave at least one value.
		pads, k, dil := x.attrs["pads"].([]int64), x.attrs.Ints("kernel_shape")[d], x.attrs.Ints("dilations")[d]
		span := x.attrs.Ints("strides")[d]*(x.in[0].Shape[2+d]-1) + dil*(k-1) + 1 + extra[d]
		if int(pads[d]+pads[len(extra)+d]) >= span {
			pads[d], pads[len(extra)+d] = 0, 0
		}
	}
	x.attrs["output_padding"] = ints(extra...)
	return x
}

func drawPool(average bool) func(t *rapid.T) instance {
	return func(t *rapid.T) instance {
		a, _, x := drawWindows(t, draw(t, "spatial", 1, 3), 6)
		a["ceil_mode"] = int64(draw(t, "ceil_mode", 0, 1))
		typ := floatType(t)
		if average {
			a["count_include_pad"] = int64(draw(t, "count_include_pad", 0, 1))
		} else if rapid.Bool().Draw(t, "int") {
			typ = tensor.Uint8
		}
		return instance{a, []*tensor.Tensor{fill(typ, append(tensor.Shape{draw(t, "n", 1, 2), draw(t, "c", 1, 3)}, x...), 1)}}
	}
}

func drawAxis(t *rapid.T, rank int) int64 { return int64(draw(t, "axis", -rank, rank-1)) }

func drawAlong(t *rapid.T) instance {
	s := drawShape(t, 1, 4)
	return instance{Attrs{"axis": drawAxis(t, len(s))}, []*tensor.Tensor{fill(floatType(t), s, 1)}}
}

func drawReduce(types ...tensor.Type) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		s := drawShape(t, 0, 4)
		axes := []int64{}
		for d := range s {
			if rapid.Bool().Draw(t, "axis") {
				axes = append(axes, int64(d-len(s)*draw(t, "negative", 0, 1)))
			}
		}
		return instance{Attrs{"axes": axes, "keepdims": int64(draw(t, "keepdims", 0, 1))},
			[]*tensor.Tensor{fill(rapid.SampledFrom(types).Draw(t, "type"), s, 1)}}
	}
}

func drawArg(t *rapid.T) instance {
	x := drawAlong(t)
	x.attrs["keepdims"] = int64(draw(t, "keepdims", 0, 1))
	x.attrs["select_last_index"] = int64(draw(t, "last", 0, 1))
	return x
}

func drawChannels(params int) func(*rapid.T) instance {
	return func(t *rapid.T) instance {
		s, typ := append(drawShape(t, 2, 2), drawShape(t, 1, 2)...), floatType(t)
		x := instance{in: []*tensor.Tensor{fill(typ, s, 1)}}
		for i := range params {
			x.in = append(x.in, positive(fill(typ, tensor.Shape{s[1]}, i)))
		}
		return x
	}
}

// TestEveryRowHasAGenerator walks the table in both directions.
func TestEveryRowHasAGenerator(t *testing.T) {
	for _, n := range Names() {
		if generators[n] == nil {
			t.Errorf("%s: no generator", n)
		}
	}
	for n := range generators {
		if _, err := Lookup(n); err != nil {
			t.Errorf("generator of %s: %v", n, err)
		}
	}
}
