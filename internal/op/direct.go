package op

import (
	"math"

	"pimflow/internal/tensor"
)

// direct are the operators on quantised values that are computed from integers, with the roundings of ONNX Runtime on x86-64
// (MLAS: qladd_avx2.cpp, qlmul.cpp, qlgavgpool.cpp; qlinear_pool.cpp). ONNX does not fix these: the operators are ONNX Runtime's own, and
// its results on other machines may be a step apart. All other operators turn their inputs into real numbers.
var direct = map[string]func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box, lo, hi float32){
	"Add": addIntegers, "Mul": mulIntegers, "AveragePool": averageWindows, "GlobalAveragePool": averageIntegers,
}

// coding is the scale and the zero point of value i of an operator on quantised values, of which it has n.
func coding(in []*tensor.Tensor, i, n int) (scale float32, zero int64) {
	return in[n+2*i].Floats()[0], in[n+2*i+1].Ints()[0]
}

// addIntegers is x·xs/scale + y·ys/scale + what is the same for all elements, by fused multiplications and additions.
func addIntegers(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box, lo, hi float32) {
	xs, xz := coding(in, 0, 2)
	ys, yz := coding(in, 1, 2)
	scale, zero := coding(in, 2, 2)
	xs, ys = xs/scale, ys/scale
	fixed := float32(zero) - fused(xz, xs, float32(ys*float32(yz)))
	if constantRows(in[0].Shape, dst.Shape) {
		zip(dst.Ints(), in[:2], in[0].Ints(), in[1].Ints(), dst.Shape, out, func(x, y int64) int64 {
			return rounded(fused(y, ys, fused(x, xs, fixed)), lo, hi)
		})
		return
	}
	zip(dst.Ints(), in[:2], in[0].Ints(), in[1].Ints(), dst.Shape, out, func(x, y int64) int64 {
		return rounded(fused(x, xs, fused(y, ys, fixed)), lo, hi)
	})
}

// constantRows reports whether an operand is repeated along the last dimension of the value that has an extent. ONNX Runtime adds such
// an operand first.
func constantRows(operand, value tensor.Shape) bool {
	for d := len(value) - 1; d >= 0; d-- {
		if value[d] > 1 {
			k := d - len(value) + len(operand)
			return k < 0 || operand[k] == 1
		}
	}
	return true
}

func mulIntegers(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box, lo, hi float32) {
	xs, xz := coding(in, 0, 2)
	ys, yz := coding(in, 1, 2)
	scale, zero := coding(in, 2, 2)
	factor := xs * ys / scale
	zip(dst.Ints(), in[:2], in[0].Ints(), in[1].Ints(), dst.Shape, out, func(x, y int64) int64 {
		return rounded(float32(float32((x-xz)*(y-yz))*factor)+float32(zero), lo, hi)
	})
}

func averageIntegers(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box, lo, hi float32) {
	xs, xz := coding(in, 0, 1)
	scale, zero := coding(in, 1, 1)
	n := in[0].Shape[2:].Size()
	factor := xs / (scale * float32(n))
	x := in[0].Ints()
	EachRun(out, dst.Shape, func(off, count int) {
		for i := off; i < off+count; i++ {
			sum := -xz * int64(n)
			for _, v := range x[i*n : (i+1)*n] {
				sum += v
			}
			dst.Ints()[i] = quantize(float32(sum)*factor, zero, lo, hi)
		}
	})
}

func averageWindows(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box, lo, hi float32) {
	xs, xz := coding(in, 0, 1)
	scale, zero := coding(in, 1, 1)
	x := tensor.New(tensor.Float32, in[0].Shape)
	mapRuns(x.Floats(), in[0].Ints(), x.Shape, poolNeed(a, []tensor.Shape{x.Shape}, out)[0], func(v int64) float32 { return float32(v-xz) * xs })
	averages(a, x.Floats(), x.Shape, out, func(i int, sum, n float32) {
		dst.Ints()[i] = rounded(float32(float32(sum/n)/scale)+float32(zero), lo, hi)
	})
}

// rounded is the nearest integer from lo to hi, ties to even; NaN is the least.
func rounded(x, lo, hi float32) int64 {
	if v := float32(math.RoundToEven(float64(x))); v >= lo {
		return int64(min(v, hi))
	}
	return int64(lo)
}

// fused is n·factor + plus, rounded once: the product has at most 33 bits, and float64 loses none of it.
func fused(n int64, factor, plus float32) float32 {
	return float32(float64(n)*float64(factor) + float64(plus))
}
