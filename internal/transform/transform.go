// Package transform writes a plan as a graph: an operation a tile, with the slices of exactly what each tile needs, halos
// included, and the concatenations of tiles in front of readers that need several. The result computes what the graph does,
// and any runtime can execute its tiles side by side.
//
// A graph and a plan go in; a graph, and the place of each of its operations in the plan, come out. The package knows neither
// files nor costs.
//
// In the literature: graph transformation by operator splitting (PIMFlow, CGO 2023).
package transform

import (
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// Place says which tile of a plan an operation is.
type Place struct {
	plan.Tile     // of the graph that was transformed
	Order     int // of the tile in the plan, from 0
	Segment   int // of the plan, from 0
	Exclusive bool
}

// Result is a transformed graph.
type Result struct {
	Graph  *graph.Graph
	Places map[graph.ID]Place // by operation of Graph; slices and concatenations have none
	// Uncut are the nodes of the plan that stay whole, though the plan cuts them: their operators cannot make a part from
	// what it needs. The place is that of their first tile.
	Uncut []graph.ID
}

// Run transforms a graph as a plan cuts it.
func Run(g *graph.Graph, p *plan.Plan) (*Result, error) {
	t := &transformer{
		g: g, b: graph.NewBuilder(g.Name), places: make([][]Place, len(g.Nodes)),
		parts: make([][]part, len(g.Nodes)), made: map[string]graph.ID{},
		res: &Result{Places: map[graph.ID]Place{}},
	}
	order := 0
	for s, seg := range p.Segments {
		for _, tile := range seg.Tiles {
			t.places[tile.Node] = append(t.places[tile.Node], Place{tile, order, s, seg.Exclusive})
			order++
		}
	}
	for i := range g.Nodes {
		if err := t.node(&g.Nodes[i]); err != nil {
			return nil, fmt.Errorf("node %%%d %.80q: %w", i, g.Nodes[i].Name, err)
		}
	}
	for _, o := range g.Outputs {
		id, err := t.box(o.ID, tensor.Full(g.Nodes[o.ID].Shape))
		if err != nil {
			return nil, fmt.Errorf("output %.80q: %w", o.Name, err)
		}
		t.b.Output(o.Name, id)
	}
	var err error
	t.res.Graph, err = t.b.Graph()
	return t.res, err
}

// part is a box of a value that a node of the new graph makes.
type part struct {
	box tensor.Box
	id  graph.ID
}

type transformer struct {
	g      *graph.Graph
	b      *graph.Builder
	places [][]Place           // by node
	parts  [][]part            // by node: its value in the new graph
	made   map[string]graph.ID // boxes of values that were asked for
	res    *Result
}

// node adds the operations of a node's tiles.
func (t *transformer) node(nd *graph.Node) error {
	full := tensor.Full(nd.Shape)
	switch {
	case nd.Const != nil:
		t.parts[nd.ID] = []part{{full, t.b.Const(nd.Name, nd.Const)}}
		return nil
	case nd.Op == nil:
		t.parts[nd.ID] = []part{{full, t.b.Input(nd.Name, nd.Type, nd.Shape)}}
		return nil
	}
	places := t.places[nd.ID]
	if len(places) == 0 {
		return fmt.Errorf("the plan has no tile of it")
	}
	attrs := []op.Attrs{nd.Attrs}
	if len(places) > 1 {
		if attrs = t.attrs(nd, places); attrs == nil {
			t.res.Uncut = append(t.res.Uncut, nd.ID)
			places, attrs = places[:1], []op.Attrs{nd.Attrs}
		}
	}
	for i, p := range places {
		name, box := nd.Name, full
		if len(places) > 1 {
			name, box = fmt.Sprintf("%s/%s%d", nd.Name, p.Device, i), p.Box
		}
		id, err := t.tile(nd, name, attrs[i], box)
		if err != nil {
			return err
		}
		t.parts[nd.ID] = append(t.parts[nd.ID], part{box, id})
		t.res.Places[id] = p
	}
	return nil
}

// attrs are the attributes of the operations of a node's tiles; nil if one of them cannot be an operation.
func (t *transformer) attrs(nd *graph.Node, places []Place) (list []op.Attrs) {
	in := t.g.InShapes(nd.ID)[:nd.Operands()]
	for _, p := range places {
		a, ok := nd.Op.Part(nd.Attrs, in, p.Box)
		if !ok {
			return nil
		}
		list = append(list, a)
	}
	return list
}

// tile adds the operation of a box of a node's value.
func (t *transformer) tile(nd *graph.Node, name string, a op.Attrs, box tensor.Box) (graph.ID, error) {
	made := graph.Node{Name: name, Op: nd.Op, Attrs: a, Post: append([]graph.Stage{}, nd.Post...)}
	need, whole := t.g.Need(graph.Cut{Node: nd.ID, Box: box}), box.Equal(tensor.Full(nd.Shape))
	for i, x := range nd.In {
		if whole { // the attributes are those of the whole
			need[i] = tensor.Full(t.g.Nodes[x].Shape)
		} else if i < nd.Operands() && !nd.Op.Reads(need[i]) {
			for k := range made.Post {
				made.Post[k].Operand--
			}
			continue
		}
		id, err := t.box(x, need[i])
		if err != nil {
			return 0, err
		}
		made.In = append(made.In, id)
	}
	return t.b.Node(made)
}

// box is the node of the new graph that makes a box of a value.
func (t *transformer) box(id graph.ID, box tensor.Box) (graph.ID, error) {
	key := graph.Cut{Node: id, Box: box}.String()
	if known, ok := t.made[key]; ok {
		return known, nil
	}
	made, err := t.join(&t.g.Nodes[id], t.parts[id], box)
	if err == nil {
		t.made[key] = made
	}
	return made, err
}

// join makes a box of a value of the parts that it lies in: slices where they are larger, concatenations where they are several.
func (t *transformer) join(nd *graph.Node, parts []part, box tensor.Box) (graph.ID, error) {
	for _, p := range parts {
		if p.box.Contains(box) {
			return t.slice(nd, p, box)
		}
	}
	dim, at := seam(parts, box)
	if dim < 0 {
		return 0, fmt.Errorf("its tiles %v have no seam within %v: tiles that one cut after the other divides wanted", boxes(parts), box)
	}
	var in []graph.ID
	for i := range at[1:] {
		id, err := t.join(nd, parts, box.With(dim, tensor.Range{Lo: at[i], Hi: at[i+1]}))
		if err != nil {
			return 0, err
		}
		in = append(in, id)
	}
	name := nd.Name
	if !box.Equal(tensor.Full(nd.Shape)) {
		name += box.String()
	}
	return t.b.Op(name, "Concat", op.Attrs{"axis": int64(dim)}, in...)
}

// slice makes a box of a part, which has it.
func (t *transformer) slice(nd *graph.Node, p part, box tensor.Box) (graph.ID, error) {
	if p.box.Equal(box) {
		return p.id, nil
	}
	name := nd.Name + box.String()
	if nd.Const != nil {
		return t.b.Const(name, cut(nd.Const, box)), nil
	}
	var starts, ends, axes, steps []int64
	for d, r := range box {
		if r != p.box[d] {
			axes, steps = append(axes, int64(d)), append(steps, 1)
			starts, ends = append(starts, int64(r.Lo-p.box[d].Lo)), append(ends, int64(r.Hi-p.box[d].Lo))
		}
	}
	return t.b.Op(name, "Slice", op.Attrs{"starts": starts, "ends": ends, "axes": axes, "steps": steps}, p.id)
}

// seam finds a dimension in which no part lies on both sides of some place within a box, and those places with the box's ends.
func seam(parts []part, box tensor.Box) (dim int, at []int) {
	for d, r := range box {
		at = []int{r.Lo}
		for x := r.Lo + 1; x < r.Hi; x++ {
			ends, crossed := false, false
			for _, p := range parts {
				if !p.box.Intersect(box).Empty() {
					ends = ends || p.box[d].Lo == x || p.box[d].Hi == x
					crossed = crossed || p.box[d].Lo < x && x < p.box[d].Hi
				}
			}
			if ends && !crossed {
				at = append(at, x)
			}
		}
		if len(at) > 1 {
			return d, append(at, r.Hi)
		}
	}
	return -1, nil
}

func boxes(parts []part) (list []tensor.Box) {
	for _, p := range parts {
		list = append(list, p.box)
	}
	return list
}

// cut is a box of a constant, made when its values are asked for.
func cut(x *tensor.Tensor, box tensor.Box) *tensor.Tensor {
	return tensor.Lazy(x.Type, box.Shape(), func() ([]float32, []int64) {
		if x.Type.Float() {
			return runs(x.Floats(), x.Shape, box), nil
		}
		return nil, runs(x.Ints(), x.Shape, box)
	})
}

func runs[T any](v []T, s tensor.Shape, box tensor.Box) []T {
	list := make([]T, 0, box.Size())
	box.Runs(s, func(off, n int) { list = append(list, v[off:off+n]...) })
	return list
}
