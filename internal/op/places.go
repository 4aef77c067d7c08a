package op

import (
	"fmt"

	"pimflow/internal/tensor"
)

// places are the operators of which an operand is places: those that an element may name, for inputs of such shapes.
// ONNX leaves others open, and ONNX Runtime refuses them.
var places = map[string]struct {
	operand int
	of      func(a Attrs, in []tensor.Shape, element int) tensor.Range
}{
	"Gather":          {1, alongAxis},
	"GatherElements":  {1, alongAxis},
	"ScatterElements": {1, alongAxis},
	"GatherND": {1, func(a Attrs, in []tensor.Shape, element int) tensor.Range {
		return inTuple(in, a.Int("batch_dims"), element)
	}},
	"ScatterND": {1, func(_ Attrs, in []tensor.Shape, element int) tensor.Range { return inTuple(in, 0, element) }},
	"ReverseSequence": {1, func(a Attrs, in []tensor.Shape, _ int) tensor.Range {
		return tensor.Range{Lo: 0, Hi: in[0][a.Int("time_axis")] + 1}
	}},
	"RNN": {4, steps}, "GRU": {4, steps}, "LSTM": {4, steps},
	"RoiAlign": {2, func(_ Attrs, in []tensor.Shape, _ int) tensor.Range { return tensor.Range{Lo: 0, Hi: in[0][0]} }},
}

// fromEitherEnd are the places among n, negative ones counted from the end.
func fromEitherEnd(n int) tensor.Range { return tensor.Range{Lo: -n, Hi: n} }

func alongAxis(a Attrs, in []tensor.Shape, _ int) tensor.Range {
	return fromEitherEnd(in[0][axisOf(a, len(in[0]))])
}

// inTuple are the places of an element of tuples of indices of the dimensions from batch on.
func inTuple(in []tensor.Shape, batch, element int) tensor.Range {
	k := in[1][len(in[1])-1]
	return fromEitherEnd(in[0][batch+element%k])
}

// steps are the lengths of a sequence.
func steps(_ Attrs, in []tensor.Shape, _ int) tensor.Range {
	return tensor.Range{Lo: 0, Hi: in[0][0] + 1}
}

// Within refuses inputs whose indices, lengths or numbers of images name a place that is not there, among those that the box
// out of the value needs. Eval makes NaN of it, or the least integer, or leaves it out.
func (o *Op) Within(a Attrs, in []*tensor.Tensor, out tensor.Box) error {
	w, ok := places[o.Name]
	if !ok || out.Empty() {
		return nil
	}
	shapes := shapesOf(in)
	s := shapes[w.operand]
	box := tensor.Full(s)
	if o.Need != nil {
		box = o.Need(a, shapes, out)[w.operand]
	}
	var err error
	list := in[w.operand].Ints()
	box.Runs(s, func(off, n int) {
		for i := off; i < off+n && err == nil; i++ {
			if r := w.of(a, shapes, i); list[i] < int64(r.Lo) || list[i] >= int64(r.Hi) {
				at := make([]int, len(s))
				for d, st := range s.Strides() {
					at[d] = i / st % s[d]
				}
				err = fmt.Errorf("input %d at %v is %d: %d to %d wanted", w.operand, at, list[i], r.Lo, r.Hi-1)
			}
		}
	})
	return err
}
