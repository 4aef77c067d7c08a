package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// blockOps move values between the channels and the pixels of X[N,C,H,W], or by
// indices that are values themselves.
var blockOps = []Op{
	{
		Name: "DepthToSpace", MinIn: 1, MaxIn: 1,
		Attrs: []Attr{{Name: "blocksize", Kind: Int}, {Name: "mode", Kind: String, Default: "DCR", OneOf: []string{"DCR", "CRD"}}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			b, x := a.Int("blocksize"), in[0]
			if err := rank(0, x, 4, 4); err != nil {
				return nil, err
			}
			if b < 1 || x[1]%(b*b) != 0 {
				return nil, fmt.Errorf("blocksize %d: its square does not divide the %d channels", b, x[1])
			}
			return tensor.Shape{x[0], x[1] / (b * b), x[2] * b, x[3] * b}, nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b, c := a.Int("blocksize"), in[0][1]
			i, j := residues(out[2], b), residues(out[3], b)
			return []tensor.Box{{out[0],
				{Lo: depthChannel(a, c, out[1].Lo, i.Lo, j.Lo), Hi: depthChannel(a, c, out[1].Hi-1, i.Hi-1, j.Hi-1) + 1},
				groups(out[2], b), groups(out[3], b)}}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			b, x := a.Int("blocksize"), in[0].Shape
			st := x.Strides()
			permute(dst, out, in[0], func(n, c, h, w int) int {
				return n*st[0] + depthChannel(a, x[1], c, h%b, w%b)*st[1] + h/b*st[2] + w/b
			})
		},
	},
	{
		Name: "SpaceToDepth", MinIn: 1, MaxIn: 1, Attrs: []Attr{{Name: "blocksize", Kind: Int}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			b, x := a.Int("blocksize"), in[0]
			if err := rank(0, x, 4, 4); err != nil {
				return nil, err
			}
			if b < 1 || x[2]%b != 0 || x[3]%b != 0 {
				return nil, fmt.Errorf("blocksize %d: it does not divide %d and %d", b, x[2], x[3])
			}
			return tensor.Shape{x[0], x[1] * b * b, x[2] / b, x[3] / b}, nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			b, c := a.Int("blocksize"), in[0][1]
			q := groups(out[1], c) // of the b·b pixels of a block
			i, j := groups(q, b), tensor.Range{Lo: 0, Hi: b}
			if i.Len() == 1 {
				j = tensor.Range{Lo: q.Lo - i.Lo*b, Hi: q.Hi - i.Lo*b}
			}
			channels := tensor.Range{Lo: 0, Hi: c}
			if q.Len() == 1 {
				channels = tensor.Range{Lo: out[1].Lo - q.Lo*c, Hi: out[1].Hi - q.Lo*c}
			}
			return []tensor.Box{{out[0], channels,
				{Lo: out[2].Lo*b + i.Lo, Hi: (out[2].Hi-1)*b + i.Hi},
				{Lo: out[3].Lo*b + j.Lo, Hi: (out[3].Hi-1)*b + j.Hi}}}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			b, x := a.Int("blocksize"), in[0].Shape
			st := x.Strides()
			permute(dst, out, in[0], func(n, c, h, w int) int {
				q := c / x[1]
				return n*st[0] + c%x[1]*st[1] + (h*b+q/b)*st[2] + w*b + q%b
			})
		},
	},
	{
		Name: "Gather", MinIn: 2, MaxIn: 2, Type: indexed, Attrs: []Attr{{Name: "axis", Kind: Int, Default: int64(0)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			d, err := axis(a, len(in[0]))
			if err != nil {
				return nil, err
			}
			return append(append(in[0][:d].Clone(), in[1]...), in[0][d+1:]...), nil
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			d := axisOf(a, len(in[0]))
			k := len(in[1])
			x := append(out[:d].Clone(), tensor.Range{Lo: 0, Hi: in[0][d]})
			return []tensor.Box{append(x, out[d+k:]...), out[d : d+k].Clone()}
		},
		Eval: gather,
	},
}

// residues is the hull of the remainders of r's indices by b.
func residues(r tensor.Range, b int) tensor.Range {
	if lo := r.Lo % b; lo+r.Len() <= b {
		return tensor.Range{Lo: lo, Hi: lo + r.Len()}
	}
	return tensor.Range{Lo: 0, Hi: b}
}

// depthChannel is the channel, of total, that DepthToSpace reads for channel c of
// its value at row i and column j of a block.
func depthChannel(a Attrs, total, c, i, j int) int {
	b := a.Int("blocksize")
	if a.String("mode") == "CRD" {
		return (c*b+i)*b + j
	}
	return (i*b+j)*(total/b/b) + c
}

// permute writes the box out of dst, of four dimensions, from the offsets in src.
func permute(dst *tensor.Tensor, out tensor.Box, src *tensor.Tensor, from func(n, c, h, w int) int) {
	if dst.Type.Float() {
		permuteValues(dst.Floats(), dst.Shape, out, src.Floats(), from)
	} else {
		permuteValues(dst.Ints(), dst.Shape, out, src.Ints(), from)
	}
}

func permuteValues[T any](y []T, s tensor.Shape, out tensor.Box, x []T, from func(n, c, h, w int) int) {
	st := s.Strides()
	nc := out[1].Len()
	parallel(out[0].Len()*nc, func(i int) {
		n, c := out[0].Lo+i/nc, out[1].Lo+i%nc
		for h := out[2].Lo; h < out[2].Hi; h++ {
			row := y[n*st[0]+c*st[1]+h*st[2]:]
			for w := out[3].Lo; w < out[3].Hi; w++ {
				row[w] = x[from(n, c, h, w)]
			}
		}
	})
}

// gather copies what the indices, negative ones counted from the end, name. An index
// out of range makes NaN, or the least integer; Within refuses it.
func gather(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
	d := axisOf(a, len(in[0].Shape))
	if dst.Type.Float() {
		gatherValues(dst.Floats(), dst.Shape, out, in[0].Floats(), in[0].Shape, in[1], d, float32(math.NaN()))
	} else {
		gatherValues(dst.Ints(), dst.Shape, out, in[0].Ints(), in[0].Shape, in[1], d, math.MinInt64)
	}
}

func gatherValues[T any](y []T, s tensor.Shape, out tensor.Box, x []T, xs tensor.Shape, indices *tensor.Tensor, d int, none T) {
	k := len(indices.Shape)
	list, n := indices.Ints(), xs[d]
	st, xst := s.Strides(), xs.Strides()
	// The box's dimensions before, of and after the indices.
	before := []view{{0, st[:d]}, {0, xst[:d]}}
	after := []view{{0, st[d+k:]}, {0, xst[d+1:]}}
	walk(out[d:d+k], []view{{0, st[d : d+k]}, of(indices.Shape)}, func(io, istep []int, ni int) {
		for i := range ni {
			at := int(list[io[1]+i*istep[1]])
			if at < 0 {
				at += n
			}
			known := at >= 0 && at < n
			base := io[0] + i*istep[0]
			walk(out[:d], before, func(bo, bstep []int, nb int) {
				for b := range nb {
					yo, xo := base+bo[0]+b*bstep[0], at*xst[d]+bo[1]+b*bstep[1]
					walk(out[d+k:], after, func(ao, _ []int, na int) {
						row := y[yo+ao[0] : yo+ao[0]+na]
						if known {
							copy(row, x[xo+ao[1]:])
							return
						}
						for j := range row {
							row[j] = none
						}
					})
				}
			})
		}
	})
}
