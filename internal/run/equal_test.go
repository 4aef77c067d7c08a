package run_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// devices returns the GPU and the PIM of a machine that comes with the program.
func devices(t *testing.T, machine string) []device.Device {
	m, err := hw.Load(machine)
	if err != nil {
		t.Fatal(err)
	}
	return devicesOf(t, m)
}

func devicesOf(t *testing.T, m *hw.Machine) []device.Device {
	ds, err := platform.Devices(m, platform.Makers{}, m.Memory.PIMChannels, plan.Extended)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range ds {
		ds[i] = device.Memo(d)
	}
	return ds
}

// integers is a tensor of small whole numbers, whose sums are exact in float32 in
// any order.
func integers(t *rapid.T, s tensor.Shape) *tensor.Tensor {
	x := tensor.New(tensor.Float32, s)
	seed := rapid.Uint32().Draw(t, "seed")
	for i := range x.Floats() {
		seed = seed*1664525 + 1013904223
		x.Floats()[i] = float32(int(seed>>24)%9 - 4)
	}
	return x
}

// signs is integers from -1 to 1.
func signs(t *rapid.T, s tensor.Shape) *tensor.Tensor {
	x := integers(t, s)
	for i, v := range x.Floats() {
		x.Floats()[i] = max(-1, min(v, 1))
	}
	return x
}

// few is integers of which no more than three to an output are not 0, and these 1 or -1.
func few(t *rapid.T, s tensor.Shape) *tensor.Tensor {
	x := tensor.New(tensor.Float32, s)
	seed := rapid.Uint32().Draw(t, "seed")
	next := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>16) % n
	}
	each := max(1, s[1:].Size())
	for i := range s[0] {
		for range 3 {
			x.Floats()[i*each+next(each)] = float32(2*next(2) - 1)
		}
	}
	return x
}

type drawn func(*rapid.T, tensor.Shape) *tensor.Tensor

// network is a chain of one to three random convolutions with bias, some with an
// epilogue, over integer values.
func network(t *rapid.T, inputs, weights drawn) (*graph.Graph, []graph.ID, []*tensor.Tensor) {
	b := graph.NewBuilder("random")
	c := rapid.SampledFrom([]int{1, 2, 3, 4, 8}).Draw(t, "channels")
	shape := tensor.Shape{rapid.IntRange(1, 2).Draw(t, "images"), c, rapid.IntRange(4, 28).Draw(t, "h"), rapid.IntRange(3, 12).Draw(t, "w")}
	x := inputs(t, shape)
	id := b.Input("x", tensor.Float32, shape)
	var ids []graph.ID
	for i := range rapid.IntRange(1, 3).Draw(t, "layers") {
		at := func(name string, lo, hi int) int64 { return int64(rapid.IntRange(lo, hi).Draw(t, name)) }
		in := b.Peek().Nodes[id].Shape
		kh, kw, dh, dw := at("kh", 1, 7), at("kw", 1, 7), at("dh", 1, 3), at("dw", 1, 3)
		pads := []int64{at("top", 0, 4), at("left", 0, 4), at("bottom", 0, 4), at("right", 0, 4)}
		if int64(in[2])+pads[0]+pads[2] < (kh-1)*dh+1 || int64(in[3])+pads[1]+pads[3] < (kw-1)*dw+1 {
			break // the kernel does not fit
		}
		var groups []int
		for g := 1; g <= in[1]; g++ {
			if in[1]%g == 0 {
				groups = append(groups, g)
			}
		}
		group := rapid.SampledFrom(groups).Draw(t, "group")
		out := group * rapid.IntRange(1, 5).Draw(t, "outputs a group")
		w := b.Const("", weights(t, tensor.Shape{out, in[1] / group, int(kh), int(kw)}))
		bias := b.Const("", weights(t, tensor.Shape{out}))
		nd := graph.Node{Name: fmt.Sprintf("conv%d", i), In: []graph.ID{id, w, bias}, Attrs: op.Attrs{
			"group": int64(group), "kernel_shape": []int64{kh, kw}, "dilations": []int64{dh, dw},
			"strides": []int64{at("sh", 1, 4), at("sw", 1, 4)}, "pads": pads,
		}}
		nd.Op, _ = op.Lookup("Conv")
		if rapid.Bool().Draw(t, "relu") {
			relu, _ := op.Lookup("Relu")
			nd.Post = append(nd.Post, graph.Stage{Op: relu, Attrs: op.Attrs{}})
		}
		next, err := b.Node(nd)
		if err != nil {
			t.Fatal(err)
		}
		id = next
		ids = append(ids, id)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g, ids, []*tensor.Tensor{x}
}

// ways are the plans of a chain that the property below compares.
var ways = []struct {
	name string
	make func(t *rapid.T, g *graph.Graph, ids []graph.ID) ([]plan.Segment, bool)
}{
	{"whole on the GPU", func(t *rapid.T, g *graph.Graph, ids []graph.ID) (s []plan.Segment, _ bool) {
		for _, id := range ids {
			s = append(s, plan.Whole(g, id, plan.GPU))
		}
		return s, true
	}},
	{"whole on the PIM", func(t *rapid.T, g *graph.Graph, ids []graph.ID) (s []plan.Segment, _ bool) {
		for _, id := range ids {
			s = append(s, plan.Whole(g, id, plan.PIM))
		}
		return s, true
	}},
	{"split", func(t *rapid.T, g *graph.Graph, ids []graph.ID) (s []plan.Segment, any bool) {
		for _, id := range ids {
			dim := rapid.SampledFrom([]int{plan.Images, plan.Channels, plan.Rows}).Draw(t, "dim")
			seg, ok := plan.Split(g, id, dim, rapid.IntRange(1, g.Nodes[id].Shape[dim]).Draw(t, "at"), plan.GPU, plan.PIM)
			if any = any || ok; !ok {
				seg = plan.Whole(g, id, plan.PIM)
			}
			s = append(s, seg)
		}
		return s, any
	}},
	{"piped", func(t *rapid.T, g *graph.Graph, ids []graph.ID) ([]plan.Segment, bool) {
		if len(ids) < 2 {
			return nil, false
		}
		rows := g.Nodes[ids[len(ids)-1]].Shape[plan.Rows]
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, max(rows-1, 1)), min(1, rows-1), min(3, rows-1), rapid.ID).Draw(t, "cuts")
		slices.Sort(cuts)
		devices := []string{plan.PIM, plan.GPU, plan.PIM}
		if rapid.Bool().Draw(t, "GPU first") {
			devices = []string{plan.GPU, plan.PIM, plan.GPU}
		}
		seg, ok := plan.Pipe(g, ids, devices[:len(ids)], plan.Rows, cuts)
		return []plan.Segment{seg}, ok
	}},
}

// TestEqual: a convolution's values are the same to the bit whether it runs whole,
// split by images, channels or rows, piped with others, or as PIM commands.
func TestEqual(t *testing.T) {
	for _, machine := range pim.Machines() { // in float32 all sums of the integers are exact
		t.Run(machine+" in fp32", func(t *testing.T) {
			m, err := hw.Load(machine)
			if err != nil {
				t.Fatal(err)
			}
			if pim.Programmed(m) { // its units are for fp16 alone, which has these numbers
				testEqual(t, devicesOf(t, m), signs, few)
				return
			}
			p := &m.PIM // as many elements as in two bytes each
			p.Format, p.Column, p.Row, p.Buffer = "fp32", 2*p.Column, 2*p.Row, 2*p.Buffer
			testEqual(t, devicesOf(t, m), integers, integers)
		})
	}
	// Between bfloat16 values up to 256 are exact: inputs of -1 to 1 and three products an
	// output grow to 40 in three layers.
	t.Run("aim", func(t *testing.T) { testEqual(t, devices(t, "aim"), signs, few) })
}

func testEqual(t *testing.T, ds []device.Device, inputs, weights drawn) {
	ran := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		g, ids, x := network(t, inputs, weights)
		if len(ids) == 0 {
			return
		}
		want, err := run.Reference(context.Background(), g, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ways {
			segments, ok := w.make(t, g, ids)
			if !ok {
				continue
			}
			ran[w.name]++
			p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: segments}
			prog, err := program.Build(g, p, ds)
			if err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			got, err := run.Eval(context.Background(), prog, x, nil)
			if err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			if !slices.Equal(want[0].Floats(), got[0].Floats()) {
				t.Fatalf("%s differs: %+v", w.name, run.Compare(want, got))
			}
		}
	})
	enough := 20
	if testing.Short() { // a fifth of the draws
		enough = 2
	}
	for _, w := range ways {
		if ran[w.name] < enough {
			t.Errorf("%q ran %d times", w.name, ran[w.name])
		}
	}
}
