package ortcheck

import "pimflow/internal/tensor"

var products = []generator{
	{"Gemm", gemm},
	{"MatMul", matMul},
}

var norms = []generator{
	{"BatchNormalization", batchNorm},
	{"GroupNormalization", groupNorm},
	{"InstanceNormalization", instanceNorm},
	{"LRN", lrn},
	{"LayerNormalization", layerNorm},
	{"LogSoftmax", softmax},
	{"LpNormalization", lpNorm},
	{"Softmax", softmax},
}

func gemm(m *model) {
	r, k, c := m.between(1, 6), m.between(1, 9), m.between(1, 6)
	a, b := tensor.Shape{r, k}, tensor.Shape{k, c}
	if m.coin() {
		m.attr("transA", 1)
		a = tensor.Shape{k, r}
	}
	if m.coin() {
		m.attr("transB", 1)
		b = tensor.Shape{c, k}
	}
	m.maybe("alpha", float32(m.Float64()*2))
	m.maybe("beta", float32(m.Float64()*2))
	m.input(m.floats(a...))
	m.operand(m.floats(b...))
	if m.opset < 11 || m.coin() {
		m.operand(m.floats(pick(m, tensor.Shape{c}, tensor.Shape{r, c}, tensor.Shape{1, c}, tensor.Shape{r, 1}, tensor.Shape{1})...))
	}
}

func matMul(m *model) {
	r, k, c := m.between(1, 6), m.between(1, 9), m.between(1, 6)
	batch := m.shape(m.between(1, 3), 3)
	a := append(m.broadcastable(batch), r, k)
	b := append(batch.Clone(), k, c)
	switch m.IntN(6) {
	case 0:
		a, b = tensor.Shape{r, k}, tensor.Shape{k, c}
	case 1:
		a = tensor.Shape{k}
	case 2:
		a, b = append(batch.Clone(), r, k), tensor.Shape{k}
	case 3:
		a, b = append(batch.Clone(), r, k), append(m.broadcastable(batch), k, c)
	}
	m.input(m.floats(a...))
	m.operand(m.floats(b...))
}

func (m *model) epsilon() { m.maybe("epsilon", pick(m, float32(1e-5), 1e-3, 0.1)) }

func batchNorm(m *model) {
	m.epsilon()
	m.maybe("momentum", float32(0.9))
	s := m.shape(m.between(2, 5), 5)
	m.input(m.floats(s...))
	m.operand(m.floats(s[1]))
	m.operand(m.floats(s[1]))
	m.operand(m.floats(s[1]))
	m.operand(m.uniform(0.1, 3, s[1]))
}

func instanceNorm(m *model) {
	m.epsilon()
	s := m.shape(m.between(3, 5), 5)
	s[2] += 3 // the variance of a few values may be next to nothing
	m.input(m.floats(s...))
	m.operand(m.floats(s[1]))
	m.operand(m.floats(s[1]))
}

func groupNorm(m *model) {
	m.since(18)
	m.epsilon()
	groups := m.between(1, 3)
	s := m.shape(m.between(3, 4), 5)
	s[1] = groups * m.between(1, 3)
	s[2] += 3
	m.attr("num_groups", groups)
	c := groups
	if m.opset >= 21 {
		c = s[1]
	}
	m.input(m.floats(s...))
	m.operand(m.floats(c))
	m.operand(m.floats(c))
}

func layerNorm(m *model) {
	m.since(17)
	m.epsilon()
	s := m.shape(m.between(2, 4), 6)
	s[len(s)-1] += 3
	axis := m.between(-len(s), len(s)-1)
	if axis == -1 || m.coin() {
		axis = -1
		m.maybe("axis", axis)
	} else {
		m.attr("axis", axis)
	}
	at := (axis + len(s)) % len(s)
	m.input(m.floats(s...))
	m.operand(m.floats(s[at:]...))
	if m.coin() {
		m.operand(m.floats(s[at:]...))
	}
}

func lrn(m *model) {
	m.attr("size", 2*m.between(0, 3)+1)
	m.maybe("alpha", float32(m.Float64()))
	m.maybe("beta", float32(m.Float64()))
	m.maybe("bias", float32(1+m.Float64()))
	m.input(m.floats(m.shape(4, 6)...))
}

func lpNorm(m *model) {
	s := m.shape(m.between(1, 4), 6)
	m.maybe("axis", m.between(-len(s), len(s)-1))
	m.maybe("p", m.between(1, 2))
	m.input(m.uniform(0.1, 3, s...))
}

func softmax(m *model) {
	s := m.shape(m.between(2, 4), 6)
	lo := -len(s)
	if m.opset < 11 {
		lo = 0
	}
	m.maybe("axis", m.between(lo, len(s)-1))
	m.input(m.floats(s...))
}
