package profile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/tensor"
)

// extents are the sizes by which kernels of a family differ.
type extents [3]int

// The dimensions of extents. The last is interpolated first.
const (
	images = iota
	channels
	rows
)

// family is equal for kernels that differ only in images, output channels and rows: sizes of
// one layer. Bias, and padding above and below, do not count. ok is false for a kernel without
// a family.
func (k *Kernel) family() (name string, size extents, ok bool) {
	var b strings.Builder
	matrix := len(k.Out) == 2 && (k.Op.Name == "Gemm" || k.Op.Name == "MatMul") && len(k.In[0].Shape) == 2 && len(k.In[1].Shape) == 2
	switch {
	case matrix:
		size = extents{k.Out[0], k.Out[1], 1}
	case len(k.Out) == 4 && k.Op.Need != nil:
		size = extents{k.Out[0], k.Out[1], k.Out[2]}
		fmt.Fprint(&b, "columns ", k.Out[3])
	default:
		return "", size, false
	}
	fmt.Fprint(&b, " ", k.Op.Name, " ", k.Type, " ", k.Epilogues())
	_, windows := parts[k.Op.Name]
	for _, n := range k.Attrs.Names() {
		switch {
		case n == "group":
		case windows && (n == "pads" || n == "output_padding"):
			fmt.Fprint(&b, " ", n)
			for d, v := range k.Attrs[n].([]int64) {
				if d%2 == 1 { // columns
					fmt.Fprint(&b, " ", v)
				}
			}
		default:
			fmt.Fprint(&b, " ", n, "=", printAttr(k.Attrs[n]))
		}
	}
	switch {
	case matrix:
		a := k.In[0].Shape
		depth := a[1]
		if k.Op.Name == "Gemm" && k.Attrs.Int("transA") != 0 {
			depth = a[0]
		}
		fmt.Fprint(&b, " depth ", depth, k.In[0].Const, k.In[1].Const)
	case k.Op.Name == "Conv" || k.Op.Name == "ConvTranspose":
		x, g := k.In[0].Shape, k.Attrs.Int("group")
		fmt.Fprint(&b, " of ", x[3], " columns, ", x[1]/g, " channels a group", k.In[1].Const)
		if g > 1 {
			fmt.Fprint(&b, " to ", k.Out[1]/g)
		}
	default:
		for _, o := range k.In {
			fmt.Fprint(&b, " ", o.relative(k.Out))
		}
	}
	return b.String(), size, true
}

// relative is the operand with * for extents that follow from those of the kernel.
func (o Operand) relative(out tensor.Shape) string {
	if len(o.Shape) != 4 {
		return o.String()
	}
	var p []string
	for d, n := range o.Shape {
		if d != 3 && n > 1 && n == out[d] || d == 2 && !o.Const || d == 0 && n == out[d] {
			p = append(p, "*")
		} else {
			p = append(p, fmt.Sprint(n))
		}
	}
	return fmt.Sprint(o.Const, o.Type, strings.Join(p, "x"))
}

// member is a measured row of a family.
type member struct {
	*Row
	key  string
	size extents
}

// point is the time of a size of a family.
type point struct {
	size extents
	ps   float64
}

// points are the mean times of rows of the same size.
func points(list []member) (out []point) {
	count := map[extents]int{}
	for _, r := range list {
		count[r.size]++
		i := slices.IndexFunc(out, func(p point) bool { return p.size == r.size })
		if i < 0 {
			out = append(out, point{r.size, float64(r.Time)})
		} else {
			out[i].ps += (float64(r.Time) - out[i].ps) / float64(count[r.size])
		}
	}
	return out
}

// interpolate is the time of a size between the nearest measured sizes below and above: along
// rows, then along channels, then along images. It is false without sizes on both sides.
//
// In the literature: multilinear interpolation.
func interpolate(list []point, size extents) (ps float64, ok bool) { return along(list, size, images) }

// along interpolates points that have the size's extents in the dimensions before dim.
func along(list []point, size extents, dim int) (ps float64, ok bool) {
	if len(list) == 0 {
		return 0, false
	}
	if dim == len(size) {
		return list[0].ps, true
	}
	by := map[int][]point{}
	var at []int
	for _, p := range list {
		v := p.size[dim]
		if by[v] == nil {
			at = append(at, v)
		}
		by[v] = append(by[v], p)
	}
	slices.Sort(at)
	if ps, ok = along(by[size[dim]], size, dim+1); ok {
		return ps, true
	}
	var low, high float64
	lo, hi := -1, -1
	for i, v := range at { // the last known below, the first known above
		if known, ok := along(by[v], size, dim+1); ok && v < size[dim] {
			lo, low = i, known
		} else if ok && v > size[dim] && hi < 0 {
			hi, high = i, known
		}
	}
	if lo < 0 || hi < 0 {
		return 0, false
	}
	return low + (high-low)*float64(size[dim]-at[lo])/float64(at[hi]-at[lo]), true
}

// distance is the distance of sizes, in doublings of a dimension.
func distance(a, b extents) (d float64) {
	for i := range a {
		d += math.Abs(math.Log2(float64(a[i]) / float64(b[i])))
	}
	return d
}

// closest returns the rows of a family whose sizes are nearest, in the file's order.
func closest(list []member, size extents) (near []member) {
	best := math.Inf(1)
	for _, r := range list {
		switch d := distance(r.size, size); {
		case d < best:
			best, near = d, []member{r}
		case d == best:
			near = append(near, r)
		}
	}
	return near
}

// rounded is a time rounded to a whole picosecond, at least one.
func rounded(ps float64) device.Time { return max(1, device.Time(math.Round(ps))) }
