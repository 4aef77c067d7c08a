package pim

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
)

// unsummed is the number of values to which no product falls.
func (l *layer) unsummed() (n int) {
	for _, e := range l.empty {
		n += e.results()
	}
	return n
}

// remainders are those of a phase in each dimension, by its number.
func remainders(phase int, strides []int) []int {
	r := make([]int, len(strides))
	for d := len(strides) - 1; d >= 0; d-- {
		r[d], phase = phase%strides[d], phase/strides[d]
	}
	return r
}

// fallsOn lists the values of a kernel that fall on an output at o of an input, each with its input, by
// the attributes of the node: input i and value j make the output i·stride − begin + j·dilation.
func fallsOn(o, kernel, stride, dilation, begin int) (taps, inputs []int) {
	for j := kernel - 1; j >= 0; j-- {
		if at := o + begin - j*dilation; (at%stride+stride)%stride == 0 {
			taps, inputs = append(taps, j), append(inputs, at/stride)
		}
	}
	return taps, inputs
}

// phased checks that the phases of a transposed convolution are the cut's outputs, each once, and that
// each has the values of the kernel that fall on it.
func (p *productSet) phased() error {
	nd, box := &p.graph.Nodes[p.cut.Node], p.cut.Box
	if nd.Op.Name != "ConvTranspose" {
		return nil
	}
	w := p.graph.Nodes[nd.In[1]].Shape
	strides, pads, dilations := nd.Attrs.Ints("strides"), nd.Attrs.Ints("pads"), nd.Attrs.Ints("dilations")
	whole := tensor.Full(nd.Shape[2:])
	seen := make([]bool, whole.Size())
	for _, l := range slices.Concat(p.layer.phases, p.layer.empty) {
		rest := remainders(l.phase, strides)
		taps := []int{0}
		n, position := 0, make([]int, len(l.axes))
		for d := range strides {
			js, _ := fallsOn(rest[d], w[2+d], strides[d], dilations[d], pads[d])
			var all []int
			for _, at := range taps {
				for _, j := range js {
					all = append(all, at*w[2+d]+j)
				}
			}
			taps = all
		}
		if !slices.Equal(taps, l.part.taps) {
			return &Violation{-1, -1, fmt.Sprintf("phase %d has values %v of the kernel, %v wanted", l.phase, l.part.taps, taps)}
		}
		for pixel := range l.pixels {
			l.position(pixel, position)
			if position[0] != l.axes[0].Lo {
				continue
			}
			n = 0
			for d := range strides {
				o := position[1+d]*strides[d] + rest[d]
				if o < box[2+d].Lo || o >= box[2+d].Hi {
					return &Violation{-1, -1, fmt.Sprintf("pixel %d of phase %d is outside of %v", pixel, l.phase, box)}
				}
				n = n*nd.Shape[2+d] + o
			}
			if seen[n] {
				return &Violation{-1, -1, fmt.Sprintf("pixel %d of phase %d is where another one is", pixel, l.phase)}
			}
			seen[n] = true
		}
	}
	n := 0
	for _, s := range seen {
		if s {
			n++
		}
	}
	if want := box[2:].Size(); n != want {
		return &Violation{-1, -1, fmt.Sprintf("the phases have %d positions of %d", n, want)}
	}
	return nil
}

// transposedPadding is padding of a phase.
func (p *productSet) transposedPadding(m *matrixRun, pixel, k int) bool {
	nd := &p.graph.Nodes[p.cut.Node]
	x, w := p.graph.Nodes[nd.In[0]].Shape, p.graph.Nodes[nd.In[1]].Shape
	strides, pads, dilations := nd.Attrs.Ints("strides"), nd.Attrs.Ints("pads"), nd.Attrs.Ints("dilations")
	l := m.layer
	at, rest := make([]int, len(l.axes)), remainders(l.phase, strides)
	l.position(pixel, at)
	inputs, kernel := make([][]int, len(strides)), 1
	for d := range strides {
		_, inputs[d] = fallsOn(at[1+d]*strides[d]+rest[d], w[2+d], strides[d], dilations[d], pads[d])
		kernel *= len(inputs[d])
	}
	channels := m.merge * w[0] / nd.Attrs.Int("group")
	for e := k * m.lanes; e < min((k+1)*m.lanes, m.k*m.lanes, channels*kernel); e++ {
		tap := e % kernel
		if l.byTap {
			tap = e / channels
		}
		inside := true
		for d := len(strides) - 1; d >= 0; d-- {
			i := inputs[d][tap%len(inputs[d])]
			inside = inside && i >= 0 && i < x[2+d]
			tap /= len(inputs[d])
		}
		if inside {
			return false
		}
	}
	return true
}
