package pim

import "pimflow/internal/tensor"

// finisher makes values of the sums of products: those of the operator before its epilogue, or the whole
// numbers of a product on integers.
type finisher struct {
	*layer
	scale      exponents
	dst        *tensor.Tensor
	added      []float32
	whole      []int64 // added to whole numbers
	at, biasAt []int   // of each pixel in dst, and in what is added
}

func (c *mappedCode) newFinisher(o *operands, in []*tensor.Tensor, dst *tensor.Tensor) *finisher {
	f := &finisher{layer: c.layer, scale: o.scale, dst: dst}
	switch {
	case f.bias < 0:
	case f.integers:
		f.whole = in[f.bias].Ints()
		f.added = make([]float32, len(f.whole))
		for i, v := range f.whole {
			f.added[i] = float32(v)
		}
	default:
		f.added = in[f.bias].Floats()
	}
	return f
}

// locate finds the pixels of a single product.
func (f *finisher) locate(l *layer) {
	f.at, f.biasAt = make([]int, l.pixels), make([]int, l.pixels)
	position := make([]int, len(l.axes))
	for p := range f.at {
		l.position(p, position)
		f.at[p] = l.dst0
		for i, v := range position {
			f.at[p] += v * l.axes[i].dst
			if f.added != nil {
				f.biasAt[p] += v * l.biasStep[i]
			}
		}
	}
}

// write writes the values of outs outputs from out0 on, whose results begin at an element.
func (f *finisher) write(r *Sums, from, out0, outs int) {
	if r.Exact != nil {
		y := f.dst.Ints()
		for p := range f.at {
			for i, v := range r.Exact[from+p*outs:][:outs] {
				out, sum := out0+i, int64(v)
				if f.whole != nil {
					sum += f.whole[f.biasAt[p]+f.layer.added(out)]
				}
				y[f.at[p]+f.layer.place(out)] = sum
			}
		}
		return
	}
	const pixels = 16 // values of an output that follow each other: a line of the cache
	y, typ := f.dst.Floats(), f.dst.Type
	for lo := 0; lo < len(f.at); lo += pixels {
		hi := min(lo+pixels, len(f.at))
		for out := out0; out < out0+outs; out++ {
			to, step := y[f.layer.place(out):], 0
			if f.added != nil {
				step = f.layer.added(out)
			}
			for p := lo; p < hi; p++ {
				v := f.scale.undo(out, r.Rounded[from+p*outs+out-out0]) * f.alpha
				if f.added != nil {
					v += float32(f.beta * f.added[f.biasAt[p]+step])
				}
				if typ != tensor.Float32 {
					v = tensor.Round(typ, v)
				}
				to[f.at[p]] = v
			}
		}
	}
}
