package pim

import (
	"encoding/binary"
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// layer is a cut of a contraction in the single form that mappings know: for each group,
// result[pixels][outputs] = source[pixels][k] × weights[k][outputs]. A pixel is a position of
// the box in all dimensions but that of the outputs. The source matrix is a view of the first
// input and is never built.
//
// In the literature: im2col, or implicit GEMM (Chetlur et al., cuDNN, 2014).
type layer struct {
	pixels  int
	axes    []axis         // of a pixel, the outermost first
	classes []paddingClass // of pixels, in the order of their numbers
	outs    tensor.Range
	outDst  int // step of dst from one output to the next

	groupK    int         // multiply-accumulates of an output
	groupOuts int         // outputs of a group
	taps      kernelSteps // locate an element of a pixel
	byTap     bool        // k goes tap by tap, not channel by channel

	byColumn bool        // the weights are stored k by k, not output by output
	part     *kernelPart // of the weights; nil: all

	dynamic bool         // the weights are written in each run
	turned  *layer       // the layer whose pixels are on lanes; nil: it is no such layer turned round
	each    *elementwise // what is made of each operand; nil: sums of products

	batch []batched    // the matrices of a batch, which are the groups; nil: none
	width int          // of a matrix of the second operand
	cols  tensor.Range // of each matrix of the value

	phases []*layer // the products that the layer is made of; nil: it is one
	empty  []*layer // its outputs to which no product falls
	phase  int      // number of the phase
	dst0   int      // of position 0 of all axes

	alpha, beta float32
	bias        int   // input that is added to the result, scaled by beta; -1: none
	biasStep    []int // its steps along axes, then along the outputs
	integers    bool  // stand for real numbers: the operator makes its value of their sums
}

// form is everything about a layer that its mapping depends on.
type form struct {
	pixels            int
	outs              tensor.Range
	groupK, groupOuts int
	window            string // the windows, where padding is in reach and may be left out
	phases            string // their forms
	dynamic           bool
}

// form is the form of a layer; padded says that mappings may leave padding out.
func (l *layer) form(padded bool) form {
	f := form{pixels: l.pixels, outs: l.outs, groupK: l.groupK, groupOuts: l.groupOuts, dynamic: l.dynamic}
	if l.phases != nil {
		for _, p := range l.phases {
			f.phases += fmt.Sprintf("%#v;", p.form(padded))
		}
		return f
	}
	if !padded {
		return f
	}
	padded = false
	var key []byte
	for i := range l.axes {
		a := &l.axes[i]
		padded = padded || a.padded()
		for _, v := range [...]int{a.Lo, a.Hi, a.pad, a.stride, a.extent, a.reach} {
			key = binary.AppendVarint(key, int64(v))
		}
	}
	if padded {
		for d := range l.taps.kernel {
			key = binary.AppendVarint(binary.AppendVarint(key, int64(l.taps.kernel[d])), int64(l.taps.dilation[d]))
		}
		f.window = string(key)
	}
	return f
}

// padded reports whether some position of the axis reads padding.
func (a *axis) padded() bool {
	return a.window && (a.Lo*a.stride < a.pad || (a.Hi-1)*a.stride-a.pad+a.reach >= a.extent)
}

// first is the layer with its outputs moved to the first group, and of less than one group to
// its first outputs. Layers that differ only in the place of their outputs have one mapping.
func (l *layer) first() *layer {
	f := *l
	lo := l.outs.Lo % l.groupOuts
	if (l.outs.Hi-1)/l.groupOuts == l.outs.Lo/l.groupOuts {
		lo = 0
	}
	f.outs = tensor.Range{Lo: lo, Hi: lo + l.outs.Len()}
	f.phases = nil
	for _, p := range l.phases {
		f.phases = append(f.phases, p.first())
	}
	return &f
}

// oneClass is the pixels of the axes in one class, with all taps.
func oneClass(axes []axis) []paddingClass {
	q := paddingClass{pixels: 1, at: make([]tensor.Range, len(axes))}
	for i, a := range axes {
		q.at[i] = a.Range
		q.pixels *= a.Len()
	}
	return []paddingClass{q}
}

// at is a mapping of l.first() as a mapping of l.
func (m *mapping) at(l *layer) *mapping {
	moved := *m
	moved.layer = l.ordered(m.layer)
	outs := l.outs.Lo - m.layer.outs.Lo
	was, is := m.layer.products(), moved.layer.products()
	moved.parts = slices.Clone(m.parts)
	var from, to *block // parts of one block follow each other
	for i := range moved.parts {
		if p := &moved.parts[i]; p.block != from {
			b := *p.block
			b.layer = is[slices.Index(was, b.layer)]
			b.out0 += outs
			b.first = b.out0 / l.groupOuts
			from, to = p.block, &b
		}
		moved.parts[i].block = to
	}
	return &moved
}

// ordered is the layer with its products in the order of those of another one of its form.
func (l *layer) ordered(o *layer) *layer {
	if !o.byTap {
		return l
	}
	t := *l
	t.byTap, t.classes, t.phases = true, o.classes, nil
	for i, p := range l.phases {
		t.phases = append(t.phases, p.ordered(o.phases[i]))
	}
	return &t
}

// axis is a dimension of the pixels: where input and output move from one position to the
// next.
type axis struct {
	tensor.Range     // of the box
	src, dst     int // step of input and dst from one position to the next
	window       bool
	pad, stride  int // where window is set: element read = position·stride − pad + tap·dilation
	extent       int // of the input
	reach        int // from the first to the last tap, in elements
}

// kernelSteps locate element k of a pixel's row. Channel by channel it is element k mod
// (product of kernel) of the kernel in channel k / (product of kernel), as ONNX stores the
// weights of Conv. Tap by tap it is the position in the kernel, then the channel.
type kernelSteps struct {
	kernel, dilation []int
	step             []int // of the input along each kernel dimension
	channel          int   // step of the input from one channel to the next
}

// lowerings are the operators that the channels execute and how each becomes a layer. The
// graph has checked shapes and attributes.
// in are the shapes of the product itself: what is multiplied, and the bias.
var lowerings = map[string]func(nd *graph.Node, in []tensor.Shape, box tensor.Box) (*layer, error){
	"Conv":          lowerConv,
	"ConvTranspose": lowerTransposed,
	"Gemm":          lowerGemm,
	"MatMul":        lowerMatMul,
}

// lower turns a cut into a layer. The error wraps device.ErrUnsupported.
func lower(g *graph.Graph, c graph.Cut) (*layer, error) {
	nd := &g.Nodes[c.Node]
	no := func(name, format string, a ...any) error {
		return fmt.Errorf("%s: %s: %w", name, fmt.Sprintf(format, a...), device.ErrUnsupported)
	}
	if nd.Op == nil {
		return nil, no("node", "%.80q is no operation", nd.Name)
	}
	f := lowerings[nd.Op.OnReals()]
	if f == nil || nd.Op.Real != "" && nd.Op.MACs == nil {
		return nil, no(nd.Op.Name, "no product of matrices")
	}
	integers := nd.Op.Real != ""
	if !nd.Type.Float() && !integers {
		return nil, no(nd.Op.Name, "values of %v, floating ones wanted", nd.Type)
	}
	_, known := g.Value(nd.In[1])
	if !known && integers {
		return nil, no(nd.Op.Name, "weights are not constant, but integers")
	}
	if c.Box.Empty() {
		return nil, no(nd.Op.Name, "box %v is empty", c.Box)
	}
	in, bias := g.InShapes(c.Node)[:2:2], nd.Op.Bias(nd.Operands())
	if bias >= 0 && !nd.Op.ToFloat() { // a real bias is added to what the sums stand for
		in = append(in, g.Nodes[nd.In[bias]].Shape)
	}
	l, err := f(nd, in, c.Box)
	if err != nil {
		return nil, no(nd.Op.Name, "%v", err)
	}
	if l.bias >= 0 {
		l.bias = bias
	}
	if l.batch != nil && integers {
		return nil, no(nd.Op.Name, "right operand of shape %v, a matrix wanted of integers", in[1])
	}
	l.dynamic = !known
	for _, p := range l.phases {
		p.dynamic = !known
	}
	if l.integers = integers; integers {
		l.alpha = 1 // is a factor of the scales
	}
	if l.phases == nil && l.empty == nil {
		l.classes = oneClass(l.axes)
		l.pixels = l.classes[0].pixels
	}
	if l.groupK == 0 {
		return nil, no(nd.Op.Name, "sums of no products")
	}
	return l, nil
}

func lowerConv(nd *graph.Node, in []tensor.Shape, box tensor.Box) (*layer, error) {
	x, w := in[0], in[1]
	xs, ys := x.Strides(), nd.Shape.Strides()
	stride, pads, dil := nd.Attrs.Ints("strides"), nd.Attrs.Ints("pads"), nd.Attrs.Ints("dilations")
	l := &layer{
		axes: []axis{{Range: box[0], src: xs[0], dst: ys[0]}},
		outs: box[1], outDst: ys[1],
		groupK: w[1:].Size(), groupOuts: w[0] / nd.Attrs.Int("group"),
		taps:  kernelSteps{kernel: w[2:], dilation: dil, step: xs[2:], channel: xs[1]},
		alpha: 1, beta: 1, bias: -1,
	}
	for i, k := range w[2:] {
		l.axes = append(l.axes, axis{
			Range: box[2+i], src: xs[2+i] * stride[i], dst: ys[2+i], window: true,
			pad: pads[i], stride: stride[i], extent: x[2+i], reach: (k - 1) * dil[i],
		})
	}
	if len(in) > 2 {
		l.bias, l.biasStep = 2, append(make([]int, len(l.axes)), 1)
	}
	return l, nil
}

func lowerGemm(nd *graph.Node, in []tensor.Shape, box tensor.Box) (*layer, error) {
	l := matrixLayer(in[0], in[1], nd.Attrs.Int("transB") != 0)
	l.axes = []axis{{Range: box[0], src: in[0][1], dst: nd.Shape[1]}}
	if nd.Attrs.Int("transA") != 0 { // a pixel is a column of the first operand
		l.axes[0].src, l.taps.channel = 1, in[0][1]
	}
	l.outs = box[1]
	l.alpha, l.beta = nd.Attrs.Float("alpha"), nd.Attrs.Float("beta")
	if len(in) > 2 {
		l.bias, l.biasStep = 2, make([]int, 2)
		st := in[2].Strides()
		for i, d := range in[2] {
			if d > 1 { // an extent of 1 is broadcast
				l.biasStep[2-len(in[2])+i] = st[i]
			}
		}
	}
	return l, nil
}

func lowerMatMul(nd *graph.Node, in []tensor.Shape, box tensor.Box) (*layer, error) {
	switch {
	case len(in[1]) > 2:
		return lowerBatch(nd, in, box)
	case len(in[1]) < 2:
		return nil, fmt.Errorf("right operand of shape %v, a matrix wanted", in[1])
	}
	l := matrixLayer(in[0], in[1], false)
	last := len(box) - 1
	l.outs = box[last]
	xs, ys := in[0].Strides(), nd.Shape.Strides()
	for i := range last {
		l.axes = append(l.axes, axis{Range: box[i], src: xs[i], dst: ys[i]})
	}
	return l, nil
}

// matrixLayer is the layer of rows of x times w, still without axes and outputs.
func matrixLayer(x, w tensor.Shape, transposed bool) *layer {
	l := &layer{outDst: 1, alpha: 1, beta: 1, bias: -1, taps: kernelSteps{channel: 1}}
	l.groupK, l.groupOuts, l.byColumn = w[0], w[1], !transposed
	if transposed {
		l.groupK, l.groupOuts = w[1], w[0]
	}
	return l
}

// block is a run of equal matrices of a layer. A matrix is one group of the convolution. Where
// groups have so few outputs that banks would idle, it is several neighbouring groups, with
// zeros for the weights between different ones.
type block struct {
	layer   *layer // a single product
	first   int    // group of the first matrix
	merge   int    // groups of a matrix
	count   int    // matrices
	out0    int    // first output of the first matrix
	outs    int    // outputs of a matrix
	k       int    // elements of a pixel's row
	lanes   int    // elements of a column access
	pitch   int    // k rounded up to whole column accesses
	pixels  int
	source  int // first element in the source matrices
	result  int // first element in the result matrices
	classes *[]classColumns
}

// blocks lists the matrices of the layer with merge groups in each.
func (l *layer) blocks(merge, lanes int) (bs []block) {
	source, result := 0, 0
	for _, p := range l.products() {
		own := p.matrices(merge, lanes)
		for i := range own {
			own[i].source, own[i].result = own[i].source+source, own[i].result+result
		}
		last := &own[len(own)-1]
		source, result = last.source+last.count*last.pixels*last.pitch, last.result+last.count*last.pixels*last.outs
		bs = append(bs, own...)
	}
	return bs
}

// matrices are the blocks of a single product.
func (l *layer) matrices(merge, lanes int) []block {
	lo := l.outs.Lo / l.groupOuts
	hi := (l.outs.Hi-1)/l.groupOuts + 1
	n := (hi - lo + merge - 1) / merge
	var bs []block
	source, result := 0, 0
	add := func(i, count int) {
		b := block{layer: l, first: lo + i*merge, count: count, lanes: lanes, pixels: l.pixels}
		b.merge = min(merge, hi-b.first)
		b.out0 = max(l.outs.Lo, b.first*l.groupOuts)
		b.outs = min(l.outs.Hi, (b.first+b.merge)*l.groupOuts) - b.out0
		b.k = b.merge * l.groupK
		b.pitch = roundUp(b.k, lanes)
		b.source, b.result = source, result
		source += count * l.pixels * b.pitch
		result += count * l.pixels * b.outs
		bs = append(bs, b)
	}
	// Only the first and the last matrix can be smaller than the others.
	add(0, 1)
	if n > 2 {
		add(1, n-2)
	}
	if n > 1 {
		add(n-1, 1)
	}
	for i := len(bs) - 1; i > 0; i-- {
		if p := &bs[i-1]; p.outs == bs[i].outs && p.merge == bs[i].merge {
			p.count += bs[i].count
			bs = append(bs[:i], bs[i+1:]...)
		}
	}
	return bs
}

// results is the number of elements of the result matrices.
func (l *layer) results() int { return l.pixels * l.outs.Len() }

// merge is a number of groups in a matrix; 0: none.
type merge struct {
	name string
	of   func(l *layer, outputs int) int
}

// merges are the numbers that are tried.
var merges = []merge{
	{"single groups", func(*layer, int) int { return 1 }},
	{"merged groups", (*layer).merged},
}

// merges lists the numbers of groups in a matrix that are tried.
func (l *layer) merges(outputs int) (all []int) {
	for _, m := range merges {
		if n := m.of(l, outputs); n > 0 {
			all = append(all, n)
		}
	}
	return all
}

// merged is as many groups as have an output for each of the outputs of an output group, 0
// if that is no more than a single group.
func (l *layer) merged(outputs int) int {
	groups := (l.outs.Hi-1)/l.groupOuts - l.outs.Lo/l.groupOuts + 1
	if l.batch != nil {
		return 0 // what is between two matrices is not always the same
	}
	if m := min(outputs/l.groupOuts, groups); m > 1 {
		return m
	}
	return 0
}

func roundUp(n, to int) int { return ceilDiv(n, to) * to }

func ceilDiv(a, b int) int { return (a + b - 1) / b }
