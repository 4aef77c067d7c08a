package onnx

import (
	"math"
	"slices"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// window holds the attributes of a sliding window, each as long as the number
// of spatial dimensions, pads twice that.
type window struct{ kernel, strides, dilations, pads []int64 }

func (w window) attrs() op.Attrs {
	return op.Attrs{"kernel_shape": w.kernel, "strides": w.strides, "dilations": w.dilations, "pads": w.pads}
}

// list returns the attribute's values, as many as wanted and within lo..2^31-1,
// or that many times def where it is left out.
func (n *node) list(name string, count int, lo, def int64) []int64 {
	v := n.ints(name)
	if v == nil {
		return slices.Repeat([]int64{def}, count)
	}
	if len(v) != count {
		n.fail("%s %v: %d values wanted", name, v, count)
	}
	for _, x := range v {
		if x < lo || x > math.MaxInt32 {
			n.fail("%s %v: values from %d to %d wanted", name, v, lo, math.MaxInt32)
		}
	}
	return v
}

// spatial returns the extents of x after batch and channels.
func (n *node) spatial(x *value) tensor.Shape {
	if len(x.shape) < 3 {
		n.fail("input of %v: batch, channels and at least one more dimension wanted", x.shape)
	}
	return x.shape[2:]
}

// window reads kernel_shape (that of the weights w where it is left out),
// strides and dilations, but not pads.
func (n *node) window(rank int, w *value) window {
	var win window
	if w != nil {
		if len(w.shape) != rank+2 {
			n.fail("weights of %v: %d dimensions wanted", w.shape, rank+2)
		}
		win.kernel = int64s(w.shape[2:])
		if k := n.list("kernel_shape", rank, 1, 1); n.has("kernel_shape") && !slices.Equal(k, win.kernel) {
			n.fail("kernel_shape %v with weights of %v", k, w.shape)
		}
	} else {
		if !n.has("kernel_shape") {
			n.fail("kernel_shape is missing")
		}
		win.kernel = n.list("kernel_shape", rank, 1, 1)
	}
	win.strides = n.list("strides", rank, 1, 1)
	win.dilations = n.list("dilations", rank, 1, 1)
	return win
}

// autoPad reads auto_pad, and refuses pads beside it.
func (n *node) autoPad() string {
	auto := n.str("auto_pad", "NOTSET")
	if !slices.Contains([]string{"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}, auto) {
		n.fail("auto_pad %.80q: NOTSET, SAME_UPPER, SAME_LOWER or VALID wanted", auto)
	}
	if auto != "NOTSET" && slices.ContainsFunc(n.ints("pads"), func(p int64) bool { return p != 0 }) {
		n.fail("pads %v beside auto_pad %s: one of them wanted", n.ints("pads"), auto)
	}
	return auto
}

// pads resolves auto_pad for a window over extents.
func (n *node) pads(extents tensor.Shape, w *window) {
	r := len(extents)
	auto := n.autoPad()
	w.pads = n.list("pads", 2*r, math.MinInt32, 0)
	if auto != "SAME_UPPER" && auto != "SAME_LOWER" {
		return
	}
	w.pads = make([]int64, 2*r)
	for i, d := range extents {
		out := (int64(d) + w.strides[i] - 1) / w.strides[i]
		total := max((out-1)*w.strides[i]+(w.kernel[i]-1)*w.dilations[i]+1-int64(d), 0)
		w.put(i, total, auto == "SAME_UPPER")
	}
}

// put divides padding between both ends; the odd one goes to the end where
// upper is set, else to the beginning.
func (w *window) put(i int, total int64, upper bool) {
	r := len(w.kernel)
	w.pads[i], w.pads[r+i] = total/2, total-total/2
	if !upper {
		w.pads[i], w.pads[r+i] = w.pads[r+i], w.pads[i]
	}
}

func conv(n *node) []*value {
	n.arity(2, 3)
	return one(n.op("Conv", n.convolution(n.in[0], n.in[1]), n.all()...))
}

// convolution reads the attributes of a convolution of x with the weights w.
func (n *node) convolution(x, w *value) op.Attrs {
	ext := n.spatial(x)
	win := n.window(len(ext), w)
	n.pads(ext, &win)
	a := win.attrs()
	a["group"] = n.int("group", 1)
	return a
}

func convTranspose(n *node) []*value {
	n.arity(2, 3)
	ext := n.spatial(n.in[0])
	r := len(ext)
	w := n.window(r, n.in[1])
	extra := n.list("output_padding", r, 0, 0)
	auto := n.autoPad()
	w.pads = n.list("pads", 2*r, math.MinInt32, 0)
	shape := n.ints("output_shape")
	if len(shape) == r+2 {
		shape = shape[2:] // some exporters state batch and channels too
	}
	if shape != nil && len(shape) != r {
		n.fail("output_shape %v: %d values wanted", shape, r)
	}
	if shape != nil || auto == "SAME_UPPER" || auto == "SAME_LOWER" {
		w.pads = make([]int64, 2*r)
		for i, d := range ext {
			want := int64(d) * w.strides[i]
			if shape != nil {
				want = shape[i]
			}
			full := w.strides[i]*(int64(d)-1) + extra[i] + (w.kernel[i]-1)*w.dilations[i] + 1
			if want < 1 || want > math.MaxInt32 {
				n.fail("output_shape %v: values from 1 to %d wanted", shape, math.MaxInt32)
			}
			if want > full {
				extra[i] += want - full
				full = want
			}
			w.put(i, full-want, auto == "SAME_UPPER")
		}
	}
	a := w.attrs()
	a["group"], a["output_padding"] = n.int("group", 1), extra
	return one(n.op("ConvTranspose", a, n.all()...))
}

func averagePool(n *node) []*value {
	n.arity(1, 1)
	return one(n.pool("AveragePool", n.op, op.Attrs{"count_include_pad": n.int("count_include_pad", 0)}))
}

// pool makes a pooling operation of attributes a and the node's window.
func (n *node) pool(opName string, put func(string, op.Attrs, ...*value) *value, a op.Attrs) *value {
	ext := n.spatial(n.in[0])
	w := n.window(len(ext), nil)
	n.pads(ext, &w)
	for k, v := range w.attrs() {
		a[k] = v
	}
	a["ceil_mode"] = n.int("ceil_mode", 0)
	return put(opName, a, n.in[0])
}
