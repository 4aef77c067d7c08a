package pim

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// A transposed convolution is a convolution of stride 1 for each phase: the outputs whose positions leave
// the same remainders when they are divided by the strides. To them the same values of the kernel fall,
// last to first, of inputs that follow each other. The phases of a cut are matrix products whose parts
// follow each other in one piece of PIM work; their outputs stand a stride apart. Each phase writes the
// inputs again.
//
// In the literature: sub-pixel convolution (Shi et al., CVPR 2016; Is the deconvolution layer the same as
// a convolutional layer?, 2016).

// maxPhases bounds the phases of a layer, and so the length of its streams. A stride of 8 has 64
// (estimated: enough).
const maxPhases = 64

// kernelPart is what a phase takes of the kernel of a transposed convolution, whose weights are stored by
// input channel, then by output of the group.
type kernelPart struct {
	channels, outs int   // of a group
	size           int   // of the kernel
	taps           []int // of its values, in the order of the phase's products
}

// rows are the weights of the phase by output, then by channel, then by tap.
func (k *kernelPart) rows(w []float32) []float32 {
	n := len(k.taps)
	to := make([]float32, len(w)/k.size*n)
	for at := range len(w) / k.size {
		channel, out := at/k.outs, at%k.outs
		row := to[((channel/k.channels*k.outs+out)*k.channels+channel%k.channels)*n:][:n]
		for i, tap := range k.taps {
			row[i] = w[at*k.size+tap]
		}
	}
	return to
}

// product is the number of a product of the phase in the order of the operator (op.Sums).
func (k *kernelPart) product(i int) int { return i/len(k.taps)*k.size + k.taps[i%len(k.taps)] }

// products are the matrix products that the layer is made of.
func (l *layer) products() []*layer {
	if l.phases != nil {
		return l.phases
	}
	return []*layer{l}
}

// taps are the places in a kernel of so many values that fall to the outputs of a remainder, in the order
// of the inputs they meet, and the input that the first of them meets from position 0 on.
func phaseTaps(kernel, stride, dilation, begin, remainder int) (taps []int, first int) {
	for j := kernel - 1; j >= 0; j-- {
		at := remainder + begin - j*dilation
		if at%stride != 0 {
			continue
		}
		if taps == nil {
			first = at / stride
		}
		taps = append(taps, j)
	}
	return taps, first
}

func lowerTransposed(nd *graph.Node, in []tensor.Shape, box tensor.Box) (*layer, error) {
	x, w := in[0], in[1]
	xs, ys, ks := x.Strides(), nd.Shape.Strides(), w[2:].Strides()
	stride, pads, dil := nd.Attrs.Ints("strides"), nd.Attrs.Ints("pads"), nd.Attrs.Ints("dilations")
	count := tensor.Shape(stride).Size()
	if count > maxPhases {
		return nil, fmt.Errorf("strides %v: %d convolutions, at most %d wanted", stride, count, maxPhases)
	}
	group := nd.Attrs.Int("group")
	l := &layer{outs: box[1], outDst: ys[1], groupOuts: w[1], alpha: 1, beta: 1, bias: -1}
	if len(in) > 2 {
		l.bias, l.biasStep = 2, append(make([]int, len(box)-1), 1)
	}
	for phase := range count {
		p := *l
		p.phase = phase
		p.axes = []axis{{Range: box[0], src: xs[0], dst: ys[0]}}
		p.taps = kernelSteps{step: xs[2:], channel: xs[1]}
		part := &kernelPart{channels: w[0] / group, outs: w[1], size: w[2:].Size(), taps: []int{0}}
		for i, rest := 0, phase; i < len(stride); i++ {
			remainder := rest / tensor.Shape(stride[i+1:]).Size()
			rest %= tensor.Shape(stride[i+1:]).Size()
			taps, first := phaseTaps(w[2+i], stride[i], dil[i], pads[i], remainder)
			step := dil[i] / gcd(dil[i], stride[i])
			p.taps.kernel, p.taps.dilation = append(p.taps.kernel, len(taps)), append(p.taps.dilation, step)
			var all []int
			for _, at := range part.taps {
				for _, j := range taps {
					all = append(all, at+j*ks[i])
				}
			}
			part.taps = all
			r := box[2+i]
			p.axes = append(p.axes, axis{
				Range: tensor.Range{Lo: ceilDiv(max(0, r.Lo-remainder), stride[i]), Hi: ceilDiv(max(0, r.Hi-remainder), stride[i])},
				src:   xs[2+i], dst: ys[2+i] * stride[i], window: true,
				pad: -first, stride: 1, extent: x[2+i], reach: max(0, len(taps)-1) * step,
			})
			p.dst0 += remainder * ys[2+i]
		}
		p.part, p.groupK = part, part.channels*len(part.taps)
		p.classes = oneClass(p.axes)
		switch p.pixels = p.classes[0].pixels; {
		case p.pixels == 0:
		case p.groupK == 0:
			l.empty = append(l.empty, &p)
		default:
			l.phases = append(l.phases, &p)
			l.pixels += p.pixels
			l.groupK = max(l.groupK, p.groupK)
		}
	}
	return l, nil
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}
