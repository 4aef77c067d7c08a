package profile_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/profile"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

func network(t testing.TB, name string) *graph.Graph {
	t.Helper()
	g, err := zoo.Build(name, 1)
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// drawWindow draws an operator with windows on one input, and the values of a network
// of it alone.
func drawWindow(t *rapid.T) (*graph.Graph, graph.ID, []*tensor.Tensor) {
	n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
	name := rapid.SampledFrom([]string{"Conv", "ConvTranspose", "MaxPool", "AveragePool"}).Draw(t, "op")
	kh, kw, d := n("kh", 1, 4), n("kw", 1, 3), n("dilation", 1, 2)
	extent := func(k int) int { return d*(k-1) + 1 }
	pair := func(lo, hi int) []int64 { return []int64{int64(n("a", lo, hi)), int64(n("b", lo, hi))} }
	pads := []int64{int64(n("top", 0, extent(kh)-1)), int64(n("left", 0, extent(kw)-1)), int64(n("bottom", 0, extent(kh)-1)), int64(n("right", 0, extent(kw)-1))}
	a := op.Attrs{"kernel_shape": []int64{int64(kh), int64(kw)}, "strides": pair(1, 3), "pads": pads, "dilations": []int64{int64(d), int64(d)}}
	g := n("groups", 1, 3)
	cin, cout := g*n("in", 1, 2), g*n("out", 1, 2)
	b := graph.NewBuilder("window")
	ids := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{n("images", 1, 2), cin, n("rows", 7, 12), n("columns", 6, 9)})}
	weight := func(s ...int) {
		ids = append(ids, b.Const("w", values(tensor.Shape(s), len(ids))))
	}
	switch name {
	case "Conv":
		a["group"] = int64(g)
		weight(cout, cin/g, kh, kw)
		weight(cout)
	case "ConvTranspose":
		a["group"], a["output_padding"] = int64(g), pair(0, 1)
		weight(cin, cout/g, kh, kw)
	case "AveragePool":
		a["ceil_mode"] = int64(n("ceil", 0, 1))
	}
	y, err := b.Op("y", name, a, ids...)
	if err != nil {
		t.Skip(err)
	}
	b.Output("y", y)
	gr, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return gr, y, []*tensor.Tensor{values(gr.Nodes[0].Shape, 9)}
}

// values are small whole numbers, whose sums are exact.
func values(s tensor.Shape, seed int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, s)
	for i := range x.Floats() {
		x.Floats()[i] = float32((i*7+seed*13)%11 - 5)
	}
	return x
}

// crop is a box of a tensor as a tensor.
func crop(x *tensor.Tensor, b tensor.Box) *tensor.Tensor {
	y := tensor.New(x.Type, b.Shape())
	i := 0
	b.Runs(x.Shape, func(off, n int) { i += copy(y.Floats()[i:], x.Floats()[off:off+n]) })
	return y
}

// TestAlone: a part of an operator with windows has the values of the layer that its
// kernel is alone, on the part of the input.
func TestAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, y, in := drawWindow(t)
		cut := g.Whole(y)
		for _, d := range []int{0, 2, 3} {
			size := g.Nodes[y].Shape[d]
			lo := rapid.IntRange(0, size-1).Draw(t, "lo")
			cut.Box[d] = tensor.Range{Lo: lo, Hi: rapid.IntRange(lo+1, size).Draw(t, "hi")}
		}
		k := profile.Of(g, cut, tensor.Float32)
		alone, z, err := k.Alone(tensor.Float32)
		if err != nil {
			if g.Nodes[y].Op.Name == "ConvTranspose" || strings.Contains(err.Error(), "does not fit") {
				t.Skip(err) // a first row that only a kernel's later values reach; nothing but padding
			}
			t.Fatalf("%v: %v", cut, err)
		}
		args := func(g *graph.Graph, x *tensor.Tensor, id graph.ID) (all []*tensor.Tensor) {
			for i, from := range g.Nodes[id].In {
				if i == 0 {
					all = append(all, x)
				} else {
					all = append(all, g.Nodes[from].Const)
				}
			}
			return all
		}
		whole := tensor.New(tensor.Float32, g.Nodes[y].Shape)
		g.Eval(cut, args(g, in[0], y), whole)

		// The input's box: as long as the kernel's, from where the cut reads.
		box := g.Need(cut)[0].Clone()
		for d := range box {
			if n := k.In[0].Shape[d]; n != box[d].Len() {
				box[d] = tensor.Range{Lo: 0, Hi: n}
			}
		}
		part := tensor.New(tensor.Float32, k.Out)
		weights := args(g, crop(in[0], box), y)
		alone.Eval(alone.Whole(z), weights, part)
		if d := cmp.Diff(crop(whole, cut.Box).Floats(), part.Floats(), cmp.Comparer(func(a, b float32) bool { return a == b || a != a && b != b })); d != "" {
			t.Fatalf("%v as %v:\n%s", cut, &k, d)
		}
	})
}

// TestSameModel: a cut and the layer that its kernel is alone cost the same.
func TestSameModel(t *testing.T) {
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	d, err := gpu.New(m, 16)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range zoo.Names() {
		g := network(t, name)
		for i := range g.Nodes {
			if g.Nodes[i].Op == nil {
				continue
			}
			for _, cut := range cuts(g, graph.ID(i)) {
				want, err := d.Compile(g, cut)
				if err != nil {
					t.Fatal(err)
				}
				k := profile.Of(g, cut, tensor.Float16)
				alone, y, err := k.Alone(tensor.Float32)
				if err != nil {
					t.Fatalf("%s %v: %v", name, cut, err)
				}
				got, err := d.Compile(alone, alone.Whole(y))
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want.Cost(), got.Cost()); d != "" {
					t.Errorf("%s %v, %v:\n%s", name, cut, &k, d)
				}
			}
		}
	}
}

// TestPositions: parts of operators whose attributes name positions are layers alone
// as far as the positions are along dimensions that are not cut.
func TestPositions(t *testing.T) {
	b := graph.NewBuilder("positions")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 8, 12, 6})
	node := func(name string, a op.Attrs, in ...graph.ID) graph.ID {
		y, err := b.Op("", name, a, in...)
		if err != nil {
			t.Fatal(err)
		}
		b.Output(name, y)
		return y
	}
	slice := func(axis, from, to int64) op.Attrs {
		return op.Attrs{"starts": []int64{from}, "ends": []int64{to}, "axes": []int64{axis}, "steps": []int64{1}}
	}
	channels := node("Slice", slice(1, 3, 7), x)
	rows := node("Slice", slice(2, 3, 9), x)
	both := node("Concat", op.Attrs{"axis": int64(1)}, x, channels)
	pad := node("Pad", op.Attrs{"pads": []int64{0, 0, 1, 0, 0, 0, 1, 0}}, x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	d := must(gpu.New(machines(t)["through"], 16))
	for _, c := range []struct {
		id    graph.ID
		alone int // of four cuts
	}{{channels, 4}, {rows, 1}, {both, 4}, {pad, 1}} {
		n := 0
		for _, cut := range cuts(g, c.id) {
			k := profile.Of(g, cut, tensor.Float16)
			alone, y, err := k.Alone(tensor.Float32)
			if err != nil {
				continue
			}
			n++
			if d := cmp.Diff(cost(t, d, g, cut), cost(t, d, alone, alone.Whole(y))); d != "" {
				t.Errorf("%v:\n%s", &k, d)
			}
		}
		if n != c.alone {
			t.Errorf("%s: %d parts are layers alone: %d wanted", g.Nodes[c.id].Name, n, c.alone)
		}
	}
}

// TestProbe: the result of a probe is the first value of the kernel alone.
func TestProbe(t *testing.T) {
	g := network(t, "toy")
	k := profile.Of(g, g.Whole(find(t, g, "block.project")), tensor.Float16)
	probe, err := k.Probe(tensor.Float16)
	if err != nil {
		t.Fatal(err)
	}
	out := probe.Nodes[probe.Outputs[0].ID]
	if y := probe.Nodes[out.In[0]]; out.Shape.Size() != 1 || out.Type != tensor.Float16 || !y.Shape.Equal(k.Out) || y.Op != k.Op || len(y.Post) != 1 {
		t.Errorf("%v of %v", out, y)
	}
}

// cuts are the whole of a node and, where it has rows, three parts.
func cuts(g *graph.Graph, id graph.ID) []graph.Cut {
	whole := g.Whole(id)
	list := []graph.Cut{whole}
	if nd := &g.Nodes[id]; len(nd.Shape) == 4 && nd.Op.Need != nil && nd.Shape[2] > 2 {
		n := nd.Shape[2]
		for _, r := range []tensor.Range{{Lo: 0, Hi: n / 2}, {Lo: n / 3, Hi: n/2 + 1}, {Lo: n - 1, Hi: n}} {
			list = append(list, graph.Cut{Node: id, Box: whole.Box.With(2, r)})
		}
	}
	return list
}

// measuredAll is a profile of what a model says of cuts of a network, each once.
func measuredAll(t testing.TB, g *graph.Graph, m *hw.Machine, channels int, scale float64, keep func(i int, c graph.Cut) bool) *profile.Profile {
	t.Helper()
	d, err := gpu.New(m, channels)
	if err != nil {
		t.Fatal(err)
	}
	typ, _ := profile.Type(m)
	p := &profile.Profile{File: "test.csv"}
	seen := map[string]bool{}
	for i := range g.Nodes {
		if g.Nodes[i].Op == nil {
			continue
		}
		for n, c := range cuts(g, graph.ID(i)) {
			code, err := d.Compile(g, c)
			if err != nil {
				t.Fatal(err)
			}
			k := profile.Of(g, c, typ)
			if code.Cost().Time == 0 || !keep(n, c) || seen[k.String()] {
				continue
			}
			seen[k.String()] = true
			p.Rows = append(p.Rows, profile.Row{Kernel: k, Line: len(p.Rows) + 2, Channels: channels,
				Time: device.Time(math.Round(float64(code.Cost().Time) * scale)), MeasuredOn: "a test", Network: g.Name, Layer: g.Nodes[i].Name,
				Machine: m.Name, Model: code.Cost().Time, Repeats: 3, Spread: 5})
		}
	}
	return p
}

// TestRoundTrip: a profile parses to what was printed, and prints so again.
func TestRoundTrip(t *testing.T) {
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range zoo.Names() {
		p := measuredAll(t, network(t, name), m, 16, 0.7, func(int, graph.Cut) bool { return true })
		p.Rows[0].Time, p.Rows[1].Channels = 0, 0
		p.Rows[2].Layer, p.Rows[2].Repeats, p.Rows[2].Spread = "a, \"b\"", 0, 0
		var first, second bytes.Buffer
		if err := p.Print(&first); err != nil {
			t.Fatal(err)
		}
		q, err := profile.Parse(bytes.NewReader(first.Bytes()), p.File)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Print(&second); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first.String(), second.String()); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
		for i := range p.Rows {
			a, b := p.Rows[i], q.Rows[i]
			if a.String() != b.String() || a.Line != b.Line || a.Time != b.Time || a.Spread != b.Spread || a.Channels != b.Channels {
				t.Errorf("%s row %d: %v: %v wanted", name, i, b, a)
			}
		}
	}
}

// FuzzParse: anything is a profile that prints and parses again, or an error.
func FuzzParse(f *testing.F) {
	head := strings.Join(profile.Columns(), ",")
	f.Add(head + "\n,,Relu,1x2x3x4,,,,,,,1x2x3x4,float32,,any,1.5,,,,,,\n")
	f.Add(head + "\n,,Conv,1x8x8x8 const:4x8x3x3,3x3,1x1,1x1x1x1,1x1,1,,1x4x8x8,float16,Relu+Add,16,2,3,0.1,x,m,1,0\n")
	f.Add(head + "\n,,Gemm,1x8 const:4x8,,,,,,transB=1 alpha=2,1x4,float16,,16,,,,,,,\n")
	f.Add("op,inputs")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := profile.Parse(strings.NewReader(text), "f")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Fatalf("%v names no place", err)
			}
			return
		}
		var b bytes.Buffer
		if err := p.Print(&b); err != nil {
			t.Fatal(err)
		}
		q, err := profile.Parse(&b, "f")
		if err != nil {
			t.Fatalf("what was printed: %v", err)
		}
		if len(p.Rows) != len(q.Rows) {
			t.Fatalf("%d rows: %d wanted", len(q.Rows), len(p.Rows))
		}
		if _, err := p.Over(func(*hw.Machine, int) (device.Device, error) { return nil, errors.New("none") })(&hw.Machine{}, 1); err == nil {
			t.Fatal("a machine without numbers has a device")
		}
	})
}
