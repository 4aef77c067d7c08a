package candidate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
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
	nodes   []node     // by position
	kinds   []*kind    // of nodes, in the order of their first node
	codes   sync.Map   // by *Costed: the device.Code of those that were asked for
}

// Input is an input of a node that an operation makes.
type Input struct {
	Index int // among the node's inputs
	Pos   int // the operation's position
}

// node is the tiles of a node.
type node struct {
	*kind
	number int  // of the kind
	sorted bool // its reads are of ascending positions, none twice
	mu     sync.Mutex
	tiles  []*Tile // by number: those that were asked for
	asked  tileSet // by number: others that were asked for
	full   bool    // memory has no room for the node on the PIM
}

// kind is the tiles of nodes alike: on each device, cuts of equal boxes cost the same (device.Form).
type kind struct {
	mu    sync.Mutex
	first int              // position of the first of the nodes
	many  bool             // there are others
	known map[uint64]int32 // by Span.key: the tile's number; none: the device does not execute it
	tiles []*Costed        // by number
	needs map[uint64]needs // by Span.key, on lane 0
	err   error            // the first other error of Compile
}

// none is the number of a tile that a device does not execute.
const none = -1

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
	s := &Store{Graph: g, Devices: ds, Points: Points, Order: order, Pos: make([]int, len(g.Nodes)), nodes: make([]node, len(order)), Users: make([][]int, len(order))}
	for i := range s.Pos {
		s.Pos[i] = -1
	}
	for i, id := range order {
		s.Pos[id] = i
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
	s.sort()
	return s
}

// sort finds the kinds of the nodes.
func (s *Store) sort() {
	of := map[string]int{}
	for i, id := range s.Order {
		var form strings.Builder
		for _, d := range s.Devices {
			form.WriteString(device.Form(d, s.Graph, id))
			form.WriteByte('\n')
		}
		for _, in := range s.Reads[i] {
			fmt.Fprint(&form, in.Index, " ")
		}
		k, ok := of[form.String()]
		if !ok {
			k = len(s.kinds)
			of[form.String()] = k
			s.kinds = append(s.kinds, &kind{first: i, known: map[uint64]int32{}, needs: map[uint64]needs{}})
		}
		s.kinds[k].many = ok
		s.nodes[i].kind, s.nodes[i].number = s.kinds[k], k
		s.nodes[i].sorted = true
		for j, in := range s.Reads[i] {
			s.nodes[i].sorted = s.nodes[i].sorted && (j == 0 || in.Pos > s.Reads[i][j-1].Pos)
		}
	}
}

// Near are the reads of the i-th node without some, or all, of the nodes before lo.
func (s *Store) Near(i, lo int) []Input {
	list := s.Reads[i]
	if len(list) <= few || !s.nodes[i].sorted {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, lo, func(in Input, lo int) int { return in.Pos - lo })
	return list[at:]
}

// few is how many reads, or runs of needs, are looked through (estimated).
const few = 4

// Node is the i-th operation.
func (s *Store) Node(i int) *graph.Node { return &s.Graph.Nodes[s.Order[i]] }

// Whole is the whole i-th node on a device; nil if the device does not execute it.
func (s *Store) Whole(i, dev int) *Tile { return s.Tile(i, Span{Lane: dev, Dim: Uncut}) }

// Tile is a tile of the i-th node; nil if the device does not execute it.
func (s *Store) Tile(i int, at Span) *Tile {
	t, _ := s.tile(i, at)
	return t
}

// tile is Tile, with the tile's number among those of the node's kind.
func (s *Store) tile(i int, at Span) (*Tile, int32) {
	if at.Dim != Uncut && at.Lo == 0 && at.Hi == s.Node(i).Shape[at.Dim] {
		at = Span{Lane: at.Lane, Dim: Uncut}
	}
	n, key := &s.nodes[i], at.key()
	k := n.kind
	k.mu.Lock()
	id, ok := k.known[key]
	k.mu.Unlock()
	if !ok {
		id = s.cost(k, at, key)
	}
	if id == none {
		return nil, none
	}
	t := n.tile(s, i, id)
	if n.full && t.Device == plan.PIM {
		return nil, id
	}
	return t, id
}

// tile is the i-th node's tile of a number.
func (n *node) tile(s *Store, i int, id int32) *Tile {
	n.mu.Lock()
	defer n.mu.Unlock()
	if int(id) >= len(n.tiles) {
		n.tiles = append(n.tiles, make([]*Tile, int(id)+1-len(n.tiles))...)
	}
	t := n.tiles[id]
	if t == nil {
		n.kind.mu.Lock()
		t = &Tile{Costed: n.kind.tiles[id], Pos: i, Node: s.Order[i], id: id}
		n.kind.mu.Unlock()
		n.tiles[id] = t
	}
	return t
}

// cost compiles a tile of the first node of a kind.
func (s *Store) cost(k *kind, at Span, key uint64) int32 {
	dev, cut := s.Devices[at.Lane], s.cut(k, at)
	c, err := device.BriefOf(dev, s.Graph, cut)
	var t *Costed
	if err == nil {
		t = &Costed{Span: at, Box: cut.Box, Device: dev.Name(), Time: c.Time, fused: c.Fused, memory: c.Memory, Energy: c.Energy}
		t.needs = s.needs(k, at)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, ok := k.known[key]; ok { // another thread was faster
		return id
	}
	id := int32(none)
	if err == nil {
		id = int32(len(k.tiles))
		k.tiles = append(k.tiles, t)
	} else if k.err == nil && !errors.Is(err, device.ErrUnsupported) {
		k.err = err
	}
	k.known[key] = id
	return id
}

// needs is what tiles of a kind read, on any device.
func (s *Store) needs(k *kind, at Span) needs {
	at.Lane = 0
	key := at.key()
	k.mu.Lock()
	defer k.mu.Unlock()
	n, ok := k.needs[key]
	if !ok {
		cut := s.cut(k, at)
		in := s.Graph.Nodes[cut.Node].In
		n = newNeeds(s.Graph.Need(cut), func(j int) bool { return s.Pos[in[j]] >= 0 })
		k.needs[key] = n
	}
	return n
}

// cut is a tile of a kind's first node.
func (s *Store) cut(k *kind, at Span) graph.Cut {
	cut := s.Graph.Whole(s.Order[k.first])
	if at.Dim != Uncut {
		cut.Box[at.Dim] = at.Range
	}
	return cut
}

// code is the code of a tile, of the first node of its kind.
func (s *Store) code(t *Tile) device.Code {
	if c, ok := s.codes.Load(t.Costed); ok {
		return c.(device.Code)
	}
	code, err := s.Devices[t.Lane].Compile(s.Graph, graph.Cut{Node: s.Order[s.nodes[t.Pos].first], Box: t.Box})
	if err != nil {
		panic(fmt.Sprintf("candidate: a tile that was costed: %v", err))
	}
	s.codes.Store(t.Costed, code)
	return code
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
	n := &s.nodes[i]
	for id := range int32(len(n.kind.tiles)) {
		if int(id) < len(n.tiles) && n.tiles[id] != nil || n.asked.has(id) {
			list = append(list, n.tile(s, i, id))
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
	for i := range s.nodes {
		s.nodes[i].full = false
	}
}

// Evicted reports whether any node is kept from the PIM.
func (s *Store) Evicted() bool {
	for i := range s.nodes {
		if s.nodes[i].full {
			return true
		}
	}
	return false
}

// Err is the first error of a device, in the order of the nodes.
func (s *Store) Err() error {
	for _, k := range s.kinds {
		if k.err != nil {
			return k.err
		}
	}
	return nil
}

// Uses reports whether a tile reads any value of another.
func (s *Store) Uses(p, of *Tile) bool {
	for _, in := range s.Near(p.Pos, of.Pos) {
		if in.Pos == of.Pos && p.Takes(in.Index, of) {
			return true
		}
	}
	return false
}

// Reach is plan.Reach of a node that an operation makes.
func (s *Store) Reach(id, x graph.ID, dim, end int) (hi int) {
	i, at := s.Pos[id], Span{Dim: dim, Range: tensor.Range{Lo: 0, Hi: end}}
	switch extent := s.Node(i).Shape[dim]; {
	case extent >= MaxExtent: // see Span.key
		return plan.Reach(s.Graph, id, x, dim, end)
	case end == extent:
		at = Span{Dim: Uncut}
	}
	n := s.needs(s.nodes[i].kind, at)
	for _, in := range s.Near(i, s.Pos[x]) {
		if in.Pos == s.Pos[x] { // the value may be read twice
			if b := n.box(in.Index); dim < len(b) && !b.Empty() {
				hi = max(hi, b[dim].Hi)
			}
		} else if s.nodes[i].sorted && in.Pos > s.Pos[x] {
			break
		}
	}
	return hi
}
