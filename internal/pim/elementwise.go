package pim

import (
	"fmt"
	"math"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// An element-wise layer has no sums: each value is made of the operands at its place. Maps stand in the banks, written in each run, and
// numbers that a channel has in common are scalars of the units.
//
// As a layer its products are the operands of a value, its outputs the values: those of a channel of an image where it has scalars, which
// is then a matrix of the layer, or all of the cut.

// elementwise is what the units do with the operands.
type elementwise struct {
	code    unit.Code      // ADD or MUL of two maps or of a map and scalars, MAD, or MOV
	relu    bool           // the first operation of the epilogue is done as values are stored
	maps    []int          // the inputs that stand in the banks
	scalars int            // the input that has the scalars; 0 and MAD: all but the map; -1: none
	shapes  []tensor.Shape // of the inputs
	value   tensor.Shape
	box     tensor.Box
	lead    int     // dimensions, of the first, that a matrix has one index of
	epsilon float64 // of MAD
}

// mapCodes are the operations of two operands.
var mapCodes = map[string]unit.Code{"Add": unit.ADD, "Mul": unit.MUL}

// lowerElementwise turns a cut into a layer for units that have so many maps. The error wraps device.ErrUnsupported.
func lowerElementwise(g *graph.Graph, c graph.Cut, maps int) (*layer, error) {
	nd := &g.Nodes[c.Node]
	no := func(format string, a ...any) (*layer, error) {
		name := "node"
		if nd.Op != nil {
			name = nd.Op.Name
		}
		return nil, fmt.Errorf("%s: %s: %w", name, fmt.Sprintf(format, a...), device.ErrUnsupported)
	}
	switch {
	case nd.Op == nil:
		return no("%.80q is no operation", nd.Name)
	case !nd.Type.Float():
		return no("values of %v, floating ones wanted", nd.Type)
	case c.Box.Empty():
		return no("box %v is empty", c.Box)
	}
	e := &elementwise{scalars: -1, shapes: g.InShapes(c.Node)[:nd.Operands()], value: nd.Shape, box: c.Box}
	e.relu = len(nd.Post) > 0 && nd.Post[0].Op.Name == "Relu"
	code, pair := mapCodes[nd.Op.Name]
	switch e.code = code; {
	case pair && maps == 2:
		e.maps = []int{0, 1}
	case pair:
		i := 0
		if !e.shapes[0].Equal(nd.Shape) {
			i = 1
		}
		if !e.shapes[i].Equal(nd.Shape) || !perChannel(e.shapes[1-i], len(nd.Shape)) {
			return no("operands of shapes %v and %v: a map and a number a channel wanted", e.shapes[0], e.shapes[1])
		}
		e.maps, e.scalars, e.lead = []int{i}, 1-i, 2
	case maps == 2:
		return no("one map")
	case nd.Op.Name == "BatchNormalization":
		e.code, e.maps, e.scalars, e.lead, e.epsilon = unit.MAD, []int{0}, 0, min(2, len(nd.Shape)), float64(nd.Attrs.Float("epsilon"))
	case nd.Op.Name == "Relu":
		e.code, e.relu, e.maps = unit.MOV, true, []int{0}
	default:
		return no("no operation of units on maps")
	}
	return e.layer(), nil
}

// perChannel reports whether an operand has one number for all places of a channel of a value of the given rank.
func perChannel(s tensor.Shape, rank int) bool {
	for d, n := range s {
		if n > 1 && rank-len(s)+d >= 2 {
			return false
		}
	}
	return rank > 2
}

func (e *elementwise) layer() *layer {
	own := e.box[e.lead:].Size()
	l := &layer{
		axes: []axis{{Range: tensor.Range{Hi: 1}}}, groupK: len(e.maps), groupOuts: own, outDst: 1, taps: kernelSteps{channel: 1},
		alpha: 1, beta: 1, bias: -1, dynamic: true, each: e,
	}
	steps := e.value.Strides()
	for m := range e.box[:e.lead].Size() {
		at := 0
		for d, rest := e.lead-1, m; d >= 0; d-- {
			at += (e.box[d].Lo + rest%e.box[d].Len()) * steps[d]
			rest /= e.box[d].Len()
		}
		l.batch = append(l.batch, batched{number: m, src: m, weights: m, dst: at})
	}
	l.outs = tensor.Range{Hi: len(l.batch) * own}
	l.classes, l.pixels = oneClass(l.axes), 1
	return l
}

// offset is where a value of a matrix stands, from the matrix's place on.
func (e *elementwise) offset(i int) (at int) {
	for d, step := len(e.box)-1, 1; d >= e.lead; d-- {
		at += (e.box[d].Lo + i%e.box[d].Len()) * step
		i /= e.box[d].Len()
		step *= e.value[d]
	}
	return at
}

// element is the element of an operand that belongs to one of the value, of which it is broadcast.
func element(s tensor.Shape, value tensor.Shape, at int) (n int) {
	step := 1
	for d := len(s) - 1; d >= 0; d-- {
		size := value[len(value)-len(s)+d]
		if s[d] > 1 {
			n += at % size * step
		}
		at /= size
		step *= s[d]
	}
	return n
}

// eachColumns are the operands in the banks, by matrix, value and map.
func (l *layer) eachColumns(in []*tensor.Tensor) *tensor.Tensor {
	e := l.each
	to := make([]float32, 0, l.outs.Len()*l.groupK)
	for out := range l.outs.Len() {
		at := l.place(out)
		for _, m := range e.maps {
			to = append(to, in[m].Floats()[element(e.shapes[m], e.value, at)])
		}
	}
	return tensor.Floats32(tensor.Shape{len(to)}, to)
}

// scalarsOf are the scalars of each matrix: what a map is multiplied by, and what is added.
func (l *layer) scalarsOf(in []*tensor.Tensor) *tensor.Tensor {
	e := l.each
	to := make([]float32, 0, matrixScalars*len(l.batch))
	for out := 0; out < l.outs.Len(); out += l.groupOuts {
		factor, added := float32(1), float32(0)
		switch at := l.place(out); {
		case e.code == unit.MAD:
			channel := 0
			if len(e.value) > 1 {
				channel = at / e.value[2:].Size() % e.value[1]
			}
			of := func(i int) float64 { return float64(in[i].Floats()[channel]) }
			s := of(1) / math.Sqrt(of(4)+e.epsilon)
			factor, added = float32(s), float32(of(2)-of(3)*s)
		case e.scalars >= 0:
			v := in[e.scalars].Floats()[element(e.shapes[e.scalars], e.value, at)]
			if e.code == unit.ADD {
				added = v
			} else {
				factor = v
			}
		}
		to = append(to, tensor.Round(tensor.Float16, factor), tensor.Round(tensor.Float16, added))
	}
	return tensor.Floats32(tensor.Shape{len(to)}, to)
}

// judgeEach holds values against what the operation makes of operands in the device's format, rounded once to that format; where a product
// is rounded before the sum, twice.
func (c *mappedCode) judgeEach(in []*tensor.Tensor, sums *tensor.Tensor) (found device.Judgement) {
	l, e := c.layer, c.layer.each
	j := &judge{mappedCode: c}
	w := l.eachColumns(in).Floats()
	found.Range.Inputs = j.round(w)
	s := l.scalarsOf(in).Floats()
	u, largest := roundoff[tensor.Float16], c.device.largest()
	found.Range.Results.Of = int64(l.outs.Len())
	for out := range l.outs.Len() {
		factor, added := float64(s[out/l.groupOuts*matrixScalars]), float64(s[out/l.groupOuts*matrixScalars+1])
		x, product := float64(w[out*l.groupK]), 0.0
		want := x
		switch {
		case len(e.maps) == 2 && e.code == unit.ADD:
			want += float64(w[out*l.groupK+1])
		case len(e.maps) == 2:
			want *= float64(w[out*l.groupK+1])
		case e.code != unit.MOV:
			product = x * factor
			want = product + added
		}
		if e.relu && want <= 0 {
			want = 0
		}
		bound := u*math.Abs(want) + 0x1p-25
		if e.code == unit.MAD && c.device.rounding == unit.Separate {
			bound += (1+u)*u*math.Abs(product) + 0x1p-25
		}
		at := l.place(out)
		got := float64(sums.Floats()[at])
		if math.Abs(want)+bound > largest && want-want == 0 {
			found.Range.Results.Over++
			if math.IsInf(got, int(math.Copysign(1, want))) {
				got, want = want, math.NaN()
			}
		}
		found.Compare(at, got, want, bound)
	}
	return found
}
