package op

import "pimflow/internal/tensor"

// exactDepth is the number of products of two integers of 8 bits, less their zero points, whose sums
// float32 holds exactly in any order: 256 · 255² < 2^24.
const exactDepth = 256

// ZeroPoints are the operands of a product on integers that are the zero points of what it multiplies.
func (o *Op) ZeroPoints() [2]int {
	if o.product.result == sumResult {
		return [2]int{2, 3}
	}
	return [2]int{xZero, wZero}
}

// IntegerSums are the sums that Finish makes the box out of a value of: int64, exact.
func (o *Op) IntegerSums(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) *tensor.Tensor {
	return o.product.sums(a, in, value, out)
}

// sums are the sums of products of a box of the value, with the bias where it is an integer.
func (p *product) sums(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) *tensor.Tensor {
	x, w := p.factors(a, in, out)
	sums := tensor.New(tensor.Int64, value)
	switch p.real.Name {
	case "Conv":
		convIntegerSums(a, x, w, sums, out)
	case "Gemm":
		l, r := matrix(x, 0), matrix(w, 0)
		if a.Int("transA") != 0 {
			l = l.transposed()
		}
		if a.Int("transB") != 0 {
			r = r.transposed()
		}
		matrixIntegerSums(l, r, sums.Ints(), value[1], out[0], out[1])
	case "MatMul":
		eachProduct(x, w, value, out, func(l, r operand, off, width int, rows, cols tensor.Range) {
			matrixIntegerSums(l, r, sums.Ints()[off:], width, rows, cols)
		})
	}
	if b := p.bias(len(in)); b >= 0 && p.result == integerResult {
		bias, at := in[b].Ints(), biasAt(p.real.Name, in[b].Shape, value)
		EachRun(out, value, func(off, n int) {
			for i := off; i < off+n; i++ {
				sums.Ints()[i] += bias[at(i)]
			}
		})
	}
	return sums
}

// convIntegerSums writes the sums of a convolution.
func convIntegerSums(a Attrs, x, w, sums *tensor.Tensor, out tensor.Box) {
	v := &convolution{
		x: x.Floats(), w: w.Floats(), y: nil,
		c: x.Shape[1], m: w.Shape[0], cg: w.Shape[1], mg: w.Shape[0] / a.Int("group"),
	}
	v.win, v.out = cube(windowsOf(a, x.Shape[2:], false), out[2:])
	y, depth := sums.Ints(), v.depth()
	if layout, ok := v.newBand(); ok && v.mg < fewChannels && depth <= exactDepth {
		v.y = make([]float32, len(y))
		v.channels(out, layout)
		mapRuns(y, v.y, sums.Shape, out, func(s float32) int64 { return int64(s) })
		return
	}
	jobs := v.jobs(out)
	parallel(len(jobs), func(i int) {
		j := jobs[i]
		segs := v.segments(j.p)
		left, right := v.factors(j, segs)
		m, n := j.m.Len(), j.p.Len()
		exactProduct(m, n, depth, left, right, func(row int, part []float32) {
			for _, s := range segs {
				add(y[v.place(j.n, j.m.Lo+row, s):], part[s.at:s.at+s.n])
			}
		})
	})
}

// matrixIntegerSums writes the sums of a part of the product of two matrices.
func matrixIntegerSums(l, r operand, y []int64, width int, rows, cols tensor.Range) {
	for k := 0; k < l.cols; k += exactDepth {
		some := tensor.Range{Lo: k, Hi: min(k+exactDepth, l.cols)}
		multiply(l.columns(some), r.rowsOf(some), rows, cols, func(i, j int, part []float32) {
			add(y[i*width+j:], part)
		})
	}
}

// columns are some columns of a matrix, rowsOf some rows.
func (o operand) columns(r tensor.Range) operand {
	return operand{o.v[min(r.Lo*o.cs, len(o.v)):], o.rows, r.Len(), o.rs, o.cs}
}

func (o operand) rowsOf(r tensor.Range) operand {
	return operand{o.v[min(r.Lo*o.rs, len(o.v)):], r.Len(), o.cols, o.rs, o.cs}
}

// exactProduct calls f with each row of the product of two matrices, in parts that add up to it and are exact.
func exactProduct(m, n, depth int, left leftFactor, right rightFactor, f func(row int, part []float32)) {
	t := blocks.Get().(*block)
	defer blocks.Put(t)
	for k := 0; k < depth; k += exactDepth {
		part := t.product(m, n, min(exactDepth, depth-k),
			func(k0, k1 int, room *[]float32) matrix32 { return left(k+k0, k+k1, room) },
			func(k0, k1 int, to matrix32) { right(k+k0, k+k1, to) })
		for i := range m {
			f(i, part.V[i*part.Step:][:n])
		}
	}
}

// add adds whole numbers.
func add(to []int64, part []float32) {
	for i, v := range part {
		to[i] += int64(v)
	}
}
