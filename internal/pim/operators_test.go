package pim

import (
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestFills: sums of a column access of products at least, and an output for each unit of a channel at least, which are
// 16 each. A transposed convolution fills the units if one of its phases does.
func TestFills(t *testing.T) {
	fills := Fills(machineOf(t, "newton"))
	for _, c := range []struct {
		name                       string
		in, group, outs, kernel, s int
		want                       bool
	}{
		{"Conv", 16, 1, 16, 1, 1, true},
		{"Conv", 15, 1, 16, 1, 1, false},
		{"Conv", 16, 1, 15, 1, 1, false},
		{"Conv", 3, 1, 32, 3, 2, true},
		{"Conv", 64, 64, 64, 3, 1, false},
		{"Conv", 64, 2, 64, 3, 1, true},
		{"ConvTranspose", 8, 1, 16, 3, 2, true},  // a phase of 4 of the 9 taps
		{"ConvTranspose", 3, 1, 16, 3, 2, false}, // at most 12 products
	} {
		b := graph.NewBuilder("g")
		x := b.Input("x", tensor.Float32, tensor.Shape{1, c.in, 8, 8})
		w := tensor.Shape{c.outs, c.in / c.group, c.kernel, c.kernel}
		a := op.Attrs{"kernel_shape": []int64{int64(c.kernel), int64(c.kernel)}, "strides": []int64{int64(c.s), int64(c.s)}, "group": int64(c.group), "pads": []int64{1, 1, 1, 1}, "dilations": []int64{1, 1}}
		if c.name == "ConvTranspose" {
			w[0], w[1] = c.in, c.outs
			a["output_padding"] = []int64{0, 0}
		}
		id, err := b.Op("y", c.name, a, x, b.Const("w", tensor.New(tensor.Float32, w)))
		if err != nil {
			t.Fatal(err)
		}
		g := b.Peek()
		if got := fills(g, &g.Nodes[id]); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
