package ortcheck

import "pimflow/internal/tensor"

// contributed are operators of ONNX Runtime's own domain.
var contributed = []generator{
	{"com.microsoft.BiasGelu", func(m *model) {
		s := m.shape(m.between(2, 4), 6)
		m.input(m.floats(s...))
		m.operand(m.floats(s[len(s)-1]))
	}},
	{"com.microsoft.FastGelu", func(m *model) {
		s := m.shape(m.between(2, 4), 6)
		m.input(m.floats(s...))
		if m.coin() {
			m.operand(m.floats(s[len(s)-1]))
		}
	}},
	{"com.microsoft.FusedConv", fusedConv},
	{"com.microsoft.FusedGemm", fusedGemm},
	{"com.microsoft.FusedMatMul", fusedMatMul},
	{"com.microsoft.Gelu", one(-3, 3)},
	{"com.microsoft.QuickGelu", func(m *model) {
		m.maybe("alpha", float32(m.Float64()*2))
		m.input(m.floats(m.shape(m.between(2, 4), 6)...))
	}},
	{"com.microsoft.SkipLayerNormalization", skipLayerNorm},
}

// fusedConv is a conv with an activation.
func fusedConv(m *model) {
	conv(m)
	m.outputs = []string{"y"}
	name := pick(m, "Relu", "Tanh", "Sigmoid", "LeakyRelu", "Clip", "HardSigmoid")
	m.attr("activation", name)
	switch name {
	case "LeakyRelu":
		m.attr("activation_params", []float32{float32(m.Float64())})
	case "Clip":
		m.attr("activation_params", []float32{-float32(m.Float64()), float32(m.Float64())})
	case "HardSigmoid":
		m.attr("activation_params", []float32{float32(m.Float64()), float32(m.Float64())})
	}
}

func fusedGemm(m *model) {
	gemm(m)
	if m.coin() {
		m.attr("activation", "LeakyRelu")
		m.attr("activation_alpha", float32(m.Float64()))
	} else {
		m.attr("activation", "Relu")
	}
}

// fusedMatMul is a product of matrices that are stored in any order of their dimensions.
func fusedMatMul(m *model) {
	r, k, c := m.between(1, 5), m.between(1, 9), m.between(1, 5)
	batch := m.shape(m.between(1, 2), 3)
	stored := func(side string, rows, cols int) tensor.Shape {
		if m.coin() {
			m.attr("trans"+side, 1)
			rows, cols = cols, rows
		}
		if m.coin() { // the rows come before the batch
			m.attr("transBatch"+side, 1)
			return append(append(tensor.Shape{rows}, batch...), cols)
		}
		return append(batch.Clone(), rows, cols)
	}
	m.maybe("alpha", float32(m.Float64()*2))
	a, b := stored("A", r, k), stored("B", k, c)
	m.input(m.floats(a...))
	m.operand(m.floats(b...))
}

func skipLayerNorm(m *model) {
	s := m.shape(3, 6)
	s[2] += 3
	m.epsilon()
	m.input(m.floats(s...))
	m.input(m.floats(s...))
	m.operand(m.floats(s[2]))
	if m.coin() {
		m.operand(m.floats(s[2]))
	} else if m.coin() {
		m.leave()
	} else {
		return
	}
	if m.in[len(m.in)-1] == "" || m.coin() {
		m.operand(m.floats(s[2]))
	}
}
