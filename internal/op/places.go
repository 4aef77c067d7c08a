package op

import (
	"fmt"
	"math"

	"pimflow/internal/tensor"
)

// places are the operators of which an operand is places, or divides integers: the places that an element may name, for inputs of such
// shapes. ONNX leaves others open, and ONNX Runtime refuses them. A place that is a real number is cut to a whole one.
var places = map[string]struct {
	operand int
	of      func(a Attrs, in []tensor.Shape) func(element int) tensor.Range // nil: a divisor, other than 0 where it is an integer
}{
	"Gather":          {1, alongAxis},
	"GatherElements":  {1, alongAxis},
	"ScatterElements": {1, alongAxis},
	"GatherND":        {1, func(a Attrs, in []tensor.Shape) func(int) tensor.Range { return inTuple(in, a.Int("batch_dims")) }},
	"ScatterND":       {1, func(_ Attrs, in []tensor.Shape) func(int) tensor.Range { return inTuple(in, 0) }},
	"ReverseSequence": {1, func(a Attrs, in []tensor.Shape) func(int) tensor.Range { return below(in[0][a.Int("time_axis")] + 1) }},
	"RNN":             {4, steps}, "GRU": {4, steps}, "LSTM": {4, steps},
	"RoiAlign":   {2, func(_ Attrs, in []tensor.Shape) func(int) tensor.Range { return below(in[0][0]) }},
	"MaxUnpool":  {1, func(a Attrs, in []tensor.Shape) func(int) tensor.Range { return below(unpooled(a, in[0]).Size()) }},
	"MaxRoiPool": {1, roiImages},
	"Div":        {1, nil}, "Mod": {1, nil},
}

// anywhere is every place.
var anywhere = tensor.Range{Lo: math.MinInt, Hi: math.MaxInt}

// roiImages are the images that boxes are of: the first of the five numbers of a box. The others are coordinates, of any size.
func roiImages(_ Attrs, in []tensor.Shape) func(int) tensor.Range {
	return func(element int) tensor.Range {
		if element%5 != 0 {
			return anywhere
		}
		return tensor.Range{Lo: 0, Hi: in[0][0]}
	}
}

// below are the places from 0 to n - 1.
func below(n int) func(int) tensor.Range {
	return func(int) tensor.Range { return tensor.Range{Lo: 0, Hi: n} }
}

// fromEitherEnd are the places among n, negative ones counted from the end.
func fromEitherEnd(n int) tensor.Range { return tensor.Range{Lo: -n, Hi: n} }

func alongAxis(a Attrs, in []tensor.Shape) func(int) tensor.Range {
	r := fromEitherEnd(in[0][axisOf(a, len(in[0]))])
	return func(int) tensor.Range { return r }
}

// inTuple are the places of an element of tuples of indices of the dimensions from batch on.
func inTuple(in []tensor.Shape, batch int) func(int) tensor.Range {
	k := in[1][len(in[1])-1]
	return func(element int) tensor.Range { return fromEitherEnd(in[0][batch+element%k]) }
}

// steps are the lengths of a sequence.
func steps(_ Attrs, in []tensor.Shape) func(int) tensor.Range { return below(in[0][0] + 1) }

// Within refuses integers divided by 0, and inputs whose indices, lengths or numbers of images name a place that is not there, or are
// no number, among those that the box out of the value needs. Eval makes NaN of it, or the least integer, or leaves it out.
func (o *Op) Within(a Attrs, in []*tensor.Tensor, out tensor.Box) error {
	w, ok := places[o.Name]
	if !ok || out.Empty() || w.of == nil && in[w.operand].Type.Float() {
		return nil
	}
	shapes := shapesOf(in)
	s := shapes[w.operand]
	box := tensor.Full(s)
	if o.Need != nil {
		box = o.Need(a, shapes, out)[w.operand]
	}
	wanted := func(i int) string { // for element i to be, "": nothing
		if in[w.operand].Ints()[i] == 0 {
			return "a divisor other than 0"
		}
		return ""
	}
	if w.of != nil {
		wanted = elsewhere(in[w.operand], w.of(a, shapes))
	}
	var err error
	box.Runs(s, func(off, n int) {
		for i := off; i < off+n && err == nil; i++ {
			if text := wanted(i); text != "" {
				at := make([]int, len(s))
				for d, st := range s.Strides() {
					at[d] = i / st % s[d]
				}
				err = fmt.Errorf("input %d at %v is %v: %s wanted", w.operand, at, valueAt(in[w.operand], i), text)
			}
		}
	})
	return err
}

func valueAt(x *tensor.Tensor, i int) any {
	if x.Type.Float() {
		return x.Floats()[i]
	}
	return x.Ints()[i]
}

// elsewhere says which places of an element are wanted where its own is none of them; "": it is one.
func elsewhere(x *tensor.Tensor, of func(element int) tensor.Range) func(i int) string {
	if !x.Type.Float() {
		list := x.Ints()
		return func(i int) string {
			if r := of(i); list[i] < int64(r.Lo) || list[i] >= int64(r.Hi) {
				return fmt.Sprintf("%d to %d", r.Lo, r.Hi-1)
			}
			return ""
		}
	}
	list := x.Floats()
	return func(i int) string {
		r, v := of(i), float64(list[i])
		switch {
		case v != v:
			return "a number"
		case r != anywhere && !(math.Trunc(v) >= float64(r.Lo) && math.Trunc(v) < float64(r.Hi)):
			return fmt.Sprintf("%d to %d", r.Lo, r.Hi-1)
		}
		return ""
	}
}
