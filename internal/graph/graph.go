// Package graph is the intermediate representation: nodes in an order in which
// every value is made before it is read, each node making one value.
//
// A Builder makes a graph and checks it; from then on it is immutable. What goes
// in are operators (package op) and constants; what comes out is read by every
// later stage. The package does not know devices or plans.
package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// ID names a node and the value it makes: its index in Graph.Nodes.
type ID int

// Node is an input (Op and Const nil), a constant (Const set) or an operation.
type Node struct {
	ID    ID
	Name  string
	Op    *op.Op
	Attrs op.Attrs
	In    []ID // the operands of Op, then those of Post in order
	Shape tensor.Shape
	Type  tensor.Type
	Const *tensor.Tensor
	Post  []Stage // epilogue: applied to the value in order

	varies bool // an input of the graph, or it reads a node that does
}

// Operators names the operator with its epilogue, as "Conv+Add+Relu".
func (nd *Node) Operators() string {
	s := nd.Op.Name
	for _, p := range nd.Post {
		s += "+" + p.Op.Name
	}
	return s
}

// Counted reports whether an extent of the value depends on the values of the inputs.
func (nd *Node) Counted() bool { return nd.Op != nil && nd.Op.Count != nil }

// Sized reports whether values tell a size of what is made of the value.
func (nd *Node) Sized() bool { return nd.Op != nil && nd.Op.Name == "Sized" }

// Stage is an element-wise operation fused onto a node's value. Its row has
// either Map or Combine; with Combine, Operand indexes Node.In, a value of the
// node's shape, and the stage computes Combine(value, operand), or
// Combine(operand, value) where Swap is set.
type Stage struct {
	Op      *op.Op
	Attrs   op.Attrs
	Operand int
	Swap    bool
}

// Operands is the number of inputs the node's operator reads; the rest of In
// belongs to the epilogue.
func (n *Node) Operands() int {
	k := len(n.In)
	for _, s := range n.Post {
		if s.Op.Combine != nil {
			k--
		}
	}
	return k
}

// Output is a named result of the graph.
type Output struct {
	Name string
	ID   ID
}

// Graph is a checked network.
type Graph struct {
	Name    string
	Nodes   []Node
	Inputs  []ID
	Outputs []Output
}

// Cut is a box of one node's value: what a device is asked to make.
type Cut struct {
	Node ID
	Box  tensor.Box
}

// String prints the node's number and the box, as %12[0:1 0:32 0:56 0:112].
func (c Cut) String() string { return fmt.Sprintf("%%%d%v", c.Node, c.Box) }

// Whole is the cut that is all of a node's value.
func (g *Graph) Whole(id ID) Cut { return Cut{id, tensor.Full(g.Nodes[id].Shape)} }

// shapes returns the shapes of the first n inputs of a node.
func (g *Graph) shapes(nd *Node, n int) []tensor.Shape {
	s := make([]tensor.Shape, n)
	for i := range s {
		s[i] = g.Nodes[nd.In[i]].Shape
	}
	return s
}

// InShapes returns the shape of each of the node's inputs.
func (g *Graph) InShapes(id ID) []tensor.Shape {
	return g.shapes(&g.Nodes[id], len(g.Nodes[id].In))
}

// Need is what a cut reads of each of its node's inputs, one box an input. For
// an operator that cannot be cut it is everything. Boxes may share memory.
func (g *Graph) Need(c Cut) []tensor.Box {
	nd := &g.Nodes[c.Node]
	k := nd.Operands()
	var need []tensor.Box
	if nd.Op.Need != nil {
		need = nd.Op.Need(nd.Attrs, g.shapes(nd, k), c.Box)
	} else {
		for _, s := range g.shapes(nd, k) {
			need = append(need, tensor.Full(s))
		}
	}
	for range nd.In[k:] {
		need = append(need, c.Box.Clone())
	}
	return need
}

// MACs is the number of multiply-accumulates behind a cut.
func (g *Graph) MACs(c Cut) int64 {
	nd := &g.Nodes[c.Node]
	if nd.Op == nil || nd.Op.MACs == nil {
		return 0
	}
	return nd.Op.MACs(nd.Attrs, g.shapes(nd, nd.Operands()), c.Box)
}

// Within refuses inputs that name a place that is not there (op.Op.Within).
func (g *Graph) Within(c Cut, in []*tensor.Tensor) error {
	nd := &g.Nodes[c.Node]
	return nd.Op.Within(nd.Attrs, in[:nd.Operands()], c.Box)
}

// Eval writes the cut's box of dst, which has the shape of the whole value: the
// operator's meaning, then its epilogue. in holds the values of all inputs.
func (g *Graph) Eval(c Cut, in []*tensor.Tensor, dst *tensor.Tensor) {
	nd := &g.Nodes[c.Node]
	nd.Op.Eval(nd.Attrs, in[:nd.Operands()], dst, c.Box)
	g.Finish(c, in, dst)
}

// Finish applies the node's epilogue to the cut's box of dst, in place. Each
// stage rounds to dst's type, as the separate operators would.
func (g *Graph) Finish(c Cut, in []*tensor.Tensor, dst *tensor.Tensor) {
	stages := g.Nodes[c.Node].Post
	if len(stages) == 0 {
		return
	}
	y := dst.Floats()
	each := make([]func(off, n int), len(stages))
	for i, s := range stages {
		if s.Op.Map != nil {
			f := s.Op.Map(s.Attrs)
			each[i] = func(off, n int) { f(y[off:off+n], y[off:off+n]) }
			continue
		}
		a, b := y, in[s.Operand].Floats()
		if s.Swap {
			a, b = b, a
		}
		each[i] = func(off, n int) { s.Op.Combine(y[off:off+n], a[off:off+n], b[off:off+n]) }
	}
	op.EachRun(c.Box, dst.Shape, func(off, n int) {
		for _, f := range each {
			f(off, n)
			tensor.RoundAll(dst.Type, y[off:off+n], y[off:off+n])
		}
	})
}

// FinishSums makes the cut's box of dst from the values before the epilogue. Of a product on integers they are
// the sums from which the operator makes its value (op.Op.Finish); else they are those of the operator, and may be dst.
func (g *Graph) FinishSums(c Cut, in []*tensor.Tensor, sums, dst *tensor.Tensor) {
	nd := &g.Nodes[c.Node]
	switch {
	case nd.Op.Real != "" && nd.Op.MACs != nil:
		nd.Op.Finish(nd.Attrs, in[:nd.Operands()], sums, dst, c.Box)
	case sums != dst:
		c.Box.Runs(dst.Shape, func(off, n int) { copy(dst.Floats()[off:off+n], sums.Floats()[off:]) })
	}
	g.Finish(c, in, dst)
}

// Value returns the tensor of a node all of whose ancestors are constants; it is
// computed when its values are asked for. ok is false for any other node.
func (g *Graph) Value(id ID) (t *tensor.Tensor, ok bool) {
	t = g.value(id, map[ID]*tensor.Tensor{})
	return t, t != nil
}

// value is Value, nil where there is none; done holds the nodes asked before, so
// that one with many paths to it is visited once.
func (g *Graph) value(id ID, done map[ID]*tensor.Tensor) (t *tensor.Tensor) {
	nd := &g.Nodes[id]
	switch {
	case nd.varies:
		return nil
	case nd.Const != nil || nd.Op == nil:
		return nd.Const
	}
	if t, ok := done[id]; ok {
		return t
	}
	defer func() { done[id] = t }()
	in := make([]*tensor.Tensor, len(nd.In))
	for i, x := range nd.In {
		if in[i] = g.value(x, done); in[i] == nil {
			return nil
		}
	}
	if g.Within(g.Whole(id), in) != nil {
		return nil
	}
	return tensor.Lazy(nd.Type, nd.Shape, func() ([]float32, []int64) {
		y := tensor.New(nd.Type, nd.Shape)
		g.Eval(g.Whole(id), in, y)
		if nd.Type.Float() {
			return y.Floats(), nil
		}
		return nil, y.Ints()
	})
}

// Users returns for every node the nodes that read its value, in order; a node
// that reads it twice is listed twice.
func (g *Graph) Users() [][]ID {
	u := make([][]ID, len(g.Nodes))
	for _, nd := range g.Nodes {
		for _, x := range nd.In {
			u[x] = append(u[x], nd.ID)
		}
	}
	return u
}

// Fingerprint is 16 hexadecimal digits that differ between graphs that differ in
// operators, attributes, shapes or connections; names and weights do not count.
func (g *Graph) Fingerprint() string {
	h := sha256.New()
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		fmt.Fprintf(h, "%v %v %v", nd.Type, nd.Shape, nd.In)
		if nd.Op != nil {
			fmt.Fprintf(h, " %s", nd.Op.Name)
			writeAttrs(h, nd.Attrs)
		}
		for _, s := range nd.Post {
			fmt.Fprintf(h, " + %s %d %v", s.Op.Name, s.Operand, s.Swap)
			writeAttrs(h, s.Attrs)
		}
		fmt.Fprintf(h, " %v\n", nd.Const != nil)
	}
	fmt.Fprintf(h, "%v", g.Inputs)
	for _, o := range g.Outputs {
		fmt.Fprintf(h, " %d", o.ID)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func writeAttrs(w io.Writer, a op.Attrs) {
	for _, n := range a.Names() {
		fmt.Fprintf(w, " %s=%v", n, a[n])
	}
}
