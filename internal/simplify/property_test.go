package simplify

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// world draws a random graph. In exact mode all numbers are integers below 2^24,
// of which float32 sums are exact in any order.
type world struct {
	maker
	t      *rapid.T
	typ    tensor.Type
	exact  bool
	values []graph.ID
	bound  map[graph.ID]float64 // of the magnitude, in exact mode
}

func (w *world) int(lo, hi int, what string) int { return rapid.IntRange(lo, hi).Draw(w.t, what) }
func (w *world) shape(x graph.ID) tensor.Shape   { return w.Peek().Nodes[x].Shape }

// pick draws a value of rank 4, mostly the last, so that chains grow.
func (w *world) pick() graph.ID {
	x := w.values[len(w.values)-1]
	if w.int(0, 3, "elsewhere") == 0 {
		x = w.values[w.int(0, len(w.values)-1, "value")]
	}
	if w.exact && w.bound[x] > 1<<14 {
		x = w.clip(x, -3, 5)
	}
	return x
}

func (w *world) add(opName string, a op.Attrs, bound float64, in ...graph.ID) graph.ID {
	x := w.op("", opName, a, in...)
	w.bound[x] = bound
	return x
}

func (w *world) clip(x graph.ID, lo, hi float32) graph.ID {
	return w.add("Clip", op.Attrs{"min": lo, "max": hi}, float64(max(-lo, hi)), x)
}

// constant draws a constant; its magnitude is at most 3, and it is positive on
// demand.
func (w *world) constant(positive bool, dims ...int) graph.ID {
	seed := uint32(w.int(0, 1<<20, "seed"))
	v := make([]float32, tensor.Shape(dims).Size())
	for i := range v {
		seed = seed*1664525 + 1013904223
		v[i] = float32(int(seed>>16)%7 - 3)
		if !w.exact {
			v[i] += float32(seed>>8&0xff) / 512
		}
		if positive {
			v[i] = max(v[i], -v[i], 1)
		}
		v[i] = tensor.Round(w.typ, v[i])
	}
	id := w.Const("k", tensor.Floats32(dims, v).Convert(w.typ))
	if w.int(0, 5, "folded") == 0 {
		id = w.op("", "Identity", nil, id)
	}
	return id
}

// layer is one way to make a value of another; exact if integers stay integers.
type layer struct {
	name  string
	exact bool
	make  func(w *world, x graph.ID) graph.ID
}

var layers = []layer{
	{"Conv of the same shape", true, pointwise},
	{"residual sum of Conv", true, func(w *world, x graph.ID) graph.ID {
		in := []graph.ID{pointwise(w, x), x}
		if w.int(0, 1, "swap") == 1 {
			slices.Reverse(in)
		}
		name := rapid.SampledFrom([]string{"Add", "Sub"}).Draw(w.t, "op")
		return w.add(name, nil, w.bound[in[0]]+w.bound[in[1]], in...)
	}},
	{"Conv", true, func(w *world, x graph.ID) graph.ID {
		s := w.shape(x)
		group, m := 1, w.int(1, 3, "channels")
		if w.int(0, 2, "depthwise") == 0 {
			group, m = s[1], s[1]
		}
		k := w.int(1, 3, "kernel")
		pads := []int64{0, int64(w.int(0, 1, "pad")), int64(w.int(0, k, "pad")), 2}
		a := op.Attrs{"kernel_shape": []int64{int64(k), 1}, "strides": []int64{int64(w.int(1, 2, "stride")), 1},
			"dilations": []int64{1, 1}, "pads": pads, "group": int64(group)}
		if s[2]+int(pads[0]+pads[2]) < k {
			return x
		}
		in := []graph.ID{x, w.constant(false, m, s[1]/group, k, 1)}
		if w.int(0, 1, "bias") == 1 {
			in = append(in, w.constant(false, m))
		}
		return w.add("Conv", a, w.bound[x]*3*float64(k*s[1]/group)+3, in...)
	}},
	{"ConvTranspose", true, func(w *world, x graph.ID) graph.ID {
		s := w.shape(x)
		if s[2] > 8 || s[3] > 8 {
			return x
		}
		a := convAttrs(2, int64(w.int(1, 2, "stride")), 0, int64(s[1]))
		a["output_padding"] = []int64{0, 0}
		return w.add("ConvTranspose", a, w.bound[x]*12+3, x, w.constant(false, s[1], 2, 2, 2))
	}},
	{"channel arithmetic", true, func(w *world, x graph.ID) graph.ID {
		c := w.shape(x)[1]
		k := w.constant(false, [][]int{{}, {1}, {c, 1, 1}, {1, c, 1, 1}}[w.int(0, 3, "form")]...)
		in := []graph.ID{x, k}
		if w.int(0, 1, "swap") == 1 {
			in = []graph.ID{k, x}
		}
		name := rapid.SampledFrom([]string{"Add", "Sub", "Mul"}).Draw(w.t, "op")
		return w.add(name, nil, w.bound[x]*3+3, in...)
	}},
	{"Div", false, func(w *world, x graph.ID) graph.ID {
		return w.add("Div", nil, 0, x, w.constant(true, w.shape(x)[1], 1, 1))
	}},
	{"BatchNormalization", false, func(w *world, x graph.ID) graph.ID {
		c := w.shape(x)[1]
		return w.add("BatchNormalization", nil, 0, x,
			w.constant(false, c), w.constant(false, c), w.constant(false, c), w.constant(true, c))
	}},
	{"unary", true, func(w *world, x graph.ID) graph.ID {
		names := []string{"Relu", "Neg", "Abs", "Identity"}
		if w.exact { // its jump makes an error of any size large
			names = append(names, "Sign")
		}
		name := rapid.SampledFrom(names).Draw(w.t, "op")
		return w.add(name, nil, w.bound[x], x)
	}},
	{"smooth unary", false, func(w *world, x graph.ID) graph.ID {
		name := rapid.SampledFrom([]string{"Sigmoid", "Tanh", "HardSwish", "Softplus"}).Draw(w.t, "op")
		return w.add(name, nil, 0, x)
	}},
	{"Clip", true, func(w *world, x graph.ID) graph.ID {
		lo := w.int(-2, 2, "lo")
		return w.clip(x, float32(lo), float32(lo+w.int(0, 4, "range")))
	}},
	{"spelled activation", false, func(w *world, x graph.ID) graph.ID {
		// The scalars of the spellings are float32.
		if w.typ != tensor.Float32 {
			return x
		}
		y := spellings[w.int(0, len(spellings)-1, "spelling")].build(w.maker, x)
		return y
	}},
	{"two values", true, func(w *world, x graph.ID) graph.ID {
		var same []graph.ID
		for _, y := range w.values {
			if w.shape(y).Equal(w.shape(x)) && w.bound[y] < 1<<14 {
				same = append(same, y)
			}
		}
		if len(same) == 0 {
			return x
		}
		y := rapid.SampledFrom(same).Draw(w.t, "other")
		name := rapid.SampledFrom([]string{"Add", "Add", "Add", "Sub", "Mul", "Max"}).Draw(w.t, "op")
		bound := w.bound[x] + w.bound[y]
		if name == "Mul" {
			if bound = w.bound[x] * w.bound[y]; w.exact && bound > 1<<20 {
				return x
			}
		}
		if w.int(0, 1, "swap") == 1 {
			x, y = y, x
		}
		return w.add(name, nil, bound, x, y)
	}},
	{"Pad", true, func(w *world, x graph.ID) graph.ID {
		pads := make([]int64, 8)
		for _, i := range []int{1, 2, 3, 6, 7} {
			pads[i] = int64(max(0, w.int(-4, 1, "pad")))
		}
		value := float32(max(0, w.int(-2, 1, "value")))
		return w.add("Pad", op.Attrs{"pads": pads, "value": value}, w.bound[x]+1, x)
	}},
	{"AveragePool", false, func(w *world, x graph.ID) graph.ID {
		s, p := w.shape(x), int64(w.int(0, 1, "pad"))
		if s[2] < 2 || s[3] < 2 {
			return x
		}
		return w.add("AveragePool", op.Attrs{
			"kernel_shape": []int64{2, 2}, "strides": []int64{int64(w.int(1, 2, "stride")), 1}, "dilations": []int64{1, 1},
			"pads": []int64{p, 0, 0, p}, "count_include_pad": int64(w.int(0, 1, "include")), "ceil_mode": int64(w.int(0, 1, "ceil")),
		}, 0, x)
	}},
	{"mean", false, func(w *world, x graph.ID) graph.ID {
		y := w.add("ReduceMean", op.Attrs{"axes": []int64{3, 2}, "keepdims": int64(0)}, 0, x)
		s := w.shape(x)
		return w.add("Reshape", op.Attrs{"shape": []int64{int64(s[0]), int64(s[1]), 1, 1}}, 0, y)
	}},
	{"product", true, func(w *world, x graph.ID) graph.ID {
		s := w.shape(x)
		n, k := s[0]*s[1]*s[2], s[3]
		y := w.op("", "Reshape", op.Attrs{"shape": []int64{int64(n), int64(k)}}, x)
		bound := w.bound[x]*3*float64(k) + 3
		if w.int(0, 1, "gemm") == 1 {
			y = w.op("", "Gemm", op.Attrs{"transB": int64(1), "beta": float32(2)}, y, w.constant(false, 2, k), w.constant(false, 1, 2))
			bound += 3
		} else {
			y = w.op("", "MatMul", nil, y, w.constant(false, k, 2))
		}
		y = w.op("", "Add", nil, y, w.constant(false, 2))
		return w.add("Reshape", op.Attrs{"shape": []int64{int64(s[0]), int64(s[1]), int64(s[2]), 2}}, bound+3, y)
	}},
	{"layout", true, func(w *world, x graph.ID) graph.ID {
		s := w.shape(x)
		switch w.int(0, 3, "layout") {
		case 0:
			return w.add("Concat", op.Attrs{"axis": int64(1)}, w.bound[x], x)
		case 1:
			return w.add("Concat", op.Attrs{"axis": int64(2)}, w.bound[x], x, x)
		case 2:
			return w.add("Transpose", op.Attrs{"perm": []int64{0, 1, 3, 2}}, w.bound[x], x)
		}
		return w.add("Slice", op.Attrs{"starts": []int64{0}, "ends": []int64{int64(s[2])}, "axes": []int64{2}, "steps": []int64{1}}, w.bound[x], x)
	}},
}

// pointwise is a 1x1 convolution that keeps the shape.
func pointwise(w *world, x graph.ID) graph.ID {
	c := w.shape(x)[1]
	return w.add("Conv", convAttrs(1, 1, 0, 1), w.bound[x]*3*float64(c), x, w.constant(false, c, c, 1, 1))
}

// draw returns a graph of up to a dozen layers with one to three outputs, and
// values for its inputs.
func draw(t *rapid.T, typ tensor.Type, exact bool) (*graph.Graph, map[string]*tensor.Tensor) {
	w := &world{maker: newMaker(), t: t, typ: typ, exact: exact, bound: map[graph.ID]float64{}}
	inputs := map[string]*tensor.Tensor{}
	s := tensor.Shape{w.int(1, 2, "N"), w.int(1, 3, "C"), w.int(2, 4, "H"), w.int(2, 4, "W")}
	for i := range 2 {
		name := fmt.Sprintf("x%d", i)
		x := w.Input(name, typ, s)
		w.values = append(w.values, x)
		w.bound[x] = 5
		in := tensor.New(typ, s)
		for j := range in.Floats() {
			in.Floats()[j] = tensor.Round(typ, float32((j*7+j/3+i)%11-5))
		}
		inputs[name] = in
	}
	for range w.int(1, 12, "layers") {
		l := rapid.SampledFrom(layers).Draw(t, "layer")
		if exact && !l.exact {
			continue
		}
		if y := l.make(w, w.pick()); w.shape(y).Size() <= 2000 {
			w.values = append(w.values, y)
		}
	}
	outs := []graph.ID{w.values[len(w.values)-1]}
	for range w.int(0, 2, "outputs") {
		outs = append(outs, w.values[w.int(0, len(w.values)-1, "output")])
	}
	return w.graph(outs...), inputs
}

// preserves runs all passes and compares the outputs after each.
func preserves(t *rapid.T, g *graph.Graph, inputs map[string]*tensor.Tensor, tolerance func(pass string) float64) *graph.Graph {
	want := outputs(g, inputs)
	after, err := Run(context.Background(), g, func(pass string, before, after *graph.Graph) {
		if err := differ(want, outputs(after, inputs), tolerance(pass)); err != nil {
			t.Fatalf("pass %s: %v\nbefore:\n%s\nafter:\n%s", pass, err, list(before), list(after))
		}
		names := func(g *graph.Graph) (names []string) {
			for _, id := range g.Inputs {
				names = append(names, g.Nodes[id].Name)
			}
			for _, o := range g.Outputs {
				names = append(names, o.Name)
			}
			return names
		}
		if !slices.Equal(names(before), names(after)) {
			t.Fatalf("pass %s: inputs and outputs were %q, are %q", pass, names(before), names(after))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestMeaningIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, inputs := draw(t, tensor.Float32, false)
		preserves(t, g, inputs, func(string) float64 { return 1e-4 })
	})
}

func TestIntegersAreExact(t *testing.T) { rapid.Check(t, integersAreExact) }

// FuzzIntegersAreExact draws graphs by what reaches new code.
func FuzzIntegersAreExact(f *testing.F) { f.Fuzz(rapid.MakeFuzz(integersAreExact)) }

func integersAreExact(t *rapid.T) {
	g, inputs := draw(t, tensor.Float32, true)
	preserves(t, g, inputs, func(string) float64 { return 0 })
}

// The passes that only move and fuse change no bit, also where each operator
// rounds to a narrow type.
func TestStructureIsExact(t *testing.T) {
	structural := []string{"fold", "dead", "order", "epilogue", "reorder"}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]tensor.Type{tensor.Float32, tensor.Float16, tensor.BFloat16}).Draw(t, "type")
		g, inputs := draw(t, typ, false)
		want := outputs(g, inputs)
		for _, p := range Passes() {
			if !slices.Contains(structural, p.Name) {
				continue
			}
			next, err := p.Run(context.Background(), g)
			if err != nil {
				t.Fatal(err)
			}
			if err := differ(want, outputs(next, inputs), 0); err != nil {
				t.Fatalf("pass %s: %v\nbefore:\n%s\nafter:\n%s", p.Name, err, list(g), list(next))
			}
			g = next
		}
	})
}

func TestSecondRunChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, _ := draw(t, tensor.Float32, rapid.Bool().Draw(t, "exact"))
		once, err := Run(context.Background(), g)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Run(context.Background(), once)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := list(once), list(twice); a != b {
			t.Fatalf("of\n%s\nonce:\n%s\ntwice:\n%s", list(g), a, b)
		}
	})
}

// Names of the operations that are left are names of operations that were there.
func TestNamesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, inputs := draw(t, tensor.Float32, true)
		names := map[string]bool{}
		for _, nd := range g.Nodes {
			names[nd.Name] = true
		}
		after := preserves(t, g, inputs, func(string) float64 { return 0 })
		for _, nd := range after.Nodes {
			if nd.Op != nil && !names[nd.Name] {
				t.Errorf("%q was not there", nd.Name)
			}
		}
	})
}
