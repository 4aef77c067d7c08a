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
