// Package interval bounds the values of a graph for all inputs that the graph may have, without executing it. Extents that
// data decide, as those of a Resize to a box, have their largest there.
//
// Each element of a small value has an interval and, where it is a sum of others, linear bounds by them. A bound is asked of a
// linear form, and its elements are replaced by what bounds them, the last made first, as long as that helps: the height of
// a box is then smaller than the difference of the intervals of its edges.
//
// In the literature: interval arithmetic (Moore 1966); abstract interpretation with symbolic back-substitution (DeepPoly, Singh
// et al., POPL 2019). Values that are no numbers are left out of account: whoever executes a graph checks its real extents.
package interval

import (
	"math"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Estimated: extents are made of some hundred values, boxes of some hundred thousand.
const (
	mostAtoms = 1 << 10 // elements of a value that are told apart
	mostMoved = 1 << 20 // elements of a value whose places are followed
)

// Analysis is the bounds of the values of a graph, which may grow meanwhile.
type Analysis struct {
	g      *graph.Graph
	values map[graph.ID]*value
	given  map[graph.ID]source
	made   int // atoms
}

// source is a node of another graph.
type source struct {
	*Analysis
	id graph.ID
}

// New bounds values of g.
func New(g *graph.Graph) *Analysis {
	return &Analysis{g: g, values: map[graph.ID]*value{}, given: map[graph.ID]source{}}
}

// Give says that node id has the bounds that from has of another.
func (a *Analysis) Give(id graph.ID, from *Analysis, other graph.ID) {
	a.given[id] = source{from, other}
}

// take is the value of a source.
func (a *Analysis) take(s source) *value {
	v := s.of(s.id)
	c := &value{dims: v.dims}
	for _, x := range v.atoms {
		c.atoms = append(c.atoms, a.atom(x.lo, x.hi, x.many))
	}
	return c
}

// Unbounded, or -Unbounded, is a bound that is not known, as of most 64-bit integers.
const Unbounded = 1 << 62

// Bounds are the least and the largest that each element of an integer value may be.
func (a *Analysis) Bounds(id graph.ID) (lo, hi []int64) {
	for _, x := range a.of(id).each(a.g.Nodes[id].Shape) {
		l, h := whole(x.lo, x.hi)
		lo, hi = append(lo, l), append(hi, h)
	}
	return lo, hi
}

// Distance bounds y[j] - x[i] of two integer values.
func (a *Analysis) Distance(x graph.ID, i int, y graph.ID, j int) (lo, hi int64) {
	p, q := a.of(x).each(a.g.Nodes[x].Shape)[i], a.of(y).each(a.g.Nodes[y].Shape)[j]
	if p.many || q.many {
		return whole(q.lo-p.hi, q.hi-p.lo)
	}
	d := form{}.plus(1, q).plus(-1, p)
	return whole(-upper(d.times(-1)), upper(d))
}

// whole is the integers of an interval; the sums behind it are rounded in their last places.
func whole(lo, hi float64) (int64, int64) {
	const rounding = 1e-6
	to := func(v float64) int64 { return int64(min(max(v, -Unbounded), Unbounded)) }
	return to(math.Ceil(lo - rounding)), to(math.Floor(hi + rounding))
}

// value is the atoms of a node's value: dims is its shape, with 1 where an atom stands for all along a dimension.
type value struct {
	dims  tensor.Shape
	atoms []*atom
}

// each is the atom of every element of a value of that shape.
func (v *value) each(shape tensor.Shape) []*atom {
	if v.dims.Equal(shape) {
		return v.atoms
	}
	list := make([]*atom, 0, shape.Size())
	eachPlace(shape, func(at []int) { list = append(list, v.at(at)) })
	return list
}

// at is the atom of the element at these indices.
func (v *value) at(at []int) *atom { return v.atoms[v.place(at)] }

// place is the number of the atom of an element; a value of fewer dimensions than the indices is broadcast.
func (v *value) place(at []int) (k int) {
	at = at[len(at)-len(v.dims):]
	for d, n := range v.dims {
		if k *= n; n > 1 {
			k += at[d]
		}
	}
	return k
}

// eachPlace calls f with all indices of a shape, in row-major order.
func eachPlace(s tensor.Shape, f func(at []int)) {
	at := make([]int, len(s))
	for range s.Size() {
		f(at)
		for d := len(s) - 1; d >= 0; d-- {
			if at[d]++; at[d] < s[d] {
				break
			}
			at[d] = 0
		}
	}
}

// of is the value of a node. What it is made from comes first; the depth is the file's to choose, so that there is no recursion.
func (a *Analysis) of(id graph.ID) *value {
	for stack := []graph.ID{id}; len(stack) > 0; {
		top := stack[len(stack)-1]
		open := len(stack)
		nd := &a.g.Nodes[top]
		if a.values[top] == nil && nd.Op != nil && rules[nd.Op.Name] != nil && len(nd.Post) == 0 {
			for _, x := range nd.In {
				if a.values[x] == nil {
					stack = append(stack, x)
				}
			}
		}
		if len(stack) > open {
			continue
		}
		if stack = stack[:open-1]; a.values[top] == nil {
			a.values[top] = a.make(nd)
		}
	}
	return a.values[id]
}

// make is the value of a node whose inputs have theirs.
func (a *Analysis) make(nd *graph.Node) *value {
	if nd.Shape.Size() == 0 {
		return &value{dims: nd.Shape}
	}
	var v *value
	s, given := a.given[nd.ID]
	switch {
	case given:
		v = a.take(s)
	case nd.Const != nil && nd.Shape.Size() <= mostMoved:
		v = a.constant(nd)
	case nd.Op != nil && rules[nd.Op.Name] != nil && len(nd.Post) == 0:
		in := make([]*value, len(nd.In))
		for i, x := range nd.In {
			in[i] = a.values[x]
		}
		v = rules[nd.Op.Name](a, nd, in)
	}
	if v == nil {
		lo, hi := limits(nd.Type)
		v = a.uniform(nd, lo, hi)
	}
	return a.apart(v, nd)
}

// limits is the interval of all values of a type; that of 64 bits is as good as unbounded.
func limits(t tensor.Type) (lo, hi float64) {
	switch t {
	case tensor.Bool:
		return 0, 1
	case tensor.Int8:
		return math.MinInt8, math.MaxInt8
	case tensor.Uint8:
		return 0, math.MaxUint8
	case tensor.Int32:
		return math.MinInt32, math.MaxInt32
	}
	return math.Inf(-1), math.Inf(1)
}

// uniform is a value of a node all of whose elements are in an interval.
func (a *Analysis) uniform(nd *graph.Node, lo, hi float64) *value {
	return &value{dims: ones(len(nd.Shape)), atoms: []*atom{a.atom(lo, hi, true)}}
}

func ones(n int) tensor.Shape { return slices.Repeat(tensor.Shape{1}, n) }

// constant is the value of a constant.
func (a *Analysis) constant(nd *graph.Node) *value {
	n := nd.Shape.Size()
	v := &value{dims: nd.Shape, atoms: make([]*atom, n)}
	for i := range n {
		x := 0.0
		if nd.Type.Float() {
			x = float64(nd.Const.Floats()[i])
		} else {
			x = float64(nd.Const.Ints()[i])
		}
		if math.IsNaN(x) {
			return nil
		}
		v.atoms[i] = a.atom(x, x, false)
	}
	return v
}

// apart tells the elements of a small value apart, and joins those of a large one.
func (a *Analysis) apart(v *value, nd *graph.Node) *value {
	if nd.Shape.Size() > mostAtoms {
		return a.joined(v)
	}
	list := slices.Clone(v.each(nd.Shape))
	for i, x := range list {
		if x.many {
			list[i] = a.atom(x.lo, x.hi, false)
		}
	}
	return &value{nd.Shape, list}
}

// joined joins the elements of a value along its longest dimensions until they are few.
func (a *Analysis) joined(v *value) *value {
	for d, n := range few(v.dims) {
		if n < v.dims[d] {
			v = a.along(v, d)
		}
	}
	v = &value{v.dims, slices.Clone(v.atoms)}
	for i, x := range v.atoms {
		if !x.many {
			v.atoms[i] = a.atom(x.lo, x.hi, true)
		}
	}
	return v
}

// along joins the elements along a dimension.
func (a *Analysis) along(v *value, d int) *value {
	y := &value{dims: v.dims.Clone()}
	y.dims[d] = 1
	inner := v.dims[d+1:].Size()
	for outer := range v.dims[:d].Size() {
		for i := range inner {
			var list []*atom
			for k := range v.dims[d] {
				list = append(list, v.atoms[(outer*v.dims[d]+k)*inner+i])
			}
			y.atoms = append(y.atoms, a.union(list...))
		}
	}
	return y
}
