package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// binaryOps are the arithmetic operators of two inputs. They broadcast as ONNX's
// multidirectional broadcasting says; integers are computed in int64.
var binaryOps = []Op{
	binaryRuns("Add", func(x, y int64) int64 { return x + y }, func(x, y float32) float32 { return x + y }, vector.Add),
	binary("Sub", func(x, y int64) int64 { return x - y }, func(x, y float32) float32 { return x - y }),
	binary("Mul", func(x, y int64) int64 { return x * y }, func(x, y float32) float32 { return x * y }),
	binary("Div", divide, func(x, y float32) float32 { return x / y }),
	binary("Pow", power, func(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }),
	binary("Min", func(x, y int64) int64 { return min(x, y) }, func(x, y float32) float32 { return min(x, y) }),
	binary("Max", func(x, y int64) int64 { return max(x, y) }, func(x, y float32) float32 { return max(x, y) }),
	preluOp(), modOp(),
}

// binary makes the row of an operator from its functions on integers and floats.
func binary(name string, ints func(x, y int64) int64, floats func(x, y float32) float32) Op {
	return binaryRuns(name, ints, floats, pairs(floats))
}

// binaryRuns is binary with a function for runs of floats.
func binaryRuns(name string, ints func(x, y int64) int64, floats func(x, y float32) float32, runs func(y, a, b []float32)) Op {
	return Op{
		Name: name, MinIn: 2, MaxIn: 2, Combine: runs,
		Type:  numeric,
		Shape: broadcast,
		Need:  broadcastNeed,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if dst.Type.Float() {
				zipRuns(dst.Floats(), in, in[0].Floats(), in[1].Floats(), dst.Shape, out, floats, runs)
			} else {
				zip(dst.Ints(), in, in[0].Ints(), in[1].Ints(), dst.Shape, out, ints)
			}
		},
	}
}

// pairs is a function of two values for runs.
func pairs[X, Y any](f func(X, X) Y) func(y []Y, a, b []X) {
	return func(y []Y, a, b []X) {
		b = b[:len(a)]
		for i, v := range a {
			y[i] = f(v, b[i])
		}
	}
}

func preluOp() Op {
	o := binary("PRelu", func(x, slope int64) int64 {
		if x < 0 {
			return x * slope
		}
		return x
	}, func(x, slope float32) float32 {
		if x < 0 {
			return x * slope
		}
		return x
	})
	o.Shape = func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
		if s, err := broadcast(a, in); err != nil || !s.Equal(in[0]) {
			return nil, fmt.Errorf("slope %v does not broadcast to %v", in[1], in[0])
		}
		return in[0].Clone(), nil
	}
	return o
}

func modOp() Op {
	o := binary("Mod", nil, func(x, y float32) float32 { return float32(math.Mod(float64(x), float64(y))) })
	o.Attrs = []Attr{{Name: "fmod", Kind: Int, Default: int64(0)}}
	o.Type = func(a Attrs, in []tensor.Type) (tensor.Type, error) {
		if in[0].Float() && a.Int("fmod") != 1 {
			return 0, fmt.Errorf("fmod %d on %v: 1 wanted", a.Int("fmod"), in[0])
		}
		return numeric(a, in)
	}
	floats := o.Eval
	o.Eval = func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
		if dst.Type.Float() {
			floats(a, in, dst, out)
			return
		}
		f := modulo
		if a.Int("fmod") == 1 {
			f = remainder
		}
		zip(dst.Ints(), in, in[0].Ints(), in[1].Ints(), dst.Shape, out, f)
	}
	return o
}

// divide truncates towards zero. ONNX leaves division by zero open: 0 here.
func divide(x, y int64) int64 {
	if y == 0 {
		return 0
	}
	return x / y
}

// remainder has the sign of x, as C's fmod; 0 for y = 0.
func remainder(x, y int64) int64 {
	if y == 0 {
		return 0
	}
	return x % y
}

// modulo has the sign of y, as Python's; 0 for y = 0.
func modulo(x, y int64) int64 {
	r := remainder(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}

// power is x to the y truncated towards zero; 0 to a negative power is 0.
func power(x, y int64) int64 {
	if y < 0 {
		if x == 1 || x == -1 && y%2 == 0 {
			return 1
		}
		if x == -1 {
			return -1
		}
		return 0
	}
	p := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 == 1 {
			p *= x
		}
		x *= x
	}
	return p
}

// broadcast is the Shape of operators that broadcast all inputs to each other.
func broadcast(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
	n := 0
	for _, s := range in {
		n = max(n, len(s))
	}
	out := make(tensor.Shape, n)
	for d := range out {
		out[d] = 1
		for _, s := range in {
			e := 1
			if k := d - n + len(s); k >= 0 {
				e = s[k]
			}
			switch {
			case e == 1 || e == out[d]:
			case out[d] == 1:
				out[d] = e
			default:
				return nil, fmt.Errorf("inputs %v do not broadcast: extents %d and %d", in, out[d], e)
			}
		}
	}
	return out, nil
}

// broadcastNeed is the Need of operators that broadcast all inputs.
func broadcastNeed(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	need := make([]tensor.Box, len(in))
	for i, s := range in {
		need[i] = stretched(s, out)
	}
	return need
}

// stretched is what the box out of a broadcast value needs of an input of shape s.
func stretched(s tensor.Shape, out tensor.Box) tensor.Box {
	b := make(tensor.Box, len(s))
	for d, e := range s {
		if b[d] = out[len(out)-len(s)+d]; e == 1 {
			b[d] = tensor.Range{Lo: 0, Hi: 1}
		}
	}
	return b
}

// stretch is the view of a tensor of shape s by the indices of a value of the
// given rank that it is broadcast to.
func stretch(s tensor.Shape, rank int) view {
	v := view{0, make([]int, rank)}
	for d, st := range s.Strides() {
		if s[d] != 1 {
			v.st[rank-len(s)+d] = st
		}
	}
	return v
}

// zip writes f of the values of a and b, which are those of in, to the box out of
// y, which has the shape s.
func zip[X, Y any](y []Y, in []*tensor.Tensor, a, b []X, s tensor.Shape, out tensor.Box, f func(X, X) Y) {
	zipRuns(y, in, a, b, s, out, f, pairs(f))
}

// zipRuns is zip with f for runs beside it.
func zipRuns[X, Y any](y []Y, in []*tensor.Tensor, a, b []X, s tensor.Shape, out tensor.Box, f func(X, X) Y, runs func(y []Y, a, b []X)) {
	if in[0].Shape.Equal(s) && in[1].Shape.Equal(s) {
		EachRun(out, s, func(off, n int) { runs(y[off:off+n], a[off:off+n], b[off:off+n]) })
		return
	}
	views := []view{of(s), stretch(in[0].Shape, len(s)), stretch(in[1].Shape, len(s))}
	walk(out, views, func(off, step []int, n int) {
		for i := range n {
			y[off[0]+i] = f(a[off[1]+i*step[1]], b[off[2]+i*step[2]])
		}
	})
}
