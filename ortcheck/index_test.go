package ortcheck

import (
	"math"

	"pimflow/internal/tensor"
)

var indices = []generator{
	{"CumSum", cumSum},
	{"EyeLike", eyeLike},
	{"GatherElements", gatherElements},
	{"GatherND", gatherND},
	{"Hardmax", hardmax},
	{"OneHot", oneHot},
	{"ReverseSequence", reverseSequence},
	{"Scatter", scatterElements(9, 10)},
	{"ScatterElements", scatterElements(11, newest)},
	{"ScatterND", scatterND},
	{"TopK", topK},
	{"Trilu", trilu},
}

// special draws values some of which are no numbers.
func special(since int) func(*model) {
	return func(m *model) {
		m.since(since)
		x := m.floats(m.shape(m.between(1, 4), 4)...)
		for i := range x.Floats() {
			x.Floats()[i] = pick(m, x.Floats()[i], float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)))
		}
		if m.op == "IsInf" {
			m.maybe("detect_negative", m.IntN(2))
			m.maybe("detect_positive", m.IntN(2))
		}
		m.input(x)
	}
}

func bitShift(m *model) {
	m.since(11)
	a, b := m.pair()
	m.attr("direction", pick(m, "LEFT", "RIGHT"))
	m.input(m.whole(tensor.Uint8, 0, 255, a...))
	m.operand(m.whole(tensor.Uint8, 0, 7, b...))
}

// topK draws values with ties, and asks for values, indices or both.
func topK(m *model) {
	s := m.shape(m.between(1, 4), 6)
	d := len(s) - 1
	if m.coin() {
		d = m.IntN(len(s))
		m.attr("axis", int(m.signed(d, len(s))))
	}
	typ := tensor.Float32
	if m.opset >= 11 {
		m.maybe("largest", m.IntN(2))
		typ = pick(m, tensor.Float32, tensor.Int64)
	}
	m.input(m.whole(typ, -3, 3, s...))
	if k := m.between(1, s[d]); m.opset < 10 {
		m.attr("k", k)
	} else {
		m.constant(m.whole(tensor.Int64, k, k, 1))
	}
	m.outputs = []string{"y", "at"}
}

func cumSum(m *model) {
	m.since(11)
	s := m.shape(m.between(1, 4), 6)
	m.maybe("exclusive", m.IntN(2))
	m.maybe("reverse", m.IntN(2))
	m.input(m.floats(s...))
	k := int(m.signed(m.IntN(len(s)), len(s)))
	if m.coin() {
		m.constant(m.whole(tensor.Int64, k, k))
	} else {
		m.constant(m.whole(tensor.Int32, k, k, 1))
	}
}

func eyeLike(m *model) {
	m.since(9)
	m.maybe("k", m.between(-3, 3))
	m.maybe("dtype", int(pick(m, tensor.Float32, tensor.Int64)))
	m.input(m.floats(m.shape(2, 6)...))
}

func trilu(m *model) {
	m.since(14)
	m.maybe("upper", m.IntN(2))
	m.input(m.floats(m.shape(m.between(2, 4), 6)...))
	if m.coin() {
		k := m.between(-4, 4)
		m.constant(m.whole(tensor.Int64, k, k))
	}
}

func hardmax(m *model) {
	s := m.shape(m.between(2, 4), 5)
	m.maybe("axis", int(m.signed(m.IntN(len(s)), len(s))))
	m.input(m.whole(tensor.Float32, -2, 2, s...))
}

func oneHot(m *model) {
	m.since(11)
	s, n := m.shape(m.between(1, 3), 4), m.between(1, 5)
	m.maybe("axis", int(m.signed(m.IntN(len(s)+1), len(s)+1)))
	m.input(m.whole(tensor.Int64, -n, n-1, s...))
	m.constant(m.whole(tensor.Int64, n, n, 1))
	m.operand(m.floats(2))
}

func reverseSequence(m *model) {
	m.since(10)
	s := m.shape(m.between(2, 4), 5) // ONNX Runtime knows the first two dimensions only
	if m.coin() {
		m.attr("batch_axis", 0)
		m.attr("time_axis", 1)
		s[0], s[1] = s[1], s[0]
		m.input(m.floats(s...))
		m.operand(m.whole(tensor.Int64, 1, s[1], s[0]))
		return
	}
	m.input(m.floats(s...))
	m.operand(m.whole(tensor.Int64, 1, s[0], s[1]))
}

// beside draws a value, an axis of it, and the shape of indices on that axis.
func (m *model) beside() (axis int, x *tensor.Tensor, at tensor.Shape) {
	s := m.shape(m.between(1, 4), 5)
	k := m.IntN(len(s))
	if k > 0 || m.coin() {
		m.attr("axis", int(m.signed(k, len(s))))
	}
	at = s.Clone()
	for d := range at {
		at[d] = m.between(1, s[d])
	}
	return k, m.floats(s...), at
}

func gatherElements(m *model) {
	m.since(11)
	k, x, at := m.beside()
	at[k] = m.between(1, 6)
	m.input(x)
	m.operand(m.whole(pick(m, tensor.Int64, tensor.Int32), -x.Shape[k], x.Shape[k]-1, at...))
}

// scatterElements draws indices of which some are the same, where values are reduced.
func scatterElements(oldest, newest int) func(*model) {
	return func(m *model) {
		m.opset = m.between(oldest, newest)
		k, x, at := m.beside()
		n := x.Shape[k]
		m.input(x)
		lo := -n
		if oldest < 11 {
			lo = 0
		}
		m.operand(m.whole(tensor.Int64, lo, n-1, at...))
		m.operand(m.floats(at...))
		m.reduced()
	}
}

// reduced draws a reduction that the opset knows.
func (m *model) reduced() {
	switch {
	case m.opset >= 18:
		m.maybe("reduction", pick(m, "none", "add", "mul", "max", "min"))
	case m.opset >= 16:
		m.maybe("reduction", pick(m, "none", "add", "mul"))
	}
}

func scatterND(m *model) {
	m.since(11)
	s := m.shape(m.between(1, 4), 4)
	k := m.between(1, len(s))
	at := m.tuples(s, 0, k)
	m.input(m.floats(s...))
	m.operand(at)
	m.operand(m.floats(append(at.Shape[:len(at.Shape)-1].Clone(), s[k:]...)...))
	m.reduced()
}

func gatherND(m *model) {
	m.since(11)
	s := m.shape(m.between(1, 4), 4)
	b := 0
	if m.opset >= 12 {
		b = m.IntN(len(s))
		m.maybe("batch_dims", b)
		if m.stated("batch_dims") == nil {
			b = 0
		}
	}
	m.input(m.floats(s...))
	at := m.tuples(s, b, m.between(1, len(s)-b))
	if len(at.Shape) == 1 && at.Shape[0] == len(s) { // a scalar cannot be read through the binding
		at = tensor.Ints64(tensor.Shape{1, at.Shape[0]}, at.Ints())
	}
	m.operand(at)
}

// tuples draws tuples of k indices into the dimensions of s after the first b.
func (m *model) tuples(s tensor.Shape, b, k int) *tensor.Tensor {
	t := tensor.New(tensor.Int64, append(append(s[:b].Clone(), m.shape(m.between(0, 2), 3)...), k))
	for i := range t.Ints() {
		n := s[b+i%k]
		t.Ints()[i] = int64(m.between(-n, n-1))
	}
	return t
}
