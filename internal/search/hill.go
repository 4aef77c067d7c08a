package search

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
)

// hill is a stretch that moves make better.
type hill struct {
	desk
	ctx     context.Context
	o       objective
	choices [][]*division // by position
	cur     *stretch
	value   float64
	least   [devices]device.Time // of cur, as a division's
	todo    []bool               // nodes at which moves are still to be made
	links   []links              // of cur, by node
	divs    []*division          // scratch of try
	next    []links              // the same: those that differ
	spare   []links
	fast    []int           // of each node: the device that its whole takes less on
	able    [][devices]bool // and those that execute it
	tries   int             // orders made since it was set to 0
	limit   int             // of tries
}

// newHill makes no move before it is told where to look.
func (r *refinement) newHill(t *stretch) *hill {
	s, n, o := r.store, len(t.divs), r.o
	h := &hill{desk: desk{s: s}, ctx: r.ctx, o: o, choices: r.choices, spare: make([]links, n), todo: make([]bool, n), limit: math.MaxInt}
	h.adopt(t)
	h.links = h.linked(t.lo, t.divs)
	if t := h.arrange(t.lo, t.divs, h.links, o, h.value); t != nil {
		h.adopt(t)
	}
	h.fast, h.able = make([]int, n), make([][devices]bool, n)
	for i := range n {
		var best *piece
		for dev := range s.ds {
			p := s.whole(t.lo+i, dev)
			if h.able[i][dev] = p != nil; p != nil && (best == nil || o.of(p.time, p.work) < o.of(best.time, best.work)) {
				best, h.fast[i] = p, dev
			}
		}
	}
	return h
}

// id is the node at a place of the stretch.
func (h *hill) id(i int) graph.ID { return h.s.order[h.cur.lo+i] }

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
func (h *hill) spent() bool { return h.arranged > budget*len(h.todo) }

// patience is how many orders retry tries for a gain. With 300 the plans of five
// networks on two machines take at most 0.5 % less (measured).
const patience = 120

// retry leaves what climb has reached, one node after the other: the node is divided
// as it is best alone, even if that is worse, and moves follow until they gain on what
// was before, or patience ends and what was before is back.
func (h *hill) retry() {
	for i, todo := range slices.Clone(h.todo) {
		best, value := h.cur, h.value
		d := h.choices[h.cur.lo+i][0]
		if !todo || d.equal(best.divs[i]) || h.ctx.Err() != nil {
			continue
		}
		divs := slices.Clone(best.divs)
		divs[i] = d
		h.links = h.linked(best.lo, divs)
		h.adopt(h.ordered(best.lo, divs))
		clear(h.todo)
		h.look(i)
		h.tries, h.limit = 0, patience
		if h.climb(); h.value >= value {
			h.links = h.linked(best.lo, best.divs)
			h.adopt(best)
		}
	}
}

// adopt makes a stretch the one at hand.
func (h *hill) adopt(t *stretch) {
	h.cur, h.value, h.least = t, h.o.cost(t), [devices]device.Time{}
	for _, d := range t.divs {
		for k, b := range d.least {
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
	for _, in := range h.s.reads[h.cur.lo+i] {
		if j := in.at - h.cur.lo; j >= 0 {
			h.todo[j] = true
		}
	}
	for _, at := range h.s.users[h.cur.lo+i] {
		if j := at - h.cur.lo; j < len(h.todo) {
			h.todo[j] = true
		}
	}
}

// try changes the division of some nodes and keeps that if it lessens the objective.
func (h *hill) try(sets ...set) bool {
	t := stretch{busy: h.cur.busy, work: h.cur.work}
	least := h.least
	same := true
	for _, s := range sets {
		old := h.cur.divs[s.i]
		for k := range t.busy {
			t.busy[k] += s.d.busy[k] - old.busy[k]
			least[k] += s.d.least[k] - old.least[k]
		}
		t.work += s.d.work - old.work
		same = same && s.d.equal(old)
	}
	t.time = max(least[0], least[1]) // at least
	if same || h.o.cost(&t) >= h.value || h.tries > h.limit || h.ctx.Err() != nil {
		return false
	}
	h.divs = append(h.divs[:0], h.cur.divs...)
	for _, s := range sets {
		h.divs[s.i] = s.d
	}
	h.relink()
	h.tries++
	better := h.arrange(h.cur.lo, h.divs, h.next, h.o, h.value)
	if better == nil {
		return false
	}
	better.divs = slices.Clone(h.divs)
	for i := range h.next { // what was made anew is the stretch's now
		if h.anew(i) {
			h.spare[i], h.links[i] = h.links[i], h.next[i]
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
	if slices.Max(devs) >= len(h.s.ds) {
		return false
	}
	d := h.s.cut(h.cur.lo+i, dim, ends, devs)
	return d != nil && h.try(set{i, d})
}

// relink finds the links of the divisions that are tried.
func (h *hill) relink() {
	h.next = append(h.next[:0], h.links...)
	for i := range h.divs {
		if h.anew(i) {
			h.spare[i] = h.lay(h.spare[i], h.cur.lo, i, h.divs)
			h.next[i] = h.spare[i]
		}
	}
}

// anew reports whether a node, or one that it reads, is divided otherwise in what is
// tried than in the stretch.
func (h *hill) anew(i int) bool {
	if h.divs[i] != h.cur.divs[i] {
		return true
	}
	for _, in := range h.s.reads[h.cur.lo+i] {
		if j := in.at - h.cur.lo; j >= 0 && h.divs[j] != h.cur.divs[j] {
			return true
		}
	}
	return false
}
