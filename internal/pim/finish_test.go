package pim

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// places are where results may be finished, the one with least traffic first.
var places = []string{hw.InDRAM, hw.InController, hw.OnGPU}

// finishedAt is a machine that finishes results at a place.
func finishedAt(t fataler, machine, where string) *hw.Machine {
	m, err := machineOf(t, machine).Set("link.finish.where=" + where)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFinishByHand: 1 pixel of 2048 inputs and 16 outputs in one channel of newton, with bias. The
// inputs are 4096 B in 128 columns. A row has 64 columns, and so each output has two sums: 32
// results of 2 B are read, of which 16 additions and 16 for the bias make 16 values.
func TestFinishByHand(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(7, 8)), tensor.Shape{1, 2048, 1, 1}, 16, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	for where, want := range map[string]Traffic{
		hw.InDRAM:       {bytes: 4096 + 32, unique: 4096 + 32, ops: 32},
		hw.InController: {bytes: 4096 + 64, unique: 4096 + 32, ops: 32},
		hw.OnGPU:        {bytes: 4096 + 64, unique: 4096 + 64, ops: 32, read: 64, written: 32},
	} {
		m := finishedAt(t, "newton", where)
		code := compile(t, m, 1, n.g, n.g.Whole(n.id))
		if got := code.traffic(code.layer); got != want {
			t.Errorf("%s: %+v, %+v wanted", where, got, want)
		}
		cost := code.Cost()
		stream := device.Time(m.PIM.Clock.PS(cost.Stream))
		launch := device.Time(m.GPU.Clock.PS(m.GPU.Launch))
		around := launch + 2*device.Time(m.GPU.Clock.PS(m.Link.Latency))
		wantTime := around + stream // of the traffic less
		io, finish := 8*float64(want.bytes)*m.PIM.Energy.IO.Value, 32*m.Link.Finish.Energy.Value
		if where == hw.OnGPU {
			// 96 B pass the L2 and no DRAM. 32 operations are less than the ramp, which is 0.
			us := 96 / (float64(m.GPU.SMs) * m.GPU.L2SM * m.GPU.Clock.GHz() * 1e3)
			wantTime += launch + device.Time(us*1e6+0.5)
			if got := cost.Energy[device.GPUFMA].Value; got != 32*m.GPU.Energy.FMA.Value {
				t.Errorf("%s: %v pJ of FMAs", where, got)
			}
			finish = 0
		}
		if diff := cost.Time - wantTime; diff < -1000 || diff > 1000 { // clocks are rounded
			t.Errorf("%s: %v, %v wanted", where, cost.Time, wantTime)
		}
		if got := cost.Energy[device.PIMIO].Value; got != io {
			t.Errorf("%s: %v pJ of I/O, %v wanted", where, got, io)
		}
		if got := cost.Energy[device.PIMFinish].Value; got != finish {
			t.Errorf("%s: %v pJ of the finish, %v wanted", where, got, finish)
		}
		if fusible := cost.Launch; where == hw.OnGPU && fusible != 2*launch {
			t.Errorf("%s: launches take %v, %v wanted", where, fusible, 2*launch)
		}
	}
}

// TestFinishOperands: an operand of the epilogue, 66 values of 2 B, goes to the unit that finishes
// results, or is read by the GPU's kernel.
func TestFinishOperands(t *testing.T) {
	b := graph.NewBuilder("test")
	x, y := b.Input("x", tensor.Float16, tensor.Shape{2, 70}), b.Input("y", tensor.Float16, tensor.Shape{2, 33})
	id, err := b.Node(graph.Node{
		Op: mustOp(t, "MatMul"), Attrs: op.Attrs{}, In: []graph.ID{x, b.Const("w", tensor.New(tensor.Float16, tensor.Shape{70, 33})), y},
		Post: []graph.Stage{{Op: mustOp(t, "Add"), Attrs: op.Attrs{}, Operand: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Output("z", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range places {
		code := compile(t, finishedAt(t, "newton", where), 1, g, g.Whole(id))
		w, streams, sums := code.traffic(code.layer), code.device.bytes(code.best), 2*code.sums()
		var want Traffic
		switch where { // the results of 33 outputs are read for 48 banks
		case hw.InDRAM:
			want = Traffic{bytes: streams - sums + 132 + 132, unique: 280 + 132 + 132, ops: 66}
		case hw.InController:
			want = Traffic{bytes: streams + 132, unique: 280 + 132 + 132, ops: 66}
		default:
			want = Traffic{bytes: streams, unique: 280 + 192, ops: 66, read: 192 + 132, written: 132}
		}
		if w != want || sums != 192 {
			t.Errorf("%s: %+v, %+v wanted; %d B of results", where, w, want, sums)
		}
	}
}

// TestFinishSet: of 1 pixel of 2048 inputs and 16 outputs aim reads 4096 B in two rows, whose sums stay in the
// banks. They are set to the bias of 32 B once, and finished in the DRAM the values are 32 B.
func TestFinishSet(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(7, 8)), tensor.Shape{1, 2048, 1, 1}, 16, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	m := finishedAt(t, "aim", hw.InDRAM)
	if c := compile(t, m, 1, n.g, n.g.Whole(n.id)).Cost(); c.Bytes != 4096+32+32 || c.Energy[device.PIMIO].Value != 8*(4096+32+32)*m.PIM.Energy.IO.Value {
		t.Errorf("%d B and %v pJ", c.Bytes, c.Energy[device.PIMIO])
	}
}

// TestFinishFree: nothing is to be finished where one sum is the value. No kernel is launched.
func TestFinishFree(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(7, 8)), tensor.Shape{1, 16, 3, 3}, 16, 1, 1, 1, 1, []int64{0, 0, 0, 0}, false)
	in, on := compile(t, finishedAt(t, "newton", hw.InController), 1, n.g, n.g.Whole(n.id)).Cost(), compile(t, finishedAt(t, "newton", hw.OnGPU), 1, n.g, n.g.Whole(n.id)).Cost()
	if in.Time != on.Time || in.Launch != on.Launch {
		t.Errorf("%v in the controller, %v on the GPU", in.Time, on.Time)
	}
}

// TestFinishJoint: no launch is fused where a kernel of the GPU stands between.
func TestFinishJoint(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(7, 8)), tensor.Shape{1, 16, 3, 3}, 16, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	for _, where := range places {
		m, err := finishedAt(t, "newton", where).Set("launch.pim=joint")
		if err != nil {
			t.Fatal(err)
		}
		if c := compile(t, m, 1, n.g, n.g.Whole(n.id)).Cost(); (c.Fusible == 0) != (where == hw.OnGPU) {
			t.Errorf("%s: %v of the launch is fusible", where, c.Fusible)
		}
	}
}

// TestFinishOrder: a layer takes no longer where its sums travel less, if an operation takes the
// same everywhere; bytes and I/O neither. All terms of a cost add up. A slow link makes the
// traffic decide.
func TestFinishOrder(t *testing.T) {
	travelled := 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(anyLayers).Draw(t, "layer")(t)
		name, channels := rapid.SampledFrom([]string{"newton", "aim"}).Draw(t, "machine"), anyChannels(t)
		perByte := rapid.SampledFrom([]float64{1, 1000}).Draw(t, "link")
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		var before device.Cost
		for i, where := range places {
			m := finishedAt(t, name, where)
			m.Link.PerByte, m.Link.Finish.PerOp = perByte, 70
			if where == hw.OnGPU {
				m.Link.Finish.PerOp /= float64(channels)
			}
			code := compile(t, m, channels, n.g, cut)
			c := code.Cost()
			if i > 0 && (c.Time < before.Time || c.Bytes < before.Bytes || c.Energy[device.PIMIO].Value < before.Energy[device.PIMIO].Value) {
				t.Fatalf("%s: %v and %d B, %v and %d B at %s", where, c.Time, c.Bytes, before.Time, before.Bytes, places[i-1])
			}
			if where == hw.InController && c.Time > before.Time {
				travelled++
			}
			var sum device.Time
			for _, term := range code.Breakdown() {
				sum += term.Time
			}
			if sum != c.Time {
				t.Fatalf("%s: terms add up to %v of %v", where, sum, c.Time)
			}
			before = c
		}
	})
	if travelled == 0 {
		t.Error("no layer takes longer in the controller than in the DRAM")
	}
}

// TestFinishRounds: sums of a dot product that are 2049 and 2047 in two chunks pass the pins as
// fp16 on their way to the controller or the GPU, which has no 2049, and add up to 4095 or 4096;
// in the DRAM they are added first, and 4096 leaves it.
func TestFinishRounds(t *testing.T) {
	const k = 2048
	x, w := make([]float32, k), make([]float32, k)
	for i := range x {
		x[i], w[i] = 1, 2
	}
	w[0], w[k-1] = 3, 1 // sums of the halves are 2049 and 2047
	n := build(t, "Gemm", nil, tensor.Floats32(tensor.Shape{1, k}, x), tensor.Floats32(tensor.Shape{k, 1}, w))
	for where, want := range map[string]float32{hw.InDRAM: 4096, hw.InController: 2048 + 2047, hw.OnGPU: 2048 + 2047} {
		code := compile(t, finishedAt(t, "newton", where), 1, n.g, n.g.Whole(n.id))
		y := tensor.New(tensor.Float32, tensor.Shape{1, 1})
		if err := code.Eval(n.in, y); err != nil {
			t.Fatal(err)
		}
		if got := y.Floats()[0]; got != want {
			t.Errorf("%s: %v, %v wanted", where, got, want)
		}
	}
}
