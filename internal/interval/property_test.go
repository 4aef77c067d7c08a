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
			if lo, hi := a.Distance(graph.ID(i), k, graph.ID(j), l); lo > -Unbounded && d < lo || hi < Unbounded && d > hi {
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
