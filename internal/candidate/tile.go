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
	"pimflow/internal/tensor"
)

// piece is a tile with its code, its cost and what it reads.
type Tile struct {
	plan.Tile
	Span
	Pos    int // the node's position in the order
	Code   device.Code
	Time   device.Time
	Fused  device.Time  // of time, where it is launched with the piece before
	Energy float64      // pJ, without standby
	Need   []tensor.Box // by input; nil where it reads nothing that pieces make
}

// span says which piece of a node it is: a range of one dimension, on a device.
type Span struct {
	Lane, Dim int // dim is whole where the piece is all of the value
	tensor.Range
}

const Uncut = -1

// key numbers spans; dims cuts nothing that is as long as maxExtent.
func (s Span) key() uint64 {
	return uint64(s.Lane) | uint64(s.Dim+1)<<1 | uint64(s.Lo)<<3 | uint64(s.Hi)<<33
}

const MaxExtent = 1 << 30

// store costs the pieces of a graph on the devices of a machine, each once. The
// pieces it has costed are the ground that a plan can be made of, and that the
// bound is the bound of.
type Store struct {
	Graph   *graph.Graph
	Devices []device.Device
	Serial  bool       // one device works at a time
	Fused   bool       // PIM work is launched together (plan.Joint), under the policy at hand
	Order   []graph.ID // the operations
	Pos     []int      // position in order by node; -1: no operation
	Reads   [][]Input  // by position: what other operations a node reads
	Users   [][]int    // by position: those that read it
	nodes   []*costed  // by position
	reach   reaches
}

// input is an input of a node that an operation makes.
type Input struct {
	Index, Pos int // its index and the operation's position
}

// costed is the pieces of a node.
type costed struct {
	mu     sync.Mutex
	pieces map[uint64]*Tile // by span.key; nil: the device does not execute it
	err    error            // the first of Compile other than that
	full   bool             // memory has no room for it on the PIM
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

// NewStore returns a store of all operations of a graph on devices, of which nothing is
// costed yet.
func NewStore(g *graph.Graph, ds []device.Device) *Store {
	order := Operations(g)
	s := &Store{Graph: g, Devices: ds, Order: order, Pos: make([]int, len(g.Nodes)), nodes: make([]*costed, len(order)), Users: make([][]int, len(order))}
	for i := range s.Pos {
		s.Pos[i] = -1
	}
	for i, id := range order {
		s.Pos[id] = i
		s.nodes[i] = &costed{pieces: map[uint64]*Tile{}}
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

// node is the i-th operation.
func (s *Store) Node(i int) *graph.Node { return &s.Graph.Nodes[s.Order[i]] }

// whole is all of the i-th node on a device; nil where that does not execute it.
func (s *Store) Whole(i, dev int) *Tile { return s.Tile(i, Span{Lane: dev, Dim: Uncut}) }

// piece returns a piece of the i-th node; nil where the device does not execute it.
func (s *Store) Tile(i int, at Span) *Tile {
	nd := s.Node(i)
	if at.Dim != Uncut && at.Lo == 0 && at.Hi == nd.Shape[at.Dim] {
		at = Span{Lane: at.Lane, Dim: Uncut}
	}
	n, key := s.nodes[i], at.key()
	n.mu.Lock()
	p, ok := n.pieces[key]
	full := n.full
	n.mu.Unlock()
	if !ok {
		p = s.cost(i, at)
		n.mu.Lock()
		n.pieces[key] = p
		n.mu.Unlock()
	}
	if full && s.Devices[at.Lane].Name() == plan.PIM {
		return nil
	}
	return p
}

// cost compiles a piece.
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
	p := &Tile{Tile: plan.Tile{Cut: cut, Device: s.Devices[at.Lane].Name()}, Span: at, Pos: i, Code: code, Time: c.Time, Fused: c.Time - c.Joint, Energy: c.Energy.Total().Value}
	p.Need = s.Graph.Need(cut)
	for k, x := range s.Node(i).In {
		if s.Pos[x] < 0 || p.Need[k].Empty() {
			p.Need[k] = nil
		}
	}
	return p
}

// tile returns the piece that is a tile cut along at most one dimension.
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

// costed are the pieces of the i-th node that a device executes, of those that were
// asked for, in no order.
func (s *Store) Costed(i int) (list []*Tile) {
	for _, p := range s.nodes[i].pieces {
		if p != nil {
			list = append(list, p)
		}
	}
	return list
}

// complete reports whether a device executes some piece of every node.
func (s *Store) Complete() bool {
	for i := range s.nodes {
		if len(s.Costed(i)) == 0 {
			return false
		}
	}
	return true
}

// evict keeps the i-th node from the PIM, whose memory has no room for it.
func (s *Store) Evict(i int) { s.nodes[i].full = true }

// readmit undoes evict for all nodes.
func (s *Store) Readmit() {
	for _, n := range s.nodes {
		n.full = false
	}
}

// evicted reports whether any node is kept from the PIM.
func (s *Store) Evicted() bool {
	return slices.ContainsFunc(s.nodes, func(n *costed) bool { return n.full })
}

// err is the first error of a device, in the order of the nodes.
func (s *Store) Err() error {
	for i := range s.nodes {
		if err := s.nodes[i].err; err != nil {
			return err
		}
	}
	return nil
}

// uses reports whether a piece reads any of another.
func (s *Store) Uses(p, of *Tile) bool {
	for _, in := range s.Reads[p.Pos] {
		if in.Pos == of.Pos && p.Takes(in.Index, of) {
			return true
		}
	}
	return false
}

// takes reports whether a piece reads any of another one by its k-th input.
func (p *Tile) Takes(k int, of *Tile) bool {
	need := p.Need[k]
	if need == nil || of.Dim == Uncut {
		return need != nil
	}
	return need[of.Dim].Lo < of.Hi && of.Lo < need[of.Dim].Hi
}

// timed is the timeline of pieces alone, in a plan's order: values that none of
// them makes are there from the start.
func (s *Store) timed(list []*Tile) *run.Timeline {
	p := &program.Program{Graph: s.Graph, Steps: make([]program.Step, len(list))}
	made := map[int][]int{} // by position: where the pieces so far are in the list
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
	if s.Fused {
		p.Join()
	}
	return run.Time(p)
}

// reaches remembers how far nodes read.
type reaches struct {
	mu sync.Mutex
	of map[reach]int
}

type reach struct {
	id, x    graph.ID
	dim, end int
}

// reachOf is plan.Reach, asked once.
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
