package simplify

import (
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/op"
)

// gates are the activations of the form k * x * f(x).
var gates = []struct {
	op    string
	k     float64
	match func(m matcher, x, f graph.ID) (op.Attrs, bool)
}{
	{"Swish", 1, swishGate},
	{"HardSwish", 1, hardSigmoidGate},
	{"HardSwish", 1. / 6, relu6Gate},
	{"Gelu", 0.5, erfGate},
	{"Gelu", 0.5, tanhGate},
	{"Mish", 1, mishGate},
}

// gated finds the gates above, wherever the factor k stands, and HardSigmoid
// spelled as Clip(x + 3, 0, 6) / 6.
func gated(m matcher, nd *graph.Node) (form, bool) {
	product, k := nd, 1.0
	if x, f, ok := m.factor(nd); ok {
		product, k = m.node(x), f
	}
	if y, ok := m.plus3Clip(product); ok && near(nd.Type, k, 1./6) {
		return form{"HardSigmoid", op.Attrs{"alpha": float32(1. / 6), "beta": float32(0.5)}, []graph.ID{y}}, true
	}
	if !is(product, "Mul") {
		return form{}, false
	}
	for i := range 2 {
		x, f := product.In[i], product.In[1-i]
		x1, kx := m.unscaled(x)
		f1, kf := m.unscaled(f)
		for _, c := range []struct {
			x, f graph.ID
			k    float64
		}{{x, f, k}, {x, f1, k * kf}, {x1, f, k * kx}, {x1, f1, k * kx * kf}} {
			for _, g := range gates {
				if a, ok := g.match(m, c.x, c.f); ok && near(nd.Type, c.k, g.k) && m.node(c.x).Shape.Equal(nd.Shape) {
					return form{g.op, a, []graph.ID{c.x}}, true
				}
			}
		}
	}
	return form{}, false
}

// swishGate: Sigmoid(alpha * x).
func swishGate(m matcher, x, f graph.ID) (op.Attrs, bool) {
	s, ok := m.made(f, "Sigmoid")
	if !ok {
		return nil, false
	}
	alpha, ok := m.ratio(s.In[0], x)
	return op.Attrs{"alpha": float32(alpha)}, ok
}

// hardSigmoidGate: HardSigmoid(x) with the slope of HardSwish, 1/6.
func hardSigmoidGate(m matcher, x, f graph.ID) (op.Attrs, bool) {
	h, ok := m.made(f, "HardSigmoid")
	return nil, ok && h.In[0] == x && near(h.Type, float64(h.Attrs.Float("alpha")), 1./6) &&
		h.Attrs.Float("beta") == 0.5
}

// relu6Gate: Clip(x + 3, 0, 6).
func relu6Gate(m matcher, x, f graph.ID) (op.Attrs, bool) {
	y, ok := m.plus3Clip(m.node(f))
	return nil, ok && y == x
}

// plus3Clip is x where nd is Clip(x + 3, 0, 6).
func (m matcher) plus3Clip(nd *graph.Node) (x graph.ID, ok bool) {
	if !is(nd, "Clip") || nd.Attrs.Float("min") != 0 || nd.Attrs.Float("max") != 6 {
		return 0, false
	}
	return m.plus(nd.In[0], 3)
}

// erfGate: 1 + Erf(x / sqrt 2).
func erfGate(m matcher, x, f graph.ID) (op.Attrs, bool) {
	y, ok := m.plus(f, 1)
	if !ok {
		return nil, false
	}
	e, ok := m.made(y, "Erf")
	if !ok {
		return nil, false
	}
	k, ok := m.ratio(e.In[0], x)
	return op.Attrs{"approximate": "none"}, ok && near(e.Type, k, math.Sqrt2/2)
}

// tanhGate: 1 + Tanh(sqrt(2/pi) * (x + 0.044715 * x^3)).
func tanhGate(m matcher, x, f graph.ID) (op.Attrs, bool) {
	y, ok := m.plus(f, 1)
	if !ok {
		return nil, false
	}
	t, ok := m.made(y, "Tanh")
	if !ok {
		return nil, false
	}
	z, k := m.unscaled(t.In[0])
	sum, ok := m.made(z, "Add")
	if !ok || !near(t.Type, k, math.Sqrt(2/math.Pi)) {
		return nil, false
	}
	for i := range 2 {
		cube, c := m.unscaled(sum.In[1-i])
		if sum.In[i] == x && near(t.Type, c, 0.044715) && m.isCube(cube, x) {
			return op.Attrs{"approximate": "tanh"}, true
		}
	}
	return nil, false
}

// isCube reports whether id makes x^3, as Pow or as products.
func (m matcher) isCube(id, x graph.ID) bool {
	if p, ok := m.made(id, "Pow"); ok {
		k, ok := m.scalar(p.In[1])
		return ok && k == 3 && p.In[0] == x
	}
	p, ok := m.made(id, "Mul")
	if !ok {
		return false
	}
	for i := range 2 {
		if q, ok := m.made(p.In[1-i], "Mul"); ok && p.In[i] == x && q.In[0] == x && q.In[1] == x {
			return true
		}
	}
	return false
}

// mishGate: Tanh(Softplus(x)).
func mishGate(m matcher, x, f graph.ID) (op.Attrs, bool) {
	t, ok := m.made(f, "Tanh")
	if !ok {
		return nil, false
	}
	s, ok := m.made(t.In[0], "Softplus")
	return nil, ok && s.In[0] == x
}

// interval is the range of values of Relu or Clip.
type interval struct{ lo, hi float32 }

func intervalOf(nd *graph.Node) (i interval, ok bool) {
	switch {
	case is(nd, "Relu"):
		i = interval{0, math.MaxFloat32}
	case is(nd, "Clip"):
		i = interval{nd.Attrs.Float("min"), nd.Attrs.Float("max")}
	}
	return i, i.lo < i.hi
}

// clip is Relu or Clip to an interval.
func (i interval) clip(x graph.ID) form {
	if i.lo == 0 && i.hi == math.MaxFloat32 {
		return form{"Relu", nil, []graph.ID{x}}
	}
	return form{"Clip", op.Attrs{"min": i.lo, "max": i.hi}, []graph.ID{x}}
}

// bound finds Max(x, scalar) and Min(x, scalar).
func bound(m matcher, nd *graph.Node) (form, bool) {
	x, k, _, ok := m.withScalar(nd)
	i := interval{float32(k), math.MaxFloat32}
	if nd.Op.Name == "Min" {
		i = interval{-math.MaxFloat32, float32(k)}
	}
	f := i.clip(x)
	if ok {
		if c, merged := clipOver(m, i, x); merged {
			f = c
		}
	}
	return f, ok
}

// clipOfClip finds a clip of a clip nobody else reads, and Clip that is Relu.
func clipOfClip(m matcher, nd *graph.Node) (form, bool) {
	i, ok := intervalOf(nd)
	if !ok || !nd.Type.Float() {
		return form{}, false
	}
	if f, ok := clipOver(m, i, nd.In[0]); ok {
		return f, true
	}
	f := i.clip(nd.In[0])
	return f, f.op != nd.Op.Name
}

// clipOver joins the clip to i with the clip that makes x, if the root alone
// reads it: else that one would still be needed.
func clipOver(m matcher, i interval, x graph.ID) (form, bool) {
	inner := m.node(x)
	j, ok := intervalOf(inner)
	if !ok {
		return form{}, false
	}
	for _, old := range m.root.In {
		if m.ids[old] == x && m.next(old) != m.root {
			return form{}, false
		}
	}
	k := interval{max(i.lo, min(i.hi, j.lo)), max(i.lo, min(i.hi, j.hi))}
	return k.clip(inner.In[0]), true
}
