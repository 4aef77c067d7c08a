package pim

import (
	"fmt"

	"pimflow/internal/tensor"
)

// placed checks that the pixels' numbers are the positions of the cut, each once.
func (p *productSet) placed() error {
	for _, l := range p.layer.products() {
		if err := placed(l); err != nil {
			return err
		}
	}
	return p.phased()
}

// placed checks the pixels of a single product.
func placed(l *layer) error {
	box := make(tensor.Box, len(l.axes))
	for i, a := range l.axes {
		box[i] = a.Range
	}
	seen, at := make([]bool, l.pixels), make([]int, len(box))
	for pixel := range l.pixels {
		l.position(pixel, at)
		n := 0
		for i, r := range box {
			if at[i] < r.Lo || at[i] >= r.Hi {
				return &Violation{-1, -1, fmt.Sprintf("pixel %d is at %v, outside of %v", pixel, at, box)}
			}
			n = n*r.Len() + at[i] - r.Lo
		}
		if seen[n] {
			return &Violation{-1, -1, fmt.Sprintf("pixel %d is at %v, as another one", pixel, at)}
		}
		seen[n] = true
	}
	return nil
}

// padding reports whether a column of K of a pixel of a matrix is all padding, by the
// attributes of the node and whatever the mapping left out.
func (p *productSet) padding(m *matrixRun, pixel, k int) bool {
	nd := &p.graph.Nodes[p.cut.Node]
	if m.layer.turned != nil || m.layer.each != nil {
		return false
	}
	switch nd.Op.OnReals() {
	case "Conv":
	case "ConvTranspose":
		return p.transposedPadding(m, pixel, k)
	default:
		return false
	}
	x, w := p.graph.Nodes[nd.In[0]].Shape, p.graph.Nodes[nd.In[1]].Shape
	strides, pads, dilations := nd.Attrs.Ints("strides"), nd.Attrs.Ints("pads"), nd.Attrs.Ints("dilations")
	at := make([]int, len(x))
	m.layer.position(pixel, at[1:]) // the image, then along each dimension of the kernel
	kernel, channels := w[2:].Size(), m.merge*w[1]
	for e := k * m.lanes; e < min((k+1)*m.lanes, m.k*m.lanes, channels*kernel); e++ {
		tap := e % kernel
		if m.layer.byTap {
			tap = e / channels
		}
		inside := true
		for d := len(w) - 1; d >= 2; d-- {
			i := at[d]*strides[d-2] - pads[d-2] + tap%w[d]*dilations[d-2]
			inside = inside && i >= 0 && i < x[d]
			tap /= w[d]
		}
		if inside {
			return false
		}
	}
	return true
}
