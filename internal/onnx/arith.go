package onnx

import (
	"math"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// chain lowers an operator of any number of inputs to a chain of binary ones.
func chain(opName string) func(*node) []*value {
	return func(n *node) []*value { return one(n.fold(opName, n.op)) }
}

// fold combines all inputs from the left; last makes the last combination.
func (n *node) fold(opName string, last func(string, op.Attrs, ...*value) *value) *value {
	n.arity(1, math.MaxInt)
	in := n.all()
	v := in[0]
	for i, x := range in[1:] {
		if i == len(in)-2 {
			return last(opName, nil, v, x)
		}
		v = n.sub(opName, nil, v, x)
	}
	return v
}

func mean(n *node) []*value {
	sum := n.fold("Add", n.sub)
	if len(n.in) == 1 {
		return one(sum)
	}
	return one(n.op("Div", nil, sum, n.scalar("count", sum.typ, float64(len(n.in)))))
}

// scalar is a known value of one number.
func (n *node) scalar(name string, t tensor.Type, v float64) *value {
	return known(n.name+"/"+name, filled(t, tensor.Shape{}, v))
}

// filled is a tensor of one number; it costs nothing until its values are asked
// for.
func filled(t tensor.Type, s tensor.Shape, v float64) *tensor.Tensor {
	return tensor.Lazy(t, s, func() (f []float32, k []int64) {
		if t.Float() {
			f = make([]float32, s.Size())
			for i := range f {
				f[i] = tensor.Round(t, float32(v))
			}
			return f, nil
		}
		k = make([]int64, s.Size())
		for i := range k {
			k[i] = int64(v)
		}
		return nil, k
	})
}

// clip lowers Clip: bounds that are known become attributes; others, and those
// of integers, Max and Min.
func clip(n *node) []*value {
	lo, hi := float32(-math.MaxFloat32), float32(math.MaxFloat32)
	if n.opset < 11 {
		n.arity(1, 1)
		return one(n.op("Clip", op.Attrs{"min": n.float("min", lo), "max": n.float("max", hi)}, n.in[0]))
	}
	n.arity(1, 3)
	x, a := n.in[0], op.Attrs{}
	for i, name := range []string{"min", "max"} {
		b := n.opt(i + 1)
		if b == nil {
			continue
		}
		if b.shape.Size() != 1 || b.typ != x.typ {
			n.fail("%s (input %d, %.80q) is %v %v: one %v wanted", name, i+1, b.name, b.typ, b.shape, x.typ)
		}
		if b.known != nil && x.typ.Float() {
			a[name] = b.known.Floats()[0]
		}
	}
	if x.typ.Float() && (n.opt(1) == nil || a["min"] != nil) && (n.opt(2) == nil || a["max"] != nil) {
		return one(n.op("Clip", a, x))
	}
	// Max before Min: where the bounds cross, ONNX wants the upper one.
	v := x
	if b := n.opt(1); b != nil {
		put := n.sub
		if n.opt(2) == nil {
			put = n.op
		}
		v = put("Max", nil, v, n.toScalar(b))
	}
	if b := n.opt(2); b != nil {
		v = n.op("Min", nil, v, n.toScalar(b))
	}
	return one(v)
}

// toScalar is v, of one value, without dimensions, so that it adds none to what
// it is combined with.
func (n *node) toScalar(v *value) *value {
	if len(v.shape) == 0 {
		return v
	}
	return n.via(v, tensor.Shape{})
}

// celu lowers Celu, max(x, 0) + min(alpha*(exp(x/alpha)-1), 0), to alpha times an
// Elu of x/alpha.
func celu(n *node) []*value {
	n.arity(1, 1)
	x, alpha := n.in[0], n.scalar("alpha", n.in[0].typ, float64(n.float("alpha", 1)))
	y := n.sub("Elu", op.Attrs{"alpha": float32(1)}, n.sub("Div", nil, x, alpha))
	return one(n.op("Mul", nil, y, alpha))
}

func thresholdedRelu(n *node) []*value {
	n.arity(1, 1)
	x := n.in[0]
	alpha, zero := n.scalar("alpha", x.typ, float64(n.float("alpha", 1))), n.scalar("zero", x.typ, 0)
	return one(n.op("Where", nil, n.sub("Greater", nil, x, alpha), x, zero))
}

// pow lowers Pow, whose exponent may have another type than the base; the
// value has that of the base.
func pow(n *node) []*value {
	n.arity(2, 2)
	x, y := n.in[0], n.in[1]
	if n.opset < 7 {
		y = n.legacyOperand(x, y)
	}
	switch {
	case x.typ == y.typ:
		return one(n.op("Pow", nil, x, y))
	case x.typ.Float() || !y.typ.Float():
		return one(n.op("Pow", nil, x, n.cast(y, x.typ)))
	}
	return one(n.op("Cast", op.Attrs{"to": x.typ.String()}, n.sub("Pow", nil, n.cast(x, y.typ), y)))
}

// cast converts v on the way to the node's value.
func (n *node) cast(v *value, t tensor.Type) *value {
	if v.typ == t {
		return v
	}
	return n.sub("Cast", op.Attrs{"to": t.String()}, v)
}

func cast(n *node) []*value {
	n.arity(1, 1)
	// saturate and round_mode speak of 8-bit floats, which are not supported.
	n.ignore("saturate", "round_mode")
	to := int64(0)
	if n.opset < 6 {
		to = castNames[n.str("to", "")]
	} else {
		to = n.int("to", 0)
	}
	t, err := elemType(to)
	n.check(in(`attribute "to"`, err))
	return one(n.op("Cast", op.Attrs{"to": t.String()}, n.in[0]))
}

func castLike(n *node) []*value {
	n.arity(2, 2)
	n.ignore("saturate", "round_mode")
	return one(n.op("Cast", op.Attrs{"to": n.in[1].typ.String()}, n.in[0]))
}

func identity(n *node) []*value {
	n.arity(1, 1)
	return one(n.in[0])
}

// dropout does nothing at inference, nor where it drops none: torchvision's Swin
// transformers train with a ratio of 0.
func dropout(n *node) []*value {
	n.arity(1, 3)
	n.ignore("ratio", "seed")
	if n.opset < 7 {
		n.ignore("is_test") // left out by exporters that mean inference
	}
	if n.opset >= 12 && n.opt(2) != nil && n.flag(2, "training_mode") {
		if n.opt(1) == nil || n.constant(1, "ratio").Convert(tensor.Bool).Ints()[0] != 0 {
			n.fail("training_mode is set: a model exported for inference wanted")
		}
	}
	if n.opset < 10 || !n.wants(1) { // the mask has had the values of a bool since opset 10
		return one(n.in[0])
	}
	mask := n.scalar("mask", tensor.Bool, 1)
	return []*value{n.in[0], n.sub("Expand", op.Attrs{"shape": int64s(n.in[0].shape)}, mask)}
}

// flag returns the value of a constant bool input.
func (n *node) flag(i int, what string) bool {
	t := n.constant(i, what)
	if t.Type != tensor.Bool || t.Shape.Size() != 1 {
		n.fail("%s (input %d, %.80q) is %v %v: one bool wanted", what, i, n.in[i].name, t.Type, t.Shape)
	}
	return t.Ints()[0] != 0
}

// constant lowers Constant to a known value.
func constant(n *node) []*value {
	n.arity(0, 0)
	if len(n.p.attrs) != 1 {
		n.fail("%d attributes: one wanted", len(n.p.attrs))
	}
	a := n.p.attrs[0]
	n.used[a.name] = true
	var t *tensor.Tensor
	switch a.name {
	case "value":
		var err error
		t, err = n.attr("value", attrTensor).tensor.tensor(n.ext)
		n.check(in(`attribute "value"`, err))
	case "value_float":
		t = tensor.Floats32(tensor.Shape{}, []float32{n.float(a.name, 0)})
	case "value_floats":
		f := n.floats(a.name)
		t = tensor.Floats32(tensor.Shape{len(f)}, f)
	case "value_int":
		t = tensor.Ints64(tensor.Shape{}, []int64{n.int(a.name, 0)})
	case "value_ints":
		k := n.ints(a.name)
		t = tensor.Ints64(tensor.Shape{len(k)}, k)
	default:
		n.fail("attribute %.80q: one of value, value_float, value_floats, value_int, value_ints wanted", a.name)
	}
	return one(known(n.name, t))
}

func constantOfShape(n *node) []*value {
	n.arity(1, 1)
	s := n.shapeFrom(n.largest(0, "shape"))
	t, v := tensor.Float32, 0.0
	if a := n.attr("value", attrTensor); a != nil {
		x, err := a.tensor.tensor(n.ext)
		n.check(in(`attribute "value"`, err))
		if x.Shape.Size() != 1 {
			n.fail(`attribute "value" has shape %v: one value wanted`, x.Shape)
		}
		t = x.Type
		if t.Float() {
			v = float64(x.Floats()[0])
		} else {
			v = float64(x.Ints()[0])
		}
	}
	if s.Size() > foldSize || len(n.wait) > 0 { // an operation, which counts as what is made of constants
		return one(n.op("Expand", op.Attrs{"shape": int64s(s)}, n.scalar("value", t, v)))
	}
	return one(known(n.name, filled(t, s, v)))
}

// shapeFrom checks the extents that a file states.
func (n *node) shapeFrom(dims []int64) tensor.Shape {
	s := make(tensor.Shape, len(dims))
	for i, d := range dims {
		s[i] = int(d)
	}
	n.check(s.Check())
	return s
}

func shapeOf(n *node) []*value {
	n.arity(1, 1)
	dims := int64s(n.in[0].shape)
	if n.opset >= 15 {
		r := int64(len(dims))
		clamp := func(v int64) int64 {
			if v < 0 {
				v += r
			}
			return min(max(v, 0), r)
		}
		start, end := clamp(n.int("start", 0)), clamp(n.int("end", r))
		dims = dims[start:max(start, end)]
	}
	return one(known(n.name, tensor.Ints64(tensor.Shape{len(dims)}, dims)))
}

func sizeOf(n *node) []*value {
	n.arity(1, 1)
	return one(known(n.name, tensor.Ints64(tensor.Shape{}, []int64{int64(n.in[0].shape.Size())})))
}

// maxRange is the most values of a Range: whole numbers up to it are float32 ones.
const maxRange = 1 << 24

// rangeOf lowers Range to a known value or, a long one, to a sum of ones, which counts as made of
// constants.
func rangeOf(n *node) []*value {
	n.arity(3, 3)
	var v [3]float64
	typ := n.in[0].typ
	for i, name := range []string{"start", "limit", "delta"} {
		if x := n.in[i]; x.typ != typ || x.shape.Size() != 1 {
			n.fail("%s (input %d, %.80q) is %v %v: one %v wanted", name, i, x.name, x.typ, x.shape, typ)
		}
		if typ.Float() {
			v[i] = float64(n.constant(i, name).Floats()[0])
		}
	}
	if !typ.Float() {
		start, limit, delta := n.span()
		v = [3]float64{float64(start), float64(limit), float64(delta)}
	}
	count := max(math.Ceil((v[1]-v[0])/v[2]), 0)
	switch {
	case !(count <= maxRange):
		n.fail("range from %v to %v by %v: at most %d values wanted", v[0], v[1], v[2], maxRange)
	case count > foldSize || len(n.wait) > 0:
		ones := n.sub("Expand", op.Attrs{"shape": []int64{int64(count)}}, n.scalar("one", typ, 1))
		steps := n.sub("CumSum", op.Attrs{"axis": int64(0), "exclusive": int64(1)}, ones)
		return one(n.op("Add", nil, n.sub("Mul", nil, steps, n.scalar("delta", typ, v[2])), n.scalar("start", typ, v[0])))
	}
	y := tensor.New(typ, tensor.Shape{int(count)})
	for i := range int(count) {
		if x := v[0] + float64(i)*v[2]; typ.Float() {
			y.Floats()[i] = tensor.Round(typ, float32(x))
		} else {
			y.Ints()[i] = int64(x)
		}
	}
	return one(known(n.name, y))
}
