package gpu

import (
	"fmt"
	"maps"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Kernel is one launch.
type Kernel struct {
	Class  Class
	Work   fmt.Stringer // its extents, for people
	Timing              // without the launch
}

// Class is a kind of kernel; Cost counts kernels by it.
type Class string

// The classes, in the order in which Cost lists them.
const (
	Offset    Class = "offset"    // cuDNN's table of offsets before a convolution: a launch without work
	Matrix    Class = "gemm"      // tensor cores: convolutions and matrix products
	Depthwise Class = "depthwise" // FMA units
	Vector    Class = "gemv"      // matrix products of few rows
	Pool      Class = "pool"      // pooling and reductions
	Element   Class = "element"   // element-wise operators and copies
	Post      Class = "post"      // epilogue of a convolution: bias, activation, residual
)

// classes lists every class in order.
var classes = []Class{Offset, Matrix, Depthwise, Vector, Pool, Element, Post}

// rule is the lowering of an operator: the kernels of a cut, and for kernels that move bytes
// the bytes that they read.
type rule struct {
	lower func(w *work) []Kernel
	reads func(w *work) float64
}

// rules has the lowering of each operator that is no view.
var rules = func() map[string]rule {
	r := map[string]rule{
		"Conv":          {lower: conv},
		"ConvTranspose": {lower: conv},
		"Gemm":          {lower: product},
		"MatMul":        {lower: product},
		"GRU":           {lower: recurrent},
		"LSTM":          {lower: recurrent},
		"RNN":           {lower: recurrent},
	}
	for _, row := range []struct {
		rule
		names []string
	}{
		{rule{pool, first}, []string{"ArgMax", "ArgMin", "AveragePool", "Det", "GlobalAveragePool", "GlobalMaxPool", "LpPool", "MaxPool",
			"MaxPoolIndices", "MaxRoiPool", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"}},
		{rule{element, first}, []string{"Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Cast", "Ceil",
			"Clip", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN",
			"LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin",
			"Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh", "Trilu"}},
		{rule{element, broadcast}, []string{"Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal",
			"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub", "Where", "Xor"}},
		// Scale, bias and statistics are vectors, which are not counted.
		{rule{element, first}, []string{"BatchNormalization", "CumSum", "Hardmax", "InstanceNormalization", "LayerNormalization",
			"LRN", "LogSoftmax", "LpNormalization", "Softmax"}},
		{rule{element, joined}, []string{"Concat"}},
		{rule{element, copied}, []string{"DepthToSpace", "Expand", "Gather", "GatherElements", "GatherND", "OneHot", "Pad",
			"Reshape", "ReverseSequence", "Slice", "SpaceToDepth", "Tile", "Transpose"}},
		{rule{element, all}, []string{"MaxUnpool", "ScatterElements", "ScatterND"}},
		{rule{element, sampled}, []string{"GridSample", "RoiAlign"}},
		{rule{pool, selected}, []string{"TopK"}},
		{rule{element, first}, []string{"Resize"}},
		{rule{element, first}, []string{"DequantizeLinear", "QuantizeLinear"}},
		{rule{pool, first}, []string{"DynamicQuantizeScale", "DynamicQuantizeZeroPoint"}},
		{rule{element, first}, []string{"Compress", "NonZero", "Sized", "Unique", "UniqueInverse"}},
		{rule{element, pairs}, []string{"NonMaxSuppression"}},
	} {
		for _, n := range row.names {
			r[n] = row.rule
		}
	}
	return r
}()

// Rules returns the names of the operators that have a rule, sorted.
func Rules() []string { return slices.Sorted(maps.Keys(rules)) }

// work is a cut under lowering.
type work struct {
	*gpu
	kernels
	rule
	g        *graph.Graph
	cut      graph.Cut
	nd       *graph.Node
	need     []tensor.Box // see needs
	out      float64      // bytes written
	residual float64      // bytes read by the epilogue
}

func newWork(d *gpu, r rule, g *graph.Graph, c graph.Cut) *work {
	w := &work{gpu: d, kernels: d.numbers, rule: r, g: g, cut: c, nd: &g.Nodes[c.Node]}
	if w.nd.Op.Real != "" && w.nd.Op.MACs != nil {
		w.kernels = d.integers
	}
	w.out = w.bytes(c.Node, c.Box.Size())
	w.residual = w.out * float64(len(w.nd.In)-w.nd.Operands())
	return w
}

// needs is what the cut reads of each operand, found when it is asked for: a concatenation has hundreds.
func (w *work) needs() []tensor.Box {
	if w.need == nil {
		w.need = w.g.Need(w.cut)
	}
	return w.need
}

// bytes is the size of n values of a node on the machine.
func (w *work) bytes(id graph.ID, n int) float64 { return w.gpu.bytes(w.g, id, n) }

// operand is the bytes of operand i that the cut needs.
func (w *work) operand(i int) float64 { return w.bytes(w.nd.In[i], w.needs()[i].Size()) }

func (w *work) constant(i int) bool {
	_, ok := w.g.Value(w.nd.In[i])
	return ok
}

// weightMiss is the DRAM traffic of the second operand in multiples of its size. Under a
// write-through L2, weights come from the DRAM each time, as in the published simulation.
// Otherwise the weights of the whole network compete for the L2. An operand that is no
// constant was just written.
func (w *work) weightMiss(activations float64) float64 {
	switch {
	case !w.constant(1):
		return w.Miss(activations + w.operand(1))
	case w.WriteThrough:
		return 1
	}
	return w.Miss(w.factsOf(w.g).weights)
}

// arriving is the fraction of a layer's input that comes from the DRAM, for input and output
// of this size together.
func (w *work) arriving(bytes float64) float64 {
	if w.cold {
		return 1
	}
	return w.Miss(bytes)
}

// conv lowers a convolution: depthwise on the FMA units, any other as an implicit matrix
// product of M pixels, N channels and K taps.
//
// A transposed convolution is the same product with the taps of one pixel, kernel over
// stride. Estimated.
func conv(w *work) []Kernel {
	a, in := w.nd.Attrs, w.g.Nodes[w.nd.In[0]].Shape
	groups, kernel, strides := a.Int("group"), a.Ints("kernel_shape"), a.Ints("strides")
	transposed := w.nd.Op.OnReals() == "ConvTranspose"
	taps, touched := 1, w.needs()[0][0].Len()*w.needs()[0][1].Len()
	for i, k := range kernel {
		have, out := w.needs()[0][2+i].Len(), w.cut.Box[2+i].Len()
		if transposed {
			taps *= ceilDiv(k, strides[i])
			touched *= have
		} else { // a kernel smaller than its stride skips rows
			taps *= k
			touched *= min(have, out*k)
		}
	}
	A, B := w.bytes(w.nd.In[0], touched), w.operand(1)
	missA, missB := w.arriving(A+w.out), w.weightMiss(A+w.out)
	missO := w.written(1, w.Miss(A+w.out))
	extra := 0.0
	if w.fused {
		extra = w.residual * w.Miss(A+w.out)
	}

	strided := !transposed && slices.Max(strides) > 1
	var ks []Kernel
	outC := w.cut.Box[1]
	if groups > 1 && groups == in[1] {
		d := Direct{MACs: float64(w.g.MACs(w.cut)), Outs: float64(w.cut.Box.Size()), Plane: w.cut.Box[2:].Size(), Bytes: A*missA + B*missB + w.out*missO + extra, In: A, Out: w.out, Strided: strided, Large: taps > 9 || strided}
		ks = append(ks, Kernel{Class: Depthwise, Work: d, Timing: w.Direct(d)})
	} else {
		for range w.offsets {
			ks = append(ks, Kernel{Class: Offset, Work: Stream{}, Timing: Timing{Bound: "launch"}})
		}
		perGroup := w.nd.Shape[1] / groups
		g := ceilDiv(outC.Hi, perGroup) - outC.Lo/perGroup // groups of the cut
		depth := in[1] / groups
		if groups == 1 {
			depth = ceilDiv(depth, 8) * 8 // tensor cores take 8 channels: cuDNN pads
		}
		p := GEMM{M: w.cut.Box.Size() / outC.Len(), N: ceilDiv(outC.Len(), g), K: depth * taps, G: g,
			A: A, B: B, O: w.out, Conv: true, Strided: strided, Taps: taps, MissA: missA, MissB: missB, MissO: missO, Extra: extra}
		ks = append(ks, Kernel{Class: Matrix, Work: p, Timing: w.GEMM(p, w.tiles, w.splits)})
	}
	if !w.fused {
		written := w.written(w.out, w.Miss(2*w.out))
		s := Stream{Bytes: (w.out+w.residual)*w.Miss(2*w.out) + written, Written: written, L2: 2*w.out + w.residual}
		ks = append(ks, Kernel{Class: Post, Work: s, Timing: w.Stream(s)})
	}
	return ks
}

// product lowers a matrix product with its epilogue: up to 8 rows as a matrix-vector product,
// more with cuBLAS's tiles and splits of K. 8 rows are estimated.
func product(w *work) []Kernel {
	m, n, k, g := w.extents()
	A, B := w.operand(0), w.operand(1)
	missA, missB := w.Miss(A+w.out), w.weightMiss(A+w.out)
	extra := w.residual
	if b := w.nd.Op.Bias(w.nd.Operands()); b > 0 && !w.constant(b) { // a bias vector is not counted
		extra += w.operand(b)
	}
	if m <= 8 {
		v := GEMV{M: m, N: n, K: k, G: g, B: B, Bytes: B*missB + w.written(w.out, 0) + extra*missA}
		return []Kernel{{Class: Vector, Work: v, Timing: w.GEMV(v)}}
	}
	p := GEMM{M: m, N: n, K: k, G: g, A: A, B: B, O: w.out,
		MissA: missA, MissB: missB, MissO: w.written(1, missA), Extra: extra * missA}
	return []Kernel{{Class: Matrix, Work: p, Timing: w.GEMM(p, w.products, Splits(ProductSplit))}}
}

// extents are the extents of the cut of a matrix product. g is the number of matrices of the
// second operand, which multiply the same number of rows each.
func (w *work) extents() (m, n, k, g int) {
	a, b, box := w.g.Nodes[w.nd.In[0]].Shape, w.needs()[1], w.cut.Box
	g, n, k = 1, 1, a[len(a)-1]
	if w.nd.Op.OnReals() == "Gemm" && w.nd.Attrs.Int("transA") != 0 {
		k = a[0]
	}
	if len(b) > 1 {
		n = box[len(box)-1].Len()
		for _, r := range b[:len(b)-2] {
			g *= r.Len()
		}
	}
	return box.Size() / (n * g), n, k, g
}

// pool lowers pooling and reductions.
func pool(w *work) []Kernel { return stream(w, Pool) }

// element lowers an element-wise operator or a copy.
func element(w *work) []Kernel { return stream(w, Element) }

func stream(w *work, c Class) []Kernel {
	read := w.reads(w) + w.residual
	written := w.written(w.out, w.Miss(read+w.out))
	s := Stream{Bytes: read*w.arriving(read+w.out) + written, Written: written, L2: read + w.out}
	return []Kernel{{Class: c, Work: s, Timing: w.Stream(s)}}
}

// first is the bytes needed of the first operand, each value once.
func first(w *work) float64 { return w.operand(0) }

// all is the bytes needed of all operands, each value once.
func all(w *work) float64 {
	sum := 0.0
	for i := range w.nd.Operands() {
		sum += w.operand(i)
	}
	return sum
}

// sampled is the bytes of all operands, of the first at most the four values around each place. Estimated.
func sampled(w *work) float64 {
	few := w.bytes(w.nd.In[0], min(w.needs()[0].Size(), 4*w.cut.Box.Size()))
	return all(w) - w.operand(0) + few
}

// selected is the bytes that a radix selection reads: the first operand once for each 8 bits of its values, and once to
// gather. Estimated.
func selected(w *work) float64 { return w.operand(0) * float64(w.g.Nodes[w.nd.In[0]].Type.Bytes()+1) }

// broadcast is the bytes of all operands. One that is no constant counts with the size of the
// cut, since a kernel reads it for each value that it makes.
func broadcast(w *work) float64 {
	sum := 0.0
	for i := range w.nd.Op.Values(w.nd.Operands()) {
		if w.constant(i) {
			sum += w.operand(i)
		} else {
			sum += w.bytes(w.nd.In[i], w.cut.Box.Size())
		}
	}
	return sum
}

// copied is the bytes of all operands, at most one value of each for each value made: a copy
// skips the values that it does not take.
func copied(w *work) float64 {
	sum := 0.0
	for i := range w.nd.Op.Values(w.nd.Operands()) {
		sum += w.bytes(w.nd.In[i], min(w.needs()[i].Size(), w.cut.Box.Size()))
	}
	return sum
}

// joined is the bytes of the values made, each of which is a value of one operand.
func joined(w *work) float64 { return w.out }

// pairs is the bytes of all operands and of a bit for each pair of boxes of a class, which one kernel writes and
// the next reads, as in torchvision's nms_kernel.cu.
func pairs(w *work) float64 {
	scores := w.needs()[1].Shape()
	boxes := float64(scores[2])
	return w.operand(0) + w.operand(1) + float64(scores[0]*scores[1])*boxes*boxes/8
}
