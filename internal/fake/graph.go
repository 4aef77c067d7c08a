package fake

import (
	"math/rand/v2"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Small draws a graph of up to most operations over values of 1 x C x rows x 1:
// chains, and where an operation reads an older value diamonds and residuals.
func Small(rng *rand.Rand, most, channels, rows int) *graph.Graph {
	b := graph.NewBuilder("some")
	values := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{1, channels, rows, 1})}
	add := func(name string, a op.Attrs, in ...graph.ID) bool {
		id, err := b.Op("", name, a, in...)
		if err == nil {
			values = append(values, id)
		}
		return err == nil
	}
	n := 1 + rng.IntN(most)
	for len(values) <= n {
		x := values[len(values)-1]
		old := values[rng.IntN(len(values))]
		if rng.IntN(4) == 0 {
			x = old
		}
		c := b.Peek().Nodes[x].Shape[1]
		switch rng.IntN(6) {
		case 0:
			add("Relu", nil, x)
		case 1:
			add("Add", nil, x, old)
		case 2:
			if rows == 1 || c > channels || !add("GlobalAveragePool", nil, x) {
				continue
			}
			if len(values) <= n { // what it scales
				add("Mul", nil, x, values[len(values)-1])
			}
		default:
			k, group := []int64{1, 3}[rng.IntN(2)], []int{1, c}[rng.IntN(2)]
			w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{c, c / group, int(k), 1}))
			add("Conv", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{1, 1}, "dilations": []int64{1, 1},
				"pads": []int64{(k - 1) / 2, 0, (k - 1) / 2, 0}, "group": int64(group)}, x, w)
		}
	}
	b.Output("y", values[len(values)-1])
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// Wild draws a graph of strides, dilations, pools, branches and residuals over values
// of images x channels x rows x 1.
func Wild(rng *rand.Rand, most, images, channels, rows int) *graph.Graph {
	b := graph.NewBuilder("wild")
	values := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{images, channels, rows, 1})}
	add := func(name string, a op.Attrs, in ...graph.ID) {
		if id, err := b.Op("", name, a, in...); err == nil {
			values = append(values, id)
		}
	}
	for tries := 0; len(values) <= most && tries < 50; tries++ {
		x, old := values[len(values)-1], values[rng.IntN(len(values))]
		if rng.IntN(4) == 0 {
			x = old
		}
		shape := b.Peek().Nodes[x].Shape
		c, stride := shape[1], int64(1+rng.IntN(5)/4)
		switch rng.IntN(10) {
		case 0:
			add("Relu", nil, x)
		case 1, 2:
			if other := b.Peek().Nodes[old].Shape; other.Equal(shape) {
				add("Add", nil, x, old)
			}
		case 3:
			if shape[2] > 1 {
				add("GlobalAveragePool", nil, x)
				add("Mul", nil, x, values[len(values)-1])
			}
		case 4:
			k := int64(1 + rng.IntN(3))
			add("MaxPool", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{stride, 1}, "dilations": []int64{1, 1}, "pads": []int64{k / 2, 0, k / 2, 0}, "ceil_mode": int64(0), "storage_order": int64(0)}, x)
		case 5:
			if c < 4 && b.Peek().Nodes[old].Shape[2] == shape[2] {
				add("Concat", op.Attrs{"axis": int64(1)}, x, old)
			}
		default:
			k, group, dilation := []int64{1, 3}[rng.IntN(2)], []int{1, c}[rng.IntN(2)], int64(1+rng.IntN(4)/3)
			out := group * (1 + rng.IntN(max(1, channels/group)))
			w := b.Const("", tensor.New(tensor.Float32, tensor.Shape{out, c / group, int(k), 1}))
			pad := (k - 1) / 2 * dilation
			add("Conv", op.Attrs{"kernel_shape": []int64{k, 1}, "strides": []int64{stride, 1}, "dilations": []int64{dilation, 1},
				"pads": []int64{pad, 0, pad, 0}, "group": int64(group)}, x, w)
		}
	}
	b.Output("y", values[len(values)-1])
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// Chain is a chain of elementwise operations, as Branches has them.
func Chain(nodes, rows int) *graph.Graph {
	var inputs [][]int
	for k := range nodes {
		inputs = append(inputs, []int{k - 1})
	}
	return Branches(rows, inputs...)
}

// Branches is a graph of elementwise operations on values of 1 x 1 x rows x 1. Operation k, from 0,
// reads the operations inputs[k]; -1 is the graph's input. It is node k+1, and adds its inputs
// if there are two. Values that nothing reads are outputs.
func Branches(rows int, inputs ...[]int) *graph.Graph {
	b := graph.NewBuilder("branches")
	ids := []graph.ID{b.Input("x", tensor.Float32, tensor.Shape{1, 1, rows, 1})}
	read := map[int]bool{}
	for _, in := range inputs {
		var from []graph.ID
		for _, k := range in {
			from = append(from, ids[k+1])
			read[k] = true
		}
		name := "Relu"
		if len(from) > 1 {
			name = "Add"
		}
		id, err := b.Op("", name, nil, from...)
		if err != nil {
			panic(err)
		}
		ids = append(ids, id)
	}
	for k := range inputs {
		if !read[k] {
			b.Output("", ids[k+1])
		}
	}
	g, err := b.Graph()
	if err != nil {
		panic(err)
	}
	return g
}
