package search_test

import (
	"syscall"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

// made is a graph under construction, whose weights are zeros.
type made struct {
	t testing.TB
	*graph.Builder
}

func build(t testing.TB, name string, of func(n made)) *graph.Graph {
	n := made{t, graph.NewBuilder(name)}
	of(n)
	g, err := n.Graph()
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (n made) add(kind string, a op.Attrs, in ...graph.ID) graph.ID {
	id, err := n.Op("", kind, a, in...)
	if err != nil {
		n.t.Fatal(err)
	}
	return id
}

func (n made) channels(x graph.ID) int { return n.Peek().Nodes[x].Shape[1] }

func (n made) weights(s tensor.Shape) graph.ID {
	return n.Const("", tensor.Lazy(tensor.Float32, s, func() ([]float32, []int64) { return make([]float32, s.Size()), nil }))
}

func two(v int) []int64 { return []int64{int64(v), int64(v)} }

// conv is a convolution that keeps rows and columns, or halves them, with a Relu.
func (n made) conv(x graph.ID, out, kernel, stride, group int) graph.ID {
	w := n.weights(tensor.Shape{out, n.channels(x) / group, kernel, kernel})
	p := int64(kernel / 2)
	return n.add("Relu", nil, n.add("Conv", op.Attrs{"kernel_shape": two(kernel), "strides": two(stride), "dilations": two(1),
		"pads": []int64{p, p, p, p}, "group": int64(group)}, x, w))
}

// chain is nodes of one kind and shape.
func chain(nodes int, next func(n made, x graph.ID) graph.ID) func(n made) {
	return func(n made) {
		x := n.Input("x", tensor.Float32, tensor.Shape{1, 16, 14, 14})
		for range nodes {
			x = next(n, x)
		}
		n.Output("y", x)
	}
}

// dense is layers of 12 channels that each read all before them (Huang et al., CVPR 2017): two operations each.
func dense(layers int) func(n made) {
	return func(n made) {
		all := []graph.ID{n.conv(n.Input("x", tensor.Float32, tensor.Shape{1, 3, 28, 28}), 24, 3, 1, 1)}
		for range layers {
			x := all[0]
			if len(all) > 1 {
				x = n.add("Concat", op.Attrs{"axis": int64(1)}, all...)
			}
			all = append(all, n.conv(x, 12, 3, 1, 1))
		}
		n.Output("y", n.add("Concat", op.Attrs{"axis": int64(1)}, all...))
	}
}

// segmenter is a U-Net (Ronneberger et al., MICCAI 2015) with so many convolutions on each of five scales, down and up.
func segmenter(size, each int) func(n made) {
	return func(n made) {
		x := n.Input("x", tensor.Float32, tensor.Shape{1, 3, size, size})
		var skips []graph.ID
		for level := range 5 {
			for k := range each {
				stride := 1
				if level > 0 && k == 0 {
					stride = 2
				}
				x = n.conv(x, 16<<level, 3, stride, 1)
			}
			skips = append(skips, x)
		}
		for level := 4; level >= 0; level-- {
			if level < 4 {
				s := n.Peek().Nodes[skips[level]].Shape
				x = n.add("ConvTranspose", op.Attrs{"kernel_shape": two(2), "strides": two(2), "dilations": two(1), "pads": []int64{0, 0, 0, 0},
					"output_padding": two(0), "group": int64(1)}, x, n.weights(tensor.Shape{n.channels(x), s[1], 2, 2}))
				x = n.add("Concat", op.Attrs{"axis": int64(1)}, x, skips[level])
			}
			for range each {
				x = n.conv(x, 16<<level, 3, 1, 1)
			}
		}
		n.Output("y", x)
	}
}

// cells is cells of five blocks, each the sum of two separable convolutions or pools of earlier values, which are joined (NASNet:
// Zoph et al., CVPR 2018).
func cells(count int) func(n made) {
	return func(n made) {
		before := n.conv(n.Input("x", tensor.Float32, tensor.Shape{1, 3, 56, 56}), 44, 3, 1, 1)
		last, wide := before, 44
		for c := range count {
			stride := 1
			if c == count/3 || c == 2*count/3 {
				stride, wide = 2, 2*wide
			}
			a, b := n.conv(before, wide, 1, n.rows(before)/n.rows(last)*stride, 1), n.conv(last, wide, 1, stride, 1)
			separable := func(x graph.ID, kernel int) graph.ID {
				return n.conv(n.conv(x, wide, kernel, 1, wide), wide, 1, 1, 1)
			}
			pool := func(x graph.ID) graph.ID {
				return n.add("AveragePool", op.Attrs{"kernel_shape": []int64{3, 3}, "strides": []int64{1, 1}, "dilations": []int64{1, 1}, "pads": []int64{1, 1, 1, 1},
					"ceil_mode": int64(0), "count_include_pad": int64(0)}, x)
			}
			all := []graph.ID{a,
				n.add("Add", nil, separable(b, 3), b), n.add("Add", nil, separable(a, 3), separable(b, 5)),
				n.add("Add", nil, pool(b), a), n.add("Add", nil, pool(a), pool(a)), n.add("Add", nil, separable(a, 5), separable(a, 3)),
			}
			before, last = last, n.add("Concat", op.Attrs{"axis": int64(1)}, all...)
		}
		n.Output("y", last)
	}
}

func (n made) rows(x graph.ID) int { return n.Peek().Nodes[x].Shape[2] }

// large are networks of many nodes, or of large ones.
var large = []struct {
	name string
	of   func(t testing.TB) *graph.Graph
}{
	{"dense of 330 nodes", func(t testing.TB) *graph.Graph { return build(t, "dense", dense(165)) }},
	{"segmenter of 120 convolutions", func(t testing.TB) *graph.Graph { return build(t, "segmenter", segmenter(1024, 12)) }},
	{"efficientnet_b7", func(t testing.TB) *graph.Graph {
		g, err := zoo.Build("efficientnet_b7", 1)
		if err == nil {
			g, err = simplify.Run(t.Context(), g)
		}
		if err != nil {
			t.Fatal(err)
		}
		return g
	}},
	{"nasnet of 665 nodes", func(t testing.TB) *graph.Graph { return build(t, "nasnet", cells(37)) }},
	{"chain of 5000 convolutions", func(t testing.TB) *graph.Graph {
		return build(t, "convolutions", chain(5000, func(n made, x graph.ID) graph.ID { return n.conv(x, 16, 3, 1, 1) }))
	}},
	{"chain of 5000 sigmoids", func(t testing.TB) *graph.Graph {
		return build(t, "sigmoids", chain(5000, func(n made, x graph.ID) graph.ID { return n.add("Sigmoid", nil, x) }))
	}},
	{"tower of 5000 convolutions", func(t testing.TB) *graph.Graph { return tower(t, 5000, 32, 14, 14) }},
}

// BenchmarkLarge has the processor time and the operations of large networks.
func BenchmarkLarge(b *testing.B) {
	for _, c := range large {
		b.Run(c.name, func(b *testing.B) {
			g := c.of(b)
			before := processor()
			for b.Loop() {
				to := target(b, "newton") // has compiled nothing
				best(b, g, "auto", to)
			}
			b.ReportMetric((processor()-before)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(len(candidate.Operations(g))), "nodes")
		})
	}
}

// processor is the seconds that the process has used.
func processor() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
