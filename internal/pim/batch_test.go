package pim

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// twoInputs makes a product of two activations.
func twoInputs(t fataler, name string, a op.Attrs, x, w *tensor.Tensor) net {
	b := graph.NewBuilder("test")
	n := net{in: []*tensor.Tensor{x, w}}
	var err error
	if n.id, err = b.Op("layer", name, a, b.Input("x", x.Type, x.Shape), b.Input("w", w.Type, w.Shape)); err != nil {
		t.Fatal(err)
	}
	b.Output("y", n.id)
	if n.g, err = b.Graph(); err != nil {
		t.Fatal(err)
	}
	return n
}

// anyBatch is a product by activations, or by a batch of constant matrices: each dimension of the batch is
// in both operands, in one of them, or 1 in one of them.
func anyBatch(t *rapid.T) net {
	r := anySeed(t)
	m, k, n := rapid.IntRange(1, 9).Draw(t, "m"), rapid.IntRange(1, 100).Draw(t, "k"), rapid.IntRange(1, 40).Draw(t, "n")
	if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
		return twoInputs(t, "Gemm", op.Attrs{"alpha": float32(2), "transB": int64(1)}, numbers(r, tensor.Shape{m, k}), numbers(r, tensor.Shape{n, k}))
	}
	if rapid.IntRange(0, 5).Draw(t, "kernel") == 0 { // that is computed
		c := int64(rapid.IntRange(1, 3).Draw(t, "extent"))
		a := op.Attrs{"group": int64(1), "kernel_shape": []int64{c, c}, "strides": []int64{2, 2}, "dilations": []int64{1, 1}, "pads": []int64{1, 0, 0, 0}}
		x, w, name := tensor.Shape{1, m, 4, 4}, tensor.Shape{n, m, int(c), int(c)}, "Conv"
		if rapid.Bool().Draw(t, "transposed") {
			w, name, a["output_padding"] = tensor.Shape{m, n, int(c), int(c)}, "ConvTranspose", []int64{0, 0}
		}
		return twoInputs(t, name, a, numbers(r, x), numbers(r, w))
	}
	var x, w tensor.Shape
	for range rapid.IntRange(0, 2).Draw(t, "rank") {
		d := rapid.IntRange(1, 4).Draw(t, "batch")
		one := rapid.IntRange(0, 3).Draw(t, "broadcast")
		dx, dw := d, d
		if one == 1 {
			dx = 1
		} else if one == 2 {
			dw = 1
		}
		x, w = append(x, dx), append(w, dw)
	}
	if len(x) > 0 && rapid.IntRange(0, 4).Draw(t, "shorter") == 0 {
		x = x[1:]
	}
	x, w = append(x, m, k), append(w, k, n)
	if len(w) > 2 && rapid.IntRange(0, 2).Draw(t, "constant") == 0 {
		return build(t, "MatMul", op.Attrs{}, numbers(r, x), numbers(r, w))
	}
	return twoInputs(t, "MatMul", op.Attrs{}, numbers(r, x), numbers(r, w))
}

// TestWritten: weights that are written take time, bytes, rows and energy that constant ones do not, and all
// else stays.
func TestWritten(t *testing.T) {
	for _, name := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		r := rand.New(rand.NewPCG(1, 2))
		x, w := numbers(r, tensor.Shape{30, 64}), numbers(r, tensor.Shape{64, 50})
		n, constant := twoInputs(t, "MatMul", op.Attrs{}, x, w), build(t, "MatMul", op.Attrs{}, x, w)
		code, other := compile(t, machineOf(t, name), 4, n.g, n.g.Whole(n.id)), compile(t, machineOf(t, name), 4, constant.g, constant.g.Whole(constant.id))
		c, o := code.Cost(), other.Cost()
		if !code.Dynamic() || other.Dynamic() || c.Time <= o.Time || c.Bytes < o.Bytes+2*64*50 || c.Energy.Total().Value <= o.Energy.Total().Value {
			t.Errorf("%s: %+v, constant %+v", name, c, o)
		}
		columns := 0
		for _, s := range code.perChannel() {
			columns += code.device.written(code.mapping, s).columns
		}
		stored := 0
		for channel, l := range code.WeightLayout() {
			stored += code.Weights(channel, l.Rows)
		}
		if bytes := code.writtenBytes(code.layer); int(bytes) != columns*code.device.lanes*code.device.element || columns*code.device.lanes < stored || stored < 64*50 {
			t.Errorf("%s: %d bytes of %d columns, %d weights", name, bytes, columns, stored)
		}
	}
}

// TestWriting is the time of a write by hand: a row of 16 banks on newton takes four tFAW of 32 cycles, and
// 3.9 us between refreshes of 350 ns leave the rest.
func TestWriting(t *testing.T) {
	m := machineOf(t, "newton")
	p := &m.PIM
	ns := func(key string) float64 { return p.Clock.Picoseconds() / 1e3 * float64(p.Timing[key]) }
	busy := 1 - ns("rfc_ck")/ns("refi_ck")
	w := NewWriting(m)
	if w := NewWriting(machineOf(t, "hbm-pim")); w.perRow != 2*30 { // tFAW is 30 ns, and eight banks have weights
		t.Errorf("%v ns a row of hbm-pim, 60 wanted", w.perRow)
	}
	for _, c := range []struct {
		bytes, rows int
		want        float64 // ns
	}{
		{0, 10, 10 * max(ns("rc_ck"), 4*ns("faw_ck")) / busy},
		{1 << 20, 1, (1 << 20) / m.Memory.ChannelGBps / busy},
	} {
		if got := w.Time(c.bytes, c.rows).NS(); got < c.want-0.01 || got > c.want+0.01 {
			t.Errorf("%d bytes in %d rows: %v ns, %v wanted", c.bytes, c.rows, got, c.want)
		}
	}
}

// TestBatchCut: a box has its own columns of its own matrices.
func TestBatchCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := twoInputs(t, "MatMul", op.Attrs{}, numbers(r, tensor.Shape{3, 2, 5, 20}), numbers(r, tensor.Shape{2, 20, 30}))
	cut := graph.Cut{Node: n.id, Box: tensor.Box{{Lo: 1, Hi: 3}, {Lo: 1, Hi: 2}, {Lo: 2, Hi: 4}, {Lo: 7, Hi: 25}}}
	code := compile(t, machineOf(t, "newton"), 4, n.g, cut)
	got, want := fill(n.g.Nodes[n.id].Shape), fill(n.g.Nodes[n.id].Shape)
	n.g.Eval(cut, n.in, want)
	if err := code.Eval(n.in, got); err != nil || !slices.Equal(got.Floats(), want.Floats()) {
		t.Errorf("%v, %v wanted: %v", got.Floats(), want.Floats(), err)
	}
}
