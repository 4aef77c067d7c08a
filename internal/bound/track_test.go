package bound

import (
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestGapless: tiles next to each other read all between where the first and the last begin and end, if windows
// of rows are not shorter than their stride.
func TestGapless(t *testing.T) {
	for _, c := range []struct {
		kernel, stride int64
		rows           int
		want           bool
	}{
		{1, 1, 4, true}, {3, 1, 4, true}, {2, 2, 4, true}, {3, 2, 5, true}, {1, 2, 3, false}, {2, 3, 5, false},
		{1, 2, 4, false}, // nor the last row
	} {
		b := graph.NewBuilder("conv")
		x, err := b.Op("", "Relu", nil, b.Input("x", tensor.Float32, tensor.Shape{1, 1, c.rows, 1}))
		if err != nil {
			t.Fatal(err)
		}
		w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{1, 1, int(c.kernel), 1}))
		y, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{c.kernel, 1}, "strides": []int64{c.stride, 1}, "dilations": []int64{1, 1}, "pads": []int64{0, 0, 0, 0}, "group": int64(1)}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		b.Output("y", y)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		s := costed(g, fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 1 }), false)
		z, nodes := newInstance(s, nil)
		if got := z.gapless(1, 0, tensor.Full(g.Nodes[x].Shape)); got != c.want || nodes[1].reads[0].ends != c.want {
			t.Errorf("windows of %d rows, stride %d: %t and %+v, %t wanted", c.kernel, c.stride, got, nodes[1].reads, c.want)
		}
	}
}

// TestTracks: the row of the gate before that every tile with a row reads. Row 3 of a convolution of stride 2
// and three rows reads rows 5 to 7; tiles with more rows read these, too.
func TestTracks(t *testing.T) {
	b := graph.NewBuilder("convs")
	conv := func(x graph.ID, stride int64) graph.ID {
		w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{1, 1, 3, 1}))
		y, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{3, 1}, "strides": []int64{stride, 1}, "dilations": []int64{1, 1}, "pads": []int64{1, 0, 1, 0}, "group": int64(1)}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	b.Output("y", conv(conv(b.Input("x", tensor.Float32, tensor.Shape{1, 1, 16, 1}), 1), 2))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s := candidate.NewStore(g, fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 1 }))
	for lo := range 8 {
		for hi := lo + 1; hi <= 8; hi++ {
			s.Tile(1, candidate.Span{Dim: plan.Rows, Range: tensor.Range{Lo: lo, Hi: hi}})
		}
	}
	x, _ := newInstance(s, nil)
	for row, want := range []int{0, 2, 4, 6, 8, 10, 12, 14} {
		if got := x.rowsBefore(1, 0, []int{row}); !slices.Equal(got, []int{want}) {
			t.Errorf("row %d reads %v, want %d", row, got, want)
		}
	}
	if got := x.rowsBefore(1, 0, []int{3, 5}); !slices.Equal(got, []int{6, 10}) {
		t.Errorf("rows 3 and 5 read %v", got)
	}
	if got := x.rowsBefore(0, 1, []int{3}); got != nil {
		t.Errorf("a node reads a later one: %v", got)
	}
}
