package gpu_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// layer builds input -> one node, the other operands being constants.
func layer(t testing.TB, name string, a op.Attrs, in tensor.Shape, consts ...tensor.Shape) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("layer")
	ids := []graph.ID{b.Input("x", tensor.Float32, in)}
	for _, s := range consts {
		ids = append(ids, b.Const("w", tensor.New(tensor.Float32, s)))
	}
	id, err := b.Op("y", name, a, ids...)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func convAttrs(group int64, kernel, stride, pad int64) op.Attrs {
	return op.Attrs{"group": group, "kernel_shape": []int64{kernel, kernel}, "strides": []int64{stride, stride},
		"pads": []int64{pad, pad, pad, pad}, "dilations": []int64{1, 1}}
}

func newGPU(t testing.TB, m *hw.Machine, channels int) device.Device {
	t.Helper()
	d, err := gpu.New(m, channels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func compile(t testing.TB, d device.Device, g *graph.Graph, c graph.Cut) *gpu.Code {
	t.Helper()
	code, err := d.Compile(g, c)
	if err != nil {
		t.Fatal(err)
	}
	return code.(*gpu.Code)
}

// twice is an energy whose bounds are half and twice it, as the toy machine's.
func twice(pj float64) device.Energy { return device.Energy{Value: pj, Low: pj / 2, High: pj * 2} }

// TestHand is a convolution on the toy machine with channels of 10 GB/s, worked out by hand. The GPU
// keeps 2 channels: 20 GB/s and 32768 B of L2. All clocks are 1 ns and the
// overlap exponent is 1: times add.
//
// M=256, N=64, K=72 in tiles of 64x64 with 64-byte rows, 32 elements: 4 CTAs of
// 3 iterations; 4 of them would fit an SM (shared memory), 2 come to each of 2.
// An iteration of one CTA: 64·64·32 MAC / 256 = 512 ns; of two 1024 ns.
// Store: 2 CTAs · 64·64·2 B / 32 B = 512 ns. Together 3·1024 + 512 = 3584 ns.
// Bytes: A 4096, B 9216, O 32768. A+O is 1.125 of the L2, so (1.125-0.8)/0.8 of
// A comes from the DRAM: 1664 + 9216 + 2·32768 = 76416 B, 3820.8 ns.
// Epilogue: 2·O is twice the L2, so all of O is read: 3·32768 B = 4915.2 ns,
// and 100 ns to start. The DRAM is busy for 3820.8 + 4915.2 ns.
//
// Energy in pJ: 2 W each of 2 SMs for 12420 ns; 1 for each of 4·3·64·64·32 MAC;
// 10 for each byte of the L2, 4·3·128·64 and the one of the result of a product
// without DRAM, and 2·98304; 50 for each of the DRAM. Bounds are half and twice it.
func TestHand(t *testing.T) {
	g := layer(t, "Conv", convAttrs(1, 3, 1, 1), tensor.Shape{1, 8, 16, 16}, tensor.Shape{64, 8, 3, 3})
	code := compile(t, newGPU(t, machine(t, "toy", func(m *hw.Machine) { m.Memory.ChannelGBps = 10 }), 2), g, g.Whole(2))
	want := device.Cost{
		Time: 14_420_000, Launch: 2_000_000, Memory: 8_736_000, Ticks: 14420, Kernels: 2, Bytes: 76416 + 98304,
		Commands: device.Counts{{Kind: "gemm", N: 1}, {Kind: "post", N: 1}}, Bound: "dram",
		// The error of the toy machine: half and twice of all but launches.
		Uncertain: []device.Uncertainty{
			{Class: "conv", Time: 7_404_800, Low: 3_702_400, High: 14_809_600}, {Class: "stream", Time: 5_015_200, Low: 2_507_600, High: 10_030_400},
		},
		Energy: device.Ledger{
			device.GPUActive: twice(49_680_000), device.GPUMAC: twice(1_572_864), device.GPUL2: twice(983_050 + 1_966_080),
			device.GPUDRAM: twice(50 * (76416 + 98304)),
		},
	}
	if d := cmp.Diff(want, code.Cost()); d != "" {
		t.Errorf("cost (-want +got):\n%s", d)
	}
	var b bytes.Buffer
	if err := code.Print(&b); err != nil {
		t.Fatal(err)
	}
	const text = `gemm          7404.800 ns  dram      76416 B  dram     M=256 N=64 K=72: tile 64x64 64B 4w 2st split 1, 4 CTAs, 4 an SM
post          5015.200 ns  dram      98304 B  dram     65536 B through the L2
`
	if d := cmp.Diff(text, b.String()); d != "" {
		t.Errorf("Print (-want +got):\n%s", d)
	}
}

// TestWork checks what layers and their cuts become.
func TestWork(t *testing.T) {
	d := newGPU(t, machine(t, "artifact", nil), 32)
	rows := func(lo, hi int) func(tensor.Box) tensor.Box {
		return func(b tensor.Box) tensor.Box { return b.With(2, tensor.Range{Lo: lo, Hi: hi}) }
	}
	channels := func(lo, hi int) func(tensor.Box) tensor.Box {
		return func(b tensor.Box) tensor.Box { return b.With(1, tensor.Range{Lo: lo, Hi: hi}) }
	}
	type shapes = []tensor.Shape
	for _, c := range []struct {
		what, op string
		attrs    op.Attrs
		in       shapes
		cut      func(tensor.Box) tensor.Box
		want     string // class and work of each kernel
	}{
		{"dense", "Conv", convAttrs(1, 3, 1, 1), shapes{{1, 20, 8, 8}, {48, 20, 3, 3}}, nil,
			"offset; gemm M=64 N=48 K=216; post 12288 B through the L2"},
		{"3 rows", "Conv", convAttrs(1, 3, 1, 1), shapes{{1, 20, 8, 8}, {48, 20, 3, 3}}, rows(2, 5),
			"offset; gemm M=24 N=48 K=216; post 4608 B through the L2"},
		{"5 channels", "Conv", convAttrs(1, 3, 1, 1), shapes{{1, 20, 8, 8}, {48, 20, 3, 3}}, channels(7, 12),
			"offset; gemm M=64 N=5 K=216; post 1280 B through the L2"},
		{"grouped", "Conv", convAttrs(4, 3, 1, 1), shapes{{1, 16, 8, 8}, {32, 4, 3, 3}}, nil,
			"offset; gemm M=64 N=8 K=36 G=4; post 8192 B through the L2"},
		{"parts of 2 of 4 groups", "Conv", convAttrs(4, 3, 1, 1), shapes{{1, 16, 8, 8}, {32, 4, 3, 3}}, channels(5, 10),
			"offset; gemm M=64 N=3 K=36 G=2; post 1280 B through the L2"},
		{"depthwise", "Conv", convAttrs(16, 3, 2, 1), shapes{{2, 16, 8, 8}, {16, 1, 3, 3}}, nil,
			"depthwise 4608 MAC, 512 outputs; post 2048 B through the L2"},
		{"FC", "Gemm", op.Attrs{"transB": int64(1)}, shapes{{4, 32}, {10, 32}, {10}}, nil, "gemv M=4 N=10 K=32"},
		{"FC, 9 rows", "Gemm", op.Attrs{"transB": int64(1)}, shapes{{9, 32}, {10, 32}, {10}}, nil, "gemm M=9 N=10 K=32"},
		{"FC, part", "Gemm", op.Attrs{}, shapes{{9, 32}, {32, 10}}, channels(2, 6), "gemm M=9 N=4 K=32"},
		{"FC, transposed input", "Gemm", op.Attrs{"transA": int64(1)}, shapes{{32, 9}, {32, 10}}, nil, "gemm M=9 N=10 K=32"},
		{"shared matrix", "MatMul", op.Attrs{}, shapes{{2, 3, 9, 32}, {32, 10}}, nil, "gemm M=54 N=10 K=32"},
		{"a matrix each", "MatMul", op.Attrs{}, shapes{{2, 3, 9, 32}, {2, 3, 32, 10}}, nil, "gemm M=9 N=10 K=32 G=6"},
		{"vector", "MatMul", op.Attrs{}, shapes{{2, 9, 32}, {32}}, nil, "gemm M=18 N=1 K=32"},
		{"pool", "MaxPool", op.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "pads": []int64{0, 0, 0, 0}, "dilations": []int64{1, 1}},
			shapes{{1, 16, 8, 8}}, nil, "pool 2560 B through the L2"},
		{"scale", "Mul", op.Attrs{}, shapes{{1, 16, 8, 8}, {16, 1, 1}}, nil, "element 4128 B through the L2"},
		{"transposed", "ConvTranspose", op.Attrs{"group": int64(1), "kernel_shape": []int64{4, 4}, "strides": []int64{2, 2},
			"pads": []int64{1, 1, 1, 1}, "dilations": []int64{1, 1}, "output_padding": []int64{0, 0}},
			shapes{{1, 16, 8, 8}, {16, 32, 4, 4}}, nil, "offset; gemm M=256 N=32 K=64; post 32768 B through the L2"},
		{"norm", "BatchNormalization", op.Attrs{}, shapes{{1, 16, 8, 8}, {16}, {16}, {16}, {16}}, nil, "element 4096 B through the L2"},
		{"every third", "Slice", op.Attrs{"starts": []int64{0}, "ends": []int64{16}, "axes": []int64{1}, "steps": []int64{3}},
			shapes{{1, 16, 8, 8}}, nil, "element 1536 B through the L2"},
		{"concat", "Concat", op.Attrs{"axis": int64(1)}, shapes{{1, 16, 8, 8}, {1, 8, 8, 8}}, channels(14, 18),
			"element 1024 B through the L2"},
		{"view", "Reshape", op.Attrs{"shape": []int64{1, 1024}}, shapes{{1, 16, 8, 8}}, nil, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := layer(t, c.op, c.attrs, c.in[0], c.in[1:]...)
			cut := g.Whole(graph.ID(len(g.Nodes) - 1))
			if c.cut != nil {
				cut.Box = c.cut(cut.Box)
			}
			code := compile(t, d, g, cut)
			var got []string
			for _, k := range code.Kernels() {
				got = append(got, strings.TrimSpace(string(k.Class)+" "+k.Work.String()))
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("%s\nwanted %s", s, c.want)
			}
			if x := code.Cost(); len(got) == 0 && (x.Time != 0 || x.Commands != nil || x.Bound != "view") {
				t.Errorf("a view costs %+v", x)
			}
		})
	}
}

// TestThirdOperand: a product reads a third operand that another kernel makes; a constant bias is not counted.
func TestThirdOperand(t *testing.T) {
	d := newGPU(t, machine(t, "toy", nil), 2)
	for _, rows := range []int{8, 64} { // a matrix-vector product and one of matrices
		bytes := func(constant bool) float64 {
			b := graph.NewBuilder("product")
			x := b.Input("x", tensor.Float32, tensor.Shape{rows, 32})
			w := b.Const("w", tensor.New(tensor.Float32, tensor.Shape{32, 4096}))
			var c graph.ID
			if shape := (tensor.Shape{rows, 4096}); constant {
				c = b.Const("c", tensor.New(tensor.Float32, shape))
			} else {
				c = b.Input("c", tensor.Float32, shape)
			}
			y, err := b.Op("y", "Gemm", nil, x, w, c)
			if err != nil {
				t.Fatal(err)
			}
			b.Output("y", y)
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, k := range compile(t, d, g, g.Whole(y)).Kernels() {
				switch w := k.Work.(type) {
				case gpu.GEMM:
					sum += w.Extra
				case gpu.GEMV:
					sum += w.Bytes
				}
			}
			return sum
		}
		if with, without := bytes(false), bytes(true); with <= without {
			t.Errorf("%d rows: %v B, %v B if the third operand is constant", rows, with, without)
		}
	}
}

// TestTouched checks that a 1x1 convolution of stride 2 reads a quarter of its
// input.
func TestTouched(t *testing.T) {
	d := newGPU(t, machine(t, "artifact", nil), 1)
	dram := func(kernel int64) int64 {
		g := layer(t, "Conv", convAttrs(1, kernel, 2, 0), tensor.Shape{1, 512, 63, 63}, tensor.Shape{8, 512, int(kernel), int(kernel)})
		ks := compile(t, d, g, g.Whole(2)).Kernels()
		return int64(ks[1].Bytes)
	}
	// All of A misses: it is more than 1.6 of the L2, and so is its quarter; the
	// outputs (32x32 or 31x31) are written twice.
	if got, want := dram(1), int64(2*(512*32*32+8*512+2*8*32*32)); got != want {
		t.Errorf("1x1: %d B: %d wanted", got, want)
	}
	if got, want := dram(3), int64(2*(512*63*63+8*512*9+2*8*31*31)); got != want {
		t.Errorf("3x3: %d B: %d wanted", got, want)
	}
}

// TestRules walks the operator table. A row on integers has the rule of the one on real numbers.
func TestRules(t *testing.T) {
	names := slices.DeleteFunc(op.Names(), func(n string) bool {
		o, _ := op.Lookup(n)
		return o.Real != ""
	})
	if d := cmp.Diff(names, gpu.Rules()); d != "" {
		t.Errorf("operators and rules differ (-operator +rule):\n%s", d)
	}
}

func TestErrors(t *testing.T) {
	m := machine(t, "toy", nil)
	for _, n := range []int{-1, 0, 5} {
		if _, err := gpu.New(m, n); err == nil || !strings.Contains(err.Error(), "1 to 4 wanted") {
			t.Errorf("%d channels: %v", n, err)
		}
	}
	bad := machine(t, "toy", func(m *hw.Machine) { m.GPU.Library = "cudnm" })
	if _, err := gpu.New(bad, 1); err == nil || !strings.Contains(err.Error(), `gpu.tile_library: "cudnm" is not known (did you mean "cudnn"?)`) {
		t.Error(err)
	}
	small := machine(t, "toy", func(m *hw.Machine) { m.GPU.Smem = 16383 }) // a CTA of the 64x64 tile takes 16384
	if _, err := gpu.New(small, 1); err == nil || !strings.Contains(err.Error(), "gpu.smem_per_sm_bytes 16383") {
		t.Error(err)
	}
	g := layer(t, "Relu", nil, tensor.Shape{2, 3})
	d := newGPU(t, m, 1)
	slow := newGPU(t, machine(t, "toy", func(m *hw.Machine) { m.Memory.ChannelGBps = 1e-300 }), 1)
	if _, err := slow.Compile(g, g.Whole(1)); err == nil || !strings.Contains(err.Error(), "out of all proportion") {
		t.Errorf("1e-300 GB/s: %v", err)
	}
	for _, c := range []graph.Cut{g.Whole(0), {Node: 1, Box: tensor.Box{{Lo: 0, Hi: 2}, {Lo: 0, Hi: 4}}}, {Node: 1, Box: tensor.Box{{Lo: 0, Hi: 2}, {Lo: 1, Hi: 1}}}} {
		if _, err := d.Compile(g, c); !errors.Is(err, device.ErrUnsupported) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// TestCuts takes random cuts of real layers: a cost is consistent, and more
// channels never make the GPU slower.
func TestCuts(t *testing.T) {
	g := network(t, "toy")
	m := machine(t, "artifact", nil)
	var devices []device.Device
	for _, n := range []int{1, 2, 7, 16, 31, 32} {
		devices = append(devices, newGPU(t, m, n))
	}
	var nodes []graph.ID
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil {
			nodes = append(nodes, graph.ID(i))
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := g.Whole(rapid.SampledFrom(nodes).Draw(rt, "node"))
		for i, r := range c.Box {
			lo := rapid.IntRange(0, r.Hi-1).Draw(rt, "lo")
			c.Box[i] = tensor.Range{Lo: lo, Hi: rapid.IntRange(lo+1, r.Hi).Draw(rt, "hi")}
		}
		last := device.Cost{Time: 1 << 62}
		for _, d := range devices {
			code := compile(t, d, g, c)
			x, n := code.Cost(), int64(0)
			for _, k := range x.Commands {
				n += k.N
			}
			switch {
			case g.Nodes[c.Node].Op.View && len(g.Nodes[c.Node].Post) == 0:
				if x.Time != 0 {
					rt.Fatalf("%v: a view takes %v", c, x.Time)
				}
			case x.Time <= x.Launch || x.Bytes <= 0 || n != int64(len(code.Kernels())) || x.Ticks <= n*m.GPU.Launch:
				rt.Fatalf("%v: %+v", c, x)
			case x.Time > last.Time:
				rt.Fatalf("%v: %v with more channels, %v with fewer", c, x.Time, last.Time)
			}
			last = x
		}
	})
}

func TestEval(t *testing.T) {
	g := layer(t, "Relu", nil, tensor.Shape{2, 2})
	y := tensor.New(tensor.Float32, tensor.Shape{2, 2})
	c := graph.Cut{Node: 1, Box: tensor.Box{{Lo: 0, Hi: 2}, {Lo: 1, Hi: 2}}}
	in := []*tensor.Tensor{tensor.Floats32(tensor.Shape{2, 2}, []float32{1, 2, -3, 4})}
	if err := compile(t, newGPU(t, machine(t, "toy", nil), 1), g, c).Eval(in, y); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float32{0, 2, 0, 4}, y.Floats()); d != "" {
		t.Error(d)
	}
}

func BenchmarkCompile(b *testing.B) {
	g := network(b, "mobilenet-v2")
	d := newGPU(b, machine(b, "artifact", nil), 16)
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil || nd.Op.Name != "Conv" {
			continue
		}
		b.Run("conv", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compile(b, d, g, g.Whole(nd.ID))
			}
		})
		return
	}
}
