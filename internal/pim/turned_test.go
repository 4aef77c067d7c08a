package pim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// turnedCode is the code of a cut with its pixels on lanes.
func turnedCode(t fataler, channels int, n net, cut graph.Cut) (*Code, error) {
	d, err := New(machineOf(t, "hbm-pim"), channels)
	if err != nil {
		t.Fatal(err)
	}
	p := d.(programmed)
	c, err := p[slices.IndexFunc(p, func(d *Device) bool { return d.program.turned })].Compile(n.g, cut)
	if err != nil {
		return nil, err
	}
	return c.(*Code), nil
}

// TestTurned: boxes of convolutions with their pixels on lanes have the values of the operator, from inputs of several strides, dilations and
// paddings, and their streams compute each product once.
func TestTurned(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	none, one := []int64{0, 0, 0, 0}, []int64{1, 1, 1, 1}
	for name, c := range map[string]struct {
		n   net
		box tensor.Box
	}{
		"rows":         {conv(t, r, tensor.Shape{2, 6, 9, 8}, 6, 6, 3, 1, 1, one, true), tensor.Box{{Lo: 0, Hi: 2}, {Lo: 0, Hi: 6}, {Lo: 2, Hi: 7}, {Lo: 0, Hi: 8}}},
		"channels":     {conv(t, r, tensor.Shape{1, 8, 9, 9}, 8, 8, 5, 2, 1, one, true), tensor.Box{{Lo: 0, Hi: 1}, {Lo: 3, Hi: 7}, {Lo: 0, Hi: 4}, {Lo: 0, Hi: 4}}},
		"dilated":      {conv(t, r, tensor.Shape{1, 4, 12, 12}, 4, 4, 3, 1, 2, none, false), tensor.Box{{Lo: 0, Hi: 1}, {Lo: 0, Hi: 4}, {Lo: 0, Hi: 8}, {Lo: 0, Hi: 8}}},
		"whole groups": {conv(t, r, tensor.Shape{1, 6, 6, 6}, 12, 3, 3, 1, 1, one, true), tensor.Box{{Lo: 0, Hi: 1}, {Lo: 4, Hi: 12}, {Lo: 0, Hi: 6}, {Lo: 0, Hi: 6}}},
		"some of one":  {conv(t, r, tensor.Shape{1, 3, 11, 13}, 16, 1, 3, 2, 1, one, true), tensor.Box{{Lo: 0, Hi: 1}, {Lo: 5, Hi: 11}, {Lo: 0, Hi: 6}, {Lo: 1, Hi: 7}}},
	} {
		for _, channels := range []int{1, 5} {
			code, err := turnedCode(t, channels, c.n, graph.Cut{Node: c.n.id, Box: c.box})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			what := fmt.Sprintf("%s on %d channels: %v", name, channels, code.best)
			want, got := tensor.New(tensor.Float32, c.n.g.Nodes[c.n.id].Shape), tensor.New(tensor.Float32, c.n.g.Nodes[c.n.id].Shape)
			c.n.g.Eval(code.cut, c.n.in, want)
			sums := code.NewSums()
			if err := code.EvalSums(device.Evaluation{In: c.n.in, Dst: got, Sums: sums}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want.Floats(), got.Floats()) {
				t.Errorf("%s: other values", what)
			}
			if j := code.Judge(c.n.in, sums); j.Wrong != 0 || j.Compared != int64(c.box.Size()) {
				t.Errorf("%s: %+v", what, j)
			}
			if x, err := code.Replay(); err != nil || x.Commands == 0 {
				t.Errorf("%s: %+v: %v", what, x, err)
			}
			imaged(t, code, c.n)
			if !code.Dynamic() || code.Stored() != 0 {
				t.Errorf("%s: inputs stand in the banks and are written in each run: %v, input %d", what, code.Dynamic(), code.Stored())
			}
		}
	}
}

// TestTurnedWritten: of a depthwise convolution each product has a copy of its inputs in the banks, in whole columns of 128 pixels.
func TestTurnedWritten(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(9, 10)), tensor.Shape{1, 3, 16, 16}, 3, 3, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	code, err := turnedCode(t, 1, n, n.g.Whole(n.id))
	if err != nil {
		t.Fatal(err)
	}
	if bytes, want := code.writtenBytes(code.lowered()), int64(3*9*256*2); bytes != want {
		t.Errorf("%d bytes are written, %d wanted", bytes, want)
	}
	if seconds := code.Cost().Time - code.device.link.launch; seconds.NS() < 3*9*256*2/16. {
		t.Errorf("%v: the time of the pins is missing", code.Cost().Time)
	}
}

// TestTurnedTogether: channels whose pixels fit a block share programs and visits, four blocks each; rows without weights are not written.
func TestTurnedTogether(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(13, 14)), tensor.Shape{1, 9, 8, 8}, 9, 9, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	code, err := turnedCode(t, 1, n, n.g.Whole(n.id))
	if err != nil {
		t.Fatal(err)
	}
	changes := int64(0)
	for _, c := range code.Cost().Commands {
		if c.Kind == "ACTMR" {
			changes = c.N
		}
	}
	w := code.device.written(code.mapped().mapping, code.mapped().perChannel()[0])
	if want := int64(2 * 3); changes != want || w.rows != 9*2 || w.columns != 9*9*64 {
		t.Errorf("%d changes of mode, %d wanted; %+v is written", changes, want, w)
	}
}

// TestTurnedElsewhere: layers in which the other programs fill their lanes are not turned, nor are products without a kernel and
// parts of several groups.
func TestTurnedElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	none := []int64{0, 0, 0, 0}
	some := conv(t, r, tensor.Shape{1, 6, 4, 4}, 12, 3, 1, 1, 1, none, false)
	for want, c := range map[string]struct {
		n   net
		box tensor.Box
	}{
		"Conv: pixels on lanes: 128 outputs and 4 products of a group: fewer than 128 wanted of both": {n: conv(t, r, tensor.Shape{1, 4, 4, 4}, 128, 1, 1, 1, 1, none, false)},
		"Conv: pixels on lanes: 2 outputs and 128 products of a group: fewer than 128 wanted of both": {n: conv(t, r, tensor.Shape{1, 128, 4, 4}, 2, 1, 1, 1, 1, none, false)},
		"Gemm: pixels on lanes: a convolution wanted":                                                 {n: build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{1, 3}), numbers(r, tensor.Shape{1, 3}))},
		"Conv: pixels on lanes: outputs 3 to 12: whole groups of 4 wanted":                            {some, tensor.Box{{Hi: 1}, {Lo: 3, Hi: 12}, {Hi: 4}, {Hi: 4}}},
	} {
		cut := c.n.g.Whole(c.n.id)
		if c.box != nil {
			cut.Box = c.box
		}
		want += ": " + device.ErrUnsupported.Error()
		if _, err := turnedCode(t, 1, c.n, cut); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
