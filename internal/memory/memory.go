// Package memory allocates the weights of a compiled plan in the banks of the PIM channels.
// A program goes in; a Map comes out: for each step on the PIM and each channel, the rows
// that hold its weights.
//
// Rows are allocated in plan order from row 0 on, in each channel by itself. Steps that read
// the same weights in the same layout share their rows. Different weights never share a row.
// The package does not know when weights are read, nor the layout in the GPU's channels.
//
// In the literature: static memory planning, a bump allocator with sharing.
package memory

import (
	"cmp"
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// Map is the allocation of a program's weights.
type Map struct {
	Rows     int    // of a bank
	Steps    []Step // the steps on the PIM, in plan order
	Taken    []int  // allocated rows, by channel
	Network  int    // weights: elements of all floating-point constants of the graph
	Integers int    // bytes of all constants of integers of up to 32 bits: quantised weights, their zero points and biases
	Read     int    // elements of the weights that the PIM reads, each counted once
	Stored   int    // elements in the banks, every copy counted
}

// Step is the allocation of the weights of one step.
type Step struct {
	Index     int      // in the program
	Constant  graph.ID // the weights, or inputs that stand in their place
	Input     int      // of the step's node: the number of that value
	Dynamic   bool     // they are no constant, and written in each run
	Places    []Place  // by channel
	Read      int      // elements of the constant that the step reads
	Both      int      // elements of these that steps on the GPU also read, from the GPU's own channels
	Elsewhere bool     // steps on the GPU read the constant
}

// Place is the rows of a channel that hold a step's weights. Row r of the channel's stream is
// row Lo+r of the banks.
type Place struct {
	tensor.Range
	Weights  int // elements in these rows, padding not counted
	Reserved int // rows allocated at this step; 0 if an earlier step has allocated them
	Stored   int // elements in the rows allocated at this step
}

// FullError reports that the weights of a step do not fit the banks of a channel.
type FullError struct {
	Node    graph.ID
	Name    string
	Box     tensor.Box
	Channel int
	Want    int // rows
	Left    int // rows
	Rows    int // of a bank
	// Nodes are the nodes of all steps that do not fit, this one first. A step that does not
	// fit takes no room from the steps after it. A node is listed once for each such step.
	Nodes []graph.ID
	// Demands are the rows that each node on the PIM wants in the channel in which it wants most, in
	// plan order. Rows that steps of several nodes share are the first one's.
	Demands []Demand
}

// Demand is the rows of a bank that a node's weights want.
type Demand struct {
	Node graph.ID
	Rows int
}

func (e *FullError) Error() string {
	return fmt.Sprintf("node %%%d %.80q %v on pim: its weights want %d rows of channel %d: %d of %d are left",
		e.Node, e.Name, e.Box, e.Want, e.Channel, e.Left, e.Rows)
}

// Fits is the error of New.
func Fits(p *program.Program) error {
	_, _, err := placed(p)
	return err
}

// New allocates the weights of a program. The error is a FullError, or names a step whose
// code has no weight layout.
func New(p *program.Program) (*Map, error) {
	m, reserved, err := placed(p)
	if err != nil {
		return nil, err
	}
	m.weigh(p, reserved)
	m.count(p)
	return m, nil
}

// placed allocates the rows of all steps. It also returns the rows allocated at each step, in
// the numbering of the layout.
func placed(p *program.Program) (*Map, []reserved, error) {
	m := &Map{}
	var layouts [][]pim.WeightLayout // by step on the PIM
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Device != plan.PIM {
			continue
		}
		code, ok := device.Bare(s.Code).(*pim.Code)
		if !ok {
			return nil, nil, fmt.Errorf("node %%%d %.80q on pim: code of type %T does not say where its weights are", s.Node, p.Graph.Nodes[s.Node].Name, s.Code)
		}
		m.Rows = code.Rows()
		m.Steps = append(m.Steps, Step{Index: i, Constant: p.Graph.Nodes[s.Node].In[code.Stored()], Input: code.Stored(), Dynamic: code.Dynamic()})
		layouts = append(layouts, code.WeightLayout())
	}
	regions := m.regions(layouts)
	var full *FullError
	var all []reserved
	for i := range m.Steps {
		r, e := m.place(p, i, layouts[i], regions)
		if e != nil {
			full = cmp.Or(full, e)
			full.Nodes = append(full.Nodes, e.Node)
		}
		all = append(all, reserved{layouts[i], r})
	}
	if full != nil {
		full.Demands = m.demands(p, layouts, regions)
		return nil, nil, full
	}
	return m, all, nil
}

// demands are FullError's.
func (m *Map) demands(p *program.Program, layouts [][]pim.WeightLayout, regions map[key][]*region) (list []Demand) {
	taken, counted := map[graph.ID][]int{}, map[*region]bool{}
	var order []graph.ID
	for i, st := range m.Steps {
		id := p.Steps[st.Index].Node
		if taken[id] == nil {
			taken[id], order = make([]int, len(layouts[i])), append(order, id)
		}
		for ch, h := range layouts[i] {
			if h.Rows.Len() == 0 {
				continue
			}
			if r := regionOf(regions[key{ch, st.Constant, h.Layout}], h); !counted[r] {
				counted[r] = true
				taken[id][ch] += r.Len()
			}
		}
	}
	for _, id := range order {
		list = append(list, Demand{id, slices.Max(taken[id])})
	}
	return list
}

// regionOf is the region that has a layout's rows.
func regionOf(list []*region, h pim.WeightLayout) *region {
	return list[slices.IndexFunc(list, func(r *region) bool { return h.Rows.Lo < r.Hi })]
}

// reserved is the rows of a step by channel, in the numbering of the layout: the rows that
// it reads, and the rows allocated at it.
type reserved struct {
	layouts []pim.WeightLayout
	rows    []tensor.Range
}

// weigh counts the weights in the rows of all steps.
func (m *Map) weigh(p *program.Program, all []reserved) {
	for i, r := range all {
		st := &m.Steps[i]
		code := device.Bare(p.Steps[st.Index].Code).(*pim.Code)
		for ch, h := range r.layouts {
			if h.Rows.Len() == 0 {
				continue
			}
			pl := &st.Places[ch]
			pl.Weights = code.Weights(ch, h.Rows)
			if rows := r.rows[ch]; rows.Len() > 0 {
				pl.Stored = code.Weights(ch, rows)
				if !st.Dynamic {
					m.Stored += pl.Stored
				}
			}
		}
	}
}

// key identifies a layout of a constant in a channel.
type key struct {
	channel  int
	constant graph.ID
	layout   string
}

// region is rows that are allocated together, in the numbering of the layout.
type region struct {
	tensor.Range
	base   int // the first row in the banks, once placed
	placed bool
}

// regions are the unions of overlapping rows that steps read of each layout, ascending.
func (m *Map) regions(layouts [][]pim.WeightLayout) map[key][]*region {
	all := map[key][]*region{}
	for i, channels := range layouts {
		for ch, h := range channels {
			if h.Rows.Len() > 0 {
				k := key{ch, m.Steps[i].Constant, h.Layout}
				all[k] = append(all[k], &region{Range: h.Rows})
			}
		}
	}
	for k, rs := range all {
		slices.SortFunc(rs, func(a, b *region) int { return cmp.Compare(a.Lo, b.Lo) })
		joined := rs[:1]
		for _, r := range rs[1:] {
			if last := joined[len(joined)-1]; r.Lo < last.Hi {
				last.Hi = max(last.Hi, r.Hi)
			} else {
				joined = append(joined, r)
			}
		}
		all[k] = joined
	}
	return all
}

// place allocates the rows of a step that no earlier step has allocated, and returns them. If
// they do not all fit, it allocates none.
func (m *Map) place(p *program.Program, i int, layouts []pim.WeightLayout, regions map[key][]*region) ([]tensor.Range, *FullError) {
	st := &m.Steps[i]
	s := &p.Steps[st.Index]
	if m.Taken == nil {
		m.Taken = make([]int, len(layouts))
	}
	at := make([]*region, len(layouts))
	for ch, h := range layouts {
		if h.Rows.Len() == 0 {
			continue
		}
		r := regionOf(regions[key{ch, st.Constant, h.Layout}], h)
		if left := m.Rows - m.Taken[ch]; !r.placed && r.Len() > left {
			return nil, &FullError{Node: s.Node, Name: p.Graph.Nodes[s.Node].Name, Box: s.Box, Channel: ch, Want: r.Len(), Left: left, Rows: m.Rows}
		}
		at[ch] = r
	}
	st.Places = make([]Place, len(layouts))
	now := make([]tensor.Range, len(layouts))
	for ch, r := range at {
		if r == nil {
			continue
		}
		h, pl := layouts[ch], &st.Places[ch]
		if !r.placed {
			r.base, r.placed = m.Taken[ch], true
			m.Taken[ch] += r.Len()
			pl.Reserved, now[ch] = r.Len(), r.Range
		}
		pl.Lo = r.base + h.Rows.Lo - r.Lo
		pl.Hi = pl.Lo + h.Rows.Len()
	}
	return now, nil
}

// count sets the numbers of elements that devices read.
func (m *Map) count(p *program.Program) {
	for i := range p.Graph.Nodes {
		c := p.Graph.Nodes[i].Const
		if c == nil {
			continue
		}
		switch c.Type {
		case tensor.Int8, tensor.Uint8, tensor.Int32:
			m.Integers += c.Shape.Size() * c.Type.Bytes()
		case tensor.Int64, tensor.Bool: // indices, shapes and conditions
		default:
			m.Network += c.Shape.Size()
		}
	}
	onGPU, onPIM := map[graph.ID][]tensor.Box{}, map[graph.ID][]tensor.Box{}
	stored := map[int]int{} // by step on the PIM, the number of the input in the banks
	for i := range m.Steps {
		stored[m.Steps[i].Index] = m.Steps[i].Input
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		need := p.Graph.Need(s.Cut)
		for k, x := range p.Graph.Nodes[s.Node].In {
			if s.Device == plan.GPU {
				onGPU[x] = append(onGPU[x], need[k])
			} else if k == stored[i] {
				onPIM[x] = append(onPIM[x], need[k])
			}
		}
	}
	seen := map[graph.ID]bool{}
	for i := range m.Steps {
		st := &m.Steps[i]
		box := p.Graph.Need(p.Steps[st.Index].Cut)[st.Input]
		st.Read = box.Size()
		var both []tensor.Box
		for _, b := range onGPU[st.Constant] {
			both = append(both, b.Intersect(box))
		}
		st.Both, st.Elsewhere = volume(both), len(both) > 0
		if !seen[st.Constant] && !st.Dynamic {
			seen[st.Constant] = true
			m.Read += volume(onPIM[st.Constant])
		}
	}
}

// volume is the number of elements in the union of boxes of the same rank (Klee's measure
// problem, by a sweep over the first dimension).
func volume(boxes []tensor.Box) int {
	if len(boxes) == 0 {
		return 0
	}
	if len(boxes[0]) == 0 {
		return 1
	}
	var edges []int
	for _, b := range boxes {
		edges = append(edges, b[0].Lo, b[0].Hi)
	}
	slices.Sort(edges)
	n := 0
	for i := 1; i < len(edges); i++ {
		if edges[i] == edges[i-1] {
			continue
		}
		var inner []tensor.Box
		for _, b := range boxes {
			if b[0].Lo <= edges[i-1] && edges[i] <= b[0].Hi {
				inner = append(inner, b[1:])
			}
		}
		n += (edges[i] - edges[i-1]) * volume(inner)
	}
	return n
}
