package op

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
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
	if err := vector(in, 2, m); err != nil {
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
	if v.mg < fewChannels {
		v.channels(out)
		return
	}
	need := convNeed(a, []tensor.Shape{in[0].Shape, w}, out)
	fin := finite(in[0], need[0]) && finite(in[1], need[1])
	jobs := v.jobs(out)
	parallel(len(jobs), func(i int) { v.tile(jobs[i], fin) })
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

// maxHeight bounds the scratch memory of a job, to 2 MB a worker.
const maxHeight = 1024

// jobs divides the box. The division has no effect on the values.
func (v *convolution) jobs(out tensor.Box) []job {
	pixels := out[2:].Size()
	gs := groups(out[1], v.mg)
	// Few pixels (the last layers of a network) leave a core idle unless channels
	// are divided too.
	tall := min(v.mg, maxHeight)
	if out[0].Len()*gs.Len()*ceilDiv(pixels, blockWidth) < 8 {
		tall = max(blockHeight, ceilDiv(tall, 4))
	}
	var list []job
	for n := out[0].Lo; n < out[0].Hi; n++ {
		for g := gs.Lo; g < gs.Hi; g++ {
			lo, hi := max(out[1].Lo, g*v.mg), min(out[1].Hi, (g+1)*v.mg)
			for m := lo; m < hi; m += tall {
				for p := 0; p < pixels; p += blockWidth {
					list = append(list, job{n, g, tensor.Range{Lo: m, Hi: min(hi, m+tall)}, tensor.Range{Lo: p, Hi: min(pixels, p+blockWidth)}})
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

// factors are the two matrices of a job, of which a product asks for columns and rows k0 to k1 of the
// products: the weights, and the unfolded input (im2col).
func (v *convolution) factors(j job, segs []segment) (left, right func(k0, k1 int, to []float32)) {
	px, _ := v.plane()
	d, h, w := v.win[0], v.win[1], v.win[2]
	depth := v.depth()
	m, n := j.m.Len(), j.p.Len()
	x := v.x[(j.n*v.c+j.group*v.cg)*px:]
	left = func(k0, k1 int, to []float32) {
		for i := range m {
			copy(to[i*(k1-k0):(i+1)*(k1-k0)], v.w[(j.m.Lo+i)*depth+k0:])
		}
	}
	right = func(k0, k1 int, to []float32) {
		for k := k0; k < k1; k++ {
			jw, jh, jd := k%w.kernel, k/w.kernel%h.kernel, k/w.kernel/h.kernel%d.kernel
			c := k / w.kernel / h.kernel / d.kernel
			row := to[(k-k0)*n : (k-k0+1)*n]
			for _, s := range segs {
				id, ih := d.index(s.d, jd), h.index(s.h, jh)
				part := row[s.at : s.at+s.n]
				if id < 0 || id >= d.in || ih < 0 || ih >= h.in {
					clear(part)
					continue
				}
				unfold(part, x[((c*d.in+id)*h.in+ih)*w.in:][:w.in], w, s.w, jw)
			}
		}
	}
	return left, right
}

// depth is the number of products of an output.
func (v *convolution) depth() int { return v.cg * v.win[0].kernel * v.win[1].kernel * v.win[2].kernel }

// place is the place of a segment in the output of a channel.
func (v *convolution) place(n, m int, s segment) int {
	_, py := v.plane()
	return (n*v.m+m)*py + (s.d*v.win[1].out+s.h)*v.win[2].out + s.w
}

// tile performs one job as a product.
func (v *convolution) tile(j job, finite bool) {
	segs := v.segments(j.p)
	left, right := v.factors(j, segs)
	m, n, depth := j.m.Len(), j.p.Len(), v.depth()
	y := newBlock(m, n, depth).product(m, n, depth, finite, left, right)
	for i := range m {
		var b float32
		if v.bias != nil {
			b = v.bias[j.m.Lo+i]
		}
		for _, s := range segs {
			to := v.y[v.place(j.n, j.m.Lo+i, s):][:s.n]
			for l, a := range y[i*n+s.at : i*n+s.at+s.n] {
				to[l] = a + b
			}
		}
	}
}

// unfold writes the inputs under kernel value j at outputs o, o+1, … of one row.
func unfold(to, line []float32, w window, o, j int) {
	r := w.valid(tensor.Range{Lo: o, Hi: o + len(to)}, j)
	spread(to, line, tensor.Range{Lo: r.Lo - o, Hi: r.Hi - o}, w.index(r.Lo, j), w.stride)
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
	if step == 1 {
		copy(to[r.Lo:r.Hi], line[i:])
		return
	}
	for l := r.Lo; l < r.Hi; l++ {
		to[l] = line[i]
		i += step
	}
}
