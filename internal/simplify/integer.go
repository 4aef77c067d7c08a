package simplify

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// moved are the operators whose value has the numbers of the first operand: they move, drop, repeat or choose them by their
// order. On integers that stand for real numbers they do the same.
var moved = []string{"DepthToSpace", "Expand", "Gather", "GlobalMaxPool", "Identity", "MaxPool", "Reshape", "Slice", "SpaceToDepth", "Tile", "Transpose"}

// integer turns operators between DequantizeLinear and QuantizeLinear into their rows on integers, as ONNX Runtime
// does when it loads a model: products whose operands are both dequantised, with the clip that follows; element-wise
// operators and pooling; what only moves numbers. Integers that are multiplied and scaled by other nodes become
// such a product too.
func integer(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	return rewrite(ctx, g, func(r *rewriter, old *graph.Node) (graph.ID, error) {
		m := integers{matcher{r, old}}
		nd := r.mapped(old)
		if len(nd.Post) == 0 {
			for _, rule := range []func(m integers, nd *graph.Node) (graph.ID, bool, error){
				integers.requantized, integers.pushed, integers.matrix, integers.product, integers.passed, integers.clamped, integers.scaled, integers.biased,
			} {
				if id, ok, err := rule(m, &nd); ok || err != nil {
					return id, err
				}
			}
		}
		return r.new.Node(nd)
	})
}

// integers is a matcher of values that are dequantised.
type integers struct{ matcher }

// code is a value as integers: they stand for scale·(x − zero).
type code struct {
	x, scale, zero graph.ID
	axis           int // of several scales; -1: there is one
}

// code is the integers that id is dequantised from.
func (m integers) code(id graph.ID) (c code, ok bool) {
	nd, ok := m.made(id, "DequantizeLinear")
	if !ok || nd.Attrs.Int("block_size") != 0 || nd.Type != tensor.Float32 {
		return c, false
	}
	c = code{nd.In[0], nd.In[1], nd.In[2], -1}
	if m.node(c.scale).Shape.Size() != 1 {
		rank := len(nd.Shape)
		c.axis = (nd.Attrs.Int("axis") + rank) % rank
	}
	return c, true
}

// eight is the code of a value of 8 bits with one scale.
func (m integers) eight(id graph.ID) (c code, ok bool) {
	c, ok = m.code(id)
	return c, ok && c.axis < 0 && m.node(c.x).Type != tensor.Int32
}

// number is the only number of a constant.
func (m integers) number(id graph.ID) (float64, bool) {
	t, ok := m.new.Peek().Value(id)
	switch {
	case !ok || t.Shape.Size() != 1:
		return 0, false
	case t.Type.Float():
		return float64(t.Floats()[0]), true
	}
	return float64(t.Ints()[0]), true
}

// same reports whether two codes of one scale stand for the same numbers.
func (m integers) same(a, b code) bool {
	equal := func(x, y graph.ID) bool {
		v, ok := m.number(x)
		w, also := m.number(y)
		return x == y || ok && also && v == w
	}
	return a.axis < 0 && b.axis < 0 && m.node(a.zero).Type == m.node(b.zero).Type && equal(a.scale, b.scale) && equal(a.zero, b.zero)
}

// end is the QuantizeLinear that alone reads a value, behind clips, and what they leave of its integers.
type end struct {
	q         *graph.Node // of the old graph
	to        code        // x is not set
	low, high int64
}

// end finds the end of a value of the old graph.
func (m integers) end(id graph.ID) (e end, passed []graph.ID, ok bool) {
	var clips []interval
	at := id
	for {
		next := m.next(at)
		if next == nil || len(next.Post) > 0 {
			return e, nil, false
		}
		if next.Op.Name == "QuantizeLinear" {
			e.q = next
			break
		}
		i, ok := intervalOf(next)
		if !ok {
			return e, nil, false
		}
		clips, passed = append(clips, i), append(passed, next.ID)
		at = next.ID
	}
	for _, x := range e.q.In[1:] {
		if m.ids[x] == none && m.old.Nodes[x].Const == nil {
			return e, nil, false // is made later
		}
	}
	e.to = code{scale: m.id(e.q.In[1]), zero: m.id(e.q.In[2]), axis: -1}
	e.low, e.high = math.MinInt8, math.MaxUint8
	if m.node(e.to.scale).Shape.Size() != 1 || m.node(e.to.scale).Type != tensor.Float32 || e.q.Attrs.Int("block_size") != 0 {
		return e, nil, false
	}
	if len(clips) == 0 {
		return e, append(passed, e.q.ID), true
	}
	scale, ok := m.number(e.to.scale)
	zero, known := m.number(e.to.zero)
	if !ok || !known || !(scale > 0) {
		return e, nil, false
	}
	for _, i := range clips {
		lo, hi := op.Quantize(i.lo/float32(scale), int64(zero), e.q.Type), op.Quantize(i.hi/float32(scale), int64(zero), e.q.Type)
		e.low, e.high = min(max(e.low, lo), hi), min(max(e.high, lo), hi)
	}
	return e, append(passed, e.q.ID), true
}

// finish makes a value on integers in place of the nodes up to its end.
func (m integers) finish(opName string, a op.Attrs, e end, passed []graph.ID, in []graph.ID) (graph.ID, bool, error) {
	a = a.Clone()
	a["low"], a["high"] = e.low, e.high
	id, err := m.new.Op(e.q.Name, opName, a, in...)
	for _, p := range passed {
		m.ids[p] = id
	}
	return id, true, err
}

// requantized: QuantizeLinear of what was dequantised.
func (m integers) requantized(nd *graph.Node) (graph.ID, bool, error) {
	if !is(nd, "QuantizeLinear") {
		return none, false, nil
	}
	c, ok := m.eight(nd.In[0])
	if !ok || m.node(nd.In[1]).Shape.Size() != 1 || m.node(nd.In[1]).Type != tensor.Float32 {
		return none, false, nil
	}
	if m.same(c, code{scale: nd.In[1], zero: nd.In[2], axis: -1}) {
		return c.x, true, nil
	}
	id, err := m.new.Op(nd.Name, op.QLinear("Identity"), nil, c.x, c.scale, c.zero, nd.In[1], nd.In[2])
	return id, true, err
}

// pushed: what only moves numbers, of a dequantised value, is the dequantised value of the integers moved.
func (m integers) pushed(nd *graph.Node) (graph.ID, bool, error) {
	concat := is(nd, "Concat")
	if !concat && !slices.Contains(moved, nd.Op.Name) {
		return none, false, nil
	}
	c, ok := m.code(nd.In[0])
	if !ok {
		return none, false, nil
	}
	in := slices.Clone(nd.In)
	in[0] = c.x
	for i := 1; concat && i < len(in); i++ {
		d, ok := m.code(in[i])
		if !ok || !m.same(c, d) || m.node(d.x).Type != m.node(c.x).Type {
			return none, false, nil
		}
		in[i] = d.x
	}
	axis := int64(1)
	switch {
	case c.axis < 0:
	case is(nd, "Transpose"):
		axis = int64(slices.Index(nd.Attrs.Ints("perm"), c.axis))
	default:
		return none, false, nil
	}
	if is(nd, "MaxPool") || is(nd, "GlobalMaxPool") {
		if s, ok := m.number(c.scale); !ok || !(s > 0) || m.node(c.x).Type == tensor.Int32 {
			return none, false, nil
		}
	}
	x, err := m.new.Op(nd.Name+"/integers", nd.Op.Name, nd.Attrs, in...)
	if err != nil {
		return none, false, nil // the operator does not know integers
	}
	id, err := m.new.Op(nd.Name, "DequantizeLinear", op.Attrs{"axis": axis}, x, c.scale, c.zero)
	return id, true, err
}

// products are the rows on integers of a product: whose value are integers, and real numbers.
var products = map[string]struct{ integers, reals string }{
	"Conv": {"QLinearConv", "ConvIntegerToFloat"}, "Gemm": {"QGemm", "GemmIntegerToFloat"}, "MatMul": {"QLinearMatMul", "MatMulIntegerToFloat"},
}

// product: both operands of a product are dequantised.
func (m integers) product(nd *graph.Node) (graph.ID, bool, error) {
	row, ok := products[nd.Op.Name]
	if !ok || nd.Op.Name == "Gemm" && nd.Attrs.Float("beta") != 1 {
		return none, false, nil
	}
	x, ok := m.eight(nd.In[0])
	w, also := m.code(nd.In[1])
	if !ok || !also || m.node(w.x).Type == tensor.Int32 || w.axis >= 0 && w.axis != outputAxis(nd, m.node(w.x).Shape) {
		return none, false, nil
	}
	in := []graph.ID{x.x, w.x, x.scale, x.zero, w.scale, w.zero}
	if e, passed, ok := m.end(m.root.ID); ok {
		all := append(slices.Clone(in), e.to.scale, e.to.zero)
		if len(nd.In) == 2 {
			return m.finish(row.integers, nd.Attrs, e, passed, all)
		}
		if b, ok := m.bias(nd, x, w); ok {
			return m.finish(row.integers, nd.Attrs, e, passed, append(all, b))
		}
	}
	id, err := m.new.Op(nd.Name, row.reals, nd.Attrs, append(in, nd.In[2:]...)...)
	return id, true, err
}

// outputAxis is the dimension of the outputs in the weights of a product.
func outputAxis(nd *graph.Node, w tensor.Shape) int {
	switch {
	case nd.Op.Name == "Conv", nd.Op.Name == "Gemm" && nd.Attrs.Int("transB") != 0:
		return 0
	}
	return len(w) - 1
}

// bias is the bias of a product as int32, in units of both scales: what it is dequantised from, or the
// nearest integers of a constant.
func (m integers) bias(nd *graph.Node, x, w code) (graph.ID, bool) {
	g := m.new.Peek()
	xs, ok := m.number(x.scale)
	ws, known := g.Value(w.scale)
	b, constant := g.Value(nd.In[2])
	if !ok || !known || !constant {
		return none, false
	}
	alpha := 1.0
	if nd.Op.Name == "Gemm" {
		alpha = float64(nd.Attrs.Float("alpha"))
	}
	unit := func(out int) float64 {
		if ws.Shape.Size() == 1 {
			out = 0
		}
		return alpha * xs * float64(ws.Floats()[out])
	}
	last := 1 // extent of the outputs in the bias
	if n := len(b.Shape); n > 0 {
		last = b.Shape[n-1]
	}
	if last == 1 && ws.Shape.Size() > 1 && nd.Shape[1] > 1 {
		return none, false
	}
	if c, ok := m.code(nd.In[2]); ok && m.node(c.x).Type == tensor.Int32 {
		s, constant := g.Value(c.scale)
		z, also := g.Value(c.zero)
		same := constant && also && !slices.ContainsFunc(z.Ints(), func(v int64) bool { return v != 0 })
		for i := 0; same && i < last; i++ {
			of := s.Floats()[0]
			if s.Shape.Size() > 1 {
				of = s.Floats()[i]
			}
			same = near(tensor.Float32, float64(of), unit(i))
		}
		if same {
			return c.x, true
		}
	}
	return m.new.Const(nd.Name+"/bias", tensor.Lazy(tensor.Int32, b.Shape, func() ([]float32, []int64) {
		to := make([]int64, b.Shape.Size())
		for i, v := range b.Floats() {
			q := math.RoundToEven(float64(v) / unit(i%last))
			if q == q {
				to[i] = int64(min(max(q, math.MinInt32), math.MaxInt32))
			}
		}
		return nil, to
	})), true
}

// passed: an operator between dequantised operands and QuantizeLinear that has a row on integers.
func (m integers) passed(nd *graph.Node) (graph.ID, bool, error) {
	row := op.QLinear(nd.Op.Name)
	if nd.Op.MACs != nil {
		return none, false, nil
	}
	if _, err := op.Lookup(row); err != nil {
		return none, false, nil
	}
	var values, scales []graph.ID
	for _, x := range nd.In {
		c, ok := m.eight(x)
		if !ok {
			return none, false, nil
		}
		values, scales = append(values, c.x), append(scales, c.scale, c.zero)
	}
	e, passed, ok := m.end(m.root.ID)
	if !ok {
		return none, false, nil
	}
	return m.finish(row, nd.Attrs, e, passed, slices.Concat(values, scales, []graph.ID{e.to.scale, e.to.zero}))
}
