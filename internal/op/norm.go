package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

func epsilonAttr() Attr { return Attr{Name: "epsilon", Kind: Float, Default: float32(1e-5)} }

// normOps scale values by statistics of them. Statistics are summed in float64
// and every value is rounded once.
var normOps = []Op{
	{
		Name: "BatchNormalization", MinIn: 5, MaxIn: 5, Type: floating, Attrs: []Attr{epsilonAttr()},
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) { return perChannelShape(in, 2) },
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			c := tensor.Box{out[1]}
			return []tensor.Box{out.Clone(), c, c.Clone(), c.Clone(), c.Clone()}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			x, y := in[0].Floats(), dst.Floats()
			scale, bias, mean, variance := in[1].Floats(), in[2].Floats(), in[3].Floats(), in[4].Floats()
			eachChannel(out, func(c int, b tensor.Box) {
				m := float64(mean[c])
				s := float64(scale[c]) / math.Sqrt(float64(variance[c])+float64(a.Float("epsilon")))
				affineRuns(y, x, dst.Shape, b, m, s, float64(bias[c]))
			})
		},
	},
	{
		Name: "InstanceNormalization", MinIn: 3, MaxIn: 3, Type: floating, Attrs: []Attr{epsilonAttr()},
		Shape: func(_ Attrs, in []tensor.Shape) (tensor.Shape, error) { return perChannelShape(in, 3) },
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			x := tensor.Full(in[0])
			copy(x, out[:2])
			return []tensor.Box{x, {out[1]}, {out[1]}}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			x, y := in[0].Floats(), dst.Floats()
			scale, bias := in[1].Floats(), in[2].Floats()
			eachChannel(out, func(c int, b tensor.Box) {
				all := tensor.Full(dst.Shape)
				copy(all, b[:2])
				mean, variance := moments(x, dst.Shape, all)
				s := float64(scale[c]) / math.Sqrt(variance+float64(a.Float("epsilon")))
				affineRuns(y, x, dst.Shape, b, mean, s, float64(bias[c]))
			})
		},
	},
	{
		Name: "LayerNormalization", MinIn: 2, MaxIn: 3, Type: floating,
		Attrs: []Attr{epsilonAttr(), {Name: "axis", Kind: Int, Default: int64(-1)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if _, err := axis(a, len(in[0])); err != nil {
				return nil, err
			}
			for i, s := range in[1:] {
				if b, err := broadcast(nil, []tensor.Shape{in[0], s}); err != nil || !b.Equal(in[0]) {
					return nil, fmt.Errorf("input %d %v does not broadcast to %v", i+1, s, in[0])
				}
			}
			return in[0].Clone(), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			need := []tensor.Box{wholeFrom(axisOf(a, len(in[0])), in[0], out)}
			for _, s := range in[1:] {
				need = append(need, stretched(s, out))
			}
			return need
		},
		Eval: layerNorm,
	},
	{
		Name: "LRN", MinIn: 1, MaxIn: 1, Type: floating,
		Attrs: []Attr{
			{Name: "size", Kind: Int}, {Name: "alpha", Kind: Float, Default: float32(1e-4)},
			{Name: "beta", Kind: Float, Default: float32(0.75)}, {Name: "bias", Kind: Float, Default: float32(1)},
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if a.Int("size") < 1 {
				return nil, fmt.Errorf("size %d: 1 or more wanted", a.Int("size"))
			}
			if len(in[0]) < 3 {
				return nil, fmt.Errorf("input 0 is %v: rank 3 or more wanted", in[0])
			}
			return in[0].Clone(), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return []tensor.Box{out.With(1, lrnChannels(a.Int("size"), out[1], in[0][1]))}
		},
		Eval: lrn,
	},
	{
		Name: "LpNormalization", MinIn: 1, MaxIn: 1, Type: floating,
		Attrs: []Attr{{Name: "axis", Kind: Int, Default: int64(-1)}, {Name: "p", Kind: Int, Default: int64(2)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if p := a.Int("p"); p != 1 && p != 2 {
				return nil, fmt.Errorf("p %d: 1 or 2 wanted", p)
			}
			return alongShape(a, in)
		},
		Need: alongNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			p := a.Int("p")
			along(a, in, dst, out, func(x []float64) {
				norm := 0.0
				for _, v := range x {
					if p == 1 {
						norm += math.Abs(v)
					} else {
						norm += v * v
					}
				}
				if p == 2 {
					norm = math.Sqrt(norm)
				}
				for i := range x {
					if norm == 0 { // ONNX LpNormalization-22: zeros stay zeros
						x[i] = 0
						continue
					}
					x[i] /= norm
				}
			})
		},
	},
}

// perChannelShape is the shape of a value with one parameter a channel in each of
// the inputs from 1.
func perChannelShape(in []tensor.Shape, lo int) (tensor.Shape, error) {
	x := in[0]
	if len(x) < lo {
		return nil, fmt.Errorf("input 0 is %v: rank %d or more wanted", x, lo)
	}
	for i := 1; i < len(in); i++ {
		if err := line(in, i, x[1]); err != nil {
			return nil, err
		}
	}
	return x.Clone(), nil
}

// eachChannel calls f, from several goroutines, for each image and channel c of
// the box out, with its part of the box.
func eachChannel(out tensor.Box, f func(c int, b tensor.Box)) {
	nc := out[1].Len()
	parallel(out[0].Len()*nc, func(i int) {
		n, c := out[0].Lo+i/nc, out[1].Lo+i%nc
		b := out.Clone()
		b[0], b[1] = tensor.Range{Lo: n, Hi: n + 1}, tensor.Range{Lo: c, Hi: c + 1}
		f(c, b)
	})
}

// affineRuns writes (x−mean)·scale+bias to the box b of y.
func affineRuns(y, x []float32, s tensor.Shape, b tensor.Box, mean, scale, bias float64) {
	b.Runs(s, func(off, n int) { vector.Affine(y[off:off+n], x[off:off+n], mean, scale, bias) })
}

// moments are the mean and the variance of the values in the box b.
func moments(x []float32, s tensor.Shape, b tensor.Box) (mean, variance float64) {
	count := float64(b.Size())
	b.Runs(s, func(off, n int) {
		for _, v := range x[off : off+n] {
			mean += float64(v)
		}
	})
	mean /= count
	b.Runs(s, func(off, n int) {
		for _, v := range x[off : off+n] {
			d := float64(v) - mean
			variance += d * d
		}
	})
	return mean, variance / count
}

// wholeFrom is the box out with all of the dimensions from axis.
func wholeFrom(axis int, s tensor.Shape, out tensor.Box) tensor.Box {
	b := tensor.Full(s)
	copy(b[:axis], out)
	return b
}

func layerNorm(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	s := dst.Shape
	x, y, scale := in[0].Floats(), dst.Floats(), in[1].Floats()
	at := axisOf(a, len(s))
	views := []view{of(s), stretch(in[1].Shape, len(s))}
	bias := []float32{0}
	if len(in) > 2 {
		bias = in[2].Floats()
		views = append(views, stretch(in[2].Shape, len(s)))
	} else {
		views = append(views, view{0, make([]int, len(s))})
	}
	var boxes []tensor.Box
	walk(out[:at], []view{of(s[:at])}, func(off, step []int, n int) {
		for ; n > 0; n-- {
			b, o := out.Clone(), off[0]
			for d := at - 1; d >= 0; d-- {
				b[d] = tensor.Range{Lo: o % s[d], Hi: o%s[d] + 1}
				o /= s[d]
			}
			boxes = append(boxes, b)
			off[0] += step[0]
		}
	})
	parallel(len(boxes), func(i int) {
		b := boxes[i]
		mean, variance := moments(x, s, wholeFrom(at, s, b))
		inv := 1 / math.Sqrt(variance+float64(a.Float("epsilon")))
		walk(b, views, func(off, step []int, n int) {
			for k := range n {
				j := off[0] + k*step[0]
				y[j] = float32((float64(x[j])-mean)*inv*float64(scale[off[1]+k*step[1]]) + float64(bias[off[2]+k*step[2]]))
			}
		})
	})
}

// lrnChannels is the range of the channels that those in r are normalised by.
func lrnChannels(size int, r tensor.Range, c int) tensor.Range {
	return tensor.Range{Lo: max(0, r.Lo-(size-1)/2), Hi: min(c, r.Hi+size/2)}
}

func lrn(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	x, y, s := in[0].Floats(), dst.Floats(), dst.Shape
	size, channel := a.Int("size"), s[2:].Size()
	alpha, beta, bias := float64(a.Float("alpha")), float64(a.Float("beta")), float64(a.Float("bias"))
	eachChannel(out, func(c int, b tensor.Box) {
		r := lrnChannels(size, b[1], s[1])
		b.Runs(s, func(off, n int) {
			for i := off; i < off+n; i++ {
				sum := 0.0
				for k := r.Lo; k < r.Hi; k++ {
					v := float64(x[i+(k-c)*channel])
					sum += v * v
				}
				y[i] = float32(float64(x[i]) / math.Pow(bias+alpha/float64(size)*sum, beta))
			}
		})
	})
}
