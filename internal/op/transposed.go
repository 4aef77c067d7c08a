package op

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
)

// transposedWindows are the windows of ConvTranspose: input i reaches the outputs
// i·stride − begin + j·dilation.
func transposedWindows(a Attrs, spatial tensor.Shape) ([]window, error) {
	w, err := rawWindows(a, spatial)
	if err != nil {
		return nil, err
	}
	if err := lengths(a, len(w), "output_padding"); err != nil {
		return nil, err
	}
	for d, extra := range a.Ints("output_padding") {
		v := &w[d]
		if extra < 0 {
			return nil, fmt.Errorf("output_padding %v: 0 or more wanted", a["output_padding"])
		}
		if v.out = v.stride*(v.in-1) + extra + v.extent() - v.begin - v.end; v.out < 1 || v.in < 1 {
			return nil, fmt.Errorf("spatial dimension %d: pads %d and %d leave nothing of the value", d, v.begin, v.end)
		}
	}
	return w, nil
}

// sources is the range of the inputs that reach the outputs r.
func (w *window) sources(r tensor.Range) tensor.Range {
	return w.reach(tensor.Range{Lo: r.Lo - w.extent() + 1, Hi: r.Hi}, 0)
}

// reach is the range of the inputs whose kernel value j falls on the outputs r.
func (w *window) reach(r tensor.Range, j int) tensor.Range {
	at := w.begin - j*w.dilation
	lo := max(0, ceilDiv(r.Lo+at, w.stride))
	hi := min(w.in, ceilDiv(r.Hi+at, w.stride))
	lo = min(lo, w.in)
	return tensor.Range{Lo: lo, Hi: max(lo, hi)}
}

func transposedShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if err := rank(0, x, 3, 5); err != nil {
		return nil, err
	}
	if err := rank(1, w, len(x), len(x)); err != nil {
		return nil, err
	}
	g := a.Int("group")
	if g < 1 || x[1]%g != 0 || w[0] != x[1] {
		return nil, fmt.Errorf("group %d: %d input channels and weights %v do not fit", g, x[1], w)
	}
	m := w[1] * g
	if err := line(in, 2, m); err != nil {
		return nil, err
	}
	v, err := transposedWindows(a, x[2:])
	if err != nil {
		return nil, err
	}
	if k := a.Ints("kernel_shape"); !slices.Equal(k, w[2:]) {
		return nil, fmt.Errorf("kernel_shape %v: %v as the weights %v wanted", k, []int(w[2:]), w)
	}
	return append(tensor.Shape{x[0], m}, outs(v)...), nil
}

func transposedNeed(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	x, w := in[0], in[1]
	win, err := transposedWindows(a, x[2:])
	if err != nil {
		panic(err)
	}
	mg, cg := w[1], x[1]/a.Int("group")
	g := groups(out[1], mg)
	c := scaled(g, cg)
	xs := tensor.Box{out[0], c}
	for d := range win {
		xs = append(xs, win[d].sources(out[2+d]))
	}
	ws := tensor.Full(w).With(0, c)
	if g.Len() == 1 {
		ws[1] = tensor.Range{Lo: out[1].Lo - g.Lo*mg, Hi: out[1].Hi - g.Lo*mg}
	}
	need := []tensor.Box{xs, ws}
	if len(in) > 2 {
		need = append(need, tensor.Box{out[1]})
	}
	return need
}

// transposedMACs counts one multiplication for each value of the kernel at each
// input. Those that fall into the padding, or beside it, belong to the first and
// the last outputs, so that the boxes of a cut add up to the whole.
func transposedMACs(a Attrs, in []tensor.Shape, out tensor.Box) int64 {
	x, w := in[0], in[1]
	win, err := transposedWindows(a, x[2:])
	if err != nil {
		panic(err)
	}
	macs := int64(out[0].Len()) * int64(out[1].Len()) * int64(x[1]/a.Int("group"))
	for d, v := range win {
		r, n := out[2+d], 0
		if r.Lo == 0 {
			r.Lo = -v.begin
		}
		if r.Hi == v.out {
			r.Hi = v.out + v.end
		}
		for j := range w[2+d] {
			n += v.reach(r, j).Len()
		}
		macs *= int64(n)
	}
	return macs
}

func transposedEval(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	xs, ws := in[0].Shape, in[1].Shape
	win, err := transposedWindows(a, xs[2:])
	if err != nil {
		panic(err)
	}
	mg, cg := ws[1], xs[1]/a.Int("group")
	x, w, y := in[0].Floats(), in[1].Floats(), dst.Floats()
	v, o := cube(win, out[2:])
	d, h, l := v[0], v[1], v[2]
	px, py, kernel := d.in*h.in*l.in, d.out*h.out*l.out, d.kernel*h.kernel*l.kernel
	nm := out[1].Len()
	parallel(out[0].Len()*nm, func(i int) {
		n, m := out[0].Lo+i/nm, out[1].Lo+i%nm
		g := m / mg
		for od := o[0].Lo; od < o[0].Hi; od++ {
			for oh := o[1].Lo; oh < o[1].Hi; oh++ {
				row := y[(n*dst.Shape[1]+m)*py+(od*h.out+oh)*l.out:][:l.out]
				clear(row[o[2].Lo:o[2].Hi])
				for c := g * cg; c < (g+1)*cg; c++ {
					for jd := range d.kernel {
						rd := d.reach(tensor.Range{Lo: od, Hi: od + 1}, jd)
						for jh := range h.kernel {
							rh := h.reach(tensor.Range{Lo: oh, Hi: oh + 1}, jh)
							if rd.Len()*rh.Len() == 0 {
								continue
							}
							line := x[(n*xs[1]+c)*px+(rd.Lo*h.in+rh.Lo)*l.in:][:l.in]
							ks := w[(c*mg+m%mg)*kernel+(jd*h.kernel+jh)*l.kernel:][:l.kernel]
							for jw, k := range ks {
								r := l.reach(o[2], jw)
								for i := r.Lo; i < r.Hi; i++ {
									row[i*l.stride-l.begin+jw*l.dilation] += float32(k * line[i])
								}
							}
						}
					}
				}
				if len(in) > 2 {
					for i := o[2].Lo; i < o[2].Hi; i++ {
						row[i] += in[2].Floats()[m]
					}
				}
			}
		}
	})
}
