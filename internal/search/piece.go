package search

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
type piece struct {
	plan.Tile
	span
	at    int // the node's position in the order
	code  device.Code
	time  device.Time
	least device.Time  // of time, where it is launched with the piece before
	work  float64      // pJ, without standby
	need  []tensor.Box // by input; nil where it reads nothing that pieces make
}

// span says which piece of a node it is: a range of one dimension, on a device.
type span struct {
	dev, dim int // dim is whole where the piece is all of the value
	tensor.Range
}

const whole = -1

// key numbers spans; dims cuts nothing that is as long as maxExtent.
func (s span) key() uint64 {
	return uint64(s.dev) | uint64(s.dim+1)<<1 | uint64(s.Lo)<<3 | uint64(s.Hi)<<33
}

const maxExtent = 1 << 30

// store costs the pieces of a graph on the devices of a machine, each once. The
// pieces it has costed are the ground that a plan can be made of, and that the
// bound is the bound of.
type store struct {
	g      *graph.Graph
	ds     []device.Device
	serial bool       // one device works at a time
	joint  bool       // PIM work is launched together (plan.Joint), under the policy at hand
	order  []graph.ID // the operations
	pos    []int      // position in order by node; -1: no operation
	reads  [][]input  // by position: what other operations a node reads
	users  [][]int    // by position: those that read it
	nodes  []*costed  // by position
	reach  reaches
}

// input is an input of a node that an operation makes.
type input struct {
	k, at int // its index and the operation's position
}

// costed is the pieces of a node.
type costed struct {
	mu     sync.Mutex
	pieces map[uint64]*piece // by span.key; nil: the device does not execute it
	err    error             // the first of Compile other than that
	full   bool              // memory has no room for it on the PIM
}

func newStore(g *graph.Graph, order []graph.ID, ds []device.Device) *store {
	s := &store{g: g, ds: ds, order: order, pos: make([]int, len(g.Nodes)), nodes: make([]*costed, len(order)), users: make([][]int, len(order))}
	for i := range s.pos {
		s.pos[i] = -1
	}
	for i, id := range order {
		s.pos[id] = i
		s.nodes[i] = &costed{pieces: map[uint64]*piece{}}
	}
	for i := range order {
		var list []input
		for k, x := range s.node(i).In {
			if s.pos[x] >= 0 {
				list = append(list, input{k, s.pos[x]})
			}
		}
		s.reads = append(s.reads, list)
		for _, in := range list {
			s.users[in.at] = append(s.users[in.at], i)
		}
	}
	s.reach.of = map[reach]int{}
	return s
}

// node is the i-th operation.
func (s *store) node(i int) *graph.Node { return &s.g.Nodes[s.order[i]] }

// whole is all of the i-th node on a device; nil where that does not execute it.
func (s *store) whole(i, dev int) *piece { return s.piece(i, span{dev: dev, dim: whole}) }

// piece returns a piece of the i-th node; nil where the device does not execute it.
func (s *store) piece(i int, at span) *piece {
	nd := s.node(i)
	if at.dim != whole && at.Lo == 0 && at.Hi == nd.Shape[at.dim] {
		at = span{dev: at.dev, dim: whole}
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
	if full && s.ds[at.dev].Name() == plan.PIM {
		return nil
	}
	return p
}

// cost compiles a piece.
func (s *store) cost(i int, at span) *piece {
	cut := s.g.Whole(s.order[i])
	if at.dim != whole {
		cut.Box[at.dim] = at.Range
	}
	code, err := s.ds[at.dev].Compile(s.g, cut)
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
	p := &piece{Tile: plan.Tile{Cut: cut, Device: s.ds[at.dev].Name()}, span: at, at: i, code: code, time: c.Time, least: c.Time - c.Joint, work: c.Energy.Total().Value}
	p.need = s.g.Need(cut)
	for k, x := range s.node(i).In {
		if s.pos[x] < 0 || p.need[k].Empty() {
			p.need[k] = nil
		}
	}
	return p
}

// tile returns the piece that is a tile cut along at most one dimension.
func (s *store) tile(t plan.Tile) *piece {
	at := span{dim: whole}
	for d, r := range t.Box {
		if r.Len() != s.g.Nodes[t.Node].Shape[d] {
			at.dim, at.Range = d, r
		}
	}
	for at.dev = range s.ds {
		if s.ds[at.dev].Name() == t.Device {
			return s.piece(s.pos[t.Node], at)
		}
	}
	return nil
}

// err is the first error of a device, in the order of the nodes.
func (s *store) err() error {
	for i := range s.nodes {
		if err := s.nodes[i].err; err != nil {
			return err
		}
	}
	return nil
}

// uses reports whether a piece reads any of another.
func (s *store) uses(p, of *piece) bool {
	for _, in := range s.reads[p.at] {
		if in.at == of.at && p.takes(in.k, of) {
			return true
		}
	}
	return false
}

// takes reports whether a piece reads any of another one by its k-th input.
func (p *piece) takes(k int, of *piece) bool {
	need := p.need[k]
	if need == nil || of.dim == whole {
		return need != nil
	}
	return need[of.dim].Lo < of.Hi && of.Lo < need[of.dim].Hi
}

// timed is the timeline of pieces alone, in a plan's order: values that none of
// them makes are there from the start.
func (s *store) timed(list []*piece) *run.Timeline {
	p := &program.Program{Graph: s.g, Steps: make([]program.Step, len(list))}
	made := map[int][]int{} // by position: where the pieces so far are in the list
	for i, x := range list {
		var after []int
		for _, in := range s.reads[x.at] {
			for _, j := range made[in.at] {
				if x.takes(in.k, list[j]) {
					after = append(after, j)
				}
			}
		}
		slices.Sort(after)
		p.Steps[i] = program.Step{Tile: x.Tile, Code: x.code, After: slices.Compact(after)}
		made[x.at] = append(made[x.at], i)
	}
	if s.joint {
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
func (s *store) reachOf(id, x graph.ID, dim, end int) int {
	r := reach{id, x, dim, end}
	s.reach.mu.Lock()
	hi, ok := s.reach.of[r]
	s.reach.mu.Unlock()
	if !ok {
		hi = plan.Reach(s.g, id, x, dim, end)
		s.reach.mu.Lock()
		s.reach.of[r] = hi
		s.reach.mu.Unlock()
	}
	return hi
}
