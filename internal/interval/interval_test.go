package interval

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// maker builds a graph; what does not fit is a fault of the test.
type maker struct {
	*graph.Builder
	fail func(args ...any)
}

func newMaker(fail func(args ...any)) *maker { return &maker{graph.NewBuilder("test"), fail} }

func (m *maker) op(name string, a op.Attrs, in ...graph.ID) graph.ID {
	id, err := m.Op("", name, a, in...)
	if err != nil {
		m.fail(err)
	}
	return id
}

func (m *maker) number(t tensor.Type, v float64) graph.ID {
	x := tensor.New(t, tensor.Shape{})
	if t.Float() {
		x.Floats()[0] = float32(v)
	} else {
		x.Ints()[0] = int64(v)
	}
	return m.Const("", x)
}

// column is an integer column of float rows.
func (m *maker) column(rows graph.ID, k int) graph.ID {
	return m.op("Gather", op.Attrs{"axis": int64(1)}, rows, m.number(tensor.Int64, float64(k)))
}

func (m *maker) toInts(x graph.ID) graph.ID { return m.op("Cast", op.Attrs{"to": "int64"}, x) }

func list(v ...int64) []int64 { return v }

// TestHeightOfABox: boxes in a picture, made larger about their centres, have the height of the picture times the factor at most,
// and a rounding: more than that is the difference of the edges' intervals. The places that they are cut at are in the picture.
func TestHeightOfABox(t *testing.T) {
	m := newMaker(t.Fatal)
	boxes := m.op("Clip", op.Attrs{"min": float32(0), "max": float32(100)}, m.Input("boxes", tensor.Float32, tensor.Shape{5, 2}))
	half := m.number(tensor.Float32, 0.5)
	middle := m.op("Mul", nil, m.op("Add", nil, m.column(boxes, 0), m.column(boxes, 1)), half)
	reach := m.op("Mul", nil, m.op("Mul", nil, m.op("Sub", nil, m.column(boxes, 1), m.column(boxes, 0)), half), m.number(tensor.Float32, 1.25))
	top, bottom := m.toInts(m.op("Sub", nil, middle, reach)), m.toInts(m.op("Add", nil, middle, reach))
	height := m.op("Max", nil, m.op("Add", nil, m.op("Sub", nil, bottom, top), m.number(tensor.Int64, 1)), m.number(tensor.Int64, 1))
	from := m.op("Max", nil, top, m.number(tensor.Int64, 0))
	to := m.op("Min", nil, m.op("Add", nil, bottom, m.number(tensor.Int64, 1)), m.number(tensor.Int64, 100))
	start, end := m.op("Sub", nil, from, top), m.op("Sub", nil, to, top)
	a := New(m.Peek())
	for _, c := range []struct {
		what   string
		id     graph.ID
		lo, hi int64
	}{
		{"top", top, -12, 112}, {"height", height, 1, 125}, {"from", from, 0, 112}, {"to", to, -11, 100}, {"start", start, 0, 12},
	} {
		if lo, hi := a.Bounds(c.id); lo[0] != c.lo || hi[4] != c.hi {
			t.Errorf("%s is %d to %d: %d to %d wanted", c.what, lo[0], hi[4], c.lo, c.hi)
		}
	}
	if _, hi := a.Distance(start, 2, end, 2); hi != 100 {
		t.Errorf("%d rows are cut: at most 100", hi)
	}
	if _, hi := a.Distance(start, 2, end, 3); hi == 100 {
		t.Error("other boxes have other rows")
	}
}

// TestDistance: a place that nothing bounds, and the same place plus 5.
func TestDistance(t *testing.T) {
	m := newMaker(t.Fatal)
	k := m.Input("k", tensor.Int64, tensor.Shape{1})
	x := m.Input("x", tensor.Int64, tensor.Shape{2000})
	end := m.op("Add", nil, k, m.number(tensor.Int64, 5))
	far := m.op("Add", nil, x, m.number(tensor.Int64, 5))
	a := New(m.Peek())
	if lo, hi := a.Distance(k, 0, end, 0); lo != 5 || hi != 5 {
		t.Errorf("%d to %d: 5 wanted", lo, hi)
	}
	if lo, hi := a.Bounds(k); lo[0] != -Unbounded || hi[0] != Unbounded {
		t.Errorf("%d to %d: no bounds wanted", lo, hi)
	}
	if lo, hi := a.Distance(x, 0, far, 0); lo != -Unbounded || hi != Unbounded {
		t.Errorf("%d to %d of the elements of a large value, which are not told apart", lo, hi)
	}
}

// TestByHand bounds values of a few elements.
func TestByHand(t *testing.T) {
	m := newMaker(t.Fatal)
	within := func(typ tensor.Type, lo, hi float64, n int) graph.ID {
		x := m.Input("", typ, tensor.Shape{n})
		return m.op("Min", nil, m.op("Max", nil, x, m.number(typ, lo)), m.number(typ, hi))
	}
	x, y, z := within(tensor.Int64, -3, 5, 1), within(tensor.Int64, -2, 1, 1), within(tensor.Int64, 2, 4, 1)
	f := within(tensor.Float32, 0, 10, 1)
	both := m.op("Concat", op.Attrs{"axis": int64(0)}, x, within(tensor.Int64, 10, 20, 1))
	any := m.op("ArgMax", nil, m.op("Cast", op.Attrs{"to": "float32"}, both))
	wide := within(tensor.Int64, 1, 2, 3000)
	a := New(m.Peek())
	for _, c := range []struct {
		what   string
		id     graph.ID
		lo, hi int64
	}{
		{"product", m.op("Mul", nil, x, y), -10, 6},
		{"quotient", m.op("Div", nil, x, z), -1, 2},
		{"quotient by 0", m.op("Div", nil, x, y), -Unbounded, Unbounded},
		{"any of both", m.op("Gather", op.Attrs{"axis": int64(0)}, both, any), -3, 20},
		{"the last of both", m.op("Gather", op.Attrs{"axis": int64(0)}, both, m.Const("", tensor.Ints64(tensor.Shape{1}, list(-1)))), 10, 20},
		{"sum of many", m.op("ReduceSum", op.Attrs{"axes": list(0)}, wide), 3000, 6000},
		{"float16", m.toInts(m.op("Cast", op.Attrs{"to": "float16"}, within(tensor.Float32, 2049, 2051, 1))), 2047, 2052}, // even numbers there
		{"floor of the double", m.toInts(m.op("Floor", nil, m.op("Add", nil, f, f))), 0, 20},
	} {
		if lo, hi := a.Bounds(c.id); lo[0] != c.lo || hi[0] != c.hi {
			t.Errorf("%s: %d to %d: %d to %d wanted", c.what, lo[0], hi[0], c.lo, c.hi)
		}
	}
	if lo, hi := a.Distance(wide, 0, wide, 1); lo != -1 || hi != 1 {
		t.Errorf("elements of a large value are %d to %d apart: -1 to 1", lo, hi)
	}
	whole := m.toInts(f)
	more := m.toInts(m.op("Add", nil, f, m.number(tensor.Float32, 0.5)))
	if lo, hi := a.Distance(whole, 0, more, 0); lo != 0 || hi != 1 {
		t.Errorf("f and f + 0.5, both cut to whole numbers, are %d to %d apart: 0 or 1", lo, hi)
	}
}

// TestOverflow: what is not bounded on one side keeps its other; integers that wrap around have no bound but their type's, and
// large numbers may become infinite.
func TestOverflow(t *testing.T) {
	m := newMaker(t.Fatal)
	x := m.Input("x", tensor.Float32, tensor.Shape{2})
	positive := m.toInts(m.op("Max", nil, x, m.number(tensor.Float32, 3)))
	k := m.Input("k", tensor.Int32, tensor.Shape{2})
	wraps := m.op("Cast", op.Attrs{"to": "int64"}, m.op("Add", nil, k, m.number(tensor.Int32, 1)))
	half := m.op("Cast", op.Attrs{"to": "float16"}, m.op("Clip", op.Attrs{"min": float32(-1e5), "max": float32(10)}, x))
	a := New(m.Peek())
	for _, c := range []struct {
		id     graph.ID
		lo, hi int64
	}{{positive, 3, Unbounded}, {wraps, math.MinInt32, math.MaxInt32}, {m.toInts(half), -Unbounded, 10}} {
		if lo, hi := a.Bounds(c.id); lo[1] != c.lo || hi[1] != c.hi {
			t.Errorf("%s is %d to %d: %d to %d wanted", m.Peek().Nodes[c.id].Name, lo[1], hi[1], c.lo, c.hi)
		}
	}
}

// TestGive: a graph aside has the bounds of what it takes from another.
func TestGive(t *testing.T) {
	m, aside := newMaker(t.Fatal), newMaker(t.Fatal)
	x := m.op("Clip", op.Attrs{"min": float32(-2), "max": float32(7)}, m.Input("x", tensor.Int64, tensor.Shape{2, 3000}))
	y := aside.Input("y", tensor.Int64, tensor.Shape{2, 3000})
	a := New(aside.Peek())
	a.Give(y, New(m.Peek()), x)
	lo, hi := a.Bounds(y)
	if slices.Min(lo) != -2 || slices.Max(hi) != 7 || len(hi) != 6000 {
		t.Errorf("%d to %d", slices.Min(lo), slices.Max(hi))
	}
}

// TestDeepGraph: a chain of more values than calls may be nested.
func TestDeepGraph(t *testing.T) {
	m := newMaker(t.Fatal)
	x := m.op("Clip", op.Attrs{"min": float32(0), "max": float32(1)}, m.Input("x", tensor.Int64, tensor.Shape{}))
	for range graph.MaxOperations - 2 {
		x = m.op("Neg", nil, x)
	}
	if lo, hi := New(m.Peek()).Bounds(x); lo[0] != -1 && lo[0] != 0 || hi[0]-lo[0] != 1 {
		t.Errorf("%d to %d", lo, hi)
	}
}

// world draws a graph of operators that have rules, on inputs of which some are clipped.
type world struct {
	*maker
	t   *rapid.T
	ids []graph.ID
}

func (w *world) int(lo, hi int, what string) int { return rapid.IntRange(lo, hi).Draw(w.t, what) }

// some draws a value of one of the types, so far.
func (w *world) some(types ...tensor.Type) graph.ID {
	var of []graph.ID
	for _, id := range w.ids {
		if slices.Contains(types, w.Peek().Nodes[id].Type) {
			of = append(of, id)
		}
	}
	return of[w.int(0, len(of)-1, "value")]
}

func (w *world) shape(x graph.ID) tensor.Shape { return w.Peek().Nodes[x].Shape }
func (w *world) axis(x graph.ID) int           { return w.int(0, len(w.shape(x))-1, "axis") }

// like draws a value that goes with x: another of its type that is broadcast, or a number.
func (w *world) like(x graph.ID) graph.ID {
	nd := &w.Peek().Nodes[x]
	y := w.some(nd.Type)
	o, _ := op.Lookup("Max")
	if s, err := o.Shape(nil, []tensor.Shape{nd.Shape, w.shape(y)}); err == nil && s.Size() <= 4000 && w.int(0, 2, "number") > 0 {
		return y
	}
	return w.number(nd.Type, float64(w.int(-3, 4, "number")))
}

var numbers = []tensor.Type{tensor.Float32, tensor.Int64, tensor.Int32}

// draw makes a value by the operator of a name.
func (w *world) draw(name string) graph.ID {
	x := w.some(numbers...)
	nd := &w.Peek().Nodes[x]
	shape, k := nd.Shape, int64(0)
	if len(shape) > 0 {
		k = int64(w.axis(x))
	}
	switch name {
	case "Add", "Sub", "Mul", "Div", "Min", "Max":
		return w.op(name, nil, x, w.like(x))
	case "Mod":
		return w.op(name, op.Attrs{"fmod": int64(1)}, x, w.like(x))
	case "Where":
		y := w.like(x)
		return w.op(name, nil, w.op("Greater", nil, x, y), x, y)
	case "Neg", "Abs", "Identity", "Relu":
		return w.op(name, nil, x)
	case "Floor", "Ceil", "Round", "Sigmoid", "Tanh", "Exp", "Sqrt", "HardSigmoid":
		return w.op(name, nil, w.some(tensor.Float32))
	case "Clip":
		lo := w.int(-3, 5, "lo")
		return w.op(name, op.Attrs{"min": float32(lo), "max": float32(lo + w.int(0, 6, "more"))}, x)
	case "Cast":
		to := []string{"float32", "int64", "int32", "float16", "bool"}[w.int(0, 4, "to")]
		y := w.op(name, op.Attrs{"to": to}, x)
		if to == "float16" || to == "bool" {
			y = w.op(name, op.Attrs{"to": "float32"}, y)
		}
		return y
	case "Sized":
		return w.op(name, nil, x, w.some(numbers...))
	}
	if len(shape) == 0 {
		return w.op("Reshape", op.Attrs{"shape": list(1, 1)}, x)
	}
	one := func(what string, v int) []int64 { return list(int64(v)) }
	switch name {
	case "Softmax":
		y := w.some(tensor.Float32)
		if len(w.shape(y)) == 0 {
			return y
		}
		return w.op(name, op.Attrs{"axis": int64(-1)}, y)
	case "ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean":
		return w.op(name, op.Attrs{"axes": list(k), "keepdims": int64(w.int(0, 1, "keep"))}, x)
	case "ArgMax", "ArgMin":
		y := w.op("Cast", op.Attrs{"to": "float32"}, x)
		return w.op(name, op.Attrs{"axis": k}, y)
	case "TopK":
		return w.op(name, op.Attrs{"axis": k, "k": int64(w.int(1, shape[k], "k"))}, w.op("Cast", op.Attrs{"to": "float32"}, x))
	case "NonZero":
		return w.op(name, op.Attrs{"size": int64(min(3, shape.Size()))}, x)
	case "NonMaxSuppression":
		n := w.int(1, 4, "boxes")
		boxes := w.Input("", tensor.Float32, tensor.Shape{2, n, 4})
		return w.op(name, op.Attrs{"size": int64(n), "max_output_boxes_per_class": int64(n)}, boxes, w.Input("", tensor.Float32, tensor.Shape{2, 3, n}))
	case "Reshape":
		return w.op(name, op.Attrs{"shape": list(int64(shape[:k].Size()), int64(shape[k:].Size()))}, x)
	case "Transpose":
		perm := []int64{}
		for d := range shape {
			perm = append([]int64{int64(d)}, perm...)
		}
		return w.op(name, op.Attrs{"perm": perm}, x)
	case "Slice":
		from := w.int(0, shape[k]-1, "from")
		return w.op(name, op.Attrs{"starts": one("s", from), "ends": one("e", w.int(from+1, shape[k], "to")), "axes": list(k), "steps": list(int64(w.int(1, 2, "step")))}, x)
	case "Concat":
		return w.op(name, op.Attrs{"axis": k}, x, x, w.op("Neg", nil, x))
	case "Expand":
		return w.op(name, op.Attrs{"shape": append(list(2), ints(shape)...)}, x)
	case "Tile":
		r := slices.Repeat(list(1), len(shape))
		r[k] = 2
		return w.op(name, op.Attrs{"repeats": r}, x)
	case "Pad":
		p := make([]int64, 2*len(shape))
		p[k], p[len(shape)+int(k)] = int64(w.int(0, 2, "before")), int64(w.int(0, 2, "behind"))
		return w.op(name, op.Attrs{"pads": p, "value": float32(w.int(-9, 9, "fill"))}, x)
	case "Gather":
		at := w.number(tensor.Int64, float64(w.int(-shape[k], shape[k]-1, "at")))
		if w.int(0, 1, "any") == 1 {
			at = w.op("ArgMax", op.Attrs{"axis": k}, w.op("Cast", op.Attrs{"to": "float32"}, x))
		}
		if n := len(shape) - 1 + len(w.shape(at)); n > 5 || shape.Size()*w.shape(at).Size() > 4000 {
			return x
		}
		return w.op(name, op.Attrs{"axis": k}, x, at)
	case "GatherElements":
		return w.op(name, op.Attrs{"axis": k}, x, w.op("ArgMin", op.Attrs{"axis": k}, w.op("Cast", op.Attrs{"to": "float32"}, x)))
	case "ScatterElements":
		at := w.op("ArgMin", op.Attrs{"axis": k}, w.op("Cast", op.Attrs{"to": "float32"}, x))
		return w.op(name, op.Attrs{"axis": k}, x, at, w.op("Gather", op.Attrs{"axis": k}, x, w.Const("", tensor.Ints64(tensor.Shape{1}, list(0)))))
	case "GatherND":
		return w.op(name, nil, x, w.Const("", tensor.Ints64(tensor.Shape{2, 1}, list(0, 0))))
	case "ScatterND":
		row := w.op("Gather", op.Attrs{"axis": int64(0)}, x, w.Const("", tensor.Ints64(tensor.Shape{1}, list(0))))
		return w.op(name, nil, x, w.Const("", tensor.Ints64(tensor.Shape{1, 1}, list(0))), row)
	case "Compress":
		c := tensor.New(tensor.Bool, tensor.Shape{shape[k]})
		c.Ints()[0] = 1
		return w.op(name, op.Attrs{"axis": k, "size": int64(1)}, x, w.Const("", c))
	}
	w.t.Fatalf("%s has a rule and is not drawn", name)
	return x
}

func ints(s tensor.Shape) (v []int64) {
	for _, d := range s {
		v = append(v, int64(d))
	}
	return v
}

// TestBoundsHold: values of random graphs are within their bounds, and so are their distances. Every rule is drawn.
func TestBoundsHold(t *testing.T) {
	names := slices.Sorted(maps.Keys(rules))
	rapid.Check(t, func(t *rapid.T) {
		w := &world{maker: newMaker(t.Fatal), t: t}
		sizes := [][]int{{}, {3}, {2, 3}, {1, 4}, {2, 600}}
		for i, typ := range append(numbers, numbers...) {
			x := w.Input(fmt.Sprintf("x%d", i), typ, sizes[w.int(0, len(sizes)-1, "shape")])
			w.ids = append(w.ids, x)
			if i < len(numbers) {
				w.ids = append(w.ids, w.op("Clip", op.Attrs{"min": float32(-3), "max": float32(5)}, x))
			}
		}
		for _, name := range rapid.Permutation(names).Draw(t, "operators")[:w.int(1, len(names), "count")] {
			if y := w.draw(name); w.shape(y).Size() <= 5000 && len(w.shape(y)) < 5 {
				w.ids = append(w.ids, y)
			}
		}
		w.hold(rand.New(rand.NewPCG(uint64(w.int(0, 1<<20, "seed")), 1)))
	})
}

// hold evaluates the graph and compares all values with their bounds.
func (w *world) hold(r *rand.Rand) {
	g := w.Peek()
	a := New(g)
	values := make([]*tensor.Tensor, len(g.Nodes))
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		x := tensor.New(nd.Type, nd.Shape)
		switch {
		case nd.Const != nil:
			x = nd.Const
		case nd.Op == nil:
			for k := range nd.Shape.Size() {
				if nd.Type.Float() {
					x.Floats()[k] = float32(r.NormFloat64() * 10)
				} else {
					x.Ints()[k] = r.Int64N(40) - 20
				}
			}
		default:
			in := make([]*tensor.Tensor, len(nd.In))
			for k, id := range nd.In {
				in[k] = values[id]
			}
			g.Eval(g.Whole(nd.ID), in, x)
		}
		values[i] = x
	}
	for i := range g.Nodes {
		atoms := a.of(graph.ID(i)).each(g.Nodes[i].Shape)
		for k, x := range atoms {
			if v := at(values[i], k); !math.IsNaN(v) && (v < x.lo-1e-9 || v > x.hi+1e-9) {
				w.t.Fatalf("%v[%d] is %v: %v to %v by its bounds", g.Nodes[i].Name, k, v, x.lo, x.hi)
			}
		}
		if j := r.IntN(i + 1); len(atoms) > 0 && !g.Nodes[i].Type.Float() && !g.Nodes[j].Type.Float() && g.Nodes[j].Shape.Size() > 0 {
			k, l := r.IntN(len(atoms)), r.IntN(g.Nodes[j].Shape.Size())
			d := int64(at(values[j], l) - at(values[i], k))
			if lo, hi := a.Distance(graph.ID(i), k, graph.ID(j), l); d < lo || d > hi {
				w.t.Fatalf("%v[%d] - %v[%d] is %d: %d to %d by its bounds", g.Nodes[j].Name, l, g.Nodes[i].Name, k, d, lo, hi)
			}
		}
	}
}

func at(t *tensor.Tensor, k int) float64 {
	if t.Type.Float() {
		return float64(t.Floats()[k])
	}
	return float64(t.Ints()[k])
}
