package pim

import (
	"math"
	"slices"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// Unit roundoffs (IEEE 754): half the distance from 1 to the next number.
const (
	unit32 = 0x1p-24
	unit64 = 0x1p-53
)

// gamma bounds the relative error of n additions in float32 (Higham, Accuracy and Stability of
// Numerical Algorithms, 2nd ed., lemma 3.1).
func gamma(n int) float64 { return float64(n) * unit32 / (1 - float64(n)*unit32) }

// Judge compares sums, which hold the values before the epilogue, element by element with
// those of the operator (op.Sums). Wanted is the sum over operands rounded to the machine's
// format, each part rounded as it is read out, scaled, with the bias added. A sum of K products in
// float32 is off by at most gamma(additions)·‖w‖·‖x‖, by Cauchy and Schwarz at least the sum of |w·x|.
// The part as it is read is between the roundings of both ends of that interval, mostly one number.
// What follows adds a rounding of float32 an operation (wanted).
func (c *mappedCode) Judge(in []*tensor.Tensor, sums *tensor.Tensor) device.Judgement {
	if c.layer.each != nil {
		return c.judgeEach(in, sums)
	}
	nd := &c.graph.Nodes[c.cut.Node]
	operands, attrs, row := slices.Clone(in[:nd.Operands()]), nd.Attrs, nd.Op
	if c.layer.integers {
		if c.device.exact() {
			return c.judgeExact(in, sums)
		}
		operands, attrs, row = c.integers(in)
	}
	j := &judge{mappedCode: c, typ: sums.Type, got: sums.Floats(), scale: c.layer.exponents(c.device.format, operands[1].Floats())}
	operands[0] = j.inputs(operands[0])
	order := op.SumOrder{Parts: j.partsOf(), Weights: j.weights}
	row.Sums(attrs, operands, nd.Shape, c.cut.Box, order, j.block)
	return j.found
}

// integers is the product of integers that stand for real numbers, as one of real numbers: the sums that the value is made of.
func (c *mappedCode) integers(in []*tensor.Tensor) ([]*tensor.Tensor, op.Attrs, *op.Op) {
	nd := &c.graph.Nodes[c.cut.Node]
	x, w := nd.Op.Factors(nd.Attrs, in, c.cut.Box)
	operands, attrs := []*tensor.Tensor{x, w}, nd.Attrs.Clone()
	if c.layer.bias >= 0 {
		operands = append(operands, in[c.layer.bias].Convert(tensor.Float32))
	}
	if attrs["alpha"] != nil {
		attrs["alpha"] = float32(1)
	}
	row, err := op.Lookup(nd.Op.Real)
	if err != nil {
		panic(err)
	}
	return operands, attrs, row
}

// judgeExact wants sums that are those of the operator.
func (c *mappedCode) judgeExact(in []*tensor.Tensor, sums *tensor.Tensor) (j device.Judgement) {
	nd := &c.graph.Nodes[c.cut.Node]
	want := nd.Op.IntegerSums(nd.Attrs, in[:nd.Operands()], nd.Shape, c.cut.Box)
	c.cut.Box.Runs(nd.Shape, func(off, n int) {
		for i := off; i < off+n; i++ {
			j.Compare(i, float64(sums.Ints()[i]), float64(want.Ints()[i]), 0)
		}
	})
	return j
}

// judge is the comparison of one cut.
type judge struct {
	*mappedCode
	typ   tensor.Type // of the value
	got   []float32
	scale exponents
	split bool // parts may be read out together: their roundings are not known
	open  bool // some input is not finite: with a zero weight of a merged group it makes NaN
	mu    sync.Mutex
	found device.Judgement
}

// rounds are values before they are rounded.
var rounds = sync.Pool{New: func() any { return new([512]float32) }}

// round is tensor.RoundAll to the machine's format, which also counts.
func (j *judge) round(v []float32) (o device.Overrun) {
	o.Of = int64(len(v))
	room := rounds.Get().(*[512]float32)
	defer rounds.Put(room)
	for len(v) > 0 {
		was := room[:copy(room[:], v)]
		tensor.RoundAll(j.device.format, v[:len(was)], was)
		over, under := uint32(0), uint32(0)
		for i, x := range was { // without a jump, since about half of all inputs are 0
			const infinite = 0xff << 23
			x, y := math.Float32bits(x)&^(1<<31), math.Float32bits(v[i])&^(1<<31)
			under += (y - 1) & -x >> 31                       // y is 0 and x is not
			over += (infinite - 1 - y) & (x - infinite) >> 31 // x is finite and y is not
		}
		o.Over, o.Under = o.Over+int64(over), o.Under+int64(under)
		v = v[len(was):]
	}
	return o
}

// inputs are the inputs that the cut reads, rounded.
func (j *judge) inputs(x *tensor.Tensor) *tensor.Tensor {
	y := tensor.New(x.Type, x.Shape)
	j.graph.Need(j.cut)[0].Runs(x.Shape, func(off, n int) {
		to := y.Floats()[off : off+n]
		copy(to, x.Floats()[off:])
		j.found.Range.Add(device.Overruns{Inputs: j.round(to)})
		for _, v := range to {
			j.open = j.open || !finite(v)
		}
	})
	return y
}

// weights scales and rounds the weights of an output.
func (j *judge) weights(matrix, out int, w []float32, again bool) {
	out, _ = j.layer.output(matrix, out)
	j.scale.apply(out, w)
	if j.device.format == tensor.Float32 {
		return
	}
	o := j.round(w)
	if again {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.found.Range.Add(device.Overruns{Weights: o})
}

// partsOf returns the products of each part of a sum that is read out, by output. Where
// sums stay in accumulators from one chunk to the next, all chunks are one part.
func (j *judge) partsOf() func(matrix, out int) [][]int {
	together := map[*block]bool{}
	for i := range j.parts {
		together[j.parts[i].block] = j.parts[i].outputStationary
	}
	for _, s := range j.perChannel() {
		for i := range s {
			if sp := &s[i]; sp.outputStationary && sp.at[byChunk] != (tensor.Range{Hi: sp.chunks}) {
				together[sp.block], j.split = false, true
			}
		}
	}
	return func(matrix, out int) (list [][]int) {
		for i := range j.parts {
			p := &j.parts[i]
			out, ok := p.layer.output(matrix, out)
			if !ok || out < p.out0 || out >= p.out0+p.count*p.outs {
				continue
			}
			var all []int
			for chunk := range p.chunks {
				for lane := range j.device.partial() {
					ks := j.products(p, out, chunk, lane)
					if together[p.block] {
						all = append(all, ks...)
					} else if len(ks) > 0 {
						list = append(list, ks)
					}
				}
			}
			if len(all) > 0 {
				list = append(list, all)
			}
		}
		return list
	}
}

// products are the products of a sum of an output in a chunk, numbered as in the operator's weights. Where an output has several
// sums, products are dealt out to them in turn.
func (j *judge) products(p *part, out, chunk, sum int) (ks []int) {
	l, sums := p.layer, j.device.partial()
	taps := l.groupK / l.channels()
	l.eachWeight(p, (out-p.out0)/p.outs, chunk, (out-p.out0)%p.outs, func(at, weight, n int, _ bool) {
		for i := range n {
			if sums > 1 && (at+i)%sums != sum {
				continue
			}
			k := weight + i - out*l.groupK
			if l.byTap {
				k = k%l.channels()*taps + k/l.channels()
			}
			if l.part != nil {
				k = l.part.product(k)
			}
			ks = append(ks, k)
		}
	})
	return ks
}

// block compares a block of sums.
func (j *judge) block(b *op.SumBlock) {
	var found device.Judgement
	n := len(b.At)
	reads := make([][]float32, len(b.Parts)) // sums as they are read out
	for i := range reads {
		reads[i] = make([]float32, b.Outs.Len()*n)
		for e := range reads[i] {
			reads[i][e] = float32(b.Parts[i].Sums[e])
		}
		tensor.RoundAll(j.device.readFormat(), reads[i], reads[i])
	}
	found.Range.Results.Of = int64(b.Outs.Len() * n)
	for i := range b.Outs.Len() {
		for at := range n {
			element := b.At[at] + (b.Outs.Lo+i)*b.Step
			got := float64(j.got[element])
			if want, ok := j.near(b, i, at, reads, got); ok {
				found.Compare(element, want, want, 0)
				continue
			}
			want, o := j.sum(b, i, at, reads)
			if !finite(j.got[element]) && (j.open || want.allows(got)) {
				want.value = math.NaN()
			}
			found.Range.Add(device.Overruns{Results: o})
			found.Compare(element, got, want.value, want.bound)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.found.Merge(found)
}

// exponent is that of the weights of an output of a block.
func (j *judge) exponent(b *op.SumBlock, out int) int {
	if j.scale.by == nil {
		return 0
	}
	number, _ := j.layer.output(b.Matrix, b.Outs.Lo+out)
	return j.scale.of(number)
}

// near reports whether a value is within a part of its bound that needs no rounding of its ends, as nearly all are, and what
// is wanted then.
func (j *judge) near(b *op.SumBlock, out, at int, reads [][]float32, got float64) (want float64, ok bool) {
	if j.split || j.open || b.Alpha != 1 || j.exponent(b, out) != 0 || j.typ != tensor.Float32 {
		return 0, false
	}
	e, size := out*len(b.At)+at, 0.0
	for _, r := range reads {
		read := float64(r[e])
		if read == 0 { // perhaps it should not be
			return 0, false
		}
		want, size = want+read, size+math.Abs(read)
	}
	bound := 0.0
	if len(reads) > 1 {
		bound = gamma(len(reads)) * size
	}
	if b.Added != nil {
		want += b.Added[e]
		bound += unit32 * (math.Abs(b.Added[e]) + math.Abs(want))
	}
	return want, want-want == 0 && math.Abs(got-want) <= bound
}

func finite(v float32) bool { return v-v == 0 }

// rounded rounds to a type by way of float32, which the machine also holds it in.
func rounded(t tensor.Type, v float64) float64 { return float64(tensor.Round(t, float32(v))) }

// roundoff is the unit roundoff of a format.
var roundoff = map[tensor.Type]float64{tensor.Float16: 0x1p-11, tensor.BFloat16: 0x1p-8, tensor.Float32: unit32}

// offBy bounds the error of a sum of k products as channels add them, whose operands have norms of so much together.
func (d *Device) offBy(k int, norms float64) float64 {
	n := float64(k)
	if d.program == nil {
		return (gamma(additions(k))+unit64*n)*norms + n*math.SmallestNonzeroFloat32
	}
	// Each product and each sum is rounded to fp16: by its unit roundoff, or among subnormal numbers by half the least of them.
	u := (n + 1) * roundoff[tensor.Float16]
	return (u/(1-u)+unit64*n)*norms + 4*n*0x1p-25
}

// largest is the largest number that sums may reach on their way.
func (d *Device) largest() float64 {
	if d.program == nil {
		return math.MaxFloat32
	}
	return math.Ldexp(1-roundoff[tensor.Float16], limits[tensor.Float16].most)
}

// partial is the number of sums of an output that channels leave to whoever finishes results.
func (d *Device) partial() int {
	if d.program == nil {
		return 1
	}
	return d.program.parts
}

// additions bounds the float32 additions that a product passes through in a sum of k products. The
// columns of a row that follow each other are one sum (vector.Dots), which is added to the accumulator: the
// most of one sum of all products, and of as many as there are columns.
func additions(k int) int { return min(k, k/8+12) + k/16 + 12 }
