package op

import (
	"cmp"
	"slices"
	"strings"

	"pimflow/internal/tensor"
)

// Part returns the attributes with which the operator makes the box out of its value, and nothing else, from the boxes
// of its inputs that Need names, less those that it does not read (Reads). ok is false where it cannot: then only a larger
// value has the box in it.
func (o *Op) Part(a Attrs, in []tensor.Shape, out tensor.Box) (part Attrs, ok bool) {
	if o.Need == nil || out.Empty() || !o.partible() {
		return nil, false
	}
	part, ok = a, true
	if f := parts[o.meaning()]; f != nil {
		part, ok = f(a, in, out)
	}
	if !ok {
		return nil, false
	}
	var need []tensor.Shape
	for _, b := range o.Need(a, in, out) {
		if o.Reads(b) {
			need = append(need, b.Shape())
		}
	}
	s, err := o.Shape(part, need)
	return part, err == nil && s.Equal(out.Shape())
}

// Reads reports whether the operation of a part has an input of which it needs a box. Among any number of inputs those are
// left out of which it needs nothing.
func (o *Op) Reads(need tensor.Box) bool { return o.MaxIn >= 0 || !need.Empty() }

// meaning is the name of the operator or, of one on integers, that of the same on real numbers.
func (o *Op) meaning() string { return cmp.Or(o.Real, o.Name) }

// partible reports whether it is known how a part of a value is made.
func (o *Op) partible() bool {
	return o.Map != nil || o.Combine != nil || o.Name == "Concat" || parts[o.meaning()] != nil || slices.Contains(placeless, o.meaning())
}

// placeless are the operators, beside those of a Map or a Combine, whose attributes say nothing of places: a part is made as
// the whole is, if its inputs have the extents for it.
var placeless = strings.Fields(`
And ArgMax ArgMin BatchNormalization BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast DepthToSpace
Equal Gather GatherElements Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual Hardmax Identity
InstanceNormalization IsInf IsNaN LayerNormalization Less LessOrEqual LogSoftmax LpNormalization MatMul Not OneHot Or
ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Softmax SpaceToDepth TopK Transpose Where
Xor`)

// parts has the operators whose attributes follow the place of the part.
var parts = map[string]func(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool){
	"Conv":          convPart,
	"ConvTranspose": transposedPart,
	"MaxPool":       poolPart,
	"AveragePool":   poolPart,
	"Expand": func(a Attrs, _ []tensor.Shape, out tensor.Box) (Attrs, bool) {
		return a.with("shape", int64s(out.Shape())), true
	},
	"CumSum": func(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool) { // a part along the axis begins with a sum
		d := axisOf(a, len(out))
		return a, out[d].Len() == in[0][d]
	},
	"Pad":              padPart,
	"Slice":            slicePart,
	"QuantizeLinear":   blocksPart,
	"DequantizeLinear": blocksPart,
}

// with is a copy with one attribute changed.
func (a Attrs) with(name string, v any) Attrs {
	c := a.Clone()
	c[name] = v
	return c
}

func int64s(s []int) []int64 {
	list := make([]int64, len(s))
	for i, d := range s {
		list[i] = int64(d)
	}
	return list
}

// padding is the padding of the windows over a part of the outputs: as much of theirs as lies outside the input.
func padding(win []window, out tensor.Box) (pads []int64, ok bool) {
	pads = make([]int64, 2*len(win))
	for d := range win {
		w, r := &win[d], out[d]
		lo, hi := w.index(r.Lo, 0), w.index(r.Hi-1, w.kernel-1)+1
		if hi <= 0 || lo >= w.in {
			return nil, false // nothing of the input
		}
		pads[d], pads[len(win)+d] = int64(max(0, -lo)), int64(max(0, hi-w.in))
	}
	return pads, true
}

func convPart(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool) {
	pads, ok := padding(windowsOf(a, in[0][2:], false), out[2:])
	if !ok {
		return nil, false
	}
	group, ok := groupsOf(out[1], in[1][0]/a.Int("group"))
	return a.with("pads", pads).with("group", group), ok
}

// groupsOf is how many groups of per channels a range of channels is: one part of a group is a group by itself.
func groupsOf(r tensor.Range, per int) (int64, bool) {
	g := groups(r, per)
	return int64(g.Len()), g.Len() == 1 || scaled(g, per) == r
}

func transposedPart(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool) {
	group, ok := groupsOf(out[1], in[1][1])
	win, err := transposedWindows(a, in[0][2:])
	if err != nil || !ok {
		return nil, false
	}
	n := len(win)
	pads, extra := make([]int64, 2*n), make([]int64, n)
	for d := range win {
		w, r := &win[d], out[2+d]
		src := w.sources(r)
		begin := w.begin + r.Lo - src.Lo*w.stride
		after := r.Len() - (w.stride*(src.Len()-1) + w.extent() - begin) // outputs that no input reaches
		if src.Len() == 0 || begin < 0 || after >= max(w.stride, w.dilation) {
			return nil, false
		}
		pads[d], pads[n+d], extra[d] = int64(begin), int64(max(0, -after)), int64(max(0, after))
	}
	return a.with("pads", pads).with("output_padding", extra).with("group", group), true
}

// poolPart has no part of windows that reach beyond the padding (ceil_mode) where these count.
func poolPart(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool) {
	win := poolWindows(a, in[0])
	pads, ok := padding(win, out[2:])
	if count, has := a["count_include_pad"]; ok && has && count != int64(0) {
		for d := range win {
			ok = ok && int(pads[len(win)+d]) <= win[d].end
		}
	}
	return a.with("pads", pads).with("ceil_mode", int64(0)), ok
}

func padPart(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool) {
	before, pads := a.Ints("pads"), make([]int64, 2*len(out))
	for d, r := range out {
		lo := r.Lo - before[d] // in the input
		hi := lo + r.Len()
		if hi <= 0 || lo >= in[0][d] {
			return nil, false
		}
		pads[d], pads[len(out)+d] = int64(max(0, -lo)), int64(max(0, hi-in[0][d]))
	}
	return a.with("pads", pads), a.String("mode") == "constant"
}

func slicePart(a Attrs, in []tensor.Shape, out tensor.Box) (Attrs, bool) {
	n := len(out)
	starts, ends, axes, steps := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for d, q := range piecesOf(a, in[0]) {
		span := (out[d].Len()-1)*max(q.step, -q.step) + 1
		axes[d], steps[d] = int64(d), int64(q.step)
		if starts[d], ends[d] = 0, int64(span); q.step < 0 {
			starts[d], ends[d] = int64(span-1), int64(-span-1)
		}
	}
	return Attrs{"starts": starts, "ends": ends, "axes": axes, "steps": steps}, true
}

// blocksPart begins with a block of scales, if there are blocks.
func blocksPart(a Attrs, _ []tensor.Shape, out tensor.Box) (Attrs, bool) {
	block := a.Int("block_size")
	return a, block == 0 || out[axisOf(a, len(out))].Lo%block == 0
}
