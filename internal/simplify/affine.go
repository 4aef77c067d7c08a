package simplify

import (
	"context"
	"math"
	"sync"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// linear is a contraction with constant weights, whose value is
// weights * x + bias in each channel of its second dimension.
type linear struct {
	channels int
	weight   *tensor.Tensor
	bias     *tensor.Tensor  // of one value a channel; nil: none
	channel  func(i int) int // of the i-th weight
}

// affine moves BatchNormalization, and Add, Sub, Mul and Div with a constant of
// one value or of one a channel, into the weights of the contraction that alone
// feeds them. New weights are computed when they are asked for.
func affine(ctx context.Context, g *graph.Graph) (*graph.Graph, error) {
	return rewrite(ctx, g, func(r *rewriter, nd *graph.Node) (graph.ID, error) {
		l, ok := linearOf(r, nd)
		if !ok {
			return r.copy(nd)
		}
		var steps []step
		absorbed := []graph.ID{}
		for last := nd; ; {
			next := r.next(last.ID)
			if next == nil {
				break
			}
			s, ok := stepOf(r, next, last.ID, nd.Shape)
			if !ok {
				break
			}
			steps, absorbed, last = append(steps, s), append(absorbed, next.ID), next
		}
		if len(steps) == 0 {
			return r.copy(nd)
		}
		id, err := scaled(r, nd, l, steps)
		for _, x := range absorbed {
			r.ids[x] = id
		}
		return id, err
	})
}

// linearOf describes nd as a linear contraction; ok is false if it is none.
func linearOf(r *rewriter, nd *graph.Node) (l linear, ok bool) {
	layout, ok := layouts[nd.Op.Name]
	if !ok || len(nd.Post) > 0 || !nd.Type.Float() {
		return l, false
	}
	if l.weight = r.constant(nd.In[1]); l.weight == nil {
		return l, false
	}
	l.channels = nd.Shape[1]
	l.channel = layout(nd, l.weight.Shape)
	if len(nd.In) > 2 {
		if l.bias = r.constant(nd.In[2]); l.bias == nil {
			return l, false
		}
		if !perChannel(l.bias.Shape, tensor.Shape{nd.Shape[0], l.channels}) {
			return l, false // a Gemm's third operand may be a whole matrix
		}
	}
	return l, true
}

// layouts gives, for each linear contraction, the output channel that a weight
// belongs to.
var layouts = map[string]func(nd *graph.Node, w tensor.Shape) func(i int) int{
	"Conv": func(_ *graph.Node, w tensor.Shape) func(int) int {
		n := w[1:].Size()
		return func(i int) int { return i / n }
	},
	// ConvTranspose has weights C x M/group x kernel.
	"ConvTranspose": func(nd *graph.Node, w tensor.Shape) func(int) int {
		n, m, perGroup := w[2:].Size(), w[1], w[0]/nd.Attrs.Int("group")
		return func(i int) int { return i/(n*m)/perGroup*m + i/n%m }
	},
	"Gemm": func(nd *graph.Node, w tensor.Shape) func(int) int {
		if nd.Attrs.Int("transB") != 0 {
			return func(i int) int { return i / w[1] }
		}
		return func(i int) int { return i % w[1] }
	},
}

// scaled appends nd with the steps in its weights and bias.
func scaled(r *rewriter, nd *graph.Node, l linear, steps []step) (graph.ID, error) {
	c := *nd
	beta := 1.0
	if nd.Op.Name == "Gemm" {
		c.Attrs = nd.Attrs.Clone()
		beta, c.Attrs["beta"] = float64(nd.Attrs.Float("beta")), float32(1)
	}
	lines := sync.OnceValue(func() []line { return compose(l.channels, steps) })
	weight := floats(l.weight.Type, l.weight.Shape, func(v []float32) {
		ln := lines()
		for i, w := range l.weight.Floats() {
			v[i] = float32(float64(w) * ln[l.channel(i)].scale)
		}
	})
	bias := floats(nd.Type, tensor.Shape{l.channels}, func(v []float32) {
		for i, ln := range lines() {
			b := 0.0
			if l.bias != nil {
				b = float64(broadcast(l.bias, i)) * beta
			}
			v[i] = float32(b*ln.scale + ln.shift)
		}
	})
	biasName := nd.Name + ".bias"
	if len(nd.In) > 2 {
		biasName = r.old.Nodes[nd.In[2]].Name
	}
	c.In = []graph.ID{r.id(nd.In[0]),
		r.new.Const(r.old.Nodes[nd.In[1]].Name, weight), r.new.Const(biasName, bias)}
	return r.new.Node(c)
}

// floats is a lazy tensor whose values fill writes; they are rounded to t.
func floats(t tensor.Type, s tensor.Shape, fill func(v []float32)) *tensor.Tensor {
	return tensor.Lazy(t, s, func() ([]float32, []int64) {
		v := make([]float32, s.Size())
		fill(v)
		for i := range v {
			v[i] = tensor.Round(t, v[i])
		}
		return v, nil
	})
}

// line is y = scale * x + shift.
type line struct{ scale, shift float64 }

// step changes the line of channel i.
type step func(i int, l line) line

func compose(channels int, steps []step) []line {
	lines := make([]line, channels)
	for i := range lines {
		lines[i] = line{1, 0}
		for _, s := range steps {
			lines[i] = s(i, lines[i])
		}
	}
	return lines
}

// stepOf is what nd does to its operand x, a value of shape s, if that is a line
// for each channel.
func stepOf(r *rewriter, nd *graph.Node, x graph.ID, s tensor.Shape) (step, bool) {
	if len(nd.Post) > 0 || !nd.Shape.Equal(s) {
		return nil, false
	}
	if nd.Op.Name == "BatchNormalization" {
		return batchNorm(r, nd, x)
	}
	arithmetic, ok := arithmetics[nd.Op.Name]
	if !ok {
		return nil, false
	}
	second := nd.In[1] == x
	k := r.constant(nd.In[0])
	if !second {
		k = r.constant(nd.In[1])
	}
	if k == nil || !perChannel(k.Shape, s) || second && nd.Op.Name == "Div" {
		return nil, false
	}
	return func(i int, l line) line { return arithmetic(l, float64(broadcast(k, i)), second) }, true
}

// arithmetics are the operators that make a line of a line and a constant k;
// second tells that the line is the second operand.
var arithmetics = map[string]func(l line, k float64, second bool) line{
	"Add": func(l line, k float64, _ bool) line { return line{l.scale, l.shift + k} },
	"Sub": func(l line, k float64, second bool) line {
		if second {
			return line{-l.scale, k - l.shift}
		}
		return line{l.scale, l.shift - k}
	},
	"Mul": func(l line, k float64, _ bool) line { return line{l.scale * k, l.shift * k} },
	"Div": func(l line, k float64, _ bool) line { return line{l.scale / k, l.shift / k} },
}

func batchNorm(r *rewriter, nd *graph.Node, x graph.ID) (step, bool) {
	if nd.In[0] != x {
		return nil, false
	}
	var p [4]*tensor.Tensor // scale, B, mean, var
	for i := range p {
		if p[i] = r.constant(nd.In[1+i]); p[i] == nil {
			return nil, false
		}
	}
	epsilon := float64(nd.Attrs.Float("epsilon"))
	return func(i int, l line) line {
		at := func(t *tensor.Tensor) float64 { return float64(t.Floats()[i]) }
		k := at(p[0]) / math.Sqrt(at(p[3])+epsilon)
		return line{l.scale * k, (l.shift-at(p[2]))*k + at(p[1])}
	}, true
}

// perChannel reports whether a constant of shape k, broadcast against a value of
// shape s, has one value for each channel (dimension 1) and leaves s as it is.
func perChannel(k, s tensor.Shape) bool {
	skip := len(s) - len(k)
	if skip < 0 {
		return false
	}
	for i, d := range k {
		if d != 1 && (skip+i != 1 || d != s[1]) {
			return false
		}
	}
	return true
}

// broadcast is the value of a per-channel constant for channel i.
func broadcast(k *tensor.Tensor, i int) float32 {
	v := k.Floats()
	if len(v) == 1 {
		return v[0]
	}
	return v[i]
}
