package search_test

import (
	"fmt"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// tower is a chain of blocks of three convolutions, every other one with a residual.
func tower(t testing.TB, nodes, channels, rows, columns int) *graph.Graph {
	b := graph.NewBuilder("tower")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, channels, rows, columns})
	conv := func(x graph.ID, out, k, group int) graph.ID {
		in := b.Peek().Nodes[x].Shape[1]
		w := b.Const("", tensor.Lazy(tensor.Float32, tensor.Shape{out, in / group, k, k}, func() ([]float32, []int64) {
			return make([]float32, out*in/group*k*k), nil
		}))
		p := int64(k / 2)
		id, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{int64(k), int64(k)}, "strides": []int64{1, 1}, "dilations": []int64{1, 1},
			"pads": []int64{p, p, p, p}, "group": int64(group)}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for i := 0; i < nodes; i += 3 {
		y := conv(x, 4*channels, 1, 1)
		y = conv(y, 4*channels, 3, 4*channels)
		y = conv(y, channels, 1, 1)
		if i%2 == 1 {
			var err error
			if y, err = b.Op("", "Add", nil, y, x); err != nil {
				t.Fatal(err)
			}
		}
		x = y
	}
	b.Output("y", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// BenchmarkNodes shows that work grows with the number of nodes, not faster.
func BenchmarkNodes(b *testing.B) {
	for _, n := range []int{50, 500, 1500, 5000} {
		g := tower(b, n, 32, 14, 14)
		to := target(b, "newton")
		to.Fits = memory.Fits
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				best(b, g, "auto", to)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/node")
		})
	}
}

// TestManyRows: values with 2^18 rows, or thousands of channels, are searched with a
// bounded number of cuts of each node.
func TestManyRows(t *testing.T) {
	for _, g := range []*graph.Graph{tower(t, 3, 4, 1<<18, 1), tower(t, 3, 1<<12, 2, 2)} {
		r := best(t, g, "auto", target(t, "newton"))
		if r.Timeline.Total >= r.Baseline.Total || r.Bound > r.Timeline.Total {
			t.Errorf("%v, %v on the GPU, bound %v", r.Timeline.Total, r.Baseline.Total, r.Bound)
		}
	}
}
