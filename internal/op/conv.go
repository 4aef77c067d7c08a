package op

import (
	"fmt"
	"runtime"
	"slices"

	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// convOps are the convolutions: X[N,C,spatial…], W, and optionally B[M]; one to
// three spatial dimensions.
var convOps = []Op{
	{
		Name: "Conv", MinIn: 2, MaxIn: 3,
		Attrs: slices.Concat(spatialAttrs, []Attr{{Name: "dilations", Kind: Ints}, {Name: "group", Kind: Int, Default: int64(1)}}),
		Type:  floating, Shape: convShape, Need: convNeed, MACs: convMACs, Eval: convEval,
	},
	{
		Name: "ConvTranspose", MinIn: 2, MaxIn: 3,
		Attrs: slices.Concat(spatialAttrs, []Attr{
			{Name: "dilations", Kind: Ints}, {Name: "output_padding", Kind: Ints}, {Name: "group", Kind: Int, Default: int64(1)},
		}),
		Type: floating, Shape: transposedShape, Need: transposedNeed, MACs: transposedMACs, Eval: transposedEval,
	},
}

func convShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if err := rank(0, x, 3, 5); err != nil {
		return nil, err
	}
	if err := rank(1, w, len(x), len(x)); err != nil {
		return nil, err
	}
	g, m := a.Int("group"), w[0]
	if g < 1 || m%g != 0 || w[1]*g != x[1] {
		return nil, fmt.Errorf("group %d: %d input channels and weights %v do not fit", g, x[1], w)
	}
	if err := line(in, 2, m); err != nil {
		return nil, err
	}
	v, err := windows(a, x[2:], false)
	if err != nil {
		return nil, err
	}
	if k := a.Ints("kernel_shape"); !slices.Equal(k, w[2:]) {
		return nil, fmt.Errorf("kernel_shape %v: %v as the weights %v wanted", k, []int(w[2:]), w)
	}
	return append(tensor.Shape{x[0], m}, outs(v)...), nil
}

// groups is the range of the groups that the channels r, per of them a group,
// belong to.
func groups(r tensor.Range, per int) tensor.Range {
	return tensor.Range{Lo: r.Lo / per, Hi: (r.Hi-1)/per + 1}
}

// scaled is the range of the channels of the groups r, per of them a group.
func scaled(r tensor.Range, per int) tensor.Range {
	return tensor.Range{Lo: r.Lo * per, Hi: r.Hi * per}
}

func convNeed(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	x, w := in[0], in[1]
	g := groups(out[1], w[0]/a.Int("group"))
	need := []tensor.Box{
		append(tensor.Box{out[0], scaled(g, w[1])}, needAll(windowsOf(a, x[2:], false), out[2:])...),
		tensor.Full(w).With(0, out[1]),
	}
	if len(in) > 2 {
		need = append(need, tensor.Box{out[1]})
	}
	return need
}

func convMACs(_ Attrs, in []tensor.Shape, out tensor.Box) int64 {
	return int64(out.Size()) * int64(in[1][1:].Size())
}

// convolution is one evaluation of Conv.
type convolution struct {
	x, w, bias, y []float32
	win           [3]window
	out           [3]tensor.Range // the box's spatial part
	c, m          int             // channels of x and y
	cg, mg        int             // channels a group
}

// fewChannels is the number of output channels a group below which packing for a
// matrix product costs more than it saves (measured).
const fewChannels = 6

func convEval(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	w := in[1].Shape
	v := &convolution{
		x: in[0].Floats(), w: in[1].Floats(), y: dst.Floats(),
		c: in[0].Shape[1], m: w[0], cg: w[1], mg: w[0] / a.Int("group"),
	}
	v.win, v.out = cube(windowsOf(a, in[0].Shape[2:], false), out[2:])
	if len(in) > 2 {
		v.bias = in[2].Floats()
	}
	if layout, ok := v.newBand(); ok && v.mg < fewChannels {
		v.channels(out, layout)
		return
	}
	jobs := v.jobs(out)
	parallel(len(jobs), func(i int) { v.tile(jobs[i]) })
}

// plane is the number of values of one channel of the input, and of the output.
func (v *convolution) plane() (in, out int) {
	in, out = 1, 1
	for _, w := range v.win {
		in, out = in*w.in, out*w.out
	}
	return in, out
}

// job is a part of the box that one matrix product makes: pixels p0 to p1, in
// row-major order of the box's spatial part, of some channels of one group.
type job struct {
	n, group int
	m        tensor.Range
	p        tensor.Range
}

// maxHeight bounds the scratch memory of a job, to about 1 MB a worker; leastHeight is what packing the input pays for
// (estimated).
const maxHeight, leastHeight = 1024, 64

// jobs divides the box. The division has no effect on the values.
func (v *convolution) jobs(out tensor.Box) []job {
	pixels := out[2:].Size()
	gs := groups(out[1], v.mg)
	across := ceilDiv(pixels, blockWidth)
	wide := ceilDiv(ceilDiv(pixels, across), 2*vector.Columns) * 2 * vector.Columns
	// Few pixels (the last layers of a network) leave a core idle unless channels are divided too.
	tall := min(v.mg, maxHeight)
	if few, workers := out[0].Len()*gs.Len()*across, runtime.GOMAXPROCS(0); workers > 1 && few < 2*workers {
		tall = min(tall, max(leastHeight, ceilDiv(v.mg, ceilDiv(2*workers, few))))
	}
	var list []job
	for n := out[0].Lo; n < out[0].Hi; n++ {
		for g := gs.Lo; g < gs.Hi; g++ {
			lo, hi := max(out[1].Lo, g*v.mg), min(out[1].Hi, (g+1)*v.mg)
			for m := lo; m < hi; m += tall {
				for p := 0; p < pixels; p += wide {
					list = append(list, job{n, g, tensor.Range{Lo: m, Hi: min(hi, m+tall)}, tensor.Range{Lo: p, Hi: min(pixels, p+wide)}})
				}
			}
		}
	}
	return list
}

// segment is a run of a job's pixels that lie in one row of the output.
type segment struct{ at, d, h, w, n int }

func (v *convolution) segments(p tensor.Range) []segment {
	nh, nw := v.out[1].Len(), v.out[2].Len()
	var list []segment
	for i := p.Lo; i < p.Hi; {
		row, col := i/nw, i%nw
		n := min(nw-col, p.Hi-i)
		list = append(list, segment{i - p.Lo, v.out[0].Lo + row/nh, v.out[1].Lo + row%nh, v.out[2].Lo + col, n})
		i += n
	}
	return list
}

// tapRun is a run of a job's pixels under a value of the kernel that are inputs, not padding: from is the first one's place
// in a channel.
type tapRun struct{ at, n, from int }

// maxTaps bounds the values of a kernel of which a job keeps the runs, in runs: 1.5 MB. The runs of others are found
// again in each channel.
const maxTaps = 1 << 16

// tapRuns is the function that lists those of the value of the kernel with a number.
func (v *convolution) tapRuns(segs []segment) func(tap int) []tapRun {
	n := v.kernel()
	if n*len(segs) > maxTaps {
		var list []tapRun
		return func(tap int) []tapRun {
			list = v.runsOf(tap, segs, list[:0])
			return list
		}
	}
	taps := make([][]tapRun, n)
	for tap := range taps {
		taps[tap] = v.runsOf(tap, segs, nil)
	}
	return func(tap int) []tapRun { return taps[tap] }
}

// runsOf adds the runs under a value of the kernel to list.
func (v *convolution) runsOf(tap int, segs []segment, list []tapRun) []tapRun {
	d, h, w := &v.win[0], &v.win[1], &v.win[2]
	jd, jh, jw := tap/w.kernel/h.kernel, tap/w.kernel%h.kernel, tap%w.kernel
	for _, s := range segs {
		id, ih := d.index(s.d, jd), h.index(s.h, jh)
		r := w.valid(tensor.Range{Lo: s.w, Hi: s.w + s.n}, jw)
		if id < 0 || id >= d.in || ih < 0 || ih >= h.in || r.Len() == 0 {
			continue
		}
		p := tapRun{s.at + r.Lo - s.w, r.Len(), (id*h.in+ih)*w.in + w.index(r.Lo, jw)}
		if n := len(list); n > 0 && list[n-1].at+list[n-1].n == p.at && list[n-1].from+list[n-1].n*w.stride == p.from {
			list[n-1].n += p.n
			continue
		}
		list = append(list, p)
	}
	return list
}

// factors are the two matrices of a job: the weights, and the unfolded input (im2col).
func (v *convolution) factors(j job, segs []segment) (left leftFactor, right rightFactor) {
	px, _ := v.plane()
	taps, kernel, stride := v.tapRuns(segs), v.kernel(), v.win[2].stride
	depth, n := v.depth(), j.p.Len()
	x := v.x[(j.n*v.c+j.group*v.cg)*px:]
	left = func(k0, _ int, _ *[]float32) matrix32 { return matrix32{V: v.w[j.m.Lo*depth+k0:], Step: depth} }
	right = func(k0, k1 int, to matrix32) {
		for k := k0; k < k1; k++ {
			row, channel := to.V[(k-k0)*to.Step:][:n], x[k/kernel*px:]
			at := 0 // what is written
			for _, p := range taps(k % kernel) {
				clear(row[at:p.at])
				at = p.at + p.n
				strided(row[p.at:at], channel[p.from:], stride)
			}
			clear(row[at:])
		}
	}
	return left, right
}

// kernel is the number of values of the kernel of a channel.
func (v *convolution) kernel() int { return v.win[0].kernel * v.win[1].kernel * v.win[2].kernel }

// depth is the number of products of an output.
func (v *convolution) depth() int { return v.cg * v.kernel() }

// place is the place of a segment in the output of a channel.
func (v *convolution) place(n, m int, s segment) int {
	_, py := v.plane()
	return (n*v.m+m)*py + (s.d*v.win[1].out+s.h)*v.win[2].out + s.w
}

// tile performs one job as a product.
func (v *convolution) tile(j job) {
	segs := v.segments(j.p)
	left, right := v.factors(j, segs)
	t := blocks.Get().(*block)
	defer blocks.Put(t)
	y := t.product(j.m.Len(), j.p.Len(), v.depth(), left, right)
	_, py := v.plane()
	whole := segs[:0] // rows that lie behind each other are one
	for _, seg := range segs {
		at, n := v.place(0, 0, seg), len(whole)-1
		if n >= 0 && v.place(0, 0, whole[n])+whole[n].n == at {
			whole[n].n += seg.n
			continue
		}
		whole = append(whole, seg)
	}
	for i := range j.m.Len() {
		var b float32
		if v.bias != nil {
			b = v.bias[j.m.Lo+i]
		}
		to, from := v.y[(j.n*v.m+j.m.Lo+i)*py:], y.V[i*y.Step:]
		for _, seg := range whole {
			vector.Shift(to[v.place(0, 0, seg):][:seg.n], from[seg.at:], b)
		}
	}
}

// strided writes every step-th value of line to to.
func strided(to, line []float32, step int) {
	if step == 1 {
		copy(to, line)
		return
	}
	i := 0
	for l := range to {
		to[l] = line[i]
		i += step
	}
}

// spread writes every step-th value of line from index i to the part r of to, and
// zeros elsewhere.
func spread(to, line []float32, r tensor.Range, i, step int) {
	if r.Len() == 0 {
		clear(to)
		return
	}
	clear(to[:r.Lo])
	clear(to[r.Hi:])
	strided(to[r.Lo:r.Hi], line[i:], step)
}
