package op

import (
	"math"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// unaryOps are the element-wise operators of one input.
var unaryOps = []Op{
	unaryRuns("Relu", func(x int64) int64 { return max(x, 0) }, func(Attrs) func(y, x []float32) {
		return func(y, x []float32) { vector.Clamp(y, x, 0, float32(math.Inf(1))) }
	}),
	unary("Neg", func(x int64) int64 { return -x }, func(Attrs) func(float32) float32 {
		return func(x float32) float32 { return -x }
	}),
	unary("Abs", func(x int64) int64 { return max(x, -x) }, fixed(math.Abs)),
	unary("Sign", sign[int64], fixed(sign[float64])),
	unary("Sigmoid", nil, fixed(sigmoid)),
	unary("Tanh", nil, fixed(math.Tanh)),
	unary("Erf", nil, fixed(math.Erf)),
	unary("Softplus", nil, fixed(softplus)),
	unary("Softsign", nil, fixed(func(x float64) float64 { return x / (1 + math.Abs(x)) })),
	unary("Mish", nil, fixed(func(x float64) float64 { return x * math.Tanh(softplus(x)) })),
	unary("HardSwish", nil, fixed(func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) })),
	unary("Sqrt", nil, fixed(math.Sqrt)),
	unary("Reciprocal", nil, fixed(func(x float64) float64 { return 1 / x })),
	unary("Exp", nil, fixed(math.Exp)),
	unary("Log", nil, fixed(math.Log)),
	unary("Floor", nil, fixed(math.Floor)),
	unary("Ceil", nil, fixed(math.Ceil)),
	unary("Round", nil, fixed(math.RoundToEven)),
	unary("Sin", nil, fixed(math.Sin)),
	unary("Cos", nil, fixed(math.Cos)),
	unary("Tan", nil, fixed(math.Tan)),
	unary("Asin", nil, fixed(math.Asin)),
	unary("Acos", nil, fixed(math.Acos)),
	unary("Atan", nil, fixed(math.Atan)),
	unary("Sinh", nil, fixed(math.Sinh)),
	unary("Cosh", nil, fixed(math.Cosh)),
	unary("Asinh", nil, fixed(math.Asinh)),
	unary("Acosh", nil, fixed(math.Acosh)),
	unary("Atanh", nil, fixed(math.Atanh)),
	clipOp(),
	unary("LeakyRelu", nil, func(a Attrs) func(float32) float32 {
		alpha := a.Float("alpha")
		return func(x float32) float32 {
			if x < 0 {
				return alpha * x
			}
			return x
		}
	}, Attr{Name: "alpha", Kind: Float, Default: float32(0.01)}),
	unary("Elu", nil, func(a Attrs) func(float32) float32 {
		return elu(a.Float("alpha"), 1)
	}, Attr{Name: "alpha", Kind: Float, Default: float32(1)}),
	// The constants are the defaults of ONNX Selu-6.
	unary("Selu", nil, func(a Attrs) func(float32) float32 {
		return elu(a.Float("alpha"), a.Float("gamma"))
	}, Attr{Name: "alpha", Kind: Float, Default: float32(1.67326319217681884765625)},
		Attr{Name: "gamma", Kind: Float, Default: float32(1.05070102214813232421875)}),
	unary("HardSigmoid", nil, func(a Attrs) func(float32) float32 {
		alpha, beta := float64(a.Float("alpha")), float64(a.Float("beta"))
		return single(func(x float64) float64 { return max(0, min(1, alpha*x+beta)) })
	}, Attr{Name: "alpha", Kind: Float, Default: float32(0.2)}, Attr{Name: "beta", Kind: Float, Default: float32(0.5)}),
	unary("Shrink", nil, func(a Attrs) func(float32) float32 {
		bias, lambd := a.Float("bias"), a.Float("lambd")
		return func(x float32) float32 {
			switch {
			case x < -lambd:
				return x + bias
			case x > lambd:
				return x - bias
			}
			return 0
		}
	}, Attr{Name: "bias", Kind: Float, Default: float32(0)}, Attr{Name: "lambd", Kind: Float, Default: float32(0.5)}),
	unary("Swish", nil, func(a Attrs) func(float32) float32 {
		alpha := float64(a.Float("alpha"))
		return single(func(x float64) float64 { return x * sigmoid(alpha*x) })
	}, Attr{Name: "alpha", Kind: Float, Default: float32(1)}),
	unary("Gelu", nil, func(a Attrs) func(float32) float32 {
		if a.String("approximate") == "tanh" {
			// The coefficient is that of ONNX Gelu-20.
			return single(func(x float64) float64 {
				return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
			})
		}
		return single(func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) })
	}, Attr{Name: "approximate", Kind: String, Default: "none", OneOf: []string{"none", "tanh"}}),
}

// unary makes the row of an element-wise operator from its function on floats,
// which are held as float32, and the one on integers; nil: floats only.
func unary(name string, ints func(int64) int64, floats func(Attrs) func(float32) float32, attrs ...Attr) Op {
	return unaryRuns(name, ints, func(a Attrs) func(y, x []float32) {
		f := floats(a)
		return func(y, x []float32) {
			for i, v := range x {
				y[i] = f(v)
			}
		}
	}, attrs...)
}

// unaryRuns is unary from a function on runs of floats.
func unaryRuns(name string, ints func(int64) int64, floats func(Attrs) func(y, x []float32), attrs ...Attr) Op {
	o := Op{
		Name: name, MinIn: 1, MaxIn: 1, Attrs: attrs, Map: floats,
		Type:  floating,
		Shape: sameShape,
		Need:  sameBox,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if !dst.Type.Float() {
				mapRuns(dst.Ints(), in[0].Ints(), dst.Shape, out, ints)
				return
			}
			f, y, x := floats(a), dst.Floats(), in[0].Floats()
			EachRun(out, dst.Shape, func(off, n int) { f(y[off:off+n], x[off:off+n]) })
		},
	}
	if ints != nil {
		o.Type = numeric
	}
	return o
}

// clipOp has the default bounds of ONNX Clip-6.
func clipOp() Op {
	o := unaryRuns("Clip", nil, func(a Attrs) func(y, x []float32) {
		lo, hi := a.Float("min"), a.Float("max")
		return func(y, x []float32) { vector.Clamp(y, x, lo, hi) }
	}, Attr{Name: "min", Kind: Float, Default: float32(-math.MaxFloat32)}, Attr{Name: "max", Kind: Float, Default: float32(math.MaxFloat32)})
	o.Type = numeric
	floats := o.Eval
	o.Eval = func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
		if dst.Type.Float() {
			floats(a, in, dst, out)
			return
		}
		lo, hi := integer(a.Float("min")), integer(a.Float("max"))
		mapRuns(dst.Ints(), in[0].Ints(), dst.Shape, out, func(x int64) int64 { return min(max(x, lo), hi) })
	}
	return o
}

// integer is the bound x of integers: x itself, or the nearest int64.
func integer(x float32) int64 {
	switch {
	case x >= math.MaxInt64:
		return math.MaxInt64
	case x <= math.MinInt64:
		return math.MinInt64
	}
	return int64(x)
}

func sameShape(_ Attrs, in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func sameBox(_ Attrs, _ []tensor.Shape, out tensor.Box) []tensor.Box {
	return []tensor.Box{out.Clone()}
}

func mapRuns[X, Y any](y []Y, x []X, s tensor.Shape, out tensor.Box, f func(X) Y) {
	EachRun(out, s, func(off, n int) {
		for i, v := range x[off : off+n] {
			y[off+i] = f(v)
		}
	})
}

// single rounds f, which is computed in float64, to float32 once.
func single(f func(float64) float64) func(float32) float32 {
	return func(x float32) float32 { return float32(f(float64(x))) }
}

// fixed is single for an operator without attributes.
func fixed(f func(float64) float64) func(Attrs) func(float32) float32 {
	return func(Attrs) func(float32) float32 { return single(f) }
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is ln(1+e^x), written so that it does not overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func sign[T int64 | float64](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // zero, or NaN
}

func elu(alpha, gamma float32) func(float32) float32 {
	a, g := float64(alpha), float64(gamma)
	return func(x float32) float32 {
		if x > 0 {
			return float32(g * float64(x))
		}
		return float32(g * a * math.Expm1(float64(x)))
	}
}
