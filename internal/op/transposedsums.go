package op

import (
	"math"

	"pimflow/internal/tensor"
)

// transposedSums has the sums of a ConvTranspose phase by phase. A phase is the outputs that leave the
// same remainders when their positions are divided by the strides; its number counts the remainders in
// row-major order. To all of them the same values of the kernel fall, tested one by one: an output at o
// has value j of input i where i·stride − begin + j·dilation = o. Products are numbered by input
// channel, then by place in the kernel.
func transposedSums(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) (all []*sums) {
	x, w := in[0].Shape, in[1].Shape
	v, err := transposedWindows(a, x[2:])
	if err != nil {
		panic(err)
	}
	win, box := cube(v, out[2:])
	cg, mg, kernel := x[1]/a.Int("group"), w[1], w[2:].Size()
	weights := transposedWeights(in[1].Floats(), x[1]/cg, cg, mg, kernel)
	px, py, count := 1, 1, 1
	for d := range win {
		px, py, count = px*win[d].in, py*win[d].out, count*win[d].stride
	}
	line := [3]int{win[1].in * win[2].in, win[2].in, 1}
	for phase := range count {
		s := &sums{x: in[0].Floats(), w: weights, outs: out[1], group: mg, xGroup: cg * px, wOut: cg * kernel, wK: 1, step: py, alpha: 1, matrix: phase, whole: []int{}}
		remainder, rest := [3]int{}, phase
		for d := 2; d >= 0; d-- {
			remainder[d], rest = rest%win[d].stride, rest/win[d].stride
			s.extent[d] = win[d].in
		}
		var first [3]int // the least input that a value of the kernel meets, from the first position on
		for d := range first {
			first[d] = math.MaxInt
		}
		s.off, s.reach = make([]int, cg*kernel), make([][3]int, cg*kernel)
		for k := range s.off {
			tap, meets := k%kernel, true
			for d := 2; d >= 0; d-- {
				i := remainder[d] + win[d].begin - tap%win[d].kernel*win[d].dilation
				meets = meets && i%win[d].stride == 0
				s.reach[k][d] = i / win[d].stride
				tap /= win[d].kernel
			}
			if meets {
				s.whole = append(s.whole, k)
				for d, i := range s.reach[k] {
					first[d] = min(first[d], i)
				}
			}
		}
		if len(s.whole) == 0 {
			first = [3]int{}
		}
		for _, k := range s.whole {
			s.off[k] = k / kernel * px
			for d := range first {
				s.reach[k][d] -= first[d]
				s.off[k] += s.reach[k][d] * line[d]
				s.last[d] = max(s.last[d], s.reach[k][d])
			}
		}
		var at [3][]int // positions of the phase
		for d := range at {
			for o := box[d].Lo; o < box[d].Hi; o++ {
				if o%win[d].stride == remainder[d] {
					at[d] = append(at[d], o)
				}
			}
		}
		for n := out[0].Lo; n < out[0].Hi; n++ {
			for _, o0 := range at[0] {
				for _, o1 := range at[1] {
					for _, o2 := range at[2] {
						i := [3]int{o0/win[0].stride + first[0], o1/win[1].stride + first[1], o2/win[2].stride + first[2]}
						s.at = append(s.at, n*value[1]*py+(o0*win[1].out+o1)*win[2].out+o2)
						s.base = append(s.base, n*x[1]*px+i[0]*line[0]+i[1]*line[1]+i[2]*line[2])
						s.origin = append(s.origin, i)
					}
				}
			}
		}
		if len(in) > 2 {
			bias := in[2].Floats()
			s.added = func(out, _ int) float64 { return float64(bias[out]) }
		}
		if len(s.at) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// transposedWeights are weights of a ConvTranspose by output.
func transposedWeights(w []float32, groups, cg, mg, kernel int) []float32 {
	to := make([]float32, len(w))
	for g := range groups {
		for m := range mg {
			for c := range cg {
				copy(to[((g*mg+m)*cg+c)*kernel:][:kernel], w[((g*cg+c)*mg+m)*kernel:])
			}
		}
	}
	return to
}
