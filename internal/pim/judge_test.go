package pim

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// reals replaces the values of a net by normal ones of a size.
func reals(r *rand.Rand, n net, sizes ...float64) net {
	for i, x := range n.in {
		for k := range x.Floats() {
			x.Floats()[k] = float32(r.NormFloat64() * sizes[min(i, len(sizes)-1)])
		}
	}
	return n
}

// judged is the judgement of what a mapping computes, after change, unless nil, has changed it.
func judged(t fataler, code *mappedCode, n net, change func(y []float32)) device.Judgement {
	y := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
	for i := range y.Floats() {
		y.Floats()[i] = float32(math.NaN())
	}
	if err := code.Eval(n.in, y); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(y.Floats())
	}
	return code.Judge(n.in, y)
}

// TestJudgeAccepts: whatever the mapping, the format and the size of the values, what the streams
// compute is within the bound.
func TestJudgeAccepts(t *testing.T) {
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			size := math.Exp2(float64(rapid.OneOf(rapid.IntRange(-40, 30), rapid.IntRange(-150, 127)).Draw(t, "log2 of weights")))
			n := reals(anySeed(t), make(t), math.Exp2(float64(rapid.IntRange(-20, 18).Draw(t, "log2 of inputs"))), size)
			m := anyMachine(t)
			inFormat(&m.PIM, rapid.SampledFrom([]string{"fp16", "bf16", "fp32"}).Draw(t, "format"))
			cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
			code := compile(t, m, anyChannels(t), n.g, cut)
			l, err := lower(n.g, cut)
			if err != nil {
				t.Fatal(err)
			}
			_, tried := code.compared()
			for _, m := range tried {
				code.mapping = m.at(l)
				if j := judged(t, code, n, nil); j.Wrong > 0 || int(j.Compared+j.NotFinite) != cut.Box.Size() {
					t.Fatalf("%v, %v: %+v, first %+v", cut, m, j, j.First)
				}
			}
		})
	}
}

// faults are what makes the values of a layer of 576 products wrong; x, w and b are its operands.
var faults = []struct {
	name string
	make func(n net) (is net, change func(y []float32))
}{
	{"the bias of output 0", func(n net) (net, func([]float32)) {
		n.in[2] = tensor.Floats32(n.in[2].Shape, append([]float32{0}, n.in[2].Floats()[1:]...))
		return n, nil
	}},
	{"one product of one output", func(n net) (net, func([]float32)) {
		w := append([]float32{}, n.in[1].Floats()...)
		w[77] = 0
		n.in[1] = tensor.Floats32(n.in[1].Shape, w)
		return n, nil
	}},
	{"a row of the halo", func(n net) (net, func([]float32)) {
		x := append([]float32{}, n.in[0].Floats()...)
		clear(x[7*8:])
		n.in[0] = tensor.Floats32(n.in[0].Shape, x)
		return n, nil
	}},
	{"an infinity", func(n net) (net, func([]float32)) {
		return n, func(y []float32) { y[77] = float32(math.Inf(1)) }
	}},
	{"a NaN", func(n net) (net, func([]float32)) {
		return n, func(y []float32) { y[78] = float32(math.NaN()) }
	}},
	{"outputs 2 and 3 swapped", func(n net) (net, func([]float32)) {
		return n, func(y []float32) {
			for i := range 64 {
				y[2*64+i], y[3*64+i] = y[3*64+i], y[2*64+i]
			}
		}
	}},
	{"one value, by two units of the last place", func(n net) (net, func([]float32)) {
		return n, func(y []float32) { y[100] += float32(math.Abs(float64(y[100]))) * 0x1p-7 }
	}},
}

// TestJudgeRefuses: on every machine each fault is seen, and nothing else.
func TestJudgeRefuses(t *testing.T) {
	for _, name := range []string{"newton", "aim", "artifact"} {
		for i := -1; i < len(faults); i++ {
			r := rand.New(rand.NewPCG(1, 2))
			n := reals(r, conv(t, r, tensor.Shape{1, 64, 8, 8}, 32, 1, 3, 1, 1, []int64{1, 1, 1, 1}, true), 1, 0.05, 0.1)
			for k, v := range n.in[0].Floats() {
				n.in[0].Floats()[k] = max(0, v)
			}
			code := compile(t, machineOf(t, name), 16, n.g, n.g.Whole(n.id))
			is, change := n, (func([]float32))(nil)
			is.in = append([]*tensor.Tensor{}, n.in...)
			about := "nothing"
			if i >= 0 {
				about = faults[i].name
				is, change = faults[i].make(is)
			}
			y := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			if err := code.Eval(is.in, y); err != nil {
				t.Fatal(err)
			}
			if change != nil {
				change(y.Floats())
			}
			j := code.Judge(n.in, y)
			t.Logf("%s, %s: %d of %d values wrong, first %+v", name, about, j.Wrong, j.Compared, j.First)
			if (j.Wrong > 0) != (i >= 0) || j.Compared != 32*64 {
				t.Errorf("%s, %s: %+v", name, about, j)
			}
		}
	}
}

// fill is a tensor of one large number.
func fill(s tensor.Shape) *tensor.Tensor {
	y := tensor.New(tensor.Float32, s)
	for i := range y.Floats() {
		y.Floats()[i] = 1e9
	}
	return y
}

// TestScale: weights far beyond float16, of either size, give sums as good as those of normal ones.
func TestScale(t *testing.T) {
	for _, size := range []float64{1e-30, 1e-7, 1, 1e4, 1e20} {
		r := rand.New(rand.NewPCG(3, 4))
		n := reals(r, conv(t, r, tensor.Shape{1, 64, 4, 4}, 16, 1, 1, 1, 1, []int64{0, 0, 0, 0}, false), 1, size)
		code := compile(t, machineOf(t, "newton"), 16, n.g, n.g.Whole(n.id))
		got, want := fill(n.g.Nodes[n.id].Shape), fill(n.g.Nodes[n.id].Shape)
		if err := code.Eval(n.in, got); err != nil {
			t.Fatal(err)
		}
		n.g.Eval(n.g.Whole(n.id), n.in, want)
		for i, w := range want.Floats() {
			if e := math.Abs(float64(got.Floats()[i] - w)); !(e < 0x1p-10*8*size*3) { // of sums of size 8
				t.Fatalf("weights of %g: %v, %v wanted", size, got.Floats()[i], w)
			}
		}
		if j := code.Judge(n.in, got); j.Wrong > 0 || j.Range.Any() {
			t.Errorf("weights of %g: %+v", size, j)
		}
	}
}
