package op

import "math"

// activation is a function of recurrent operators, with the defaults of its parameters.
type activation struct {
	defaults []float32 // of alpha and beta; fewer: it has not as many
	f        func(x, alpha, beta float64) float64
}

// activations are those of ONNX RNN-14, with ONNX Runtime's defaults where ONNX has none.
var activations = map[string]activation{
	"Relu":            {nil, func(x, _, _ float64) float64 { return max(x, 0) }},
	"Tanh":            {nil, func(x, _, _ float64) float64 { return math.Tanh(x) }},
	"Sigmoid":         {nil, func(x, _, _ float64) float64 { return sigmoid(x) }},
	"Softsign":        {nil, func(x, _, _ float64) float64 { return x / (1 + math.Abs(x)) }},
	"Softplus":        {nil, func(x, _, _ float64) float64 { return softplus(x) }},
	"Affine":          {[]float32{1, 0}, func(x, alpha, beta float64) float64 { return alpha*x + beta }},
	"ScaledTanh":      {[]float32{1, 1}, func(x, alpha, beta float64) float64 { return alpha * math.Tanh(beta*x) }},
	"HardSigmoid":     {[]float32{0.2, 0.5}, func(x, alpha, beta float64) float64 { return min(max(alpha*x+beta, 0), 1) }},
	"LeakyRelu":       {[]float32{0.01}, func(x, alpha, _ float64) float64 { return max(x, 0) + alpha*min(x, 0) }},
	"ThresholdedRelu": {[]float32{1}, thresholded},
	"Elu":             {[]float32{1}, func(x, alpha, _ float64) float64 { return max(x, 0) + alpha*math.Expm1(min(x, 0)) }},
}

func thresholded(x, alpha, _ float64) float64 {
	if x > alpha {
		return x
	}
	return 0
}

// Activation returns the defaults of the parameters, alpha and beta, that an activation
// of recurrent operators has; ok is false where there is none of the name.
func Activation(name string) (defaults []float32, ok bool) {
	a, ok := activations[name]
	return a.defaults, ok
}
