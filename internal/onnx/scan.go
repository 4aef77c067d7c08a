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
	if steps > graph.MaxOperations {
		n.fail("%d steps: at most %d wanted", steps, graph.MaxOperations)
	}
	if steps == 0 {
		rows := slices.Clone(in)
		for i, v := range in[k:] {
			rows[k+i] = without(v, int(axes[i]))
		}
		return append(slices.Clone(in[:k]), n.none(body, rows, k, outAxes)...)
	}
	states, parts := n.rows(body, in[:k], in[k:], axes, back, steps)
	for j, list := range parts {
		if outBack[j] != 0 {
			slices.Reverse(list)
		}
		states = append(states[:k+j:k+j], n.stack(list, n.axis(outAxes[j], len(list[0].shape)+1, 0)))
	}
	return states
}

// without is a row of a value along an axis, of which the shape counts alone.
func without(v *value, axis int) *value {
	return &value{name: v.name, typ: v.typ, shape: slices.Delete(v.shape.Clone(), axis, axis+1), id: -1, lost: v.lost}
}

// rows writes out the steps of a Scan: one for each row of the values scanned, along their axes, from the last row where back
// is set. It returns the last states, and the rows that each other output is made of.
func (n *node) rows(body *graphProto, states, scanned []*value, axes, back []int64, steps int) ([]*value, [][]*value) {
	k := len(states)
	parts := make([][]*value, len(body.outputs)-k)
	states = slices.Clone(states)
	for t := range steps {
		s := n.scope()
		for j, v := range states {
			s.env[body.inputs[j].name] = v
		}
		for j, v := range scanned {
			at := t
			if back[j] != 0 {
				at = steps - 1 - t
			}
			s.env[body.inputs[k+j].name] = n.row(v, axes[j], at)
		}
		n.check(n.cost(len(body.inputs) + len(body.outputs)))
		out := n.within(s, body)
		states = out[:k]
		for j, v := range out[k:] {
			parts[j] = append(parts[j], v)
		}
	}
	return states, parts
}

// row is one row of a value along an axis.
func (n *node) row(v *value, axis int64, at int) *value {
	return n.sub("Gather", op.Attrs{"axis": axis}, v, known(n.name+"/row", tensor.Ints64(tensor.Shape{}, []int64{int64(at)})))
}

// scanImages lowers Scan of opset 8. All values have images in the first dimension, which the body does not see, and those
// scanned have their rows in the second; a first input says how many rows of each image there are. What an output has
// beyond them is 0.
func scanImages(n *node) []*value {
	if n.opset > 8 {
		return scan(n)
	}
	n.arity(0, len(n.in))
	lengths, in := n.opt(0), n.in[min(1, len(n.in)):]
	body, scanned := n.graph("body"), int(n.int("num_scan_inputs", 0))
	k := len(in) - scanned
	if scanned < 1 || k < 0 || len(body.inputs) != len(in) || len(body.outputs) < k || len(n.p.out) > len(body.outputs) {
		n.fail("%d inputs beside the lengths, %d of them scanned, and %d outputs for a body of %d and %d", len(in), scanned, len(n.p.out), len(body.inputs), len(body.outputs))
	}
	back := n.ints("directions")
	if back == nil {
		back = make([]int64, scanned)
	}
	if len(back) != scanned {
		n.fail("directions %v: %d values wanted", back, scanned)
	}
	images, most := -1, -1
	for i, v := range in {
		rank := 1
		if i >= k {
			rank = 2
		}
		switch {
		case v == nil:
			n.fail("input %d is left out", i+1)
		case len(v.shape) < rank:
			n.fail("input %d is %v: at least %d dimensions wanted", i+1, v.shape, rank)
		case i > 0 && v.shape[0] != images || most >= 0 && v.shape[1] != most:
			n.fail("input %d is %v: %d images of as many rows wanted", i+1, v.shape, images)
		}
		images = v.shape[0]
		if i >= k {
			most = v.shape[1]
		}
	}
	if images < 1 || most < 1 || most > graph.MaxOperations || images > graph.MaxOperations {
		n.fail("%d images of %d rows: 1 to %d of each wanted", images, most, graph.MaxOperations)
	}
	count := slices.Repeat([]int64{int64(most)}, images)
	if lengths != nil {
		count = n.constInts(0, "sequence_lens")
		if len(count) != images || slices.Min(count) < 1 || slices.Max(count) > int64(most) {
			n.fail("sequence_lens %v: 1 to %d for each of %d images wanted", count, most, images)
		}
	}
	out := make([][]*value, len(body.outputs))
	for b := range images {
		each := make([]*value, len(in))
		for i, v := range in {
			each[i] = n.row(v, 0, b)
		}
		states, parts := n.rows(body, each[:k], each[k:], make([]int64, scanned), back, int(count[b]))
		for j, v := range states {
			out[j] = append(out[j], v)
		}
		for j, list := range parts {
			for len(list) < most {
				list = append(list, known(n.name+"/none", tensor.New(list[0].typ, list[0].shape)))
			}
			out[k+j] = append(out[k+j], n.stack(list, 0))
		}
	}
	made := make([]*value, len(out))
	for j, list := range out {
		made[j] = n.stack(list, 0)
	}
	return made
}
