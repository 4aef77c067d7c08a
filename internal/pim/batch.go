package pim

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// A product of matrices of several dimensions is a product for each matrix of the batch, which is a group of
// the layer: its outputs are the columns of the box. What the matrices of a batch share, where they are
// broadcast, each has for itself.

// batched is a matrix of a batch: where its operands and its columns of the value begin.
type batched struct {
	number            int // in the whole value
	src, weights, dst int
}

// lowerBatch lowers a product whose second operand has more than two dimensions.
func lowerBatch(nd *graph.Node, in []tensor.Shape, box tensor.Box) (*layer, error) {
	x, w, y := in[0], in[1], nd.Shape
	if len(x) < 2 {
		return nil, fmt.Errorf("left operand of shape %v, a matrix wanted", x)
	}
	last := len(y) - 1
	rows, cols := box[last-1], box[last]
	k, width := w[len(w)-2], w[len(w)-1]
	l := &layer{
		axes: []axis{{Range: rows, src: k, dst: width}}, outDst: 1,
		groupK: k, groupOuts: cols.Len(), taps: kernelSteps{channel: 1}, alpha: 1, beta: 1, bias: -1, width: width, cols: cols,
	}
	// at is the number of a matrix of an operand that meets that of the value, by the rules of broadcasting.
	at := func(s tensor.Shape, index []int) (n int) {
		for i, d := range s[:len(s)-2] {
			if n *= d; d > 1 {
				n += index[len(index)-len(s)+2+i]
			}
		}
		return n
	}
	batch := box[:last-1]
	index := make([]int, len(batch))
	for i := range batch.Size() {
		number, rest := 0, i
		for d := len(batch) - 1; d >= 0; d-- {
			index[d], rest = batch[d].Lo+rest%batch[d].Len(), rest/batch[d].Len()
		}
		for d, v := range index {
			number = number*y[d] + v
		}
		l.batch = append(l.batch, batched{
			number: number, src: at(x, index) * x[len(x)-2] * k, weights: at(w, index)*k*width + cols.Lo, dst: number*y[last-1]*width + cols.Lo,
		})
	}
	l.outs = tensor.Range{Hi: len(l.batch) * cols.Len()}
	return l, nil
}

// batchRows are the weights of a batch by output, then by product.
func (l *layer) batchRows(w []float32) []float32 {
	to := make([]float32, l.outs.Len()*l.groupK)
	for i, b := range l.batch {
		for k := range l.groupK {
			row := w[b.weights+k*l.width:][:l.groupOuts]
			for out, v := range row {
				to[(i*l.groupOuts+out)*l.groupK+k] = v
			}
		}
	}
	return to
}

// source is where the inputs of a group begin.
func (l *layer) source(group int) int {
	if l.batch != nil {
		return l.batch[group].src
	}
	return group * l.channels() * l.taps.channel
}

// place is where an output stands in the value, from a pixel on.
func (l *layer) place(out int) int {
	switch {
	case l.each != nil:
		return l.batch[out/l.groupOuts].dst + l.each.offset(out%l.groupOuts)
	case l.turned != nil:
		return l.batch[out/l.groupOuts].dst + l.turned.offset(out%l.groupOuts)
	case l.batch != nil:
		return l.batch[out/l.groupOuts].dst + out%l.groupOuts*l.outDst
	}
	return out * l.outDst
}

// sources is the number of groups whose inputs differ.
func (l *layer) sources() int {
	if l.batch == nil {
		return (l.outs.Hi-1)/l.groupOuts - l.outs.Lo/l.groupOuts + 1
	}
	seen := map[int]bool{}
	for _, b := range l.batch {
		seen[b.src] = true
	}
	return len(seen)
}

// output is the layer's number of an output of a matrix, as package op counts both, if it is in the layer.
func (l *layer) output(matrix, out int) (int, bool) {
	switch {
	case l.turned != nil:
		return l.holds(out)
	case l.batch == nil:
		return out, l.phase == matrix
	}
	for i, b := range l.batch {
		if b.number == matrix {
			return i*l.groupOuts + out - l.cols.Lo, true
		}
	}
	return 0, false
}
