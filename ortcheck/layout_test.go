package ortcheck

import (
	"slices"

	"pimflow/internal/tensor"
)

var reductions = []generator{
	{"ArgMax", argExtreme},
	{"ArgMin", argExtreme},
	{"ReduceL1", reduce(-3, 18)},
	{"ReduceL2", reduce(-3, 18)},
	{"ReduceLogSum", reduce(0.1, 18)},
	{"ReduceLogSumExp", reduce(-3, 18)},
	{"ReduceMax", reduce(-3, 18)},
	{"ReduceMean", reduce(-3, 18)},
	{"ReduceMin", reduce(-3, 18)},
	{"ReduceProd", reduce(-3, 18)},
	{"ReduceSum", reduce(-3, 13)},
	{"ReduceSumSquare", reduce(-3, 18)},
}

var layout = []generator{
	{"Concat", concat},
	{"ConstantOfShape", constantOfShape},
	{"DepthToSpace", depthToSpace},
	{"Expand", expand},
	{"Flatten", flatten},
	{"Gather", gather},
	{"Pad", pad},
	{"Range", rangeOf},
	{"Reshape", reshape},
	{"Shape", shapeOf},
	{"Slice", slice},
	{"SpaceToDepth", spaceToDepth},
	{"Split", split},
	{"Squeeze", squeeze},
	{"Tile", tile},
	{"Transpose", transpose},
	{"Unsqueeze", unsqueeze},
}

// signed draws a spelling of axis k of a rank: negative ones from opset 11 on.
func (m *model) signed(k, rank int) int64 {
	if m.opset >= 11 && m.coin() {
		k -= rank
	}
	return int64(k)
}

// axes draws some of the axes of a rank, ascending before opset 11.
func (m *model) axes(rank, count int) []int64 {
	var out []int64
	perm := m.Perm(rank)[:count]
	if m.opset < 11 {
		slices.Sort(perm)
	}
	for _, k := range perm {
		out = append(out, m.signed(k, rank))
	}
	return out
}

// reduce draws axes as an attribute, or from opset since on as an input.
func reduce(lo float64, since int) func(*model) {
	return func(m *model) {
		s := m.shape(m.between(1, 4), 5)
		m.input(m.uniform(lo, 3, s...))
		k := m.IntN(len(s) + 1)
		if k < len(s) {
			m.maybe("keepdims", m.IntN(2))
		}
		if k > 0 {
			if k == len(s) { // a scalar cannot be read through the binding
				m.attr("keepdims", 1)
			}
			m.ints("axes", since, m.axes(len(s), k))
		} else {
			m.attr("keepdims", 1)
			if m.opset >= since {
				m.maybe("noop_with_empty_axes", 1)
			}
		}
		if len(m.attrs) > 1 && m.attrs[0].name == "keepdims" && m.attrs[1].name == "keepdims" {
			m.attrs = m.attrs[1:]
		}
	}
}

// argExtreme draws values with ties.
func argExtreme(m *model) {
	s := m.shape(m.between(2, 4), 6)
	m.maybe("axis", int(m.signed(m.IntN(len(s)), len(s))))
	m.maybe("keepdims", m.IntN(2))
	if m.opset >= 12 {
		m.maybe("select_last_index", 1)
	}
	m.input(m.whole(tensor.Float32, -2, 2, s...))
}

func concat(m *model) {
	s := m.shape(m.between(1, 4), 5)
	k := m.IntN(len(s))
	m.attr("axis", int(m.signed(k, len(s))))
	for range m.between(1, 4) {
		t := s.Clone()
		t[k] = m.between(1, 5)
		m.operand(m.floats(t...))
	}
	if len(m.names) == 0 {
		m.input(m.floats(s...))
	}
}

func depthToSpace(m *model) {
	m.since(11)
	b := m.between(1, 3)
	m.attr("blocksize", b)
	m.maybe("mode", pick(m, "DCR", "CRD"))
	s := m.shape(4, 4)
	s[1] *= b * b
	m.input(m.floats(s...))
}

func spaceToDepth(m *model) {
	b := m.between(1, 3)
	m.attr("blocksize", b)
	s := m.shape(4, 4)
	s[2] *= b
	s[3] *= b
	m.input(m.floats(s...))
}

func expand(m *model) {
	m.since(8)
	s := m.shape(m.between(1, 4), 5)
	m.input(m.floats(m.broadcastable(s)...))
	to := make([]int64, len(s))
	for i, d := range s {
		to[i] = int64(d)
	}
	m.constant(tensor.Ints64(tensor.Shape{len(to)}, to))
}

func flatten(m *model) {
	s := m.shape(m.between(1, 5), 4)
	m.maybe("axis", int(m.signed(m.IntN(len(s)), len(s))))
	m.input(m.floats(s...))
}

func gather(m *model) {
	s := m.shape(m.between(1, 4), 5)
	k := m.IntN(len(s))
	if k > 0 || m.coin() {
		m.attr("axis", int(m.signed(k, len(s))))
	}
	m.input(m.floats(s...))
	lo := 0
	if m.opset >= 11 {
		lo = -s[k]
	}
	at := m.shape(m.between(1, 2), 4)
	if len(s) > 1 && m.coin() {
		at = tensor.Shape{}
	}
	m.constant(m.whole(pick(m, tensor.Int64, tensor.Int32), lo, s[k]-1, at...))
}

func pad(m *model) {
	s := m.shape(m.between(1, 5), 6)
	modes := []string{"constant", "edge", "reflect"}
	if m.opset >= 19 {
		modes = append(modes, "wrap")
	}
	mode := pick(m, modes...)
	if mode != "constant" || m.coin() {
		m.attr("mode", mode)
	}
	m.input(m.floats(s...))
	named := make([]int, len(s))
	for i := range named {
		named[i] = i
	}
	axes := m.opset >= 18 && m.coin()
	if axes {
		named = m.Perm(len(s))[:m.between(1, len(s))]
	}
	pads := make([]int64, 2*len(named))
	for i, k := range named {
		most := 3
		switch mode {
		case "reflect":
			most = min(3, s[k]-1)
		case "wrap":
			most = min(3, s[k]) // ONNX Runtime reads beyond the value for more
		}
		lo := 0
		if mode == "constant" && m.IntN(4) == 0 {
			lo = -(s[k] - 1) / 2
		}
		pads[i], pads[len(named)+i] = int64(m.between(lo, most)), int64(m.between(lo, most))
	}
	if m.opset < 11 {
		m.attr("pads", pads)
		m.maybe("value", float32(m.Float64()))
		return
	}
	m.constant(tensor.Ints64(tensor.Shape{len(pads)}, pads))
	if mode == "constant" && m.coin() {
		m.constant(m.floats())
	} else if axes {
		m.leave()
	}
	if axes {
		v := make([]int64, len(named))
		for i, k := range named {
			v[i] = m.signed(k, len(s))
		}
		m.constant(tensor.Ints64(tensor.Shape{len(v)}, v))
	}
}

// reshape draws shapes with 0, which copies a dimension, and -1.
func reshape(m *model) {
	s := m.shape(m.between(1, 4), 5)
	m.input(m.floats(s...))
	var to []int64
	for i := 0; i < len(s); i++ {
		d := s[i]
		if i+1 < len(s) && m.coin() {
			i++
			d *= s[i]
		}
		to = append(to, int64(d))
	}
	if m.coin() && len(to) <= len(s) && to[0] == int64(s[0]) {
		to[0] = 0
	}
	if m.coin() {
		to[len(to)-1] = -1
	}
	m.constant(tensor.Ints64(tensor.Shape{len(to)}, to))
}

// slice draws starts and ends inside and outside of the extents, and backwards
// ones, that leave at least one value.
func slice(m *model) {
	s := m.shape(m.between(1, 4), 7)
	axes := m.Perm(len(s))[:m.between(1, len(s))]
	inOrder := m.opset < 10 || m.coin()
	if inOrder {
		slices.Sort(axes)
	}
	var starts, ends, steps, spelled []int64
	for _, k := range axes {
		d := s[k]
		at := m.IntN(d)
		step, end := m.between(1, 3), at+m.between(1, 9)
		if m.opset >= 10 && m.IntN(3) == 0 {
			step, end = -step, at-m.between(1, 9)
			if end < 0 {
				end = -d - m.between(1, 3)
			}
		}
		if m.coin() {
			at -= d
		}
		if m.IntN(4) == 0 && step > 0 {
			end = 1<<62 + m.IntN(9) // exporters' "to the end"
		}
		starts, ends, steps = append(starts, int64(at)), append(ends, int64(end)), append(steps, int64(step))
		spelled = append(spelled, m.signed(k, len(s)))
	}
	m.input(m.floats(s...))
	if m.opset < 10 {
		m.attr("starts", starts)
		m.attr("ends", ends)
		m.attr("axes", spelled)
		return
	}
	for _, v := range [][]int64{starts, ends, spelled, steps} {
		m.constant(tensor.Ints64(tensor.Shape{len(v)}, v))
	}
}

func split(m *model) {
	s := m.shape(m.between(1, 4), 4)
	k := m.IntN(len(s))
	parts := m.between(1, 3)
	m.outputs = []string{"y0", "y1", "y2"}[:parts]
	if k > 0 || m.coin() {
		m.attr("axis", int(m.signed(k, len(s))))
	}
	if m.coin() {
		s[k] *= parts
		m.input(m.floats(s...))
		if m.opset >= 18 {
			m.attr("num_outputs", parts)
		}
		return
	}
	var sizes []int64
	s[k] = 0
	for range parts {
		n := m.between(1, 4)
		sizes = append(sizes, int64(n))
		s[k] += n
	}
	m.input(m.floats(s...))
	m.ints("split", 13, sizes)
}

func squeeze(m *model) {
	s := m.shape(m.between(2, 5), 3)
	s[0] = 2
	k := m.between(1, len(s)-1)
	s[k] = 1
	m.input(m.floats(s...))
	if m.coin() {
		m.ints("axes", 13, []int64{m.signed(k, len(s))})
	}
}

func unsqueeze(m *model) {
	s := m.shape(m.between(1, 3), 4)
	m.input(m.floats(s...))
	n := m.between(1, 2)
	m.ints("axes", 13, m.axes(len(s)+n, n))
}

func tile(m *model) {
	s := m.shape(m.between(1, 4), 4)
	m.input(m.floats(s...))
	m.constant(m.whole(tensor.Int64, 1, 3, len(s)))
}

func transpose(m *model) {
	s := m.shape(m.between(1, 5), 5)
	m.input(m.floats(s...))
	if m.coin() {
		var perm []int64
		for _, k := range m.Perm(len(s)) {
			perm = append(perm, int64(k))
		}
		m.attr("perm", perm)
	}
}

func constantOfShape(m *model) {
	m.since(9)
	m.constant(m.whole(tensor.Int64, 1, 4, m.between(1, 4)))
}

func rangeOf(m *model) {
	m.since(11)
	start, delta := m.between(-5, 5), pick(m, -3, -2, -1, 1, 2, 3)
	for _, v := range []int{start, start + delta*m.between(1, 5) - m.IntN(2)*delta/2, delta} {
		m.constant(m.whole(tensor.Int64, v, v))
	}
}

func shapeOf(m *model) {
	s := m.shape(m.between(1, 5), 5)
	if m.opset >= 15 {
		k := m.IntN(len(s))
		m.maybe("start", k-pick(m, 0, len(s)))
		m.maybe("end", m.between(k+1, len(s)+1))
	}
	m.input(m.floats(s...))
}
