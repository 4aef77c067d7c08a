package op

import (
	"cmp"
	"slices"

	"pimflow/internal/tensor"
)

// uniqueOps find slices along an axis that differ from each other. ONNX's Unique has four results.
var uniqueOps = []Op{
	{
		Name: "Unique", MinIn: 1, MaxIn: 1,
		Attrs: []Attr{
			{Name: "axis", Kind: Int}, {Name: "sorted", Kind: Int, Default: int64(1)},
			{Name: "output", Kind: String, Default: "Y", OneOf: []string{"Y", "indices", "counts"}}, size,
		},
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			if a.String("output") == "Y" {
				return in[0], nil
			}
			return tensor.Int64, nil
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			d, err := axis(a, len(in[0]))
			if err != nil {
				return nil, err
			}
			n, err := counted(uniqueLargest, a, in)
			if a.String("output") != "Y" {
				return tensor.Shape{n}, err
			}
			s := in[0].Clone()
			s[d] = n
			return s, err
		},
		Largest: uniqueLargest,
		Count: func(a Attrs, in []*tensor.Tensor) int {
			first, _ := distinct(a, in[0])
			return len(first)
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, out tensor.Box) {
			first, inverse := distinct(a, in[0])
			if a.String("output") == "Y" {
				axis := axisOf(a, len(in[0].Shape))
				take(dst, out, in[0], indices(out, func(d, i int) int {
					switch {
					case d != axis:
						return i
					case i < len(first):
						return first[i]
					}
					return -1
				}), 0)
				return
			}
			y := dst.Ints()
			clear(y)
			if a.String("output") == "indices" {
				for i := range min(len(y), len(first)) {
					y[i] = int64(first[i])
				}
				return
			}
			for _, i := range inverse {
				if i < len(y) {
					y[i]++
				}
			}
		},
	},
	{
		Name: "UniqueInverse", MinIn: 1, MaxIn: 1, // ONNX Unique's inverse_indices
		Attrs: []Attr{{Name: "axis", Kind: Int}, {Name: "sorted", Kind: Int, Default: int64(1)}},
		Type:  func(Attrs, []tensor.Type) (tensor.Type, error) { return tensor.Int64, nil },
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			d, err := axis(a, len(in[0]))
			if err != nil {
				return nil, err
			}
			return tensor.Shape{in[0][d]}, nil
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, _ tensor.Box) {
			_, inverse := distinct(a, in[0])
			for i, k := range inverse {
				dst.Ints()[i] = int64(k)
			}
		},
	},
}

func uniqueLargest(a Attrs, in []tensor.Shape) int { return in[0][axisOf(a, len(in[0]))] }

// distinct is where each slice along the axis that differs from all before it stands, in rising order of
// the slices or in that of x, and for every slice which of these it is.
func distinct(a Attrs, x *tensor.Tensor) (first, inverse []int) {
	axis := axisOf(a, len(x.Shape))
	n, inner := x.Shape[axis], 1
	for _, d := range x.Shape[axis+1:] {
		inner *= d
	}
	outer := x.Shape[:axis].Size()
	compare := func(i, j int) int {
		for o := range outer {
			at := o * n * inner
			for k := range inner {
				p, q := at+i*inner+k, at+j*inner+k
				c := 0
				if x.Type.Float() {
					c = cmp.Compare(x.Floats()[p], x.Floats()[q])
				} else {
					c = cmp.Compare(x.Ints()[p], x.Ints()[q])
				}
				if c != 0 {
					return c
				}
			}
		}
		return 0
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, compare)
	inverse = make([]int, n)
	for i, at := range order {
		if i == 0 || compare(order[i-1], at) != 0 {
			first = append(first, at)
		}
		inverse[at] = len(first) - 1
	}
	if a.Int("sorted") != 0 {
		return first, inverse
	}
	rising := slices.Clone(first)
	slices.Sort(first)
	place := map[int]int{}
	for i, at := range first {
		place[at] = i
	}
	for i, k := range inverse {
		inverse[i] = place[rising[k]]
	}
	return first, inverse
}
