package local

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
)

// hill is a stretch that moves make better.
type hill struct {
	candidate.Scheduler
	ctx     context.Context
	o       candidate.Linear
	choices [][]*candidate.Partition // by position
	cur     *candidate.Window
	value   float64
	least   [candidate.Lanes]device.Time // of cur, as a division's
	todo    []bool                       // nodes at which moves are still to be made
	links   []candidate.Predecessors     // of cur, by node
	divs    []*candidate.Partition       // scratch of try
	tried   []candidate.Predecessors     // the same: those that differ
	spare   []candidate.Predecessors
	fast    []int                   // of each node: the device that its whole takes less on
	able    [][candidate.Lanes]bool // and those that execute it
	tries   int                     // orders made since it was set to 0
	limit   int                     // of tries
}

// newHill makes no move before it is told where to look.
func (r *refinement) newHill(t *candidate.Window) *hill {
	s, n, o := r.Store, len(t.Partitions), r.o
	h := &hill{Scheduler: candidate.Scheduler{Store: s}, ctx: r.ctx, o: o, choices: r.choices, spare: make([]candidate.Predecessors, n), todo: make([]bool, n), limit: math.MaxInt}
	h.adopt(t)
	h.links = h.Predecessors(t.Lo, t.Partitions)
	if t := h.ScheduleBelow(t.Lo, t.Partitions, h.links, o, h.value); t != nil {
		h.adopt(t)
	}
	h.fast, h.able = make([]int, n), make([][candidate.Lanes]bool, n)
	for i := range n {
		var best *candidate.Tile
		for dev := range s.Devices {
			p := s.Whole(t.Lo+i, dev)
			if h.able[i][dev] = p != nil; p != nil && (best == nil || o.Of(p.Time, p.Energy) < o.Of(best.Time, best.Energy)) {
				best, h.fast[i] = p, dev
			}
		}
	}
	return h
}

// id is the node at a place of the stretch.
func (h *hill) id(i int) graph.ID { return h.Store.Order[h.cur.Lo+i] }

// climb makes all moves at all nodes, and again at those whose neighbourhood one has
// changed, until none lessens the objective.
func (h *hill) climb() {
	for i := slices.Index(h.todo, true); i >= 0; i = slices.Index(h.todo, true) {
		for ; i < len(h.todo); i++ {
			if !h.todo[i] {
				continue
			}
			h.todo[i] = false
			for _, m := range moves {
				if h.tries > h.limit || h.spent() || h.ctx.Err() != nil {
					return
				}
				m.try(h, i)
			}
		}
	}
}

// budget is how many pieces a node's share of a window's moves may put in order. Moves that
// go on beyond it gain next to nothing: the plans of five networks on three machines are the
// same with twice as much, and with DenseNet-121 a seventh of the time is saved where the GPU
// has nearly no channels (measured).
const budget = 25_000

// spent reports whether the moves of the window have used their budget.
func (h *hill) spent() bool { return h.Scheduled > budget*len(h.todo) }

// patience is how many orders retry tries for a gain. With 300 the plans of five
// networks on two machines take at most 0.5 % less (measured).
const patience = 120

// retry leaves what climb has reached, one node after the other: the node is divided
// as it is best alone, even if that is worse, and moves follow until they gain on what
// was before, or patience ends and what was before is back.
func (h *hill) retry() {
	for i, todo := range slices.Clone(h.todo) {
		best, value := h.cur, h.value
		d := h.choices[h.cur.Lo+i][0]
		if !todo || d.Equal(best.Partitions[i]) || h.ctx.Err() != nil {
			continue
		}
		divs := slices.Clone(best.Partitions)
		divs[i] = d
		h.links = h.Predecessors(best.Lo, divs)
		h.adopt(h.Schedule(best.Lo, divs))
		clear(h.todo)
		h.look(i)
		h.tries, h.limit = 0, patience
		if h.climb(); h.value >= value {
			h.links = h.Predecessors(best.Lo, best.Partitions)
			h.adopt(best)
		}
	}
}

// adopt makes a stretch the one at hand.
func (h *hill) adopt(t *candidate.Window) {
	h.cur, h.value, h.least = t, h.o.Cost(t), [candidate.Lanes]device.Time{}
	for _, d := range t.Partitions {
		for k, b := range d.Least {
			h.least[k] += b
		}
	}
}

// look has the moves at a node, its neighbours, and those it reads or that read it
// made again.
func (h *hill) look(i int) {
	for k := max(0, i-1); k <= min(i+1, len(h.todo)-1); k++ {
		h.todo[k] = true
	}
	for _, in := range h.Store.Reads[h.cur.Lo+i] {
		if j := in.Pos - h.cur.Lo; j >= 0 {
			h.todo[j] = true
		}
	}
	for _, at := range h.Store.Users[h.cur.Lo+i] {
		if j := at - h.cur.Lo; j < len(h.todo) {
			h.todo[j] = true
		}
	}
}

// try changes the division of some nodes and keeps that if it lessens the objective.
func (h *hill) try(sets ...set) bool {
	t := candidate.Window{Busy: h.cur.Busy, Energy: h.cur.Energy}
	least := h.least
	same := true
	for _, s := range sets {
		old := h.cur.Partitions[s.i]
		for k := range t.Busy {
			t.Busy[k] += s.d.Busy[k] - old.Busy[k]
			least[k] += s.d.Least[k] - old.Least[k]
		}
		t.Energy += s.d.Energy - old.Energy
		same = same && s.d.Equal(old)
	}
	t.Time = max(least[0], least[1]) // at least
	if same || h.o.Cost(&t) >= h.value || h.tries > h.limit || h.ctx.Err() != nil {
		return false
	}
	h.divs = append(h.divs[:0], h.cur.Partitions...)
	for _, s := range sets {
		h.divs[s.i] = s.d
	}
	h.relink()
	h.tries++
	better := h.ScheduleBelow(h.cur.Lo, h.divs, h.tried, h.o, h.value)
	if better == nil {
		return false
	}
	better.Partitions = slices.Clone(h.divs)
	for i := range h.tried { // what was made anew is the stretch's now
		if h.anew(i) {
			h.spare[i], h.links[i] = h.links[i], h.tried[i]
		}
	}
	h.adopt(better)
	for _, s := range sets {
		h.look(s.i)
	}
	return true
}

// recut tries a division of one node.
func (h *hill) recut(i, dim int, ends, devs []int) bool {
	if slices.Max(devs) >= len(h.Store.Devices) {
		return false
	}
	d := h.Store.Cut(h.cur.Lo+i, dim, ends, devs)
	return d != nil && h.try(set{i, d})
}

// relink finds the links of the divisions that are tried.
func (h *hill) relink() {
	h.tried = append(h.tried[:0], h.links...)
	for i := range h.divs {
		if h.anew(i) {
			h.spare[i] = h.PredecessorsOf(h.spare[i], h.cur.Lo, i, h.divs)
			h.tried[i] = h.spare[i]
		}
	}
}

// anew reports whether a node, or one that it reads, is divided otherwise in what is
// tried than in the stretch.
func (h *hill) anew(i int) bool {
	if h.divs[i] != h.cur.Partitions[i] {
		return true
	}
	for _, in := range h.Store.Reads[h.cur.Lo+i] {
		if j := in.Pos - h.cur.Lo; j >= 0 && h.divs[j] != h.cur.Partitions[j] {
			return true
		}
	}
	return false
}
