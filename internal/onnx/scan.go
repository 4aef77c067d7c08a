package onnx

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// scan lowers Scan, from opset 9, by writing out its steps: one for each row of the values scanned.
func scan(n *node) []*value {
	body, in := n.graph("body"), n.all()
	scanned := int(n.int("num_scan_inputs", 0))
	k := len(in) - scanned
	if scanned < 1 || k < 0 || len(body.inputs) != len(in) || len(body.outputs) < k || len(n.p.out) > len(body.outputs) {
		n.fail("%d inputs, %d of them scanned, and %d outputs for a body of %d and %d", len(in), scanned, len(n.p.out), len(body.inputs), len(body.outputs))
	}
	made := len(body.outputs) - k
	// along lists an attribute's values, def where it is left out.
	along := func(name string, count int) []int64 {
		v := n.ints(name)
		if v == nil {
			return make([]int64, count)
		}
		if len(v) != count {
			n.fail("%s %v: %d values wanted", name, v, count)
		}
		return v
	}
	axes, back := along("scan_input_axes", scanned), along("scan_input_directions", scanned)
	outAxes, outBack := along("scan_output_axes", made), along("scan_output_directions", made)
	steps := -1
	for i, v := range in[k:] {
		axis := n.axis(axes[i], len(v.shape), 0)
		if axes[i] = int64(axis); steps >= 0 && v.shape[axis] != steps {
			n.fail("values of %d and of %d rows are scanned: as many wanted", steps, v.shape[axis])
		}
		steps = v.shape[axis]
	}
	if steps > graph.MaxOperations || steps == 0 && made > 0 {
		n.fail("%d steps: 1 to %d wanted", steps, graph.MaxOperations)
	}
	states, parts := slices.Clone(in[:k]), make([][]*value, made)
	for t := range steps {
		s := n.scope()
		for j, v := range states {
			s.env[body.inputs[j].name] = v
		}
		for j, v := range in[k:] {
			at := t
			if back[j] != 0 {
				at = steps - 1 - t
			}
			row := known(n.name+"/row", tensor.Ints64(tensor.Shape{}, []int64{int64(at)}))
			s.env[body.inputs[k+j].name] = n.sub("Gather", op.Attrs{"axis": axes[j]}, v, row)
		}
		n.check(n.cost(len(body.inputs) + len(body.outputs)))
		out := n.within(s, body)
		states = out[:k]
		for j, v := range out[k:] {
			parts[j] = append(parts[j], v)
		}
	}
	for j, list := range parts {
		if outBack[j] != 0 {
			slices.Reverse(list)
		}
		states = append(states[:k+j:k+j], n.stack(list, n.axis(outAxes[j], len(list[0].shape), 1)))
	}
	return states
}
