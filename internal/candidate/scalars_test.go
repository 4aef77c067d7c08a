package candidate_test

import (
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// TestScalars: a node waits for a scalar that it reads beside an input of the graph, of whose value no tile is made.
func TestScalars(t *testing.T) {
	b := graph.NewBuilder("scalars")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 8, 16, 16})
	low, err := b.Op("", "ReduceMin", op.Attrs{"axes": []int64{0, 1, 2, 3}, "keepdims": int64(0)}, x)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := b.Op("", "Sub", nil, x, low)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", diff)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s := candidate.NewStore(g, fake.Pair(0, func(bool, int, tensor.Box) device.Time { return 1 }))
	if !s.Uses(s.Whole(s.Pos[diff], 0), s.Whole(s.Pos[low], 0)) {
		t.Error("the difference does not wait for the scalar")
	}
}
