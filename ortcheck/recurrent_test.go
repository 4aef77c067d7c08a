package ortcheck

import "pimflow/internal/tensor"

var recurrents = []generator{
	{"GRU", recurrent(3, 2)},
	{"LSTM", recurrent(4, 3)},
	{"RNN", recurrent(1, 1)},
}

// recurrent draws some of the operands that may be left out, and asks for some of the
// outputs.
func recurrent(gates, functions int) func(*model) {
	return func(m *model) {
		m.until(7, 21)
		steps, batch, inputs, h := m.between(1, 5), m.between(1, 3), m.between(1, 4), m.between(1, 4)
		d := 1
		if direction := pick(m, "forward", "reverse", "bidirectional"); direction != "forward" || m.coin() {
			m.attr("direction", direction)
			if direction == "bidirectional" {
				d = 2
			}
		}
		m.attr("hidden_size", h)
		m.maybe("clip", float32(0.8))
		if m.op == "GRU" {
			m.maybe("linear_before_reset", 1)
		}
		if m.IntN(3) == 0 {
			list := make([]string, d*functions)
			for i := range list {
				list[i] = pick(m, "Relu", "Tanh", "Sigmoid", "Softsign", "LeakyRelu", "HardSigmoid", "Elu", "ScaledTanh", "Affine", "ThresholdedRelu")
			}
			m.attr("activations", list)
			takes := map[string]int{"LeakyRelu": 1, "HardSigmoid": 2, "Elu": 1, "ScaledTanh": 2, "Affine": 2, "ThresholdedRelu": 1}
			for k, name := range []string{"activation_alpha", "activation_beta"} {
				var v []float32
				for _, f := range list {
					if takes[f] > k {
						v = append(v, float32(m.between(1, 8))/8)
					}
				}
				if v != nil {
					m.attr(name, v)
				}
			}
		}
		m.input(m.floats(steps, batch, inputs))
		m.operand(m.uniform(-1, 1, d, gates*h, inputs))
		m.operand(m.uniform(-1, 1, d, gates*h, h))
		optional := func(t *tensor.Tensor) {
			if m.coin() {
				m.operand(t)
			} else {
				m.leave()
			}
		}
		optional(m.floats(d, 2*gates*h))
		optional(m.whole(tensor.Int32, 1, steps, batch))
		optional(m.uniform(-1, 1, d, batch, h))
		m.outputs = []string{"y", "h"}
		if gates == 4 {
			optional(m.uniform(-1, 1, d, batch, h))
			optional(m.uniform(-1, 1, d, 3*h))
			m.outputs = []string{"y", "h", "c"}
		}
	}
}
