package op

import (
	"fmt"
	"slices"

	"pimflow/internal/tensor"
)

// layoutOps move values without changing them.
var layoutOps = []Op{
	{
		Name: "Concat", MinIn: 1, MaxIn: -1, Type: same, Attrs: []Attr{{Name: "axis", Kind: Int}},
		Shape: concatShape, Need: concatNeed,
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			d := axisOf(a, len(dst.Shape))
			at := 0
			for _, x := range in {
				n := x.Shape[d]
				part := out.With(d, tensor.Range{Lo: max(out[d].Lo, at), Hi: min(out[d].Hi, at+n)})
				v := of(x.Shape)
				v.off = -at * v.st[d]
				move(dst, part, x, v)
				at += n
			}
		},
	},
	{
		Name: "Slice", MinIn: 1, MaxIn: 1,
		Attrs: []Attr{{Name: "starts", Kind: Ints, Wide: true}, {Name: "ends", Kind: Ints, Wide: true}, {Name: "axes", Kind: Ints}, {Name: "steps", Kind: Ints}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			p, err := pieces(a, in[0])
			if err != nil {
				return nil, err
			}
			s := make(tensor.Shape, len(p))
			for d, q := range p {
				s[d] = q.n
			}
			return s, nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b := make(tensor.Box, len(out))
			for d, q := range piecesOf(a, in[0]) {
				i, j := q.start+out[d].Lo*q.step, q.start+(out[d].Hi-1)*q.step
				b[d] = tensor.Range{Lo: min(i, j), Hi: max(i, j) + 1}
			}
			return []tensor.Box{b}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			v := of(in[0].Shape)
			for d, q := range piecesOf(a, in[0].Shape) {
				v.off += q.start * v.st[d]
				v.st[d] *= q.step
			}
			move(dst, out, in[0], v)
		},
	},
	{
		Name: "Pad", MinIn: 1, MaxIn: 1,
		Attrs: []Attr{
			{Name: "pads", Kind: Ints}, {Name: "mode", Kind: String, Default: "constant", OneOf: []string{"constant", "reflect", "edge", "wrap"}},
			{Name: "value", Kind: Float, Default: float32(0)},
		},
		Shape: padShape,
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return []tensor.Box{nothing(padHull(a, in[0], out))}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			take(dst, out, in[0], padIndices(a, in[0].Shape, out), a.Float("value"))
		},
	},
	{
		Name: "Reshape", MinIn: 1, MaxIn: 1, View: true, Attrs: []Attr{{Name: "shape", Kind: Ints}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			s := tensor.Shape(a.Ints("shape"))
			if slices.ContainsFunc(s, func(d int) bool { return d < 0 }) || s.Size() != in[0].Size() {
				return nil, fmt.Errorf("shape %v: the %d values of %v wanted", a["shape"], in[0].Size(), in[0])
			}
			return s, nil
		},
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			move(dst, out, in[0], of(dst.Shape))
		},
	},
	{
		Name: "Transpose", MinIn: 1, MaxIn: 1, Attrs: []Attr{{Name: "perm", Kind: Ints}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			perm, s := a.Ints("perm"), make(tensor.Shape, len(in[0]))
			each := make([]int, len(s))
			for d := range each {
				each[d] = d
			}
			if !slices.Equal(slices.Sorted(slices.Values(perm)), each) {
				return nil, fmt.Errorf("perm %v: each of the dimensions of %v once wanted", perm, in[0])
			}
			for d, p := range perm {
				s[d] = in[0][p]
			}
			return s, nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b := make(tensor.Box, len(out))
			for d, p := range a.Ints("perm") {
				b[p] = out[d]
			}
			return []tensor.Box{b}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			st := in[0].Shape.Strides()
			v := view{0, make([]int, len(st))}
			for d, p := range a.Ints("perm") {
				v.st[d] = st[p]
			}
			move(dst, out, in[0], v)
		},
	},
	{
		Name: "Expand", MinIn: 1, MaxIn: 1, Attrs: []Attr{{Name: "shape", Kind: Ints}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			s := tensor.Shape(a.Ints("shape"))
			if b, err := broadcast(nil, []tensor.Shape{s, in[0]}); err != nil || !b.Equal(s) {
				return nil, fmt.Errorf("shape %v: a shape that %v broadcasts to wanted", a["shape"], in[0])
			}
			return s, nil
		},
		Need: broadcastNeed,
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			move(dst, out, in[0], stretch(in[0].Shape, len(dst.Shape)))
		},
	},
	{
		Name: "Tile", MinIn: 1, MaxIn: 1, Attrs: []Attr{{Name: "repeats", Kind: Ints}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			r, s := a.Ints("repeats"), in[0].Clone()
			if len(r) != len(s) || slices.ContainsFunc(r, func(n int) bool { return n < 0 }) {
				return nil, fmt.Errorf("repeats %v: %d values, 0 or more, wanted", r, len(s))
			}
			for d := range s {
				s[d] *= r[d]
			}
			return s, nil
		},
		Need: func(_ Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b := make(tensor.Box, len(out))
			for d, r := range out {
				b[d] = residues(r, in[0][d])
			}
			return []tensor.Box{b}
		},
		Eval: func(_ Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			take(dst, out, in[0], tileIndices(in[0].Shape, out), 0)
		},
	},
}

func concatShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	d, err := axis(a, len(in[0]))
	if err != nil {
		return nil, err
	}
	s := in[0].Clone()
	for i, x := range in[1:] {
		if len(x) != len(s) || !slices.Equal(x[:d], s[:d]) || !slices.Equal(x[d+1:], s[d+1:]) {
			return nil, fmt.Errorf("input %d is %v: %v but for axis %d wanted", i+1, x, in[0], d)
		}
		s[d] += x[d]
	}
	return s, nil
}

func concatNeed(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
	d := axisOf(a, len(out))
	need := make([]tensor.Box, len(in))
	at := 0
	for i, x := range in {
		r := tensor.Range{Lo: max(out[d].Lo-at, 0), Hi: min(out[d].Hi-at, x[d])}
		if r.Len() == 0 {
			r = tensor.Range{}
		}
		switch {
		case i > 0 && need[i-1][d] == r: // there may be many inputs
			need[i] = need[i-1]
		case r.Len() == 0:
			need[i] = make(tensor.Box, len(x))
		default:
			need[i] = out.With(d, r)
		}
		at += x[d]
	}
	return need
}

// piece is what Slice keeps of one dimension: n values from start.
type piece struct{ start, step, n int }

func pieces(a Attrs, x tensor.Shape) ([]piece, error) {
	axes, steps := a.Ints("axes"), a.Ints("steps")
	if err := lengths(a, len(axes), "starts", "ends", "steps"); err != nil {
		return nil, err
	}
	p := make([]piece, len(x))
	for d := range p {
		p[d] = piece{0, 1, x[d]}
	}
	seen := make([]bool, len(x))
	for i, d := range axes {
		if d < -len(x) || d >= len(x) || steps[i] == 0 {
			return nil, fmt.Errorf("axes %v, steps %v: dimensions of %v, and a step other than 0, wanted", axes, steps, x)
		}
		if d = (d + len(x)) % len(x); seen[d] {
			return nil, fmt.Errorf("axes %v: axis %d twice", axes, d)
		}
		seen[d] = true
		p[d] = pieceOf(a.Ints("starts")[i], a.Ints("ends")[i], steps[i], x[d])
	}
	return p, nil
}

// pieceOf clamps start and end, negative ones counted from the end, as ONNX
// Slice-13 says.
func pieceOf(start, end, step, n int) piece {
	if start < 0 {
		start = max(start, -n-1) + n
	}
	if end < 0 {
		end = max(end, -n-1) + n
	}
	if step > 0 {
		start, end = min(max(start, 0), n), min(max(end, 0), n)
		return piece{start, step, max(0, ceilDiv(end-start, step))}
	}
	start, end = min(max(start, 0), n-1), min(max(end, -1), n-1)
	return piece{start, step, max(0, ceilDiv(start-end, -step))}
}

func piecesOf(a Attrs, x tensor.Shape) []piece {
	p, err := pieces(a, x)
	if err != nil {
		panic(err)
	}
	return p
}

func padShape(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
	s := in[0].Clone()
	if err := lengths(a, 2*len(s), "pads"); err != nil {
		return nil, err
	}
	pads := a.Ints("pads")
	for d := range s {
		begin, end := pads[d], pads[len(s)+d]
		n := s[d]
		if s[d] += begin + end; s[d] < 0 {
			return nil, fmt.Errorf("pads %v of %v: dimension %d has not as many values", pads, in[0], d)
		}
		switch mode := a.String("mode"); {
		case mode == "constant" || s[d] == 0 || begin <= 0 && end <= 0:
		case mode == "wrap" && (begin < 0 || end < 0):
			// ONNX does not say whether the values cut off are among those repeated.
			return nil, fmt.Errorf("pads %v of %v: pads of one sign in dimension %d to wrap wanted", pads, in[0], d)
		case n == 0, mode == "reflect" && (begin >= n || end >= n):
			return nil, fmt.Errorf("pads %v of %v: less than the %d values of dimension %d to %s wanted", pads, in[0], n, d, mode)
		}
	}
	return s, nil
}

// padIndices is, for each dimension and index of the box out, the index in the
// input, or -1 where the constant is.
func padIndices(a Attrs, x tensor.Shape, out tensor.Box) [][]int {
	pads, mode := a.Ints("pads"), a.String("mode")
	return indices(out, func(d, o int) int {
		i, n := o-pads[d], x[d]
		switch {
		case i >= 0 && i < n:
			return i
		case mode == "edge":
			return min(max(i, 0), n-1)
		case mode == "wrap":
			return (i%n + n) % n
		case mode == "reflect" && i < 0:
			return -i
		case mode == "reflect":
			return 2*(n-1) - i
		}
		return -1
	})
}

func tileIndices(x tensor.Shape, out tensor.Box) [][]int {
	return indices(out, func(d, o int) int { return o % x[d] })
}

// indices lists f of every index of the box in every dimension.
func indices(out tensor.Box, f func(d, o int) int) [][]int {
	from := make([][]int, len(out))
	for d, r := range out {
		from[d] = make([]int, 0, r.Len())
		for o := r.Lo; o < r.Hi; o++ {
			from[d] = append(from[d], f(d, o))
		}
	}
	return from
}

// padHull is the hull of padIndices in each dimension.
func padHull(a Attrs, x tensor.Shape, out tensor.Box) tensor.Box {
	pads, mode := a.Ints("pads"), a.String("mode")
	b := make(tensor.Box, len(out))
	for d, r := range out {
		n := x[d]
		r = tensor.Range{Lo: r.Lo - pads[d], Hi: r.Hi - pads[d]} // in the input, or beyond it
		before, after := tensor.Range{Lo: r.Lo, Hi: min(r.Hi, 0)}, tensor.Range{Lo: max(r.Lo, n), Hi: r.Hi}
		b[d] = clip(r, n)
		switch {
		case mode == "edge":
			b[d] = tensor.Range{Lo: min(max(r.Lo, 0), n-1), Hi: min(max(r.Hi-1, 0), n-1) + 1}
		case mode == "wrap" && b[d] != r:
			first := (r.Lo%n + n) % n
			b[d] = residues(tensor.Range{Lo: first, Hi: first + r.Len()}, n)
		case mode == "reflect":
			if before.Len() > 0 {
				b[d] = join(b[d], tensor.Range{Lo: 1 - before.Hi, Hi: 1 - before.Lo})
			}
			if after.Len() > 0 {
				b[d] = join(b[d], tensor.Range{Lo: 2*n - 1 - after.Hi, Hi: 2*n - 1 - after.Lo})
			}
		}
	}
	return b
}

// clip is the part of a range in n values.
func clip(r tensor.Range, n int) tensor.Range {
	lo := min(max(r.Lo, 0), n)
	return tensor.Range{Lo: lo, Hi: max(lo, min(r.Hi, n))}
}

// join is the hull of two ranges; an empty one adds nothing.
func join(a, b tensor.Range) tensor.Range { return tensor.Box{a}.Hull(tensor.Box{b})[0] }

// nothing is b, or all ranges empty when it is empty in one dimension, as nothing is read then.
func nothing(b tensor.Box) tensor.Box {
	if b.Empty() {
		clear(b)
	}
	return b
}
