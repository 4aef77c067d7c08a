package op

import (
	"fmt"
	"strings"

	"pimflow/internal/tensor"
)

// recurrentOps carry a state from step to step. Operands are all of ONNX's, in its
// order: X[steps,batch,inputs], W, R and B of each direction, the steps of each
// sequence, the states before the first step, and the peepholes of LSTM. The value has
// the states of all steps [steps,directions,batch,hidden], 0 after the end of a
// sequence, and after them the states at the ends: Y, Y_h and, of LSTM, Y_c.
var recurrentOps = []Op{
	recurrentRow("RNN", 1, 1, rnnStep),
	recurrentRow("GRU", 3, 2, gruStep, Attr{Name: "linear_before_reset", Kind: Int, Default: int64(0)}),
	recurrentRow("LSTM", 4, 3, lstmStep, Attr{Name: "input_forget", Kind: Int, Default: int64(0)}),
}

// Activations are a space between names, for each direction; the parameters are one
// each, 0 where an activation has none.
func recurrentRow(name string, gates, functions int, step func(c *cell, in, h []float64), attrs ...Attr) Op {
	lstm := name == "LSTM"
	operands := 6
	if lstm {
		operands = 8
	}
	return Op{
		Name: name, MinIn: operands, MaxIn: operands,
		Attrs: append([]Attr{
			{Name: "direction", Kind: String, Default: "forward", OneOf: []string{"forward", "reverse", "bidirectional"}},
			{Name: "hidden_size", Kind: Int}, {Name: "activations", Kind: String},
			{Name: "activation_alpha", Kind: Floats}, {Name: "activation_beta", Kind: Floats},
			{Name: "clip", Kind: Float, Default: float32(0)}, // 0: none
		}, attrs...),
		Type: func(a Attrs, in []tensor.Type) (tensor.Type, error) {
			if in[4] != tensor.Int32 {
				return 0, fmt.Errorf("input 4 is %v: int32 wanted", in[4])
			}
			return floating(a, append(append([]tensor.Type{}, in[:4]...), in[5:]...))
		},
		Shape: func(a Attrs, in []tensor.Shape) (tensor.Shape, error) {
			if err := rank(0, in[0], 3, 3); err != nil {
				return nil, err
			}
			d, h := directions(a), a.Int("hidden_size")
			if h < 1 {
				return nil, fmt.Errorf("hidden_size %d: 1 or more wanted", h)
			}
			steps, batch, inputs := in[0][0], in[0][1], in[0][2]
			want := []tensor.Shape{in[0], {d, gates * h, inputs}, {d, gates * h, h}, {d, 2 * gates * h}, {batch}, {d, batch, h}, {d, batch, h}, {d, 3 * h}}
			for i, s := range in {
				if !s.Equal(want[i]) {
					return nil, fmt.Errorf("input %d is %v: %v wanted", i, s, want[i])
				}
			}
			list := strings.Split(a.String("activations"), " ")
			if err := lengths32(a, d*functions, "activation_alpha", "activation_beta"); err != nil || len(list) != d*functions {
				return nil, fmt.Errorf("activations %.80q with %d and %d parameters: %d of each wanted", a.String("activations"),
					len(a["activation_alpha"].([]float32)), len(a["activation_beta"].([]float32)), d*functions)
			}
			for _, n := range list {
				if _, ok := activations[n]; !ok {
					return nil, fmt.Errorf("activation %.80q is not known", n)
				}
			}
			ends := 1
			if lstm {
				ends = 2
			}
			return tensor.Shape{steps + ends, d, batch, h}, nil
		},
		MACs: func(a Attrs, in []tensor.Shape, out tensor.Box) int64 {
			steps := min(out[0].Hi, in[0][0]) - min(out[0].Lo, in[0][0])
			return int64(steps) * int64(out[1:].Size()) * int64(gates) * int64(in[0][2]+a.Int("hidden_size"))
		},
		Eval: func(a Attrs, in []*tensor.Tensor, dst *tensor.Tensor, _ tensor.Box) {
			d, batch := in[1].Shape[0], in[0].Shape[1]
			parallel(d*batch, func(i int) {
				newCell(a, in, dst.Type, gates, functions, i/batch, i%batch).run(step, in, dst, i/batch, i%batch)
			})
		},
	}
}

func directions(a Attrs) int {
	if a.String("direction") == "bidirectional" {
		return 2
	}
	return 1
}

// lengths32 is lengths of floats.
func lengths32(a Attrs, n int, names ...string) error {
	for _, name := range names {
		if v := a[name].([]float32); len(v) != n {
			return fmt.Errorf("%s %v: %d values wanted", name, v, n)
		}
	}
	return nil
}

// cell is one direction's weights and state of one sequence.
type cell struct {
	a                       Attrs
	typ                     tensor.Type
	inputs, hidden          int
	w, r, wBias, rBias, eye []float32 // eye: the peepholes of LSTM's i, o and f
	f                       []func(float64) float64
	clip                    float64
	state, cell             []float64
}

func newCell(a Attrs, in []*tensor.Tensor, typ tensor.Type, gates, functions, d, b int) *cell {
	h, inputs, batch := a.Int("hidden_size"), in[0].Shape[2], in[0].Shape[1]
	n := gates * h
	c := &cell{a: a, typ: typ, inputs: inputs, hidden: h, clip: float64(a.Float("clip"))}
	c.w, c.r = in[1].Floats()[d*n*inputs:(d+1)*n*inputs], in[2].Floats()[d*n*h:(d+1)*n*h]
	bias := in[3].Floats()[d*2*n : (d+1)*2*n]
	c.wBias, c.rBias = bias[:n], bias[n:]
	start := func(i int) []float64 {
		s := make([]float64, h)
		for k := range s {
			s[k] = float64(in[i].Floats()[(d*batch+b)*h+k])
		}
		return s
	}
	c.state = start(5)
	if len(in) > 6 {
		c.cell, c.eye = start(6), in[7].Floats()[d*3*h:(d+1)*3*h]
	}
	names, alpha, beta := strings.Split(a.String("activations"), " "), a["activation_alpha"].([]float32), a["activation_beta"].([]float32)
	for k := d * functions; k < (d+1)*functions; k++ {
		f, p, q := activations[names[k]].f, float64(alpha[k]), float64(beta[k])
		c.f = append(c.f, func(x float64) float64 { return f(x, p, q) })
	}
	return c
}

// run performs the steps of a sequence; states are rounded to the value's type.
func (c *cell) run(step func(c *cell, in, h []float64), in []*tensor.Tensor, dst *tensor.Tensor, d, b int) {
	x, y := in[0].Floats(), dst.Floats()
	steps, batch := in[0].Shape[0], in[0].Shape[1]
	n := min(max(int(in[4].Ints()[b]), 0), steps)
	backwards := d == 1 || c.a.String("direction") == "reverse"
	row := func(t int) []float32 {
		at := ((t*dst.Shape[1]+d)*batch + b) * c.hidden
		return y[at : at+c.hidden]
	}
	put := func(t int, v []float64) {
		for k, s := range v {
			row(t)[k] = float32(s)
		}
	}
	for i := range n {
		t := i
		if backwards {
			t = n - 1 - i
		}
		at := (t*batch + b) * c.inputs
		step(c, affine(c.w, c.wBias, x[at:at+c.inputs]), c.state)
		for k, s := range c.state {
			c.state[k] = float64(tensor.Round(c.typ, float32(s)))
		}
		put(t, c.state)
	}
	for t := n; t < steps; t++ {
		clear(row(t))
	}
	put(steps, c.state)
	if c.cell != nil {
		put(steps+1, c.cell)
	}
}

// affine is a matrix times x, and a bias.
func affine[T float32 | float64](w, bias []float32, x []T) []float64 {
	y := make([]float64, len(bias))
	for j := range y {
		sum := float64(bias[j])
		for i, v := range w[j*len(x) : (j+1)*len(x)] {
			sum += float64(v) * float64(x[i])
		}
		y[j] = sum
	}
	return y
}

// gate is activation k of a value, which is clipped.
func (c *cell) gate(k int, x float64) float64 {
	if c.clip > 0 {
		x = min(max(x, -c.clip), c.clip)
	}
	return c.f[k](x)
}

func rnnStep(c *cell, in, h []float64) {
	r := affine(c.r, c.rBias, h)
	for k := range h {
		h[k] = c.gate(0, in[k]+r[k])
	}
}

// gruStep has the gates z, r and h (ONNX GRU-14).
func gruStep(c *cell, in, h []float64) {
	n := c.hidden
	r := affine(c.r[:2*n*n], c.rBias[:2*n], h)
	reset := make([]float64, n)
	for k := range reset {
		reset[k] = c.gate(0, in[n+k]+r[n+k])
	}
	var hidden []float64
	if c.a.Int("linear_before_reset") != 0 {
		hidden = affine(c.r[2*n*n:], c.rBias[2*n:], h)
		for k := range hidden {
			hidden[k] *= reset[k]
		}
	} else {
		part := make([]float64, n)
		for k := range part {
			part[k] = reset[k] * h[k]
		}
		hidden = affine(c.r[2*n*n:], c.rBias[2*n:], part)
	}
	for k := range h {
		z := c.gate(0, in[k]+r[k])
		h[k] = (1-z)*c.gate(1, in[2*n+k]+hidden[k]) + z*h[k]
	}
}

// lstmStep has the gates i, o, f and c (ONNX LSTM-14).
func lstmStep(c *cell, in, h []float64) {
	n := c.hidden
	r := affine(c.r, c.rBias, h)
	for k := range h {
		sum := func(gate int) float64 { return in[gate*n+k] + r[gate*n+k] }
		i := c.gate(0, sum(0)+float64(c.eye[k])*c.cell[k])
		f := 1 - i
		if c.a.Int("input_forget") == 0 {
			f = c.gate(0, sum(2)+float64(c.eye[2*n+k])*c.cell[k])
		}
		c.cell[k] = float64(float32(f*c.cell[k] + i*c.gate(1, sum(3))))
		h[k] = c.gate(0, sum(1)+float64(c.eye[n+k])*c.cell[k]) * c.gate(2, c.cell[k])
	}
}
