// Command trained trains three small CNNs on synthetic images by stochastic gradient descent and
// writes them as .onnx files to the current folder:
//
//	cancel.onnx   texture out of images with an offset 30 times as large: two linear layers that cancel it
//	classes.onnx  four kinds of stripes, with a soft-max head
//	segments.onnx the kind of stripe at each pixel, with an ArgMax head
//
// The files are the same bytes whenever it runs on one processor architecture:
//
//	cd testdata/trained && go run .
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// size is the height and width of the images.
const size = 16

// conv is a convolution with square kernel, with ReLU or without.
type conv struct {
	in, out, k, stride int
	pad                int // on each side
	relu               bool
	w, b, dw, db       []float64
}

func newConv(r *rand.Rand, in, out, k, stride int, relu bool) *conv {
	c := &conv{in: in, out: out, k: k, stride: stride, pad: (k - 1) / 2, relu: relu}
	c.w, c.dw = make([]float64, out*in*k*k), make([]float64, out*in*k*k)
	c.b, c.db = make([]float64, out), make([]float64, out)
	for i := range c.w {
		c.w[i] = r.NormFloat64() * math.Sqrt(2/float64(in*k*k))
	}
	return c
}

// made is the height of the output for images of n x n.
func (c *conv) made(n int) int { return (n+2*c.pad-c.k)/c.stride + 1 }

// each calls f for each product of a layer on images of n x n: output, weight and input.
func (c *conv) each(n int, f func(y, w, x int)) {
	m := c.made(n)
	for o := range c.out {
		for h := range m {
			for v := range m {
				for i := range c.in {
					for a := range c.k {
						for b := range c.k {
							row, col := h*c.stride+a-c.pad, v*c.stride+b-c.pad
							if row >= 0 && row < n && col >= 0 && col < n {
								f((o*m+h)*m+v, ((o*c.in+i)*c.k+a)*c.k+b, (i*n+row)*n+col)
							}
						}
					}
				}
			}
		}
	}
}

func (c *conv) forward(x []float64, n int) []float64 {
	m := c.made(n)
	y := make([]float64, c.out*m*m)
	for i := range y {
		y[i] = c.b[i/(m*m)]
	}
	c.each(n, func(to, w, from int) { y[to] += c.w[w] * x[from] })
	if c.relu {
		for i, v := range y {
			y[i] = max(0, v)
		}
	}
	return y
}

// backward takes the gradient of the output to that of the input, and adds those of the weights.
func (c *conv) backward(x, y, dy []float64, n int) []float64 {
	m := c.made(n)
	for i := range dy {
		if c.relu && y[i] <= 0 {
			dy[i] = 0
		}
		c.db[i/(m*m)] += dy[i]
	}
	dx := make([]float64, len(x))
	c.each(n, func(to, w, from int) {
		c.dw[w] += dy[to] * x[from]
		dx[from] += dy[to] * c.w[w]
	})
	return dx
}

func (c *conv) step(rate float64) {
	for _, p := range [][2][]float64{{c.w, c.dw}, {c.b, c.db}} {
		for i, d := range p[1] {
			p[0][i] -= rate * max(-1, min(1, d)) // clipped
		}
		clear(p[1])
	}
}

// network is convolutions one after the other; mean averages the last one's output over the image.
type network struct {
	layers []*conv
	mean   bool
}

// train makes one step with an image; loss returns the gradient of the outputs.
func (n *network) train(x []float64, rate float64, loss func(y []float64) []float64) {
	values, sizes := [][]float64{x}, []int{size}
	for _, c := range n.layers {
		values = append(values, c.forward(values[len(values)-1], sizes[len(sizes)-1]))
		sizes = append(sizes, c.made(sizes[len(sizes)-1]))
	}
	last := values[len(values)-1]
	y, area := last, sizes[len(sizes)-1]*sizes[len(sizes)-1]
	if n.mean {
		y = make([]float64, len(last)/area)
		for i, v := range last {
			y[i/area] += v / float64(area)
		}
	}
	d := loss(y)
	if n.mean {
		all := make([]float64, len(last))
		for i := range all {
			all[i] = d[i/area] / float64(area)
		}
		d = all
	}
	for i := len(n.layers) - 1; i >= 0; i-- {
		d = n.layers[i].backward(values[i], values[i+1], d, sizes[i])
		n.layers[i].step(rate)
	}
}

// softmax is the gradient of the cross entropy at each position; class of it is the label.
func softmax(y []float64, classes int, label func(position int) int) []float64 {
	d, n := make([]float64, len(y)), len(y)/classes
	for p := range n {
		sum := 0.0
		for c := range classes {
			sum += math.Exp(y[c*n+p])
		}
		for c := range classes {
			d[c*n+p] = math.Exp(y[c*n+p]) / sum / float64(n)
			if c == label(p) {
				d[c*n+p] -= 1 / float64(n)
			}
		}
	}
	return d
}

// stripe is a pixel of one of four kinds of stripes.
func stripe(kind, phase, h, v int) float64 {
	at := [...]int{h, v, h + v, h - v + size}[kind]
	return float64((at+phase)/2%2*2 - 1)
}

// export writes a network. head adds the last operations.
func export(name string, n *network, head func(b *graph.Builder, id graph.ID) (graph.ID, error)) error {
	b := graph.NewBuilder(name)
	id := b.Input("x", tensor.Float32, tensor.Shape{1, n.layers[0].in, size, size})
	floats := func(v []float64, s ...int) *tensor.Tensor {
		f := make([]float32, len(v))
		for i, x := range v {
			f[i] = float32(x)
		}
		return tensor.Floats32(s, f)
	}
	var err error
	for i, c := range n.layers {
		pad, k := int64(c.pad), int64(c.k)
		attrs := op.Attrs{"dilations": []int64{1, 1}, "group": int64(1), "kernel_shape": []int64{k, k}, "pads": []int64{pad, pad, pad, pad}, "strides": []int64{int64(c.stride), int64(c.stride)}}
		w := b.Const(fmt.Sprintf("w%d", i), floats(c.w, c.out, c.in, c.k, c.k))
		if id, err = b.Op(fmt.Sprintf("conv%d", i), "Conv", attrs, id, w, b.Const(fmt.Sprintf("b%d", i), floats(c.b, c.out))); err != nil {
			return err
		}
		if c.relu {
			if id, err = b.Op(fmt.Sprintf("relu%d", i), "Relu", nil, id); err != nil {
				return err
			}
		}
	}
	if id, err = head(b, id); err != nil {
		return err
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		return err
	}
	f, err := os.Create(name + ".onnx")
	if err != nil {
		return err
	}
	if err := onnx.Write(f, g); err != nil {
		return err
	}
	return f.Close()
}

func main() {
	r := rand.New(rand.NewPCG(1, 2))
	image := func(pixel func(h, v int) float64) []float64 {
		x := make([]float64, size*size)
		for i := range x {
			x[i] = pixel(i/size, i%size)
		}
		return x
	}

	cancel := &network{layers: []*conv{newConv(r, 1, 16, 3, 1, false), newConv(r, 16, 16, 1, 1, false), newConv(r, 16, 1, 1, 1, false)}}
	cancel.layers[0].pad = 0 // zeros beside an offset would not cancel
	for i := range 6000 {
		kind, phase, offset := r.IntN(4), r.IntN(4), 3*r.Float64()
		texture := image(func(h, v int) float64 { return 0.1 * stripe(kind, phase, h, v) })
		x := image(func(h, v int) float64 { return offset + texture[h*size+v] })
		cancel.train(x, 0.02/(1+float64(i)/500), func(y []float64) []float64 {
			d := make([]float64, len(y))
			for p := range d {
				d[p] = (y[p] - texture[(p/(size-2)+1)*size+p%(size-2)+1]) / 64
			}
			return d
		})
	}

	classes := &network{mean: true, layers: []*conv{newConv(r, 1, 8, 3, 1, true), newConv(r, 8, 16, 3, 2, true), newConv(r, 16, 16, 3, 2, true), newConv(r, 16, 4, 1, 1, false)}}
	segments := &network{layers: []*conv{newConv(r, 1, 8, 3, 1, true), newConv(r, 8, 16, 3, 1, true), newConv(r, 16, 4, 1, 1, false)}}
	for range 1500 {
		kind, other, phase, edge := r.IntN(4), r.IntN(4), r.IntN(4), r.IntN(size)
		x := image(func(h, v int) float64 { return stripe(kind, phase, h, v) + 0.3*r.NormFloat64() })
		classes.train(x, 0.02, func(y []float64) []float64 { return softmax(y, 4, func(int) int { return kind }) })
		at := func(v int) int {
			if v < edge {
				return kind
			}
			return other
		}
		x = image(func(h, v int) float64 { return stripe(at(v), phase, h, v) + 0.2*r.NormFloat64() })
		segments.train(x, 0.02, func(y []float64) []float64 { return softmax(y, 4, func(p int) int { return at(p % size) }) })
	}

	same := func(_ *graph.Builder, id graph.ID) (graph.ID, error) { return id, nil }
	err := export("cancel", cancel, same)
	if err == nil {
		err = export("classes", classes, func(b *graph.Builder, id graph.ID) (graph.ID, error) {
			id, err := b.Op("mean", "GlobalAveragePool", nil, id)
			if err != nil {
				return id, err
			}
			if id, err = b.Op("flat", "Reshape", op.Attrs{"shape": []int64{1, 4}}, id); err != nil {
				return id, err
			}
			return b.Op("softmax", "Softmax", op.Attrs{"axis": int64(1)}, id)
		})
	}
	if err == nil {
		err = export("segments", segments, func(b *graph.Builder, id graph.ID) (graph.ID, error) {
			return b.Op("best", "ArgMax", op.Attrs{"axis": int64(1), "keepdims": int64(0)}, id)
		})
	}
	if err != nil {
		log.Fatal(err)
	}
}
