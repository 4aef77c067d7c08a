package candidate

import (
	"errors"
	"slices"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Store costs the tiles of a graph on the devices of a machine, each once. Plans are made
// of the tiles that it has costed, and bounds hold for plans of these.
//
// A store is safe for concurrent use as long as its fields are not set.
type Store struct {
	Graph   *graph.Graph
	Devices []device.Device
	Serial  bool       // one device works at a time
	Launch  Launch     // of the policy that is searched
	Points  int        // split points of a dimension that are tried at a time
	Order   []graph.ID // the operations: a topological order
	Pos     []int      // by node: its position in Order; -1: no operation
	Reads   [][]Input  // by position: the operations that the node reads
	Users   [][]int    // by position: the operations that read the node
	nodes   []*costed  // by position
	reach   reaches
}

// Input is an input of a node that an operation makes.
type Input struct {
	Index int // among the node's inputs
	Pos   int // the operation's position
}

// costed is the tiles of a node.
type costed struct {
	mu    sync.Mutex
	tiles map[uint64]*Tile // by Span.key; nil: the device does not execute it
	err   error            // the first other error of Compile
	full  bool             // memory has no room for the node on the PIM
}

// Operations lists the nodes of a graph that compute a value, in the graph's order.
func Operations(g *graph.Graph) (order []graph.ID) {
	for i := range g.Nodes {
		if g.Nodes[i].Op != nil && g.Nodes[i].Shape.Size() > 0 {
			order = append(order, graph.ID(i))
		}
	}
	return order
}

// NewStore returns a store of a graph on at most Lanes devices. It has costed nothing yet.
func NewStore(g *graph.Graph, ds []device.Device) *Store {
	order := Operations(g)
	s := &Store{Graph: g, Devices: ds, Points: Points, Order: order, Pos: make([]int, len(g.Nodes)), nodes: make([]*costed, len(order)), Users: make([][]int, len(order))}
	for i := range s.Pos {
		s.Pos[i] = -1
	}
	for i, id := range order {
		s.Pos[id] = i
		s.nodes[i] = &costed{tiles: map[uint64]*Tile{}}
	}
	for i := range order {
		var list []Input
		for k, x := range s.Node(i).In {
			if s.Pos[x] >= 0 {
				list = append(list, Input{k, s.Pos[x]})
			}
		}
		s.Reads = append(s.Reads, list)
		for _, in := range list {
			s.Users[in.Pos] = append(s.Users[in.Pos], i)
		}
	}
	s.reach.of = map[reach]int{}
	return s
}

// Node is the i-th operation.
func (s *Store) Node(i int) *graph.Node { return &s.Graph.Nodes[s.Order[i]] }

// Whole is the whole i-th node on a device; nil if the device does not execute it.
func (s *Store) Whole(i, dev int) *Tile { return s.Tile(i, Span{Lane: dev, Dim: Uncut}) }

// Tile is a tile of the i-th node; nil if the device does not execute it.
func (s *Store) Tile(i int, at Span) *Tile {
	nd := s.Node(i)
	if at.Dim != Uncut && at.Lo == 0 && at.Hi == nd.Shape[at.Dim] {
		at = Span{Lane: at.Lane, Dim: Uncut}
	}
	n, key := s.nodes[i], at.key()
	n.mu.Lock()
	p, ok := n.tiles[key]
	full := n.full
	n.mu.Unlock()
	if !ok {
		p = s.cost(i, at)
		n.mu.Lock()
		n.tiles[key] = p
		n.mu.Unlock()
	}
	if full && s.Devices[at.Lane].Name() == plan.PIM {
		return nil
	}
	return p
}

// cost compiles a tile.
func (s *Store) cost(i int, at Span) *Tile {
	cut := s.Graph.Whole(s.Order[i])
	if at.Dim != Uncut {
		cut.Box[at.Dim] = at.Range
	}
	code, err := s.Devices[at.Lane].Compile(s.Graph, cut)
	if err != nil {
		if n := s.nodes[i]; !errors.Is(err, device.ErrUnsupported) {
			n.mu.Lock()
			if n.err == nil {
				n.err = err
			}
			n.mu.Unlock()
		}
		return nil
	}
	c := code.Cost()
	p := &Tile{Tile: plan.Tile{Cut: cut, Device: s.Devices[at.Lane].Name()}, Span: at, Pos: i, Code: code, Time: c.Time, fused: c.Fused().Time, Energy: c.Energy.Total().Value}
	p.Need = s.Graph.Need(cut)
	for k, x := range s.Node(i).In {
		if s.Pos[x] < 0 || p.Need[k].Empty() {
			p.Need[k] = nil
		}
	}
	return p
}

// lookup returns the costed tile that is a plan's tile, which is cut along at most one
// dimension.
func (s *Store) lookup(t plan.Tile) *Tile {
	at := Span{Dim: Uncut}
	for d, r := range t.Box {
		if r.Len() != s.Graph.Nodes[t.Node].Shape[d] {
			at.Dim, at.Range = d, r
		}
	}
	for at.Lane = range s.Devices {
		if s.Devices[at.Lane].Name() == t.Device {
			return s.Tile(s.Pos[t.Node], at)
		}
	}
	return nil
}

// Costed returns the tiles of the i-th node that were asked for and that a device executes,
// in no order.
func (s *Store) Costed(i int) (list []*Tile) {
	for _, p := range s.nodes[i].tiles {
		if p != nil {
			list = append(list, p)
		}
	}
	return list
}

// Complete reports whether some tile of every node is costed.
func (s *Store) Complete() bool {
	for i := range s.nodes {
		if len(s.Costed(i)) == 0 {
			return false
		}
	}
	return true
}

// Evict keeps the i-th node from the PIM, whose memory has no room for it.
func (s *Store) Evict(i int) { s.nodes[i].full = true }

// Readmit undoes Evict for all nodes.
func (s *Store) Readmit() {
	for _, n := range s.nodes {
		n.full = false
	}
}

// Evicted reports whether any node is kept from the PIM.
func (s *Store) Evicted() bool {
	return slices.ContainsFunc(s.nodes, func(n *costed) bool { return n.full })
}

// Err is the first error of a device, in the order of the nodes.
func (s *Store) Err() error {
	for i := range s.nodes {
		if err := s.nodes[i].err; err != nil {
			return err
		}
	}
	return nil
}

// Uses reports whether a tile reads any value of another.
func (s *Store) Uses(p, of *Tile) bool {
	for _, in := range s.Reads[p.Pos] {
		if in.Pos == of.Pos && p.Takes(in.Index, of) {
			return true
		}
	}
	return false
}

// timed is the timeline of tiles alone, in a plan's order. Values that none of them makes
// are available at time 0.
func (s *Store) timed(list []*Tile) *run.Timeline {
	p := &program.Program{Graph: s.Graph, Steps: make([]program.Step, len(list))}
	made := map[int][]int{} // by position: the indices of the node's tiles so far
	for i, x := range list {
		var after []int
		for _, in := range s.Reads[x.Pos] {
			for _, j := range made[in.Pos] {
				if x.Takes(in.Index, list[j]) {
					after = append(after, j)
				}
			}
		}
		slices.Sort(after)
		p.Steps[i] = program.Step{Tile: x.Tile, Code: x.Code, After: slices.Compact(after)}
		made[x.Pos] = append(made[x.Pos], i)
	}
	s.Launch.Fuse(p)
	return run.Time(p)
}

// reaches remembers how far nodes read into their inputs.
type reaches struct {
	mu sync.Mutex
	of map[reach]int
}

type reach struct {
	id, x    graph.ID
	dim, end int
}

// Reach is plan.Reach, computed once.
func (s *Store) Reach(id, x graph.ID, dim, end int) int {
	r := reach{id, x, dim, end}
	s.reach.mu.Lock()
	hi, ok := s.reach.of[r]
	s.reach.mu.Unlock()
	if !ok {
		hi = plan.Reach(s.Graph, id, x, dim, end)
		s.reach.mu.Lock()
		s.reach.of[r] = hi
		s.reach.mu.Unlock()
	}
	return hi
}
