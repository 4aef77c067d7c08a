package gpu_test

import (
	"testing"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestIntegers: a product on integers takes what the same product takes on a machine whose values have one byte, and
// the GPU's other kernels stay as they are.
func TestIntegers(t *testing.T) {
	for _, name := range hw.Names() {
		m := machine(t, name, nil)
		eights := *m
		eights.Memory.ElementSize = 1
		b := graph.NewBuilder("integers")
		scalar := func(typ tensor.Type) graph.ID { return b.Const("", tensor.New(typ, tensor.Shape{})) }
		x, w := b.Input("x", tensor.Int8, tensor.Shape{1, 64, 56, 56}), b.Const("w", tensor.New(tensor.Int8, tensor.Shape{128, 64, 3, 3}))
		s, z := scalar(tensor.Float32), scalar(tensor.Int8)
		real := b.Input("r", tensor.Float32, tensor.Shape{1, 64, 56, 56})
		realW := b.Const("rw", tensor.New(tensor.Float32, tensor.Shape{128, 64, 3, 3}))
		must := func(id graph.ID, err error) graph.ID {
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		conv := must(b.Op("conv", "QLinearConv", convAttrs(1, 3, 1, 1), x, w, s, z, s, z, s, z))
		sum := must(b.Op("sum", "QLinearAdd", nil, conv, conv, s, z, s, z, s, z))
		realConv := must(b.Op("real", "Conv", convAttrs(1, 3, 1, 1), real, realW))
		realSum := must(b.Op("realsum", "Add", op.Attrs{}, realConv, realConv))
		b.Output("y", sum)
		b.Output("z", realSum)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		kernel := func(m *hw.Machine, id graph.ID) gpu.Kernel {
			ks := compile(t, newGPU(t, m, m.Memory.Channels), g, g.Whole(id)).Kernels()
			if ks[0].Class == gpu.Offset {
				ks = ks[1:]
			}
			return ks[0]
		}
		ours, want := kernel(m, conv), kernel(&eights, realConv)
		if ours.US != want.US || ours.Bytes != want.Bytes || ours.Tensor != want.Tensor {
			t.Errorf("%s: a convolution of integers takes %v us and %v B: %v us and %v B wanted", name, ours.US, ours.Bytes, want.US, want.Bytes)
		}
		if real := kernel(m, realConv); ours.US >= real.US {
			t.Errorf("%s: a convolution takes %v us on integers, %v us on numbers", name, ours.US, real.US)
		}
		if ours, want := kernel(m, sum), kernel(&eights, realSum); ours.L2 != want.L2 {
			t.Errorf("%s: a sum of integers moves %v B: %v B wanted", name, ours.L2, want.L2)
		}
	}
}
