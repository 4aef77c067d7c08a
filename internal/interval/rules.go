package interval

import (
	"math"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// rule is the value of a node from those of its inputs; nil where nothing follows.
type rule func(a *Analysis, nd *graph.Node, in []*value) *value

// rules are by operator; the values of all others are bounded by their type alone. It is filled in by init, since rules ask for
// values, which are made by rules.
var rules map[string]rule

func init() {
	rules = map[string]rule{
		"Add": each(sum(1)), "Sub": each(sum(-1)), "Mul": each(product), "Div": each(quotient), "Mod": each(modulus),
		"Min": each(least), "Max": each(largest), "Where": each(either),
		"Neg": each(negative), "Abs": each(magnitude), "Clip": each(clipped), "Cast": each(converted),
		"Floor": each(rounded(math.Floor, -1, 0)), "Ceil": each(rounded(math.Ceil, 0, 1)), "Round": each(rounded(math.RoundToEven, -0.5, 0.5)),
		"Relu": each(rising), "Sigmoid": each(rising), "HardSigmoid": each(rising), "Tanh": each(rising), "Exp": each(rising), "Sqrt": each(rising),
		"Softmax": within(0, 1),

		"ReduceMax": folded(largest), "ReduceMin": folded(least), "ReduceSum": folded(sum(1)), "ReduceMean": averaged,
		"ArgMax": index, "ArgMin": index, "TopK": index, "NonZero": places, "NonMaxSuppression": boxes,

		"Identity": moved, "Reshape": moved, "Transpose": moved, "Slice": moved, "Concat": moved, "Expand": moved, "Tile": moved,
		"Pad": padded, "Gather": gathered, "Compress": compressed, "Sized": first,
		"GatherND": anyOf(0), "GatherElements": anyOf(0), "ScatterND": anyOf(0, 2), "ScatterElements": anyOf(0, 2),
	}
}

// element is an element of a node's value from those of its operands.
type element func(a *Analysis, nd *graph.Node, in []*atom) *atom

// each is the rule of an operator on elements, whose operands are broadcast.
func each(f element) rule {
	return func(a *Analysis, nd *graph.Node, in []*value) *value {
		y := &value{dims: ones(len(nd.Shape))}
		for _, v := range in {
			for d, n := range v.dims {
				if k := d + len(y.dims) - len(v.dims); n > 1 {
					y.dims[k] = n
				}
			}
		}
		operands := make([]*atom, len(in))
		eachPlace(y.dims, func(at []int) {
			for i, v := range in {
				operands[i] = v.at(at)
			}
			y.atoms = append(y.atoms, a.fits(f(a, nd, operands), nd))
		})
		return y
	}
}

// fits is an atom, or any value of the node's type where integers may wrap around; numbers may become infinite.
func (a *Analysis) fits(x *atom, nd *graph.Node) *atom {
	lo, hi := x.lo, x.hi
	if nd.Type.Float() {
		most := largestOf(nd.Type)
		if lo < -most {
			lo = math.Inf(-1)
		}
		if hi > most {
			hi = math.Inf(1)
		}
	} else if least, most := limits(nd.Type); lo < least || hi > most {
		lo, hi = least, most
	}
	if lo == x.lo && hi == x.hi {
		return x
	}
	return a.atom(lo, hi, x.many)
}

// largestOf is the largest number of a floating type.
func largestOf(t tensor.Type) float64 {
	switch t {
	case tensor.Float16:
		return 65504
	case tensor.BFloat16:
		return 0x1.FEp127
	}
	return math.MaxFloat32
}

func many(in []*atom) bool {
	for _, x := range in {
		if x.many {
			return true
		}
	}
	return false
}

// linear is an element that is in an interval and, but for rounding, a form.
func (a *Analysis) linear(nd *graph.Node, lo, hi float64, f form, in []*atom) *atom {
	e := max(rounding(nd.Type, lo), rounding(nd.Type, hi))
	if many(in) || math.IsInf(e, 0) || math.IsNaN(e) {
		return a.loose(nd, lo, hi, in)
	}
	lo, hi = outward(nd.Type, lo, hi)
	return a.between(lo, hi, form{f.c - e, f.terms}, form{f.c + e, f.terms})
}

// rounding is the largest error of a value rounded to a type; none of integers.
func rounding(t tensor.Type, v float64) float64 {
	epsilon := 0x1p-24
	switch {
	case !t.Float():
		return 0
	case t == tensor.Float16:
		epsilon = 0x1p-11
	case t == tensor.BFloat16:
		epsilon = 0x1p-8
	}
	return epsilon*math.Abs(v) + smallest
}

// outward is an interval of values that are rounded to a type. A number of the type stays what it is.
func outward(t tensor.Type, lo, hi float64) (float64, float64) {
	if float64(tensor.Round(t, float32(lo))) != lo {
		lo -= rounding(t, lo)
	}
	if float64(tensor.Round(t, float32(hi))) != hi {
		hi += rounding(t, hi)
	}
	return lo, hi
}

// smallest is the least number above 0 of float16; that of the other types is smaller.
const smallest = 0x1p-24

func sum(sign float64) element {
	return func(a *Analysis, nd *graph.Node, in []*atom) *atom {
		x, y := in[0], in[1]
		lo, hi := x.lo+y.lo, x.hi+y.hi
		if sign < 0 {
			lo, hi = x.lo-y.hi, x.hi-y.lo
		}
		return a.linear(nd, lo, hi, form{}.plus(1, x).plus(sign, y), in)
	}
}

func negative(a *Analysis, nd *graph.Node, in []*atom) *atom {
	return a.linear(nd, -in[0].hi, -in[0].lo, form{}.plus(-1, in[0]), in)
}

func magnitude(a *Analysis, _ *graph.Node, in []*atom) *atom {
	x := in[0]
	return a.atom(max(x.lo, -x.hi, 0), max(x.hi, -x.lo), x.many)
}

// corners is the interval of a function that is monotonic in each of two operands.
func corners(x, y *atom, f func(x, y float64) float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, p := range []float64{x.lo, x.hi} {
		for _, q := range []float64{y.lo, y.hi} {
			v := f(p, q)
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi
}

func product(a *Analysis, nd *graph.Node, in []*atom) *atom {
	x, y := in[0], in[1]
	lo, hi := corners(x, y, func(p, q float64) float64 {
		if p == 0 || q == 0 {
			return 0 // also of what has no bound
		}
		return p * q
	})
	if x.exact() {
		x, y = y, x
	}
	if y.exact() {
		return a.linear(nd, lo, hi, form{}.plus(y.lo, x), in)
	}
	return a.loose(nd, lo, hi, in)
}

func quotient(a *Analysis, nd *graph.Node, in []*atom) *atom {
	x, y := in[0], in[1]
	if y.lo <= 0 && y.hi >= 0 {
		lo, hi := limits(nd.Type)
		return a.atom(lo, hi, many(in))
	}
	lo, hi := corners(x, y, func(p, q float64) float64 { return p / q })
	switch f := (form{}.plus(1/y.lo, x)); {
	case !y.exact() || many(in):
		if !nd.Type.Float() {
			lo, hi = math.Trunc(lo), math.Trunc(hi)
		}
		return a.loose(nd, lo, hi, in)
	case nd.Type.Float():
		return a.linear(nd, lo, hi, f, in)
	default:
		return a.truncated(lo, hi, f)
	}
}

// loose is an element in an interval but for rounding.
func (a *Analysis) loose(nd *graph.Node, lo, hi float64, in []*atom) *atom {
	lo, hi = outward(nd.Type, lo, hi)
	return a.atom(lo, hi, many(in))
}

// truncated is a form in an interval, rounded towards 0.
func (a *Analysis) truncated(lo, hi float64, f form) *atom {
	below, above := f, f
	if hi > 0 {
		below.c--
	}
	if lo < 0 {
		above.c++
	}
	return a.between(math.Trunc(lo), math.Trunc(hi), below, above)
}

// rounded is the element of a function that rounds to whole numbers, by so much at most.
func rounded(f func(float64) float64, down, up float64) element {
	return func(a *Analysis, _ *graph.Node, in []*atom) *atom {
		x := in[0]
		if x.many {
			return a.atom(f(x.lo), f(x.hi), true)
		}
		by := form{}.plus(1, x)
		return a.between(f(x.lo), f(x.hi), form{by.c + down, by.terms}, form{by.c + up, by.terms})
	}
}

// converted is the element of Cast.
func converted(a *Analysis, nd *graph.Node, in []*atom) *atom {
	x := in[0]
	switch from := a.g.Nodes[nd.In[0]].Type; {
	case nd.Type == tensor.Bool:
		return a.atom(0, 1, x.many)
	case nd.Type.Float():
		return a.linear(nd, x.lo, x.hi, form{}.plus(1, x), in)
	case !from.Float():
		return x
	case x.many:
		return a.atom(math.Trunc(x.lo), math.Trunc(x.hi), true)
	}
	return a.truncated(x.lo, x.hi, form{}.plus(1, x))
}

// largest is the element of Max, above each operand and, of a number and an element around it, below the chord.
func largest(a *Analysis, _ *graph.Node, in []*atom) *atom {
	x := in[0]
	for _, y := range in[1:] {
		switch {
		case x == y || x.lo >= y.hi:
			continue
		case y.lo >= x.hi:
			x = y
			continue
		}
		z := a.atom(max(x.lo, y.lo), max(x.hi, y.hi), x.many || y.many)
		if !z.many {
			z.below = []form{form{}.plus(1, x), form{}.plus(1, y)}
			z.above = chord(x, y, math.Max)
		}
		x = z
	}
	return x
}

// least is the element of Min, below each operand and above the chord.
func least(a *Analysis, _ *graph.Node, in []*atom) *atom {
	x := in[0]
	for _, y := range in[1:] {
		switch {
		case x == y || x.hi <= y.lo:
			continue
		case y.hi <= x.lo:
			x = y
			continue
		}
		z := a.atom(min(x.lo, y.lo), min(x.hi, y.hi), x.many || y.many)
		if !z.many {
			z.above = []form{form{}.plus(1, x), form{}.plus(1, y)}
			z.below = chord(x, y, math.Min)
		}
		x = z
	}
	return x
}

// chord is the line between the ends of a function of an element and a number; nil of two elements.
func chord(x, y *atom, f func(x, y float64) float64) []form {
	if x.exact() {
		x, y = y, x
	}
	if !y.exact() || math.IsInf(x.hi-x.lo, 0) {
		return nil
	}
	from, to := f(x.lo, y.lo), f(x.hi, y.lo)
	slope := (to - from) / (x.hi - x.lo)
	return []form{form{c: from - slope*x.lo}.plus(slope, x)}
}

// either is the element of Where.
func either(a *Analysis, _ *graph.Node, in []*atom) *atom {
	switch c := in[0]; {
	case c.lo > 0:
		return in[1]
	case c.hi == 0:
		return in[2]
	}
	x := a.union(in[1:]...)
	if x.many && !many(in) {
		return a.atom(x.lo, x.hi, false)
	}
	return x
}

func clipped(a *Analysis, nd *graph.Node, in []*atom) *atom {
	x, lo, hi := in[0], float64(nd.Attrs.Float("min")), float64(nd.Attrs.Float("max"))
	return a.atom(min(max(x.lo, lo), hi), min(max(x.hi, lo), hi), x.many)
}

// rising is the element of a function that never falls, but for errors of its computation (1e-6 of the value, estimated).
func rising(a *Analysis, nd *graph.Node, in []*atom) *atom {
	const err = 1e-6
	f := nd.Op.Map(nd.Attrs)
	y := []float32{float32(in[0].lo), float32(in[0].hi)}
	f(y, y)
	lo, hi := float64(y[0]), float64(y[1])
	return a.atom(lo-err*math.Abs(lo), hi+err*math.Abs(hi), in[0].many)
}

// modulus is the element of Mod by a positive number.
func modulus(a *Analysis, nd *graph.Node, in []*atom) *atom {
	x, y := in[0], in[1]
	lo, hi := limits(nd.Type)
	if y.lo > 0 {
		if lo, hi = 0, y.hi; !nd.Type.Float() {
			hi--
		}
		if nd.Attrs.Int("fmod") == 1 && x.lo < 0 {
			lo = -hi
		}
	}
	return a.atom(lo, hi, many(in))
}
