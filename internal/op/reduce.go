package op

import (
	"fmt"
	"math"
	"slices"

	"pimflow/internal/tensor"
)

// reduction folds values, in order, into one: floats in float64, integers
// (nil: not allowed) in int64.
type reduction struct {
	name    string
	zero    float64
	add     func(acc, x float64) float64
	end     func(acc float64, n int) float64
	intZero int64
	intAdd  func(acc, x int64) int64
	intEnd  func(acc int64, n int) int64
}

var reductions = []reduction{
	{
		name: "ReduceSum",
		add:  func(acc, x float64) float64 { return acc + x }, intAdd: func(acc, x int64) int64 { return acc + x },
	},
	{
		name: "ReduceMean",
		add:  func(acc, x float64) float64 { return acc + x }, intAdd: func(acc, x int64) int64 { return acc + x },
		end: func(acc float64, n int) float64 { return acc / float64(n) }, intEnd: func(acc int64, n int) int64 { return divide(acc, int64(n)) },
	},
	{
		name: "ReduceMax", zero: math.Inf(-1), intZero: math.MinInt64,
		add: func(acc, x float64) float64 { return max(acc, x) }, intAdd: func(acc, x int64) int64 { return max(acc, x) },
	},
	{
		name: "ReduceMin", zero: math.Inf(1), intZero: math.MaxInt64,
		add: func(acc, x float64) float64 { return min(acc, x) }, intAdd: func(acc, x int64) int64 { return min(acc, x) },
	},
	{
		name: "ReduceProd", zero: 1, intZero: 1,
		add: func(acc, x float64) float64 { return acc * x }, intAdd: func(acc, x int64) int64 { return acc * x },
	},
	{
		name: "ReduceL2",
		add:  func(acc, x float64) float64 { return acc + x*x },
		end:  func(acc float64, _ int) float64 { return math.Sqrt(acc) },
	},
}

// reduceOps fold dimensions away.
var reduceOps = func() []Op {
	var ops []Op
	for _, r := range reductions {
		ops = append(ops, reduceRow(r.name))
	}
	return append(ops, argRow("ArgMax", func(x, best float64) bool { return x > best }),
		argRow("ArgMin", func(x, best float64) bool { return x < best }))
}()

// reduceRow makes the row of a reduction.
func reduceRow(name string) Op {
	r := reductions[slices.IndexFunc(reductions, func(r reduction) bool { return r.name == name })]
	o := Op{
		Name: name, MinIn: 1, MaxIn: 1, Type: numeric,
		Attrs: []Attr{{Name: "axes", Kind: Ints}, {Name: "keepdims", Kind: Int, Default: int64(1)}},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) { return reducedShape(a, a.Ints("axes"), in[0]) },
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return []tensor.Box{unreduced(a, a.Ints("axes"), in[0], out)}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			if !dst.Type.Float() {
				x, y := in[0].Ints(), dst.Ints()
				reduceEach(a, a.Ints("axes"), in[0].Shape, dst.Shape, out, func(off int, rows func(func(off, step, n int)), n int) {
					acc := r.intZero
					rows(func(off, step, n int) {
						for ; n > 0; n-- {
							acc = r.intAdd(acc, x[off])
							off += step
						}
					})
					if r.intEnd != nil {
						acc = r.intEnd(acc, n)
					}
					y[off] = acc
				})
				return
			}
			x, y := in[0].Floats(), dst.Floats()
			reduceEach(a, a.Ints("axes"), in[0].Shape, dst.Shape, out, func(off int, rows func(func(off, step, n int)), n int) {
				acc := r.zero
				rows(func(off, step, n int) {
					for ; n > 0; n-- {
						acc = r.add(acc, float64(x[off]))
						off += step
					}
				})
				if r.end != nil {
					acc = r.end(acc, n)
				}
				y[off] = float32(acc)
			})
		},
	}
	if r.intAdd == nil {
		o.Type = floating
	}
	return o
}

// argRow makes the row of an operator that finds the index of the value that is
// better than all others along an axis.
func argRow(name string, better func(x, best float64) bool) Op {
	return Op{
		Name: name, MinIn: 1, MaxIn: 1,
		Attrs: []Attr{
			{Name: "axis", Kind: Int, Default: int64(0)}, {Name: "keepdims", Kind: Int, Default: int64(1)},
			{Name: "select_last_index", Kind: Int, Default: int64(0)},
		},
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			if _, err := floating(a, in); err != nil {
				return 0, err
			}
			return tensor.Int64, nil
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			x, err := axis(a, len(in[0]))
			if err != nil {
				return nil, err
			}
			if in[0][x] == 0 {
				return nil, fmt.Errorf("input 0 is %v: values along axis %d wanted", in[0], x)
			}
			return reducedShape(a, []int{x}, in[0])
		},
		Need: func(a Attrs, in []tensor.Shape, out tensor.Box) []tensor.Box {
			return []tensor.Box{unreduced(a, []int{axisOf(a, len(in[0]))}, in[0], out)}
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			x, y, last := in[0].Floats(), dst.Ints(), a.Int("select_last_index") != 0
			axes := []int{axisOf(a, len(in[0].Shape))}
			reduceEach(a, axes, in[0].Shape, dst.Shape, out, func(off int, rows func(func(off, step, n int)), _ int) {
				best, at, i := math.NaN(), 0, 0
				rows(func(off, step, n int) {
					for ; n > 0; n-- {
						v := float64(x[off])
						if i == 0 || better(v, best) || last && v == best {
							best, at = v, i
						}
						i++
						off += step
					}
				})
				y[off] = int64(at)
			})
		},
	}
}

func reducedShape(a Attrs, axes []int, x tensor.Shape) (tensor.Shape, error) {
	gone := make([]bool, len(x))
	for _, d := range axes {
		if d < -len(x) || d >= len(x) {
			return nil, fmt.Errorf("axes %v of %v: %d to %d wanted", axes, x, -len(x), len(x)-1)
		}
		if d = (d + len(x)) % len(x); gone[d] {
			return nil, fmt.Errorf("axes %v of %v: axis %d twice", axes, x, d)
		}
		gone[d] = true
	}
	s := tensor.Shape{}
	for d, e := range x {
		switch {
		case !gone[d]:
			s = append(s, e)
		case a.Int("keepdims") != 0:
			s = append(s, 1)
		}
	}
	return s, nil
}

// unreduced is the part of the input of shape x that the box out is made from.
func unreduced(a Attrs, axes []int, x tensor.Shape, out tensor.Box) tensor.Box {
	b, k := tensor.Full(x), 0
	for d := range x {
		switch {
		case !reduced(axes, d, len(x)):
			b[d] = out[k]
			k++
		case a.Int("keepdims") != 0:
			k++
		}
	}
	return b
}

func reduced(axes []int, d, rank int) bool {
	return slices.Contains(axes, d) || slices.Contains(axes, d-rank)
}

// reduceEach calls f, from several goroutines, for each value of the box out of
// shape ys, with its offset, a function that calls back with the rows of the n
// values of x that it is made from, in order, and n.
func reduceEach(a Attrs, axes []int, xs, ys tensor.Shape, out tensor.Box, f func(off int, rows func(func(off, step, n int)), n int)) {
	// The value's dimensions seen in the input, and the reduced ones.
	st := xs.Strides()
	outer := view{0, []int{}}
	inner := view{0, []int{}}
	box := tensor.Box{}
	for d, e := range xs {
		switch {
		case !reduced(axes, d, len(xs)):
			outer.st = append(outer.st, st[d])
		default:
			inner.st = append(inner.st, st[d])
			box = append(box, tensor.Range{Lo: 0, Hi: e})
			if a.Int("keepdims") != 0 {
				outer.st = append(outer.st, 0)
			}
		}
	}
	n := box.Size()
	type row struct{ y, x, ystep, xstep, n int }
	var list []row
	walk(out, []view{of(ys), outer}, func(off, step []int, n int) {
		list = append(list, row{off[0], off[1], step[0], step[1], n})
	})
	parallel(len(list), func(i int) {
		r := list[i]
		v := view{r.x, inner.st}
		for ; r.n > 0; r.n-- {
			f(r.y, func(each func(off, step, n int)) {
				walk(box, []view{v}, func(off, step []int, n int) { each(off[0], step[0], n) })
			}, n)
			r.y += r.ystep
			v.off += r.xstep
		}
	})
}
