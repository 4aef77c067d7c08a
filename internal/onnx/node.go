package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// node is one NodeProto while it is lowered. Its methods end the lowering with
// stop, which lowering.node turns into an error.
type node struct {
	*lowering
	p    *nodeProto
	name string
	in   []*value // nil: left out
	used map[string]bool
	wait []*value // that tell a size of what the node makes next
}

// stop is the panic that ends the lowering of a node.
type stop struct{ err error }

func (n *node) fail(format string, a ...any) { panic(stop{fmt.Errorf(format, a...)}) }

func (n *node) check(err error) {
	if err != nil {
		panic(stop{err})
	}
}

func (l *lowering) newNode(p *nodeProto) (*node, error) {
	n := &node{lowering: l, p: p, name: p.name, used: map[string]bool{}}
	if n.name == "" && len(p.out) > 0 {
		n.name = p.out[0]
	}
	for _, name := range p.in {
		var v *value
		if name != "" {
			v = l.value(name)
		}
		n.in = append(n.in, v)
	}
	// Optional trailing inputs may be written as empty names.
	for k := len(n.in); k > 0 && n.in[k-1] == nil; k-- {
		n.in = n.in[:k-1]
	}
	seen := map[string]bool{}
	for _, a := range p.attrs {
		if seen[a.name] {
			return nil, fmt.Errorf("attribute %.80q is there twice", a.name)
		}
		seen[a.name] = true
	}
	return n, nil
}

// arity refuses a number of inputs outside lo..hi, and a left out one of the
// first lo.
func (n *node) arity(lo, hi int) {
	if len(n.in) < lo || len(n.in) > hi {
		want := fmt.Sprint(lo)
		if hi != lo {
			want = fmt.Sprintf("%d to %d", lo, hi)
		}
		n.fail("%d inputs: %s wanted", len(n.in), want)
	}
	for i, v := range n.in[:lo] {
		if v == nil {
			n.fail("input %d is left out", i)
		}
	}
}

// opt returns input i, or nil where it is left out.
func (n *node) opt(i int) *value {
	if i < len(n.in) {
		return n.in[i]
	}
	return nil
}

// all returns the inputs, none of which may be left out.
func (n *node) all() []*value {
	for i, v := range n.in {
		if v == nil {
			n.fail("input %d is left out", i)
		}
	}
	return n.in
}

// attr returns the attribute called name, which is of type typ, or nil.
func (n *node) attr(name string, typ int64) *attrProto {
	n.used[name] = true
	for _, a := range n.p.attrs {
		if a.name != name {
			continue
		}
		if a.typ != typ {
			n.fail("attribute %.80q is %s: %s wanted", name, or(attrTypeNames[a.typ], "of no known type"), attrTypeNames[typ])
		}
		return a
	}
	return nil
}

func (n *node) has(name string) bool {
	for _, a := range n.p.attrs {
		if a.name == name {
			return true
		}
	}
	return false
}

func (n *node) int(name string, def int64) int64 {
	if a := n.attr(name, attrInt); a != nil {
		return a.i
	}
	return def
}

func (n *node) float(name string, def float32) float32 {
	if a := n.attr(name, attrFloat); a != nil {
		return a.f
	}
	return def
}

func (n *node) str(name, def string) string {
	if a := n.attr(name, attrString); a != nil {
		return a.s
	}
	return def
}

// ints returns nil where the attribute is left out.
func (n *node) ints(name string) []int64 {
	if a := n.attr(name, attrInts); a != nil {
		return append([]int64{}, a.ints...)
	}
	return nil
}

// floats returns nil where the attribute is left out.
func (n *node) floats(name string) []float32 {
	if a := n.attr(name, attrFloats); a != nil {
		return append([]float32{}, a.floats...)
	}
	return nil
}

// ignore marks attributes that do not change the values asked for.
func (n *node) ignore(names ...string) {
	for _, a := range names {
		n.used[a] = true
	}
}

// checkUsed refuses an attribute that the lowering did not look at.
func (n *node) checkUsed() {
	known := slices.Sorted(maps.Keys(n.used))
	for _, a := range n.p.attrs {
		if !n.used[a.name] {
			n.fail("attribute %.80q is not known in opset %d%s", a.name, n.opset, nearest.Hint(a.name, known))
		}
	}
}

// op appends the operation whose value carries the node's name.
func (n *node) op(opName string, a op.Attrs, in ...*value) *value {
	return n.put(n.name, opName, a, in)
}

func (n *node) put(name, opName string, a op.Attrs, in []*value) *value {
	if len(n.wait) > 0 {
		in = append([]*value{n.sized(n.name+"/Sized", in[0], op.Extents)}, in[1:]...)
	}
	v, err := n.emit(name, opName, a, in...)
	if err != nil && opName == n.p.opType {
		n.fail("%s", strings.TrimPrefix(err.Error(), opName+": ")) // the node is named with it
	}
	n.check(err)
	return v
}

// sub appends an operation on the way to the node's value, named after both.
func (n *node) sub(opName string, a op.Attrs, in ...*value) *value {
	return n.put(n.name+"/"+opName, opName, a, in)
}

// one makes the list of outputs of a node that has a single one.
func one(v *value) []*value { return []*value{v} }

// constant returns the values of input i, which must not depend on the graph's
// inputs.
func (n *node) constant(i int, what string) *tensor.Tensor {
	return n.settled(n.in[i], fmt.Sprintf("%s (input %d, %.80q)", what, i, n.in[i].name))
}

// varying is a value that is wanted constant, but depends on the model's inputs.
type varying string

func (o varying) Error() string {
	return string(o) + " depends on the model's inputs: a constant wanted"
}

// before adds to an error of a node of the whole network, if it is about a value that is not constant, the last value of
// numbers that the node reads: there --until can end the network.
func (l *lowering) before(p *nodeProto, err error) error {
	var o varying
	if l.depth > 0 || !errors.As(err, &o) {
		return err
	}
	last, id := "", graph.ID(-1)
	for _, name := range p.reads() {
		v := l.env[name]
		if v == nil || v.lost || v.known != nil || !v.typ.Float() || v.id <= id || l.b.Peek().Nodes[v.id].Op == nil {
			continue
		}
		last, id = name, v.id
	}
	if id < 0 {
		return err
	}
	return fmt.Errorf("%w; --until %.80q ends the network before it", err, last)
}

// settled returns the values of v, which must not depend on the graph's inputs.
func (n *node) settled(v *value, what string) *tensor.Tensor {
	if v.shape.Size() > foldSize {
		n.fail("%s has %d values: at most %d wanted", what, v.shape.Size(), foldSize)
	}
	t := n.fixed(v)
	if t == nil {
		panic(stop{varying(what)})
	}
	return t
}

// fixed is the value of v if it is made of constants; nil otherwise.
func (n *node) fixed(v *value) *tensor.Tensor {
	if v.known != nil {
		return v.known
	}
	t, ok := n.b.Peek().Value(v.id)
	if ok {
		n.check(n.b.Small())
	}
	return t
}

// constInts returns the values of an integer input of one dimension.
func (n *node) constInts(i int, what string) []int64 {
	n.integers(i, what)
	return append([]int64{}, n.constant(i, what).Ints()...)
}

// integers refuses an input that is no integers of one dimension.
func (n *node) integers(i int, what string) {
	if v := n.in[i]; v.typ != tensor.Int64 && v.typ != tensor.Int32 || len(v.shape) > 1 {
		n.fail("%s (input %d, %.80q) is %v %v: int64 in one dimension wanted", what, i, v.name, v.typ, v.shape)
	}
}

// constFloats returns the values of a floating input.
func (n *node) constFloats(i int, what string) []float32 {
	if !n.in[i].typ.Float() {
		n.fail("%s (input %d, %.80q) is %v: a floating type wanted", what, i, n.in[i].name, n.in[i].typ)
	}
	return n.constant(i, what).Floats()
}

// intsOrInput returns integers that older opsets spell as an attribute and
// opsets from since on as input i; nil where they are left out.
func (n *node) intsOrInput(name string, i, since int) []int64 {
	if n.opset < since {
		return n.ints(name)
	}
	if n.opt(i) == nil {
		return nil
	}
	return n.constInts(i, name)
}

// axis resolves an axis of a value of the given rank; end is 1 where the rank
// itself is allowed.
func (n *node) axis(a int64, rank, end int) int {
	r := int64(rank)
	if a < -r || a >= r+int64(end) {
		n.fail("axis %d of %d dimensions", a, rank)
	}
	if a < 0 {
		a += r
	}
	return int(a)
}

func int64s(s tensor.Shape) []int64 {
	out := make([]int64, len(s))
	for i, d := range s {
		out[i] = int64(d)
	}
	return out
}
