// Package plan assigns the work of a graph to devices: a plan is tiles in order, grouped into
// segments. Whole, split and pipelined execution are three ways to write tiles; the graph
// never changes. A plan prints, parses back and can be edited by hand.
//
// In the literature: partition and placement of an operator graph. The package does not know
// costs.
package plan

import (
	"fmt"
	"slices"
	"sort"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/tensor"
)

// The dimensions of N C H W values along which layers are cut.
const (
	Images   = 0
	Channels = 1
	Rows     = 2
)

// The device names a tile may have.
const (
	GPU = "gpu"
	PIM = "pim"
)

// The values of Plan.PIM: the PIM's command interface.
const (
	Extended = "extended" // PIMFlow's: channels in groups of different inputs, buffer writes hidden (CGO 2023)
	Basic    = "basic"    // Newton's: every channel reads the same inputs, buffer writes exposed (MICRO 2020)
)

// interfaces are the values of Plan.PIM.
var interfaces = []string{Extended, Basic}

// The values of Plan.Launch: the launch of PIM work.
const (
	Each  = "each"  // each tile has its own
	Fused = "joint" // consecutive tiles on the PIM share one, as long as none waits for values that the GPU makes meanwhile
)

// launches are the values of Plan.Launch.
var launches = []string{Each, Fused}

// Tile is a box of a node's value on a device, the unit of work.
//
// In the literature: a tile, or a partition of an operator.
type Tile struct {
	graph.Cut
	Device string
}

// Segment is a group of tiles that the search placed together.
type Segment struct {
	Tiles []Tile
	// Exclusive: the tiles run one after the other in their order, and no other tile beside
	// them. The GPU may then use every memory channel, provided its inputs were also made by
	// exclusive segments.
	Exclusive bool
}

// Every is the name of the GPU with every memory channel, among the devices of a plan.
const Every = "gpu with every channel"

// Plan is a complete assignment of a graph's work. Each device executes its tiles in the
// order of the plan.
type Plan struct {
	Graph       string // graph.Fingerprint of the graph it is for
	Model       string
	Machine     string
	From        string   // what the machine is loaded by, where that is not its name; "": its name
	Set         []string // keys of the machine that were changed, as "memory.channels=16"
	Policy      string
	PIMChannels int    // memory channels that compute; the GPU uses them in exclusive segments only
	PIM         string // Extended or Basic
	Launch      string // Each or Fused
	Stopped     bool   // the search ended early: the plan is the best so far
	Segments    []Segment
}

// Tiles returns the tiles of all segments in order.
func (p *Plan) Tiles() []Tile {
	var t []Tile
	for _, s := range p.Segments {
		t = append(t, s.Tiles...)
	}
	return t
}

// Whole places all of a node on one device.
func Whole(g *graph.Graph, id graph.ID, dev string) Segment {
	return Segment{Tiles: []Tile{{g.Whole(id), dev}}}
}

// Split places [0, at) of a dimension of a node on device first and the rest on second. ok is
// false if the node cannot be cut there or a part is empty.
func Split(g *graph.Graph, id graph.ID, dim, at int, first, second string) (s Segment, ok bool) {
	nd := &g.Nodes[id]
	if !Cuttable(nd, dim) || at <= 0 || at >= nd.Shape[dim] {
		return s, false
	}
	whole := g.Whole(id)
	for _, t := range []struct {
		dev string
		r   tensor.Range
	}{{first, tensor.Range{Lo: 0, Hi: at}}, {second, tensor.Range{Lo: at, Hi: nd.Shape[dim]}}} {
		s.Tiles = append(s.Tiles, Tile{graph.Cut{Node: id, Box: whole.Box.With(dim, t.r)}, t.dev})
	}
	return s, true
}

// Cuttable reports whether a node's value has the dimension and may be cut along it.
func Cuttable(nd *graph.Node, dim int) bool {
	return nd.Op != nil && nd.Op.Need != nil && dim < len(nd.Shape)
}

// Pipe places a chain of nodes, each reading the one before it, as a pipeline over bands:
// while one device makes the second band of a node, another makes the first band of the
// next. devices has the device of each node. ok is false if the chain has no such Bands.
//
// In the literature: pipelining over tiles of fused layers (Alwani et al., MICRO 2016).
func Pipe(g *graph.Graph, chain []graph.ID, devices []string, dim int, cuts []int) (s Segment, ok bool) {
	bands, ok := Bands(g, chain, dim, cuts, func(id, x graph.ID, dim, end int) int { return Reach(g, id, x, dim, end) })
	if !ok {
		return s, false
	}
	return stagger(g, chain, devices, dim, bands), true
}

// PipeUp is Pipe in bands as PIMFlow (CGO 2023) cuts them. The lowest band goes first. The
// first node is cut before each of the rows cuts, ascending. A band of each further node
// starts at the first row that needs only this band of the node before, and lower ones.
func PipeUp(g *graph.Graph, chain []graph.ID, devices []string, cuts ...int) (s Segment, ok bool) {
	bands := make([][]tensor.Range, len(chain))
	for i, id := range chain {
		nd := &g.Nodes[id]
		if !Cuttable(nd, Rows) || i > 0 && !slices.Contains(nd.In, chain[i-1]) {
			return s, false
		}
		if i > 0 {
			before := cuts
			cuts = make([]int, len(before))
			for b := range cuts {
				cuts[b] = sort.Search(nd.Shape[Rows], func(r int) bool { return firstRow(g, id, chain[i-1], r) >= before[b] })
			}
		}
		end := nd.Shape[Rows]
		for _, at := range slices.Backward(cuts) {
			if at <= 0 || at >= end {
				return s, false
			}
			bands[i] = append(bands[i], tensor.Range{Lo: at, Hi: end})
			end = at
		}
		bands[i] = append(bands[i], tensor.Range{Lo: 0, Hi: end})
	}
	return stagger(g, chain, devices, Rows, bands), true
}

// firstRow is the first row of x that rows from r on of a node read.
func firstRow(g *graph.Graph, id, x graph.ID, r int) int {
	nd := &g.Nodes[id]
	first := g.Nodes[x].Shape[Rows]
	need := g.Need(graph.Cut{Node: id, Box: g.Whole(id).Box.With(Rows, tensor.Range{Lo: r, Hi: nd.Shape[Rows]})})
	for i, in := range nd.In { // the value may be read twice
		if in == x && len(need[i]) == 4 {
			first = min(first, need[i][Rows].Lo)
		}
	}
	return first
}

// stagger writes the tiles of bands [node][band]: band b of node i runs in time slot b+i.
// Within a slot the earliest node goes first, so that the inputs of the next slot exist soonest.
func stagger(g *graph.Graph, chain []graph.ID, devices []string, dim int, bands [][]tensor.Range) (s Segment) {
	n := len(bands[0])
	for slot := range n + len(chain) - 1 {
		for i, id := range chain {
			if b := slot - i; b >= 0 && b < n {
				box := g.Whole(id).Box.With(dim, bands[i][b])
				s.Tiles = append(s.Tiles, Tile{graph.Cut{Node: id, Box: box}, devices[i]})
			}
		}
	}
	return s
}

// Bands cuts a chain of nodes, each reading the one before it, along a dimension. The last
// node is cut at the given indices, the others where Need ends, so that each value is made
// once, in the first band that reads it. Bands returns the ranges of each node. ok is false
// if a node cannot be cut so or a band is empty. reach is Reach, or a cache of it.
//
// In the literature: overlapped tiles without recomputation, backwards from the consumer.
func Bands(g *graph.Graph, chain []graph.ID, dim int, cuts []int, reach func(id, x graph.ID, dim, end int) int) ([][]tensor.Range, bool) {
	out := make([][]tensor.Range, len(chain))
	ends := slices.Clone(cuts) // the ends of all bands but the last, at the node at hand
	for i := len(chain) - 1; i >= 0; i-- {
		nd := &g.Nodes[chain[i]]
		if !Cuttable(nd, dim) || i > 0 && !slices.Contains(nd.In, chain[i-1]) {
			return nil, false
		}
		extent, lo := nd.Shape[dim], 0
		out[i] = make([]tensor.Range, 0, len(ends)+1)
		for b := range len(ends) + 1 {
			hi := extent
			if b < len(ends) {
				hi = ends[b]
			}
			if hi <= lo || hi > extent {
				return nil, false
			}
			out[i] = append(out[i], tensor.Range{Lo: lo, Hi: hi})
			lo = hi
		}
		for b := range ends {
			if i > 0 {
				ends[b] = reach(chain[i], chain[i-1], dim, ends[b])
			}
		}
	}
	return out, true
}

// Reach is the end of the range of x, along a dimension, that the first end indices of its
// reader id read; 0 if they read nothing.
func Reach(g *graph.Graph, id, x graph.ID, dim, end int) (hi int) {
	cut := g.Whole(id)
	cut.Box[dim] = tensor.Range{Lo: 0, Hi: end}
	need := g.Need(cut)
	for k, in := range g.Nodes[id].In { // the value may be read twice
		if in == x && dim < len(need[k]) && !need[k].Empty() {
			hi = max(hi, need[k][dim].Hi)
		}
	}
	return hi
}

// Check checks a plan against its graph. The error is the first of: another graph, an unknown
// device, a box outside its node, a value made twice or not at all, a tile before its inputs.
func (p *Plan) Check(g *graph.Graph) error {
	if fp := g.Fingerprint(); p.Graph != fp {
		return fmt.Errorf("the plan is for graph %s (%s): %s has %s", p.Graph, p.Model, g.Name, fp)
	}
	made := make([][]tensor.Box, len(g.Nodes))
	if !slices.Contains(interfaces, p.PIM) {
		return fmt.Errorf("pim %.80q: one of %s wanted%s", p.PIM, fault.Names(interfaces), nearest.Hint(p.PIM, interfaces))
	}
	if !slices.Contains(launches, p.Launch) {
		return fmt.Errorf("launch %.80q: one of %s wanted%s", p.Launch, fault.Names(launches), nearest.Hint(p.Launch, launches))
	}
	for _, t := range p.Tiles() {
		if err := checkTile(g, t, made); err != nil {
			return fmt.Errorf("tile %s %v: %w", t.Device, t.Cut, err)
		}
		made[t.Node] = append(made[t.Node], t.Box)
	}
	for i := range g.Nodes {
		if nd := &g.Nodes[i]; nd.Op != nil && !Covers(made[i], tensor.Full(nd.Shape)) {
			return fmt.Errorf("node %%%d %.80q is not made whole by the tiles %v", i, nd.Name, made[i])
		}
	}
	return nil
}

// checkTile checks a tile against the boxes made before it.
func checkTile(g *graph.Graph, t Tile, made [][]tensor.Box) error {
	if t.Device != GPU && t.Device != PIM {
		return fmt.Errorf("device %.80q: gpu or pim wanted%s", t.Device, nearest.Hint(t.Device, []string{GPU, PIM}))
	}
	if t.Node < 0 || int(t.Node) >= len(g.Nodes) || g.Nodes[t.Node].Op == nil {
		return fmt.Errorf("there is no operation %%%d", t.Node)
	}
	nd := &g.Nodes[t.Node]
	if !t.Box.In(nd.Shape) || t.Box.Empty() && nd.Shape.Size() > 0 {
		return fmt.Errorf("a part of %v wanted", tensor.Full(nd.Shape))
	}
	if nd.Op.Need == nil && !t.Box.Equal(tensor.Full(nd.Shape)) {
		return fmt.Errorf("%s cannot be cut", nd.Op.Name)
	}
	for _, b := range made[t.Node] {
		if !b.Intersect(t.Box).Empty() {
			return fmt.Errorf("%v of it is made before", b.Intersect(t.Box))
		}
	}
	for i, need := range g.Need(t.Cut) {
		x := &g.Nodes[nd.In[i]]
		if x.Op != nil && !Covers(made[x.ID], need) {
			return fmt.Errorf("it reads %%%d %.80q %v, which is not made before it", x.ID, x.Name, need)
		}
	}
	return nil
}

// Covers reports whether disjoint boxes cover all of want.
func Covers(boxes []tensor.Box, want tensor.Box) bool {
	n := 0
	for _, b := range boxes {
		n += b.Intersect(want).Size()
	}
	return n == want.Size()
}
