package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// window is a kernel that slides along one spatial dimension: output o covers the
// inputs o·stride − begin + j·dilation for j below kernel. Those outside 0..in are
// padding.
type window struct {
	kernel, stride, dilation int
	begin, end               int // padding
	in, out                  int // extents
}

// spatialAttrs are the attributes of a sliding window, without dilations.
var spatialAttrs = []Attr{{Name: "kernel_shape", Kind: Ints}, {Name: "strides", Kind: Ints}, {Name: "pads", Kind: Ints}}

// windows reads the attributes of a sliding window over spatial dimensions. The
// extents of the outputs follow; with ceil they are rounded up, but no window
// starts beyond the input and its first padding (PyTorch's and ONNX's rule).
func windows(a Attrs, spatial tensor.Shape, ceil bool) ([]window, error) {
	w, err := rawWindows(a, spatial)
	if err != nil {
		return nil, err
	}
	for d := range w {
		v := &w[d]
		span := v.in + v.begin + v.end - v.extent()
		if span < 0 {
			return nil, fmt.Errorf("spatial dimension %d: a kernel over %d values does not fit into %d+%d+%d", d, v.extent(), v.begin, v.in, v.end)
		}
		v.out = span/v.stride + 1
		if ceil && span%v.stride != 0 && v.out*v.stride < v.in+v.begin {
			v.out++
		}
	}
	return w, nil
}

// rawWindows is windows without the extents of the outputs.
func rawWindows(a Attrs, spatial tensor.Shape) ([]window, error) {
	n := len(spatial)
	if err := lengths(a, n, "kernel_shape", "strides"); err != nil {
		return nil, err
	}
	if err := lengths(a, 2*n, "pads"); err != nil {
		return nil, err
	}
	dilations := make([]int, n)
	for d := range dilations {
		dilations[d] = 1
	}
	if _, ok := a["dilations"]; ok {
		if err := lengths(a, n, "dilations"); err != nil {
			return nil, err
		}
		dilations = a.Ints("dilations")
	}
	kernel, strides, pads := a.Ints("kernel_shape"), a.Ints("strides"), a.Ints("pads")
	w := make([]window, n)
	for d := range w {
		w[d] = window{kernel: kernel[d], stride: strides[d], dilation: dilations[d], begin: pads[d], end: pads[n+d], in: spatial[d]}
		for _, x := range []struct {
			name    string
			v, want int
		}{
			{"kernel_shape", kernel[d], 1}, {"strides", strides[d], 1}, {"dilations", dilations[d], 1},
			{"pads", pads[d], 0}, {"pads", pads[n+d], 0},
		} {
			if x.v < x.want {
				return nil, fmt.Errorf("%s %v: %d or more wanted", x.name, a[x.name], x.want)
			}
		}
	}
	return w, nil
}

// windowsOf is windows after Shape has checked them.
func windowsOf(a Attrs, spatial tensor.Shape, ceil bool) []window {
	w, err := windows(a, spatial, ceil)
	if err != nil {
		panic(err)
	}
	return w
}

// extent is the number of inputs from the kernel's first value to its last.
func (w *window) extent() int { return w.dilation*(w.kernel-1) + 1 }

// need is the range of the inputs that the outputs r are made from.
func (w *window) need(r tensor.Range) tensor.Range {
	lo := r.Lo*w.stride - w.begin
	hi := (r.Hi-1)*w.stride - w.begin + w.extent()
	lo, hi = min(max(lo, 0), w.in), min(max(hi, 0), w.in)
	return tensor.Range{Lo: lo, Hi: max(lo, hi)}
}

// valid is the range of the outputs in r whose kernel value j is not padding.
func (w *window) valid(r tensor.Range, j int) tensor.Range {
	// 0 <= o·stride + at < in
	at := j*w.dilation - w.begin
	lo := max(r.Lo, ceilDiv(-at, w.stride))
	hi := min(r.Hi, ceilDiv(w.in-at, w.stride))
	return tensor.Range{Lo: lo, Hi: max(lo, hi)}
}

// taps is the range of the kernel's values that are not padding at output o.
func (w *window) taps(o int) tensor.Range {
	at := o*w.stride - w.begin
	lo := max(0, ceilDiv(-at, w.dilation))
	hi := min(w.kernel, ceilDiv(w.in-at, w.dilation))
	return tensor.Range{Lo: lo, Hi: max(lo, hi)}
}

// index is the input under kernel value j at output o.
func (w *window) index(o, j int) int { return o*w.stride - w.begin + j*w.dilation }

// ceilDiv is a/b rounded up, for b > 0.
func ceilDiv(a, b int) int {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// needAll is need in each dimension.
func needAll(w []window, out tensor.Box) tensor.Box {
	b := make(tensor.Box, len(w))
	for d := range w {
		b[d] = w[d].need(out[d])
	}
	return b
}

// outs is the extents of the outputs.
func outs(w []window) tensor.Shape {
	s := make(tensor.Shape, len(w))
	for d := range w {
		s[d] = w[d].out
	}
	return s
}

// cube extends up to three windows and the box of their outputs with dimensions
// of one value in front, so that 1-D, 2-D and 3-D operators are one.
func cube(w []window, out tensor.Box) (cw [3]window, co [3]tensor.Range) {
	for i := range cw {
		cw[i] = window{kernel: 1, stride: 1, dilation: 1, in: 1, out: 1}
		co[i] = tensor.Range{Lo: 0, Hi: 1}
	}
	copy(cw[3-len(w):], w)
	copy(co[3-len(w):], out)
	return cw, co
}
