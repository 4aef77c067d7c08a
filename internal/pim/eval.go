package pim

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// Eval is EvalSums of one set of inputs, without the sums.
func (c *mappedCode) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	return c.EvalSums(device.Evaluation{In: in, Dst: dst})
}

// EvalSums performs the streams on values: banks hold the weights, GWRITE fills the
// buffer from the input, READRES adds what the banks have summed up, in float32,
// to the result. Then scale, bias and epilogue are applied and the cut's box of
// the destination is written, and before the epilogue that of the sums, unless it is nil. Sums are rounded to the number
// format as they are read out; where results are finished in the DRAM, values are, and no sum. The
// order of the channels is that of the additions, whatever runs at once. Padding that is not left out
// is multiplied like any input: under it a weight that is not finite gives NaN.
//
// Of products on integers the operands are integers less their zero points, and the sums, with a bias that is an integer, are those from which
// the operator makes its value.
//
// A stream is performed once for all sets of the same weights.
func (c *mappedCode) EvalSums(sets ...device.Evaluation) error {
	for len(sets) > 0 {
		n := 1
		for n < len(sets) && c.sameOperands(sets[0].In, sets[n].In) {
			n++
		}
		c.performAll(sets[:n])
		sets = sets[n:]
	}
	return nil
}

// sameOperands reports whether the operands but the one that is written to buffers are the same tensors.
func (c *mappedCode) sameOperands(a, b []*tensor.Tensor) bool {
	written, _ := c.layer.operand()
	for i := range c.graph.Nodes[c.cut.Node].Operands() {
		if (i != written || c.layer.each != nil) && a[i] != b[i] {
			return false
		}
	}
	return true
}

// performAll performs the streams on sets of inputs that differ in the first.
func (c *mappedCode) performAll(sets []device.Evaluation) {
	all := make([]*Sums, len(sets)) // in memory that is not kept: that of large layers would stay beside the values of others
	for i := range all {
		all[i] = newResults(c.layer.results(), c.device.exact())
	}
	o := c.operands(sets)
	var next atomic.Int64
	var wg sync.WaitGroup
	shares := c.perChannel()
	added := make([]chan struct{}, len(shares)+1)
	for i := range added {
		added[i] = make(chan struct{})
	}
	close(added[0])
	for range min(runtime.GOMAXPROCS(0), len(shares)) {
		wg.Go(func() {
			m := rooms.Get().(*room)
			defer rooms.Put(m)
			for {
				i := int(next.Add(1) - 1)
				if i >= len(shares) {
					return
				}
				sums, at := c.perform(m, shares[i], o)
				<-added[i]
				for k, s := range sums {
					all[k].add(at, s)
				}
				close(added[i+1])
			}
		})
	}
	wg.Wait()
	for i, e := range sets {
		c.finish(all[i], o, e)
	}
}

// finish makes values of the results of a set of inputs.
func (c *mappedCode) finish(results *Sums, o *operands, e device.Evaluation) {
	if c.layer.integers {
		if e.Sums == nil {
			e.Sums = c.NewSums()
		}
		c.write(results, o, e.In, e.Sums)
		c.graph.FinishSums(c.cut, e.In, e.Sums, e.Dst)
		c.Deliver(e.Dst)
		return
	}
	c.write(results, o, e.In, e.Dst)
	if e.Sums != nil {
		y := e.Sums.Floats()
		c.cut.Box.Runs(e.Dst.Shape, func(off, n int) { copy(y[off:off+n], e.Dst.Floats()[off:]) })
	}
	c.graph.Finish(c.cut, e.In, e.Dst)
	c.Deliver(e.Dst)
}

// NewSums is a tensor for the values before the epilogue: of the value's type, but for products on integers.
func (c *mappedCode) NewSums() *tensor.Tensor {
	nd := &c.graph.Nodes[c.cut.Node]
	switch {
	case !c.layer.integers:
		return tensor.New(nd.Type, nd.Shape)
	case c.device.exact():
		return tensor.New(tensor.Int64, nd.Shape)
	}
	return tensor.New(tensor.Float32, nd.Shape)
}

// Deliver rounds finished values, where results are finished in the DRAM, to its number format.
func (c *mappedCode) Deliver(t *tensor.Tensor) {
	if f := c.device.format; f.Float() && f != tensor.Float32 && t.Type.Float() && c.device.link.Finish.Where == hw.InDRAM {
		y := t.Floats()
		c.cut.Box.Runs(t.Shape, func(off, n int) { tensor.RoundAll(f, y[off:off+n], y[off:]) })
	}
}

// operands are the values that streams address.
type operands struct {
	*layer                       // of x
	x       [][]float32          // by set of inputs
	w       []float32            // by output, then k of its group
	scale   exponents            // of the weights
	windows []int                // the axes that are windows
	tables  map[int]*gatherTable // by groups of a matrix
	phases  map[*layer]*operands // of a layer of several products; itself of one
}

// of are the operands of a block.
func (o *operands) of(b *block) *operands { return o.phases[b.layer] }

// gatherTable locates element k of a pixel's row.
type gatherTable struct {
	offset []int   // in x, from the pixel's first
	reach  [][]int // along each window axis
	run    []int   // elements from k on that lie behind each other under one tap
}

func (c *mappedCode) operands(sets []device.Evaluation) *operands {
	nd := &c.graph.Nodes[c.cut.Node]
	written, stored := c.layer.operand()
	factors := func(in []*tensor.Tensor) (x, w *tensor.Tensor) {
		if c.layer.integers {
			return nd.Op.Factors(nd.Attrs, in, c.cut.Box)
		}
		if c.layer.each != nil {
			return c.layer.scalarsOf(in), c.layer.eachColumns(in)
		}
		return in[written], in[stored]
	}
	products := c.layer.products()
	places := products[0].taps.channel
	if len(products[0].taps.kernel) == 0 {
		places = 1 // a matrix, perhaps read by columns
	}
	var values [][]float32
	var w []float32
	channels := 1
	for i := range sets {
		x, weights := factors(sets[i].In)
		v, n := x.Floats(), 1
		if c.layer.each == nil {
			v, n = c.inputs(x, places)
		}
		values, channels, w = append(values, v), n, weights.Floats()
	}
	all := &operands{layer: c.layer, x: values, scale: c.layer.exponents(c.device.format, w), phases: map[*layer]*operands{}}
	for _, l := range products {
		all.phases[l] = c.operandsOf(l, values, channels, w, all.scale)
	}
	return all
}

// operandsOf are those of a single product.
func (c *mappedCode) operandsOf(l *layer, x [][]float32, channels int, w []float32, scale exponents) *operands {
	o := &operands{layer: l.beside(channels), x: x, w: l.rows(w), scale: scale, tables: map[int]*gatherTable{}}
	for i, a := range o.axes {
		if a.window {
			o.windows = append(o.windows, i)
		}
	}
	if taps := o.groupK / o.channels(); o.byTap && taps > 1 {
		w := make([]float32, len(o.w))
		for at := 0; at < len(w); at += o.groupK {
			copy(w[at:], transpose(o.w[at:at+o.groupK], o.channels(), taps))
		}
		o.w = w
	}
	for i := range c.parts {
		if b := c.parts[i].block; b.layer == l && o.tables[b.merge] == nil {
			o.tables[b.merge] = o.table(b)
		}
	}
	return o
}

// inputs are the values that the cut reads, in the machine's number format, and how many channels of a position are beside
// each other: all, where those of x are places apart; 1: values stand as in x.
func (c *mappedCode) inputs(x *tensor.Tensor, places int) (values []float32, channels int) {
	f := c.device.format
	if places <= 1 && (!f.Float() || f == tensor.Float32) {
		return x.Floats(), 1
	}
	written, _ := c.layer.operand()
	need, y := c.graph.Need(c.cut)[written], make([]float32, x.Shape.Size())
	if places <= 1 {
		need.Runs(x.Shape, func(off, n int) { tensor.RoundAll(f, y[off:off+n], x.Floats()[off:]) })
		return y, 1
	}
	channels = x.Shape[1]
	var row [512]float32
	need.Runs(x.Shape, func(off, n int) {
		for n > 0 {
			m := min(n, len(row), places-off%places)
			tensor.RoundAll(f, row[:m], x.Floats()[off:])
			to := y[off/places/channels*channels*places+off%places*channels+off/places%channels:]
			for i, v := range row[:m] {
				to[i*channels] = v
			}
			off, n = off+m, n-m
		}
	})
	return y, channels
}

// beside is the layer of values so many of whose channels are beside each other.
func (l *layer) beside(channels int) *layer {
	if channels == 1 {
		return l
	}
	b := *l
	b.axes, b.taps.step = slices.Clone(l.axes), slices.Clone(l.taps.step)
	for i := range b.axes {
		if a := &b.axes[i]; a.window {
			a.src *= channels
		}
	}
	for d := range b.taps.step {
		b.taps.step[d] *= channels
	}
	b.taps.channel = 1
	return &b
}

func (l *layer) table(b *block) *gatherTable {
	t, kernel := &l.taps, tensor.Shape(l.taps.kernel).Size()
	tb := &gatherTable{make([]int, b.k), make([][]int, len(t.kernel)), make([]int, b.k)}
	for d := range tb.reach {
		tb.reach[d] = make([]int, b.k)
	}
	for i := range b.k {
		channel, rest := i/kernel, i%kernel
		if l.byTap {
			rest, channel = i/(b.k/kernel), i%(b.k/kernel)
		}
		for d := len(t.kernel) - 1; d >= 0; d-- {
			tb.reach[d][i] = rest % t.kernel[d] * t.dilation[d]
			tb.offset[i] += tb.reach[d][i] * t.step[d]
			rest /= t.kernel[d]
		}
		tb.offset[i] += channel * t.channel
	}
	for i := b.k - 1; i >= 0; i-- {
		tb.run[i] = 1
		next := i + 1
		if next < b.k && tb.offset[next] == tb.offset[i]+1 && !slices.ContainsFunc(tb.reach, func(r []int) bool { return r[next] != r[i] }) {
			tb.run[i] += tb.run[next]
		}
	}
	return tb
}

// rows are the weights by output, then by product.
func (l *layer) rows(w []float32) []float32 {
	switch {
	case l.part != nil:
		return l.part.rows(w)
	case l.each != nil:
		return w
	case l.turned != nil:
		return l.columns(w)
	case l.batch != nil:
		return l.batchRows(w)
	case l.byColumn:
		return transpose(w, l.groupK, l.groupOuts)
	}
	return w
}

// transpose returns the columns of a matrix of rows × width as rows.
func transpose(w []float32, rows, width int) []float32 {
	t := make([]float32, len(w))
	const tile = 64 // both sides of a tile stay in the first-level cache
	for r0 := 0; r0 < rows; r0 += tile {
		for c0 := 0; c0 < width; c0 += tile {
			for r := r0; r < min(r0+tile, rows); r++ {
				for c := c0; c < min(c0+tile, width); c++ {
					t[c*rows+r] = w[r*width+c]
				}
			}
		}
	}
	return t
}

// pixelPlace is where the elements of a pixel's row of a matrix are.
type pixelPlace struct {
	*block
	at     tensor.Range // of the row, in the source matrices
	base   int          // in the values
	origin [maxRank]int // of the first tap, along each window axis
	inside bool         // no tap is in padding
}

// locate finds a pixel of a matrix.
func (o *operands) locate(p *pixelPlace, matrix, pixel int) {
	b := p.block
	p.base, p.inside = o.source(b.first+matrix*b.merge), true
	q, pixel := o.classOf(pixel)
	window := len(o.windows)
	for i := len(o.axes) - 1; i >= 0; i-- {
		a, r := &o.axes[i], q.at[i]
		at := r.Lo + pixel%r.Len()
		pixel /= r.Len()
		p.base += at * a.src
		if a.window {
			window--
			p.base -= a.pad * o.taps.step[window]
			p.origin[window] = at*a.stride - a.pad
			if p.origin[window] < 0 || p.origin[window]+a.reach >= a.extent {
				p.inside = false
			}
		}
	}
}

// fill reads n elements from k0 on of a pixel's row into columns of a buffer, of every set. Padding, and elements beyond the
// row, are 0.
func (o *operands) fill(to [][]float32, first, length int, p *pixelPlace, k0 int) {
	n := max(0, min(length, p.k-k0))
	for _, v := range to {
		clear(v[first+n : first+length])
	}
	table := o.tables[p.merge]
	offset, run := table.offset[k0:k0+n], table.run[k0:k0+n]
	next := 0
elements:
	for i := 0; i < n; i = next {
		m := min(run[i], n-i)
		next = i + m
		if !p.inside {
			for d, w := range o.windows {
				if at := p.origin[d] + table.reach[d][k0+i]; at < 0 || at >= o.axes[w].extent {
					for _, v := range to {
						clear(v[first+i : first+next])
					}
					continue elements
				}
			}
		}
		from := p.base + offset[i]
		for s, v := range to {
			if x := o.x[s]; m == 1 {
				v[first+i] = x[from]
			} else {
				copy(v[first+i:first+next], x[from:])
			}
		}
	}
}

// maxRank is the most spatial dimensions that package op's Conv has.
const maxRank = 3

// bankRow is the contents of a row of a bank for an item: weights from an element on, and
// zeros around them.
type bankRow struct {
	at    int
	w     []float32
	phase int // number of the first weight in the operand, modulo four; 0 where weights are gathered
}

// bankRow returns the row for one output of an item, a part of the operand if the weights are
// contiguous there. It is empty for a bank without an output.
func (o *operands) bankRow(p *part, matrix, chunk, output int) bankRow {
	k0, r := (p.k0+chunk*p.cols)*p.lanes, bankRow{}
	o.eachWeight(p, matrix, chunk, output, func(k, weight, n int, all bool) {
		if all {
			r = bankRow{k - k0, o.w[weight:][:n], weight % 4}
			return
		}
		if r.w == nil {
			r.w = make([]float32, p.cols*p.lanes)
		}
		copy(r.w[k-k0:], o.w[weight:][:n])
	})
	return r
}

// eachWeight calls f for each run of n weights of an output of an item: they are for products
// k on of the matrix and start at the given weight of the operand. all says that there is no
// other run.
func (l *layer) eachWeight(p *part, matrix, chunk, output int, f func(k, weight, n int, all bool)) {
	if output >= p.outs {
		return
	}
	out := p.out0 + matrix*p.outs + output
	group := out/l.groupOuts - p.first - matrix*p.merge // in the pixel's row
	size, step, count := l.groupK, 0, 1
	if l.byTap && p.merge > 1 {
		size, step, count = l.channels(), l.channels()*p.merge, l.groupK/l.channels()
	}
	lo := (p.k0 + chunk*p.cols) * p.lanes
	hi := lo + p.cols*p.lanes
	for i := range count {
		first := group*size + i*step
		if from, to := max(lo, first), min(hi, first+size); from < to {
			f(from, out*l.groupK+i*size+from-first, to-from, count == 1)
		}
	}
}

// write finishes the results and writes them to the cut's box of dst.
func (c *mappedCode) write(results *Sums, o *operands, in []*tensor.Tensor, dst *tensor.Tensor) {
	f := c.newFinisher(o, in, dst)
	var of *layer
	for _, b := range c.layer.blocks(c.merge, 1) {
		if b.layer != of {
			of = b.layer
			f.locate(of)
		}
		for m := range b.count {
			f.write(results, b.result+m*b.pixels*b.outs, b.out0+m*b.outs, b.outs)
		}
	}
	for _, l := range c.layer.empty {
		f.locate(l)
		f.write(newResults(l.results(), results.Exact != nil), 0, l.outs.Lo, l.outs.Len())
	}
}
