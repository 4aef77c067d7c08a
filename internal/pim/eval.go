package pim

import (
	"runtime"
	"sync"
	"sync/atomic"

	"pimflow/internal/tensor"
)

// Eval performs the streams on values: banks hold the weights, GWRITE fills the
// buffer from the input, READRES adds what the banks have summed up, in float32,
// to the result. Then scale, bias and epilogue are applied and the cut's box of
// dst is written. The order of the channels is that of the additions, whatever
// runs at once. Padding is multiplied like any input: under it a weight that is
// not finite gives NaN.
func (c *Code) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	results := make([]float32, c.layer.results())
	o := c.operands(in)
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
			for {
				i := int(next.Add(1) - 1)
				if i >= len(shares) {
					return
				}
				part, at := c.perform(shares[i], o)
				<-added[i]
				for j, v := range part {
					results[at+j] += v
				}
				close(added[i+1])
			}
		})
	}
	wg.Wait()
	c.write(results, in, dst)
	c.graph.Finish(c.cut, in, dst)
	return nil
}

// operands are the values that streams address.
type operands struct {
	*layer
	x       []float32
	w       []float32 // by output, then k
	offset  []int     // of element k of a pixel in x, from its first
	reach   [][]int   // the same along each window axis
	windows []int     // the axes that are windows
}

func (c *Code) operands(in []*tensor.Tensor) *operands {
	o := &operands{layer: c.layer, x: in[0].Floats(), w: in[1].Floats()}
	if c.layer.byColumn {
		o.w = transpose(o.w, o.groupK, o.groupOuts)
	}
	k := 0
	for i := range c.parts {
		k = max(k, c.parts[i].k)
	}
	for i, a := range o.axes {
		if a.window {
			o.windows = append(o.windows, i)
		}
	}
	t := &o.taps
	o.offset = make([]int, k)
	o.reach = make([][]int, len(t.kernel))
	for d := range o.reach {
		o.reach[d] = make([]int, k)
	}
	for i := range k {
		rest := i
		for d := len(t.kernel) - 1; d >= 0; d-- {
			o.reach[d][i] = rest % t.kernel[d] * t.dilation[d]
			o.offset[i] += o.reach[d][i] * t.step[d]
			rest /= t.kernel[d]
		}
		o.offset[i] += rest * t.channel
	}
	return o
}

// transpose returns the columns of a matrix of rows × columns as rows.
func transpose(w []float32, rows, columns int) []float32 {
	t := make([]float32, len(w))
	const tile = 64 // both sides of a tile stay in the first-level cache
	for r0 := 0; r0 < rows; r0 += tile {
		for c0 := 0; c0 < columns; c0 += tile {
			for r := r0; r < min(r0+tile, rows); r++ {
				for c := c0; c < min(c0+tile, columns); c++ {
					t[c*rows+r] = w[r*columns+c]
				}
			}
		}
	}
	return t
}

// fill reads elements k0 on of a pixel's row of a matrix; padding, and elements
// beyond the row, are 0.
func (o *operands) fill(to []float32, b *block, matrix, pixel, k0 int) {
	kernel := tensor.Shape(o.taps.kernel).Size()
	base := (b.first + matrix*b.merge) * (o.groupK / kernel) * o.taps.channel
	inside := true
	var origin [maxRank]int
	window := len(o.windows)
	for i := len(o.axes) - 1; i >= 0; i-- {
		a := &o.axes[i]
		at := a.Lo + pixel%a.Len()
		pixel /= a.Len()
		base += at * a.src
		if a.window {
			window--
			base -= a.pad * o.taps.step[window]
			origin[window] = at*a.stride - a.pad
			if origin[window] < 0 || origin[window]+a.reach >= a.extent {
				inside = false
			}
		}
	}
	n := max(0, min(len(to), b.k-k0))
	clear(to[n:])
	offset := o.offset[k0 : k0+n]
	if inside {
		for i, off := range offset {
			to[i] = o.x[base+off]
		}
		return
	}
next:
	for i, off := range offset {
		to[i] = 0
		for d, w := range o.windows {
			if p := origin[d] + o.reach[d][k0+i]; p < 0 || p >= o.axes[w].extent {
				continue next
			}
		}
		to[i] = o.x[base+off]
	}
}

// maxRank is the most spatial dimensions that package op's Conv has.
const maxRank = 3

// bankRow is what a row of a bank holds for an item: from an element on, weights,
// and zeros around them. It stands there as often as pixels fit the buffer.
type bankRow struct {
	at int
	w  []float32
}

// bankRow returns the row for one output of an item, a part of the operand; it is
// empty for a bank without an output.
func (o *operands) bankRow(p *part, matrix, chunk, output int) bankRow {
	lo, hi, first := o.kept(p, matrix, chunk, output)
	if lo >= hi {
		return bankRow{}
	}
	out := p.out0 + matrix*p.outs + output
	return bankRow{lo - (p.k0+chunk*p.cols)*p.lanes, o.w[out*o.groupK:][lo-first : hi-first]}
}

// kept is the elements lo to hi of a matrix's products that an output of an item
// has weights for, none where lo is hi; its group has them from first on.
func (l *layer) kept(p *part, matrix, chunk, output int) (lo, hi, first int) {
	if output >= p.outs {
		return 0, 0, 0
	}
	out := p.out0 + matrix*p.outs + output
	k0 := (p.k0 + chunk*p.cols) * p.lanes
	first = (out/l.groupOuts - p.first - matrix*p.merge) * l.groupK // of the group's elements in the pixel's row
	lo = max(k0, first)
	return lo, max(lo, min(k0+p.cols*p.lanes, first+l.groupK)), first
}

// write finishes the results and writes them to the cut's box of dst.
func (c *Code) write(results []float32, in []*tensor.Tensor, dst *tensor.Tensor) {
	l, y := c.layer, dst.Floats()
	typ := c.graph.Nodes[c.cut.Node].Type
	var bias []float32
	var step []int
	if l.bias >= 0 {
		bias, step = in[l.bias].Floats(), l.biasStep
	}
	at := make([]int, l.pixels) // of a pixel in dst
	ab := make([]int, l.pixels) // and in bias
	for p := range at {
		rest := p
		for i := len(l.axes) - 1; i >= 0; i-- {
			a := &l.axes[i]
			v := a.Lo + rest%a.Len()
			rest /= a.Len()
			at[p] += v * a.dst
			if bias != nil {
				ab[p] += v * step[i]
			}
		}
	}
	for _, b := range l.blocks(c.merge, 1) {
		for m := range b.count {
			r := results[b.result+m*l.pixels*b.outs:]
			for p := range l.pixels {
				for i, v := range r[p*b.outs : (p+1)*b.outs] {
					out := b.out0 + m*b.outs + i
					v *= l.alpha
					if bias != nil {
						v += l.beta * bias[ab[p]+out*step[len(step)-1]]
					}
					y[at[p]+out*l.outDst] = tensor.Round(typ, v)
				}
			}
		}
	}
}
