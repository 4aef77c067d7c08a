package interval

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// within is the rule of an operator all of whose values are in an interval.
func within(lo, hi float64) rule {
	return func(a *Analysis, nd *graph.Node, _ []*value) *value { return a.uniform(nd, lo, hi) }
}

// index is the rule of operators that find places along an axis.
func index(a *Analysis, nd *graph.Node, _ []*value) *value {
	s := a.g.Nodes[nd.In[0]].Shape
	axis := nd.Attrs.Int("axis")
	if axis < 0 {
		axis += len(s)
	}
	return a.uniform(nd, 0, float64(s[axis]-1))
}

// places is the rule of NonZero: a row of indices for each dimension.
func places(a *Analysis, nd *graph.Node, _ []*value) *value {
	s := a.g.Nodes[nd.In[0]].Shape
	y := &value{dims: tensor.Shape{nd.Shape[0], 1}}
	for d := range nd.Shape[0] {
		hi := 0.0
		if d < len(s) {
			hi = float64(max(s[d]-1, 0))
		}
		y.atoms = append(y.atoms, a.atom(0, hi, true))
	}
	return y
}

// boxes is the rule of NonMaxSuppression: rows of image, class and box.
func boxes(a *Analysis, nd *graph.Node, _ []*value) *value {
	y := &value{dims: tensor.Shape{1, 3}}
	for _, n := range a.g.Nodes[nd.In[1]].Shape {
		y.atoms = append(y.atoms, a.atom(0, float64(n-1), true))
	}
	return y
}

func first(_ *Analysis, _ *graph.Node, in []*value) *value { return in[0] }

// compressed is the rule of Compress, whose slices are any of the first operand's.
func compressed(a *Analysis, nd *graph.Node, in []*value) *value {
	return a.along(in[0], (nd.Attrs.Int("axis")+len(nd.Shape))%len(nd.Shape))
}

// anyOf is the rule of operators each of whose values is some element of these operands.
func anyOf(operands ...int) rule {
	return func(a *Analysis, nd *graph.Node, in []*value) *value {
		if r, reduces := nd.Attrs["reduction"]; reduces && r != "none" {
			return nil
		}
		var all []*atom
		for _, i := range operands {
			all = append(all, in[i].atoms...)
		}
		x := a.union(all...)
		return a.uniform(nd, x.lo, x.hi)
	}
}

// moved is the rule of operators that move values: what they do to the numbers of atoms, they do to values.
func moved(a *Analysis, nd *graph.Node, in []*value) *value {
	return a.follow(nd, nd.Attrs, in, nil, nil)
}

// padded is the rule of Pad, which moves numbers and adds one of a constant.
func padded(a *Analysis, nd *graph.Node, in []*value) *value {
	attrs := nd.Attrs.Clone()
	attrs["value"] = float32(-1)
	fill := float64(nd.Attrs.Float("value"))
	return a.follow(nd, attrs, in, nil, a.atom(fill, fill, false))
}

// gathered is the rule of Gather; by indices that are not known it takes any element along the axis.
func gathered(a *Analysis, nd *graph.Node, in []*value) *value {
	shape, index := a.g.Nodes[nd.In[0]].Shape, &a.g.Nodes[nd.In[1]]
	axis, v, at := nd.Attrs.Int("axis"), in[0], index.Const
	axis = (axis + len(shape)) % len(shape)
	if at != nil && index.Shape.Size() <= mostMoved {
		n := int64(shape[axis])
		if slices.ContainsFunc(at.Ints(), func(i int64) bool { return i < -n || i >= n }) {
			return nil
		}
	} else {
		v, at = a.along(v, axis), tensor.New(tensor.Int64, index.Shape)
	}
	return a.follow(nd, nd.Attrs, []*value{v}, at, nil)
}

// follow evaluates an operator that moves values on the numbers of their atoms. index is its operand behind them, and fill the
// atom of the number -1; nil: none.
func (a *Analysis) follow(nd *graph.Node, attrs op.Attrs, in []*value, index *tensor.Tensor, fill *atom) *value {
	var all []*atom
	var operands []*tensor.Tensor
	size := nd.Shape.Size()
	for i, v := range in {
		shape := a.g.Nodes[nd.In[i]].Shape
		if size += shape.Size(); size > mostMoved {
			break
		}
		numbers := tensor.New(tensor.Int64, shape)
		k := 0
		eachPlace(shape, func(at []int) {
			numbers.Ints()[k] = int64(len(all) + v.place(at))
			k++
		})
		all, operands = append(all, v.atoms...), append(operands, numbers)
	}
	if size > mostMoved {
		return nil
	}
	if index != nil {
		operands = append(operands, index)
	}
	made := tensor.New(tensor.Int64, nd.Shape)
	nd.Op.Eval(attrs, operands, made, tensor.Full(nd.Shape))
	dims := few(nd.Shape)
	y := &value{dims: dims, atoms: make([]*atom, dims.Size())}
	k := 0
	eachPlace(nd.Shape, func(at []int) {
		x := fill
		if n := made.Ints()[k]; n >= 0 {
			x = all[n]
		}
		if i := y.place(at); y.atoms[i] == nil {
			y.atoms[i] = x
		} else if y.atoms[i] != x {
			y.atoms[i] = a.union(y.atoms[i], x)
		}
		k++
	})
	return y
}

// few is a shape with 1 for its longest dimensions, until it has few elements.
func few(shape tensor.Shape) tensor.Shape {
	dims := shape.Clone()
	for dims.Size() > mostAtoms {
		long := 0
		for d, n := range dims {
			if n > dims[long] {
				long = d
			}
		}
		dims[long] = 1
	}
	return dims
}

// folded is the rule of a reduction by an operator on two elements.
func folded(f element) rule {
	return func(a *Analysis, nd *graph.Node, in []*value) *value {
		v, shape := in[0], a.g.Nodes[nd.In[0]].Shape
		if shape.Size() == 0 {
			return nil
		}
		gone := make([]bool, len(shape))
		for _, d := range nd.Attrs.Ints("axes") {
			gone[(d+len(shape))%len(shape)] = true
		}
		if nd.Op.Name == "ReduceSum" {
			v = a.counts(v, shape, gone)
		}
		y, kept := &value{dims: v.dims.Clone()}, tensor.Shape{}
		for d := range gone {
			if gone[d] {
				y.dims[d] = 1
			}
			if !gone[d] || nd.Attrs.Int("keepdims") != 0 {
				kept = append(kept, y.dims[d])
			}
		}
		y.atoms = make([]*atom, y.dims.Size())
		k := 0
		eachPlace(v.dims, func(at []int) {
			i := y.place(at)
			if y.atoms[i] == nil {
				y.atoms[i] = v.atoms[k]
			} else {
				y.atoms[i] = a.fits(f(a, nd, []*atom{y.atoms[i], v.atoms[k]}), nd)
			}
			k++
		})
		y.dims = kept
		return y
	}
}

// averaged is the rule of ReduceMean, between the least and the largest.
func averaged(a *Analysis, nd *graph.Node, in []*value) *value {
	lo, hi := folded(least)(a, nd, in), folded(largest)(a, nd, in)
	if lo == nil {
		return nil
	}
	y := &value{dims: lo.dims}
	for i, x := range lo.atoms {
		y.atoms = append(y.atoms, a.loose(nd, x.lo, hi.atoms[i].hi, []*atom{x}))
	}
	return y
}

// counts is v with each atom that stands for many elements along the dimensions that go multiplied by their number, for a sum.
func (a *Analysis) counts(v *value, shape tensor.Shape, gone []bool) *value {
	n := 1.0
	for d := range gone {
		if gone[d] {
			n *= float64(shape[d] / v.dims[d])
		}
	}
	if n == 1 {
		return v
	}
	y := &value{dims: v.dims}
	for _, x := range v.atoms {
		y.atoms = append(y.atoms, a.atom(n*x.lo, n*x.hi, x.many))
	}
	return y
}
