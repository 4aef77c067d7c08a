package onnx

import (
	"slices"
	"strings"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// recurrent lowers RNN, GRU and LSTM to the states of all steps and those at the ends,
// of which the outputs are parts. An operand that is left out is what it means: zeros,
// and sequences of all steps. Layout 1 has the batch first.
func recurrent(gates int, functions string) func(n *node) []*value {
	return func(n *node) []*value {
		lstm := n.p.opType == "LSTM"
		most := 6
		if lstm {
			most = 8
		}
		n.arity(3, most)
		n.ignore("output_sequence") // up to opset 6, of an output that is asked for anyway
		x, r := n.in[0], n.in[2]
		if len(x.shape) != 3 || len(r.shape) != 3 || r.shape[0] < 1 || r.shape[0] > 2 {
			n.fail("input of %v, recurrence of %v: three dimensions each, and one or two directions, wanted", x.shape, r.shape)
		}
		a := op.Attrs{"direction": n.str("direction", "forward"), "hidden_size": n.int("hidden_size", int64(r.shape[2])), "clip": n.float("clip", 0)}
		switch n.p.opType {
		case "LSTM":
			a["input_forget"] = n.int("input_forget", 0)
		case "GRU":
			a["linear_before_reset"] = n.int("linear_before_reset", 0)
		}
		batchFirst := n.opset >= 14 && n.int("layout", 0) != 0
		turn := func(v *value, perm ...int64) *value {
			if v == nil || !batchFirst {
				return v
			}
			return n.sub("Transpose", op.Attrs{"perm": perm}, v)
		}
		x = turn(x, 1, 0, 2)
		steps, batch, d, h := x.shape[0], x.shape[1], r.shape[0], r.shape[2]
		n.activations(a, slices.Repeat(strings.Fields(functions), d))
		or := func(i int, what string, t tensor.Type, v float64, dims ...int) *value {
			if o := n.opt(i); o != nil {
				return o
			}
			return known(n.name+"/"+what, filled(t, dims, v))
		}
		in := []*value{x, n.in[1], r, or(3, "B", x.typ, 0, d, 2*gates*h), or(4, "sequence_lens", tensor.Int32, float64(steps), batch)}
		for i := 5; i < min(most, 7); i++ {
			start := turn(n.opt(i), 1, 0, 2)
			if start == nil {
				start = or(i, "initial", x.typ, 0, d, batch, h)
			}
			in = append(in, start)
		}
		if lstm {
			in = append(in, or(7, "P", x.typ, 0, d, 3*h))
		}
		states := n.sub(n.p.opType, a, in...)
		part := func(from, to int) *value {
			return n.sub("Slice", op.Attrs{"starts": []int64{int64(from)}, "ends": []int64{int64(to)}, "axes": []int64{0}, "steps": []int64{1}}, states)
		}
		out := make([]*value, 3)
		if n.wants(0) {
			out[0] = turn(part(0, steps), 2, 0, 1, 3)
		}
		for i := 1; i < most/2-1; i++ { // Y_h; Y_c
			if n.wants(i) {
				end := part(steps+i-1, steps+i)
				out[i] = turn(n.via(end, end.shape[1:]), 1, 0, 2)
			}
		}
		return out
	}
}

// activations reads the functions, and the parameters that the lists have in order for
// those that have any.
func (n *node) activations(a op.Attrs, def []string) {
	list := def
	if at := n.attr("activations", attrStrings); at != nil {
		list = at.strings
	}
	var params [2][]float32
	for k, name := range []string{"activation_alpha", "activation_beta"} {
		stated := n.floats(name)
		for _, f := range list {
			defaults, ok := op.Activation(f)
			if !ok {
				n.fail("activation %.80q is not known", f)
			}
			v := float32(0)
			if k < len(defaults) {
				if v = defaults[k]; len(stated) > 0 {
					v, stated = stated[0], stated[1:]
				}
			}
			params[k] = append(params[k], v)
		}
		a[name] = params[k]
	}
	a["activations"] = strings.Join(list, " ")
}

// writeRecurrent writes the operator, and its outputs in a row as the value has them.
func writeRecurrent(opType string, outputs int) func(e *encoder, name string, a op.Attrs, t tensor.Type, in []string, out string) {
	return func(e *encoder, name string, a op.Attrs, _ tensor.Type, in []string, out string) {
		attrs := written(a, "direction", "hidden_size")
		if a.Float("clip") > 0 {
			attrs = append(attrs, written(a, "clip")...)
		}
		for _, own := range []string{"input_forget", "linear_before_reset"} {
			if _, ok := a[own]; ok {
				attrs = append(attrs, written(a, own)...)
			}
		}
		list := strings.Fields(a.String("activations"))
		attrs = appendMessage(attrs, 5, attribute("activations", list))
		for k, p := range []string{"activation_alpha", "activation_beta"} {
			var v []float32
			for i, f := range list {
				if defaults, _ := op.Activation(f); k < len(defaults) {
					v = append(v, a[p].([]float32)[i])
				}
			}
			if len(v) > 0 {
				attrs = appendMessage(attrs, 5, attribute(p, v))
			}
		}
		parts := []string{e.unique(name + "/Y"), e.unique(name + "/Y_h"), e.unique(name + "/Y_c")}[:outputs]
		e.node(name, opType, attrs, in, parts...)
		axes := e.helper(name+"/axes", tensor.Ints64(tensor.Shape{1}, []int64{0}))
		for i, p := range parts[1:] {
			parts[i+1] = e.unique(p + "/row")
			e.node(parts[i+1], "Unsqueeze", nil, []string{p, axes}, parts[i+1])
		}
		e.node(name+"/Concat", "Concat", appendMessage(nil, 5, attribute("axis", int64(0))), parts, out)
	}
}
