package run

import (
	"context"
	"math"
	"math/rand/v2"

	"pimflow/internal/graph"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// VerifyExact executes each step of a program from small whole numbers, in place of the weights and of
// all values that it reads, drawn so that the partial sums of products are whole numbers that the format of
// the device holds. What the step makes must be equal to the definition. format is the PIM's.
//
// Weights are as large and as dense as six deviations of a sum of independent signs allow; sums beyond
// are Inexact.
func VerifyExact(ctx context.Context, p *program.Program, format tensor.Type, progress Progress) (*Verdict, error) {
	d := &integers{most: wholes[format], weights: map[graph.ID]int{}, biases: map[graph.ID]bool{}}
	g := p.Graph
	for i := range g.Nodes {
		if nd := &g.Nodes[i]; nd.Op != nil && nd.Op.MACs != nil {
			d.weights[nd.In[1]] = max(d.weights[nd.In[1]], products(g, nd))
			if b := nd.Op.Bias(nd.Operands()); b >= 0 {
				d.biases[nd.In[b]] = true
			}
		}
	}
	replaced := *g
	replaced.Nodes = append([]graph.Node{}, g.Nodes...)
	for i := range replaced.Nodes {
		if nd := &replaced.Nodes[i]; nd.Const != nil && nd.Type.Float() {
			nd.Const = d.constant(nd)
		}
	}
	var inputs []*tensor.Tensor
	for _, id := range g.Inputs {
		inputs = append(inputs, d.value(&g.Nodes[id]))
	}
	q := *p
	q.Graph = &replaced
	v, err := newVerifier(&q, inputs)
	if err != nil {
		return nil, err
	}
	v.draw = d
	if err := execute(ctx, &q, progress, v.step); err != nil {
		return nil, err
	}
	return v.verdict(), nil
}

// wholes is the largest number up to which a format holds all whole ones.
var wholes = map[tensor.Type]float64{
	tensor.Float16: 1 << 11, tensor.BFloat16: 1 << 8, tensor.Float32: 1 << 24,
	tensor.Int8: 1 << 24, // of sums, in int32
}

// products is the length of a contraction's sums.
func products(g *graph.Graph, nd *graph.Node) int {
	if size := nd.Shape.Size(); size > 0 {
		return int(g.MACs(g.Whole(nd.ID)) / int64(size))
	}
	return 0
}

// integers draws whole numbers.
type integers struct {
	most    float64          // that the device's format holds
	weights map[graph.ID]int // products of the sums they are in
	biases  map[graph.ID]bool
}

// deviations that a sum of random signs stays below, almost surely.
const deviations = 6

// constant draws a constant: weights of either sign, sparse where their sums would be too large; biases;
// positive numbers for anything else.
func (d *integers) constant(nd *graph.Node) *tensor.Tensor {
	r := rand.New(rand.NewPCG(uint64(nd.ID), 1))
	k, weights := d.weights[nd.ID]
	room := math.Pow(d.most/deviations, 2) / float64(max(1, k)) // the mean square of a weight
	large, dense := 1, min(1, room)
	for large < 4 && float64((large+2)*(2*large+3))/6 <= room { // the mean square of 1 to large+1
		large++
	}
	return tensor.Lazy(nd.Type, nd.Shape, func() ([]float32, []int64) {
		y := make([]float32, nd.Shape.Size())
		for i := range y {
			switch {
			case !weights && !d.biases[nd.ID]:
				y[i] = float32(1 + r.IntN(3))
			case !weights:
				y[i] = sign(r) * float32(1+r.IntN(8))
			case dense == 1 || r.Float64() < dense:
				y[i] = sign(r) * float32(1+r.IntN(large))
			}
		}
		return y, nil
	})
}

// value draws 1 and -1 for a value.
func (d *integers) value(nd *graph.Node) *tensor.Tensor {
	t := tensor.New(nd.Type, nd.Shape)
	if !nd.Type.Float() {
		return t
	}
	r := rand.New(rand.NewPCG(uint64(nd.ID), 2))
	for i := range t.Floats() {
		t.Floats()[i] = sign(r)
	}
	return t
}

func sign(r *rand.Rand) float32 { return float32(1 - 2*int(r.Uint64()>>63)) }
