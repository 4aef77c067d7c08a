package pim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// anyLayers draw a layer of each kind.
var anyLayers = []func(t *rapid.T) net{anyConv, anyProduct, anyTransposed, anyBatch}

// transposed makes a transposed convolution. pads are those of each side, and stride, dilation and output
// padding those of each dimension.
func transposed(t fataler, r *rand.Rand, x tensor.Shape, outs, group int, kernel, stride, dil, extra, pads []int64, bias bool) net {
	w := tensor.Shape{x[1], outs / group}
	for _, k := range kernel {
		w = append(w, int(k))
	}
	consts := []*tensor.Tensor{numbers(r, w)}
	if bias {
		consts = append(consts, numbers(r, tensor.Shape{outs}))
	}
	return build(t, "ConvTranspose", op.Attrs{
		"group": int64(group), "kernel_shape": kernel, "strides": stride, "dilations": dil, "pads": pads, "output_padding": extra,
	}, numbers(r, x), consts...)
}

// anyTransposed has kernels smaller and larger than strides, so that some phases have no product.
func anyTransposed(t *rapid.T) net {
	group := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 8}).Draw(t, "group")
	rank := rapid.SampledFrom([]int{1, 2, 2, 2}).Draw(t, "rank")
	x := tensor.Shape{rapid.IntRange(1, 2).Draw(t, "images"), group * rapid.IntRange(1, 12/group+1).Draw(t, "channels of a group")}
	var kernel, stride, dil, extra []int64
	pads := make([]int64, 2*rank)
	for d := range rank {
		n := func(name string, lo, hi int) int64 { return int64(rapid.IntRange(lo, hi).Draw(t, name)) }
		x = append(x, int(n("extent", 1, 6)))
		kernel, stride, dil, extra = append(kernel, n("kernel", 1, 5)), append(stride, n("stride", 1, 3)), append(dil, n("dilation", 1, 3)), append(extra, n("output padding", 0, 2))
		out := stride[d]*int64(x[2+d]-1) + dil[d]*(kernel[d]-1) + 1 + extra[d]
		pads[d] = n("begin", 0, int(min(3, out-1)))
		pads[rank+d] = n("end", 0, int(min(3, out-1-pads[d])))
	}
	outs := group * rapid.IntRange(1, 40/group).Draw(t, "outputs of a group")
	return transposed(t, anySeed(t), x, outs, group, kernel, stride, dil, extra, pads, rapid.Bool().Draw(t, "bias"))
}

// TestPhasesWithoutProducts: a kernel of 1 under a stride of 2 leaves three of four outputs to the bias.
func TestPhasesWithoutProducts(t *testing.T) {
	n := transposed(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, 20, 3, 4}, 6, 1, []int64{1, 1}, []int64{2, 2}, []int64{1, 1}, []int64{1, 0}, []int64{0, 0, 0, 0}, true)
	for _, name := range []string{"artifact", "newton", "aim"} {
		for _, box := range []tensor.Box{tensor.Full(n.g.Nodes[n.id].Shape), {{Hi: 1}, {Lo: 2, Hi: 5}, {Lo: 1, Hi: 4}, {Lo: 1, Hi: 3}}} {
			cut := graph.Cut{Node: n.id, Box: box}
			code := compile(t, machineOf(t, name), 4, n.g, cut)
			got, want := fill(n.g.Nodes[n.id].Shape), fill(n.g.Nodes[n.id].Shape)
			n.g.Eval(cut, n.in, want)
			if err := code.Eval(n.in, got); err != nil || !slices.Equal(got.Floats(), want.Floats()) {
				t.Errorf("%s, %v: %v, %v wanted: %v", name, box, got.Floats(), want.Floats(), err)
			}
			if r, err := code.Replay(); err != nil || r.Accesses == 0 {
				t.Errorf("%s, %v: %+v: %v", name, box, r, err)
			}
		}
		alone := graph.Cut{Node: n.id, Box: tensor.Box{{Hi: 1}, {Hi: 6}, {Lo: 1, Hi: 2}, {Hi: 7}}}
		d, err := New(machineOf(t, name), 4)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Compile(n.g, alone); !errors.Is(err, device.ErrUnsupported) {
			t.Errorf("%s: outputs to which no product falls: %v", name, err)
		}
	}
}
