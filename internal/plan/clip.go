package plan

import (
	"cmp"
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// Clip carries a plan over to another form of its graph in which extents are smaller: of each tile the part that
// the smaller value has is left. Nodes are the same that have the same name and operator. A node that is not in from,
// or is not made whole by what is left of its tiles, is on the GPU. Tiles keep their order, but come after what they
// read.
//
// Boxes that part a value part each smaller one too; a tile without a part of it is left out.
func (p *Plan) Clip(from, to *graph.Graph) *Plan {
	c := &clipping{to: to, tiles: make([][]*clipped, len(to.Nodes))}
	at := map[string]graph.ID{}
	for i := range to.Nodes {
		at[to.Nodes[i].Name] = graph.ID(i)
	}
	order := 0
	for s := range p.Segments {
		for _, t := range p.Segments[s].Tiles {
			old := &from.Nodes[t.Node]
			id, known := at[old.Name]
			if order++; !known || old.Op != to.Nodes[id].Op || len(old.Shape) != len(to.Nodes[id].Shape) {
				continue
			}
			if box := t.Box.Intersect(tensor.Full(to.Nodes[id].Shape)); !box.Empty() {
				c.tiles[id] = append(c.tiles[id], &clipped{Tile: Tile{graph.Cut{Node: id, Box: box}, t.Device}, segment: s, order: order})
			}
		}
	}
	var all []*clipped
	for i := range to.Nodes {
		nd := &to.Nodes[i]
		if nd.Op == nil || nd.Shape.Size() == 0 {
			c.tiles[i] = nil
		} else if !c.whole(nd) {
			c.tiles[i] = []*clipped{{Tile: Tile{to.Whole(nd.ID), GPU}, segment: none, order: none}}
		}
		all = append(all, c.tiles[i]...)
	}
	slices.SortStableFunc(all, func(a, b *clipped) int { return cmp.Compare(a.order, b.order) })
	for _, t := range all {
		c.place(t)
	}
	out := *p
	out.Graph, out.Segments = to.Fingerprint(), c.segments(p)
	return &out
}

// none stands for a segment and a place of the plan that a tile does not have.
const none = 1 << 31

// clipping is the state of Clip.
type clipping struct {
	to     *graph.Graph
	tiles  [][]*clipped // of each node
	placed []*clipped
}

// clipped is a tile with its segment and its place in the plan that it is from.
type clipped struct {
	Tile
	segment, order int
	done           bool
}

// whole reports whether the tiles of a node make all of it, in one if it cannot be cut.
func (c *clipping) whole(nd *graph.Node) bool {
	var boxes []tensor.Box
	for _, t := range c.tiles[nd.ID] {
		boxes = append(boxes, t.Box)
	}
	return Covers(boxes, tensor.Full(nd.Shape)) && (nd.Op.Need != nil || len(boxes) == 1)
}

// place appends a tile after those that it reads.
func (c *clipping) place(t *clipped) {
	if t.done {
		return
	}
	t.done = true
	need := c.to.Need(t.Cut)
	for i, x := range c.to.Nodes[t.Node].In {
		for _, before := range c.tiles[x] {
			if !before.Box.Intersect(need[i]).Empty() {
				c.place(before)
			}
		}
	}
	c.placed = append(c.placed, t)
}

// segments are the segments of the tiles in the order in which they are placed.
func (c *clipping) segments(p *Plan) (list []Segment) {
	last := -1
	for _, t := range c.placed {
		if t.segment != last {
			s := Segment{}
			if t.segment != none {
				s.Exclusive = p.Segments[t.segment].Exclusive
			}
			list = append(list, s)
		}
		last = t.segment
		s := &list[len(list)-1]
		s.Tiles = append(s.Tiles, t.Tile)
	}
	return list
}
