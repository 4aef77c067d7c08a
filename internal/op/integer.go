package op

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
)

// result is what becomes of the int32 sums of a product of integers.
type result uint8

const (
	sumResult     result = iota // they are the value
	realResult                  // they are multiplied by the scales of both operands: the real numbers they stand for
	integerResult               // and divided by that of the value, rounded, and given its zero point
)

// Operands of a product on integers, after the two that are multiplied: their zero points, or scale and
// zero point of each and those of the value. A bias is the last.
const (
	xScale, xZero, wScale, wZero, yScale, yZero = 2, 3, 4, 5, 6, 7
)

// fixedOperands is the number of operands without a bias.
var fixedOperands = [...]int{sumResult: 4, realResult: 6, integerResult: 8}

// integerOps are the products on integers. The operands of all of them begin with those that are multiplied.
var integerOps = []Op{
	onIntegerProduct("ConvInteger", "Conv", sumResult),
	onIntegerProduct("ConvIntegerToFloat", "Conv", realResult),
	onIntegerProduct("QLinearConv", "Conv", integerResult),
	onIntegerProduct("MatMulInteger", "MatMul", sumResult),
	onIntegerProduct("MatMulIntegerToFloat", "MatMul", realResult),
	onIntegerProduct("QLinearMatMul", "MatMul", integerResult),
	onIntegerProduct("GemmIntegerToFloat", "Gemm", realResult),
	onIntegerProduct("QGemm", "Gemm", integerResult),
}

// product is a product on integers.
type product struct {
	real   *Op
	result result
}

// ToFloat reports whether the row is a product on integers that makes real numbers.
func (o *Op) ToFloat() bool { return o.product != nil && o.product.result == realResult }

// Bias is the operand of a product that is its bias, of so many operands; -1: there is none.
func (o *Op) Bias(operands int) int {
	if o.product == nil && operands > 2 {
		return 2
	} else if o.product == nil {
		return -1
	}
	return o.product.bias(operands)
}

func (p *product) bias(operands int) int {
	if fixed := fixedOperands[p.result]; operands > fixed {
		return fixed
	}
	return -1
}

// onIntegerProduct is the row of a product on integers.
func onIntegerProduct(name, realName string, r result) Op {
	row := func(n string) *Op {
		for _, t := range [][]Op{convOps, gemmOps} {
			for i := range t {
				if t[i].Name == n {
					return &t[i]
				}
			}
		}
		panic("op: no product " + n)
	}
	real, fixed := row(realName), fixedOperands[r]
	p := &product{real, r}
	o := Op{
		Name: name, MinIn: fixed, MaxIn: fixed + 1, Attrs: real.Attrs, Real: real.Name, product: p,
		values: func(int) int { return 2 },
		Type:   func(a Attrs, in []tensor.Type) (tensor.Type, error) { return integerType(r, a, in) },
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			s, err := real.Shape(a, realShapes(in, fixed))
			if err == nil {
				err = integerScales(r, real.Name, a, in)
			}
			return s, err
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			need := real.Need(a, realShapes(in, fixed), out)
			all := slices.Clone(need[:2])
			for _, s := range in[2:fixed] {
				all = append(all, tensor.Full(s))
			}
			return append(all, need[2:]...)
		},
		MACs: func(a Attrs, in []tensor.Shape, out tensor.Box) int64 { return real.MACs(a, in[:2], out) },
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			p.finish(a, in, p.sums(a, in, dst.Shape, out), dst, out)
		},
	}
	if r == sumResult || realName == "MatMul" && r != integerResult {
		o.MaxIn = fixed
	}
	if r == integerResult {
		o.Attrs = slices.Concat(o.Attrs, clampAttrs)
	}
	return o
}

// realShapes are the operands of the product itself, without those that say what its numbers mean.
func realShapes(in []tensor.Shape, fixed int) []tensor.Shape {
	return append(slices.Clone(in[:2]), in[min(fixed, len(in)):]...)
}

func integerType(r result, a Attrs, in []tensor.Type) (tensor.Type, error) {
	for i := range 2 {
		if err := quantized(in, i); err != nil {
			return 0, err
		}
	}
	zeros, scales, bias := []int{2, 3}, []int{}, tensor.Int32
	if r != sumResult {
		zeros, scales = []int{xZero, wZero}, []int{xScale, wScale}
	}
	value := tensor.Int32
	switch r {
	case realResult:
		value, bias = tensor.Float32, tensor.Float32
	case integerResult:
		scales = append(scales, yScale)
		if err := quantized(in, yZero); err != nil {
			return 0, err
		}
		value = in[yZero]
	}
	for i, z := range zeros {
		if in[z] != in[i] {
			return 0, fmt.Errorf("input %d is %v: %v as input %d wanted", z, in[z], in[i], i)
		}
	}
	for _, s := range scales {
		if in[s] != tensor.Float32 {
			return 0, fmt.Errorf("input %d is %v: float32 wanted", s, in[s])
		}
	}
	if n := fixedOperands[r]; len(in) > n && in[n] != bias {
		return 0, fmt.Errorf("input %d is %v: %v wanted", n, in[n], bias)
	}
	if v, ok := a["beta"].(float32); ok && v != 1 {
		return 0, fmt.Errorf("beta %v: 1 wanted of a product on integers", v)
	}
	return value, nil
}

// integerScales refuses zero points and scales that are neither one number nor, of the weights, one an output.
func integerScales(r result, real string, a Attrs, in []tensor.Shape) error {
	first, weights := []int{2}, []int{3}
	if r != sumResult {
		first, weights = []int{xScale, xZero}, []int{wScale, wZero}
	}
	if r == integerResult {
		first = append(first, yScale, yZero)
	}
	for _, i := range first {
		if err := numbers1(in, i, i+1); err != nil {
			return err
		}
	}
	outs, _ := weightOutputs(real, a, in[1])
	for _, i := range weights {
		if s := in[i]; s.Size() == 1 || s.Size() == outs && len(s) > 0 && (len(s) == 1 || s[len(s)-1] == outs) {
			continue
		}
		return fmt.Errorf("input %d is %v: one number, or %d, wanted", i, in[i], outs)
	}
	return nil
}

// weightOutputs is the number of outputs of weights, and the distance of a weight to that of the next output.
func weightOutputs(real string, a Attrs, w tensor.Shape) (outs, step int) {
	switch {
	case real == "Conv", real == "Gemm" && a.Int("transB") != 0:
		return w[0], w[1:].Size()
	case len(w) == 1:
		return 1, 1
	}
	return w[len(w)-1], 1
}

// Factors are the two operands that a product on integers multiplies, less their zero points, as float32,
// which holds them exactly. Only what the box out needs is there.
func (o *Op) Factors(a Attrs, in []*tensor.Tensor, out tensor.Box) (x, w *tensor.Tensor) {
	return o.product.factors(a, in, out)
}

func (p *product) factors(a Attrs, in []*tensor.Tensor, out tensor.Box) (x, w *tensor.Tensor) {
	need := p.real.Need(a, shapesOf(in[:2]), out)
	zx, zw := 2, 3
	if p.result != sumResult {
		zx, zw = xZero, wZero
	}
	x, w = tensor.New(tensor.Float32, in[0].Shape), tensor.New(tensor.Float32, in[1].Shape)
	zero := in[zx].Ints()[0]
	mapRuns(x.Floats(), in[0].Ints(), x.Shape, need[0], func(v int64) float32 { return float32(v - zero) })
	zeros := in[zw].Ints()
	if len(zeros) == 1 {
		zero := zeros[0]
		mapRuns(w.Floats(), in[1].Ints(), w.Shape, need[1], func(v int64) float32 { return float32(v - zero) })
		return x, w
	}
	outs, step := weightOutputs(p.real.Name, a, w.Shape)
	mapIndexed(need[1], w.Shape, func(e int) int { return e / step % outs }, in[1].Ints(), w.Floats(), func(i int, v int64) float32 {
		return float32(v - zeros[i])
	})
	return x, w
}

// output is the output of an element of a product's value: what weights, scales and biases are numbered by.
func output(real string, value tensor.Shape) func(element int) int {
	inner, n := 1, 1
	switch {
	case real == "Conv":
		inner, n = value[2:].Size(), value[1]
	case len(value) > 0:
		n = value[len(value)-1]
	}
	return func(e int) int { return e / inner % n }
}

// Finish makes the box out of the value of a product on integers from its sums, in their order: int64, or
// float32 of a device that is not exact.
func (o *Op) Finish(a Attrs, in []*tensor.Tensor, sums, dst *tensor.Tensor, out tensor.Box) {
	o.product.finish(a, in, sums, dst, out)
}

func (p *product) finish(a Attrs, in []*tensor.Tensor, sums, dst *tensor.Tensor, out tensor.Box) {
	if sums.Type.Float() {
		finish(p, a, in, sums.Floats(), dst, out)
	} else {
		finish(p, a, in, sums.Ints(), dst, out)
	}
}

func finish[T int64 | float32](p *product, a Attrs, in []*tensor.Tensor, sums []T, dst *tensor.Tensor, out tensor.Box) {
	if p.result == sumResult {
		mapRuns(dst.Ints(), sums, dst.Shape, out, func(s T) int64 { return int64(s) })
		return
	}
	// The factor of an output is rounded as ONNX Runtime rounds it.
	factors := make([]float32, len(in[wScale].Floats()))
	for i, w := range in[wScale].Floats() {
		factors[i] = in[xScale].Floats()[0] * w
		if alpha, ok := a["alpha"].(float32); ok {
			factors[i] = alpha * in[xScale].Floats()[0] * w
		}
	}
	of := func(int) int { return 0 }
	if len(factors) > 1 {
		of = output(p.real.Name, dst.Shape)
	}
	if p.result == realResult {
		mapIndexed(out, dst.Shape, of, sums, dst.Floats(), func(i int, s T) float32 { return float32(s) * factors[i] })
		if b := p.bias(len(in)); b >= 0 {
			bias, at := in[b].Floats(), biasAt(p.real.Name, in[b].Shape, dst.Shape)
			EachRun(out, dst.Shape, func(off, n int) {
				for i := off; i < off+n; i++ {
					dst.Floats()[i] += bias[at(i)]
				}
			})
		}
		return
	}
	for i := range factors {
		factors[i] /= in[yScale].Floats()[0]
	}
	lo, hi := clamps(a, dst.Type)
	zero := in[yZero].Ints()[0]
	mapIndexed(out, dst.Shape, of, sums, dst.Ints(), func(i int, s T) int64 { return quantize(float32(s)*factors[i], zero, lo, hi) })
}

// biasAt is the place of an element's bias.
func biasAt(real string, bias, value tensor.Shape) func(element int) int {
	if real == "Conv" {
		return output(real, value)
	}
	v := stretch(bias, len(value))
	st := value.Strides()
	return func(e int) int {
		at := v.off
		for d, s := range st {
			at += e / s % value[d] * v.st[d]
		}
		return at
	}
}
