package op

import (
	"math"
	"runtime"
	"sync"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// SumOrder says in which parts, and from which operands, a device computes the sums of products of a
// contraction.
type SumOrder struct {
	// Parts lists the products of each part of an output's sums by their number in the order of
	// the output's weights. It is the same for all outputs of a group. matrix is the phase of a
	// ConvTranspose (transposedSums), the product of a MatMul's batch, otherwise 0. nil: one part.
	Parts func(matrix, out int) [][]int
	// Weights rounds weights of an output in place; nil: they stay. again says that the same were
	// rounded before, for other positions.
	Weights func(matrix, out int, w []float32, again bool)
}

// SumBlock is the sums of some outputs (channels of Conv, columns of Gemm and MatMul) at some
// positions of a contraction's value. Slices by element are by output, then by position.
type SumBlock struct {
	Matrix int // as SumOrder.Parts counts it
	Outs   tensor.Range
	At     []int       // of output 0 at each position, in the value
	Step   int         // in the value, from an output to the next
	Parts  []SumPart   // in the order of SumOrder.Parts
	Alpha  float64     // scales the sum
	Added  []float64   // is added to the scaled sum, by element; nil: nothing
	left   [][]float64 // weights by part and output
	right  []float64   // inputs of a stretch of a part, by position
}

// SumPart is one part of the sums of a block, added in float64: a sum is off by at most K roundings of it.
type SumPart struct {
	K    int       // products
	Sums []float64 // by element
	W, X []float64 // Euclidean norms of the weights by output, of the inputs by position
}

// sums is a contraction as Sums sees it: the value at position j and output o is a sum of x[base[j] +
// off[k]] · w[o·wOut + k·wK] over k.
type sums struct {
	x, w     []float32
	outs     tensor.Range
	group    int // outputs of a group
	xGroup   int // step of the input from a group to the next
	wOut, wK int
	at, base []int    // by position
	origin   [][3]int // by position: of the first tap in the input; nil: no padding
	extent   [3]int   // of the input
	off      []int    // by product
	reach    [][3]int // by product: from the first tap
	last     [3]int   // the largest reach
	step     int
	matrix   int
	whole    []int // the products; nil: all that have an off
	alpha    float64
	added    func(out, at int) float64
}

// sumRows are the operators whose sums can be computed part by part, and how.
var sumRows = map[string]func(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) []*sums{
	"Conv": convSums, "ConvTranspose": transposedSums, "Gemm": gemmSums, "MatMul": matmulSums,
}

// Sums computes the sums of products behind a box of the value of a contraction in the table, and calls
// f for each block of them, concurrently.
func (o *Op) Sums(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box, order SumOrder, f func(*SumBlock)) {
	for _, s := range sumRows[o.Name](a, in, value, out) {
		s.run(order, f)
	}
}

func convSums(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) []*sums {
	w := in[1].Shape
	s := &sums{x: in[0].Floats(), w: in[1].Floats(), outs: out[1], group: w[0] / a.Int("group"), wOut: w[1:].Size(), wK: 1, alpha: 1}
	win, box := cube(windowsOf(a, in[0].Shape[2:], false), out[2:])
	px, py := 1, 1
	for d := range win {
		px, py = px*win[d].in, py*win[d].out
		s.extent[d] = win[d].in
	}
	s.step, s.xGroup = py, w[1]*px
	line := [3]int{win[1].in * win[2].in, win[2].in, 1}
	for n := out[0].Lo; n < out[0].Hi; n++ {
		for d := box[0].Lo; d < box[0].Hi; d++ {
			for h := box[1].Lo; h < box[1].Hi; h++ {
				for v := box[2].Lo; v < box[2].Hi; v++ {
					at := [3]int{win[0].index(d, 0), win[1].index(h, 0), win[2].index(v, 0)}
					s.at = append(s.at, n*w[0]*py+(d*win[1].out+h)*win[2].out+v)
					s.base = append(s.base, n*in[0].Shape[1]*px+at[0]*line[0]+at[1]*line[1]+at[2])
					s.origin = append(s.origin, at)
				}
			}
		}
	}
	for c := range w[1] {
		for jd := range win[0].kernel {
			for jh := range win[1].kernel {
				for jw := range win[2].kernel {
					r := [3]int{jd * win[0].dilation, jh * win[1].dilation, jw * win[2].dilation}
					s.reach, s.last = append(s.reach, r), r
					s.off = append(s.off, c*px+r[0]*line[0]+r[1]*line[1]+r[2])
				}
			}
		}
	}
	if len(in) > 2 {
		bias := in[2].Floats()
		s.added = func(out, _ int) float64 { return float64(bias[out]) }
	}
	return []*sums{s}
}

func gemmSums(a Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) []*sums {
	l, r := matrix(in[0], 0), matrix(in[1], 0)
	if a.Int("transA") != 0 {
		l = l.transposed()
	}
	if a.Int("transB") != 0 {
		r = r.transposed()
	}
	s := &sums{outs: out[1], alpha: float64(a.Float("alpha"))}
	s.rows(l, r, value[1], out[0])
	if len(in) > 2 {
		c, v, beta := in[2].Floats(), stretch(in[2].Shape, 2), float64(a.Float("beta"))
		s.added = func(out, at int) float64 { return beta * float64(c[at/value[1]*v.st[0]+out*v.st[1]]) }
	}
	return []*sums{s}
}

// matmulSums has the products of a batch one by one, by a single matrix all together.
func matmulSums(_ Attrs, in []*tensor.Tensor, value tensor.Shape, out tensor.Box) (all []*sums) {
	if len(in[1].Shape) == 2 {
		last := len(value) - 1
		rows := in[0].Reshape(tensor.Shape{value[:last].Size(), in[1].Shape[0]})
		s := &sums{outs: out[last], alpha: 1}
		l, r := matrix(rows, 0), matrix(in[1], 0)
		out[:last].Runs(value[:last], func(off, n int) { s.rows(l, r, value[last], tensor.Range{Lo: off, Hi: off + n}) })
		return []*sums{s}
	}
	eachProduct(in[0], in[1], value, out, func(l, r operand, off, width int, rows, cols tensor.Range) {
		s := &sums{outs: cols, alpha: 1, matrix: off / (l.rows * width)}
		s.rows(l, r, width, rows)
		for i := range s.at {
			s.at[i] += off
		}
		all = append(all, s)
	})
	return all
}

// rows adds rows of the product of two matrices.
func (s *sums) rows(l, r operand, width int, rows tensor.Range) {
	s.x, s.w, s.wOut, s.wK, s.step, s.group = l.v, r.v, r.cs, r.rs, 1, r.cols
	for i := rows.Lo; i < rows.Hi; i++ {
		s.at, s.base = append(s.at, i*width), append(s.base, i*l.rs)
	}
	s.off = make([]int, l.cols)
	for k := range s.off {
		s.off[k] = k * l.cs
	}
}

// Sizes of a block: at most so many positions, and weights of so many elements; and the products that are added
// before their inputs give way to the next (estimated: what is added stays in the L2 cache).
const (
	sumPositions = 64
	sumWeights   = 1 << 20
	sumOutputs   = 256
	sumStretch   = 128
	sumGather    = 16 // outputs whose weights are gathered at once: a line of a matrix that has them beside each other
)

func (s *sums) run(order SumOrder, f func(*SumBlock)) {
	type job struct{ outs, positions tensor.Range }
	var jobs []job
	most := max(16, min(sumOutputs, sumWeights/max(1, len(s.off))))
	gs := groups(s.outs, s.group)
	stretch := len(s.at) // of positions
	if gs.Len()*ceilDiv(min(s.outs.Len(), s.group), most) < 2*runtime.GOMAXPROCS(0) {
		stretch = roundUpTo(ceilDiv(len(s.at), 2*runtime.GOMAXPROCS(0)), sumPositions)
	}
	for g := gs.Lo; g < gs.Hi; g++ {
		lo, hi := max(s.outs.Lo, g*s.group), min(s.outs.Hi, (g+1)*s.group)
		for o := lo; o < hi; o += most {
			for p := 0; p < len(s.at); p += stretch {
				jobs = append(jobs, job{tensor.Range{Lo: o, Hi: min(hi, o+most)}, tensor.Range{Lo: p, Hi: min(len(s.at), p+stretch)}})
			}
		}
	}
	whole := s.whole
	if whole == nil {
		whole = make([]int, len(s.off))
		for k := range whole {
			whole[k] = k
		}
	}
	parallel(len(jobs), func(i int) {
		j := jobs[i]
		parts := [][]int{whole}
		if order.Parts != nil {
			parts = order.Parts(s.matrix, j.outs.Lo)
		}
		s.block(j.outs, j.positions, parts, order.Weights, f)
	})
}

func roundUpTo(n, to int) int { return ceilDiv(n, to) * to }

// sumScratch is the memory of a block.
type sumScratch struct {
	wide []float64
	rows []float32
	used int // of wide
}

var sumScratches = sync.Pool{New: func() any { return new(sumScratch) }}

// grow makes space for so many values, and forgets those that are there.
func (m *sumScratch) grow(wide, rows int) {
	if m.used = 0; cap(m.wide) < wide {
		m.wide = make([]float64, wide)
	}
	if cap(m.rows) < rows {
		m.rows = make([]float32, rows)
	}
}

// take returns n values that are not set.
func (m *sumScratch) take(n int) []float64 {
	m.used += n
	return m.wide[:cap(m.wide)][m.used-n : m.used : m.used]
}

// block computes some outputs at a range of positions, a block after the other.
func (s *sums) block(outs, positions tensor.Range, parts [][]int, round func(int, int, []float32, bool), f func(*SumBlock)) {
	b := &SumBlock{Matrix: s.matrix, Outs: outs, Step: s.step, Alpha: s.alpha}
	wide, longest := sumStretch*sumPositions, 0
	for _, ks := range parts {
		wide += outs.Len()*(len(ks)+1+sumPositions) + sumPositions
		longest = max(longest, len(ks))
	}
	room := sumScratches.Get().(*sumScratch)
	defer sumScratches.Put(room)
	room.grow(wide, sumGather*longest)
	for _, ks := range parts {
		w, norms, rows := room.take(outs.Len()*len(ks)), room.take(outs.Len()), room.rows[:sumGather*len(ks)]
		for i := range norms {
			if i%sumGather == 0 {
				s.weights(tensor.Range{Lo: outs.Lo + i, Hi: min(outs.Lo+i+sumGather, outs.Hi)}, ks, rows)
			}
			row := rows[i%sumGather*len(ks):][:len(ks)]
			if round != nil {
				round(s.matrix, outs.Lo+i, row, positions.Lo > 0)
			}
			norms[i] = norm(row)
			for l, v := range row {
				w[i*len(ks)+l] = float64(v)
			}
		}
		b.left = append(b.left, w)
		b.Parts = append(b.Parts, SumPart{K: len(ks), W: norms, X: room.take(sumPositions), Sums: room.take(outs.Len() * sumPositions)})
	}
	b.right = room.take(sumStretch * sumPositions)
	for lo := positions.Lo; lo < positions.Hi; lo += sumPositions {
		hi := min(lo+sumPositions, positions.Hi)
		b.At = s.at[lo:hi]
		for p, ks := range parts {
			s.part(b, p, ks, lo)
		}
		if s.added != nil {
			b.Added = b.Added[:0]
			for o := outs.Lo; o < outs.Hi; o++ {
				for _, at := range b.At {
					b.Added = append(b.Added, s.added(o, at))
				}
			}
		}
		f(b)
	}
}

// part computes one part of a block whose positions begin at first.
func (s *sums) part(b *SumBlock, number int, ks []int, first int) {
	p, outs, n := &b.Parts[number], b.Outs.Len(), len(b.At)
	wide := roundUpTo(n, vector.Columns)
	clear(p.Sums)
	clear(p.X)
	c := vector.Matrix[float64]{V: p.Sums, Step: wide}
	for k := 0; k < len(ks); k += sumStretch {
		some := ks[k:min(k+sumStretch, len(ks))]
		s.inputs(first, n, b.Outs.Lo/s.group*s.xGroup, some, b.right)
		for l := range some {
			for j, v := range b.right[l*sumPositions:][:n] {
				p.X[j] += v * v
			}
		}
		a := vector.Matrix[float64]{V: b.left[number][k:], Step: len(ks)}
		vector.MulAddWide(c, a, vector.Matrix[float64]{V: b.right, Step: sumPositions}, outs, wide, len(some))
	}
	for j, sum := range p.X {
		p.X[j] = rootUp(sum)
	}
	for i := 1; i < outs && n < wide; i++ {
		copy(p.Sums[i*n:(i+1)*n], p.Sums[i*wide:])
	}
}

// weights gathers the weights of some products, by output.
func (s *sums) weights(outs tensor.Range, ks []int, to []float32) {
	if s.wK == 1 {
		all := follow(ks)
		for i := range outs.Len() {
			from, row := s.w[(outs.Lo+i)*s.wOut:], to[i*len(ks):(i+1)*len(ks)]
			if all {
				copy(row, from[ks[0]:])
				continue
			}
			for l, k := range ks {
				row[l] = from[k]
			}
		}
		return
	}
	for l, k := range ks { // rows of the matrix are read in order
		for i := range outs.Len() {
			to[i*len(ks)+l] = s.w[(outs.Lo+i)*s.wOut+k*s.wK]
		}
	}
}

// follow reports whether each number is the one before and 1, and there is one.
func follow(ks []int) bool {
	for l, k := range ks {
		if k != ks[0]+l {
			return false
		}
	}
	return len(ks) > 0
}

// inputs gathers the inputs of some products at n positions from a first one on, sumPositions apart; padding is 0.
func (s *sums) inputs(first, n, shift int, ks []int, to []float64) {
	base, inside := s.base[first:first+n], true
	for j := range n {
		inside = inside && s.inside(first+j)
	}
	for l, k := range ks {
		off, row := shift+s.off[k], to[l*sumPositions:][:n]
		if inside {
			for j, at := range base {
				row[j] = float64(s.x[at+off])
			}
			continue
		}
		reach := &s.reach[k]
	next:
		for j, at := range base {
			o := &s.origin[first+j]
			for d, r := range reach {
				if i := o[d] + r; i < 0 || i >= s.extent[d] {
					row[j] = 0
					continue next
				}
			}
			row[j] = float64(s.x[at+off])
		}
	}
}

// inside reports whether no product of a position reads padding.
func (s *sums) inside(j int) bool {
	if s.origin == nil {
		return true
	}
	for d, o := range s.origin[j] {
		if o < 0 || o+s.last[d] >= s.extent[d] {
			return false
		}
	}
	return true
}

// norm is the Euclidean norm, rounded up.
func norm(v []float32) float64 { return rootUp(vector.Squares(v)) }

// rootUp is the square root of a sum of squares, rounded up.
func rootUp(sum float64) float64 { return math.Sqrt(sum) * (1 + 0x1p-40) }
