package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// gemmOps are the matrix products.
var gemmOps = []Op{
	{
		Name: "Gemm", MinIn: 2, MaxIn: 3, Type: floating,
		Attrs: []Attr{
			{Name: "alpha", Kind: Float, Default: float32(1)}, {Name: "beta", Kind: Float, Default: float32(1)},
			{Name: "transA", Kind: Int, Default: int64(0)}, {Name: "transB", Kind: Int, Default: int64(0)},
		},
		Shape: gemmShape, Need: gemmNeed, Eval: gemmEval,
		MACs: func(a Attrs, in []tensor.Shape, out tensor.Box) int64 {
			return int64(out.Size()) * int64(in[0][inner(a)])
		},
	},
	{
		Name: "MatMul", MinIn: 2, MaxIn: 2, Type: floating,
		Shape: matmulShape, Need: matmulNeed, Eval: matmulEval,
		MACs: func(_ Attrs, in []tensor.Shape, out tensor.Box) int64 {
			return int64(out.Size()) * int64(in[0][len(in[0])-1])
		},
	},
}

// inner is the dimension of Gemm's A that is summed over.
func inner(a Attrs) int {
	if a.Int("transA") != 0 {
		return 0
	}
	return 1
}

func gemmShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	for i := range 2 {
		if err := rank(i, in[i], 2, 2); err != nil {
			return nil, err
		}
	}
	ka := inner(a)
	kb := 0
	if a.Int("transB") != 0 {
		kb = 1
	}
	if in[0][ka] != in[1][kb] {
		return nil, fmt.Errorf("inputs %v and %v with transA %d, transB %d: %d and %d values to multiply", in[0], in[1], a.Int("transA"), a.Int("transB"), in[0][ka], in[1][kb])
	}
	out := tensor.Shape{in[0][1-ka], in[1][1-kb]}
	if len(in) > 2 {
		if s, err := broadcast(nil, []tensor.Shape{out, in[2]}); err != nil || !s.Equal(out) {
			return nil, fmt.Errorf("input 2 %v does not broadcast to %v", in[2], out)
		}
	}
	return out, nil
}

func gemmNeed(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	ka, kb := inner(a), 0
	if a.Int("transB") != 0 {
		kb = 1
	}
	need := []tensor.Box{tensor.Full(in[0]).With(1-ka, out[0]), tensor.Full(in[1]).With(1-kb, out[1])}
	if len(in) > 2 {
		need = append(need, stretched(in[2], out))
	}
	return need
}

func gemmEval(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	l, r := matrix(in[0], 0), matrix(in[1], 0)
	if a.Int("transA") != 0 {
		l = l.transposed()
	}
	if a.Int("transB") != 0 {
		r = r.transposed()
	}
	y, cols := dst.Floats(), dst.Shape[1]
	alpha, beta := a.Float("alpha"), a.Float("beta")
	multiply(l, r, out[0], out[1], func(i, j int, sum []float32) {
		row := y[i*cols+j:][:len(sum)]
		for k, s := range sum {
			row[k] = alpha * s
		}
		if len(in) > 2 {
			c, v := in[2].Floats(), stretch(in[2].Shape, 2)
			for k := range row {
				row[k] += float32(beta * c[i*v.st[0]+(j+k)*v.st[1]])
			}
		}
	})
}

// operand is a matrix: the value of row i and column j is at v[i*rs+j*cs].
type operand struct {
	v          []float32
	rows, cols int
	rs, cs     int
}

// matrix is the operand of the last two dimensions of t, from offset off.
func matrix(t *tensor.Tensor, off int) operand {
	n := len(t.Shape)
	rows, cols := t.Shape[n-2], t.Shape[n-1]
	return operand{t.Floats()[off:], rows, cols, cols, 1}
}

func (o operand) transposed() operand { return operand{o.v, o.cols, o.rows, o.cs, o.rs} }

// pack copies rows r and columns c, row by row.
func (o operand) pack(r, c tensor.Range, to matrix32) {
	n := c.Len()
	if o.cs == 1 {
		for i := range r.Len() {
			copy(to.V[i*to.Step:][:n], o.v[(r.Lo+i)*o.rs+c.Lo:])
		}
		return
	}
	for j := range n {
		from := o.v[(c.Lo+j)*o.cs:]
		for i := range r.Len() {
			to.V[i*to.Step+j] = from[(r.Lo+i)*o.rs]
		}
	}
}

// multiply calls f, from several goroutines, with parts of the rows of the
// product of l and r: sum holds row i from column j.
func multiply(l, r operand, rows, cols tensor.Range, f func(i, j int, sum []float32)) {
	across := ceilDiv(cols.Len(), blockWidth)
	if l.rows < fewRows && r.rs == 1 {
		parallel(across*rows.Len(), func(job int) {
			i, j := rows.Lo+job/across, cols.Lo+job%across*blockWidth
			f(i, j, l.dots(r, i, tensor.Range{Lo: j, Hi: min(j+blockWidth, cols.Hi)}))
		})
		return
	}
	const tall = 256
	parallel(across*ceilDiv(rows.Len(), tall), func(job int) {
		i, j := rows.Lo+job/across*tall, cols.Lo+job%across*blockWidth
		m, n := min(tall, rows.Hi-i), min(blockWidth, cols.Hi-j)
		t := blocks.Get().(*block)
		defer blocks.Put(t)
		c := t.product(m, n, l.cols,
			func(k0, k1 int, room *[]float32) matrix32 {
				if l.cs == 1 {
					return matrix32{V: l.v[i*l.rs+k0:], Step: l.rs}
				}
				*room = grown(*room, m*(k1-k0))
				to := matrix32{V: *room, Step: k1 - k0}
				l.pack(tensor.Range{Lo: i, Hi: i + m}, tensor.Range{Lo: k0, Hi: k1}, to)
				return to
			},
			func(k0, k1 int, to matrix32) {
				r.pack(tensor.Range{Lo: k0, Hi: k1}, tensor.Range{Lo: j, Hi: j + n}, to)
			})
		for k := range m {
			f(i+k, j, c.V[k*c.Step:][:n])
		}
	})
}

// fewRows is the number of rows below which packing a transposed matrix costs
// more than its use saves (measured).
const fewRows = 4

// dots is part of row i of the product of o and r, whose columns are dense.
func (o operand) dots(r operand, i int, cols tensor.Range) []float32 {
	row, sum := make([]float32, o.cols), make([]float32, cols.Len())
	o.pack(tensor.Range{Lo: i, Hi: i + 1}, tensor.Range{Lo: 0, Hi: o.cols}, matrix32{V: row, Step: o.cols})
	column := func(j int) []float32 { return r.v[(cols.Lo+j)*r.cs:][:len(row)] }
	j := 0
	for ; j+4 <= len(sum); j += 4 { // four sums at a time hide the latency of one
		c0, c1, c2, c3 := column(j), column(j+1), column(j+2), column(j+3)
		var s0, s1, s2, s3 float32
		for k, x := range row {
			s0 += float32(x * c0[k])
			s1 += float32(x * c1[k])
			s2 += float32(x * c2[k])
			s3 += float32(x * c3[k])
		}
		sum[j], sum[j+1], sum[j+2], sum[j+3] = s0, s1, s2, s3
	}
	for ; j < len(sum); j++ {
		for k, y := range column(j) {
			sum[j] += float32(row[k] * y)
		}
	}
	return sum
}

// matmulParts are the shapes of MatMul's operands as matrices with batch
// dimensions in front, and which dimensions of the value are only in this form.
func matmulParts(in []tensor.Shape) (a, b tensor.Shape, addedRow, addedCol bool) {
	a, b = in[0].Clone(), in[1].Clone()
	if len(a) == 1 {
		a, addedRow = tensor.Shape{1, a[0]}, true
	}
	if len(b) == 1 {
		b, addedCol = tensor.Shape{b[0], 1}, true
	}
	return a, b, addedRow, addedCol
}

func matmulShape(_ Attrs, in []tensor.Shape) (tensor.Shape, error) {
	for i := range 2 {
		if len(in[i]) == 0 {
			return nil, fmt.Errorf("input %d is a scalar: rank 1 or more wanted", i)
		}
	}
	a, b, addedRow, addedCol := matmulParts(in)
	na, nb := len(a)-2, len(b)-2
	if a[na+1] != b[nb] {
		return nil, fmt.Errorf("inputs %v and %v: %d and %d values to multiply", in[0], in[1], a[na+1], b[nb])
	}
	out, err := broadcast(nil, []tensor.Shape{a[:na], b[:nb]})
	if err != nil {
		return nil, err
	}
	if !addedRow {
		out = append(out, a[na])
	}
	if !addedCol {
		out = append(out, b[nb+1])
	}
	return out, nil
}

// matmulBox is the box out with the dimensions that 1-D operands do not have.
func matmulBox(out tensor.Box, addedRow, addedCol bool) (batch tensor.Box, rows, cols tensor.Range) {
	rows, cols = tensor.Range{Lo: 0, Hi: 1}, tensor.Range{Lo: 0, Hi: 1}
	n := len(out)
	if !addedCol {
		n--
		cols = out[n]
	}
	if !addedRow {
		n--
		rows = out[n]
	}
	return out[:n], rows, cols
}

func matmulNeed(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	a, b, addedRow, addedCol := matmulParts(in)
	batch, rows, cols := matmulBox(out, addedRow, addedCol)
	na, nb := len(a)-2, len(b)-2
	x := append(stretched(a[:na], batch), rows, tensor.Range{Lo: 0, Hi: a[na+1]})
	y := append(stretched(b[:nb], batch), tensor.Range{Lo: 0, Hi: b[nb]}, cols)
	if addedRow {
		x = x[1:]
	}
	if addedCol {
		y = y[:1]
	}
	return []tensor.Box{x, y}
}

func matmulEval(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	y := dst.Floats()
	eachProduct(in[0], in[1], dst.Shape, out, func(l, r operand, off, width int, rows, cols tensor.Range) {
		multiply(l, r, rows, cols, func(i, j int, sum []float32) {
			copy(y[off+i*width+j:], sum)
		})
	})
}

// eachProduct calls f for each product of two matrices of MatMul's operands that has a part in the box out: its
// rows and columns rows and cols belong into the value from element off, whose rows have so many columns.
func eachProduct(x, w *tensor.Tensor, value tensor.Shape, out tensor.Box, f func(l, r operand, off, width int, rows, cols tensor.Range)) {
	a, b, addedRow, addedCol := matmulParts([]tensor.Shape{x.Shape, w.Shape})
	batch, rows, cols := matmulBox(out, addedRow, addedCol)
	at, bt := x.Reshape(a), w.Reshape(b)
	full := value[:len(batch)]
	whole, _ := matmulShape(nil, []tensor.Shape{a, b})
	height, width := whole[len(whole)-2], whole[len(whole)-1]
	// The strides of a matrix's batch dimensions, and of the value's.
	views := []view{batchView(full, len(batch), height*width), batchView(a[:len(a)-2], len(batch), height*a[len(a)-1]), batchView(b[:len(b)-2], len(batch), b[len(b)-2]*width)}
	walk(batch, views, func(off, step []int, n int) {
		for k := range n {
			f(matrix(at, off[1]+k*step[1]), matrix(bt, off[2]+k*step[2]), off[0]+k*step[0], width, rows, cols)
		}
	})
}

// batchView is the view of matrices of size values each, s of them, by the batch
// dimensions of a value of the given number of them.
func batchView(s tensor.Shape, rank, size int) view {
	v := stretch(s, rank)
	for d := range v.st {
		v.st[d] *= size
	}
	return v
}
