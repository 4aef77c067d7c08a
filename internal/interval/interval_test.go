package interval

import (
	"math"
	"slices"
	"testing"

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
