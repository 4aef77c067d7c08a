package local

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
)

// climber is a hill climber over the neighbourhoods of a window: the table of moves.
//
// In the literature: first-improvement hill climbing with don't-look bits (Bentley 1992).
type climber struct {
	candidate.Scheduler
	*Options
	asked     *candidate.Asked // the store, which remembers what is asked
	ctx       context.Context
	o         candidate.Linear
	choices   [][]*candidate.Partition // by position
	cur       *candidate.Window
	value     float64                      // of cur
	least     [candidate.Lanes]device.Time // by device: the least time that cur keeps it busy
	pending   []bool                       // by node: moves at it are still to be tried
	preds     []candidate.Predecessors     // of cur, by node; in accept of next
	next      []*candidate.Partition       // of cur; in accept the partitions tried
	spare     []candidate.Predecessors     // scratch of accept, by node
	touched   []int                        // the nodes whose predecessors it has changed
	seen      []int                        // by node: the last attempt that touched it
	attempt   int
	fastest   []int                   // by node: the device on which the whole node takes less
	able      [][candidate.Lanes]bool // by node: the devices that execute it
	bandings  bandings
	bands     bands // scratch of cutBands
	took      []work
	cuts      []*candidate.Partition // scratch of partitions that are tried
	ends      []int                  // scratch of Cuts
	lanes     []int
	trials    int // schedules since it was set to 0
	maxTrials int // schedules at most
	steps     int // tiles of bands that were looked at: with Scheduled the work done
}

// newClimber returns a climber at a window with no node marked.
func (r *improvement) newClimber(t *candidate.Window) *climber {
	s, n, o := r.Store, len(t.Partitions), r.o
	c := &climber{Scheduler: candidate.Scheduler{Store: s}, Options: r.Options, asked: s.Ask(t.Lo, n), ctx: r.ctx, o: o, choices: r.choices, bandings: r.bandings, spare: make([]candidate.Predecessors, n), seen: make([]int, n), pending: make([]bool, n), maxTrials: math.MaxInt,
		ends: make([]int, 0, 2*maxTiles), lanes: make([]int, 0, 2*maxTiles)}
	c.adopt(t)
	c.preds = c.Predecessors(t.Lo, t.Partitions)
	if t := c.ScheduleBelow(t.Lo, t.Partitions, c.preds, o, c.value); t != nil {
		c.adopt(t)
	}
	c.fastest, c.able = make([]int, n), make([][candidate.Lanes]bool, n)
	for i := range n {
		var best *candidate.Tile
		for lane := range s.Devices {
			p := c.asked.Whole(t.Lo+i, lane)
			if c.able[i][lane] = p != nil; p != nil && (best == nil || o.Of(p.Time, p.Energy) < o.Of(best.Time, best.Energy)) {
				best, c.fastest[i] = p, lane
			}
		}
	}
	return c
}

// id is the i-th node of the window.
func (c *climber) id(i int) graph.ID { return c.Store.Order[c.cur.Lo+i] }

// climb tries all moves at all marked nodes, which an accepted move adds to, until the window
// is a local optimum or a limit is reached.
func (c *climber) climb() {
	for i := slices.Index(c.pending, true); i >= 0; i = slices.Index(c.pending, true) {
		for ; i < len(c.pending); i++ {
			if !c.pending[i] {
				continue
			}
			c.pending[i] = false
			for _, m := range c.moves {
				if c.trials > c.maxTrials || c.exhausted() || c.ctx.Err() != nil {
					return
				}
				m.apply(c, i)
			}
		}
	}
}

// exhausted reports whether the moves of the window have used their budget.
func (c *climber) exhausted() bool { return c.Scheduled > c.Budget*len(c.pending) }

// perturb leaves the local optimum at one marked node after the other: the node gets its best
// partition alone, even if that is worse, and climbing follows. If that ends no better, within
// Patience schedules, the optimum before is restored.
//
// In the literature: the perturbation step of iterated local search (Lourenço, Martin, Stützle
// 2003).
func (c *climber) perturb() {
	for i, marked := range slices.Clone(c.pending) {
		best, value := c.cur, c.value
		d := c.choices[c.cur.Lo+i][0]
		if !marked || d.Equal(best.Partitions[i]) || c.ctx.Err() != nil {
			continue
		}
		parts := slices.Clone(best.Partitions)
		parts[i] = d
		c.preds = c.Predecessors(best.Lo, parts)
		c.adopt(c.Schedule(best.Lo, parts))
		clear(c.pending)
		c.mark(i)
		c.trials, c.maxTrials = 0, c.Patience
		if c.climb(); c.value >= value {
			c.preds = c.Predecessors(best.Lo, best.Partitions)
			c.adopt(best)
		}
	}
}

// adopt makes a window the current one.
func (c *climber) adopt(t *candidate.Window) {
	c.cur, c.value, c.least = t, c.o.Cost(t), [candidate.Lanes]device.Time{}
	c.next = append(c.next[:0], t.Partitions...)
	for _, d := range t.Partitions {
		for k, b := range d.Least {
			c.least[k] += b
		}
	}
}

// mark has moves tried at a node, its neighbours in the order, and the nodes that it reads or
// that read it.
func (c *climber) mark(i int) {
	for k := max(0, i-1); k <= min(i+1, len(c.pending)-1); k++ {
		c.pending[k] = true
	}
	for _, in := range c.Store.Near(c.cur.Lo+i, c.cur.Lo) {
		if j := in.Pos - c.cur.Lo; j >= 0 {
			c.pending[j] = true
		}
	}
	for _, at := range c.Store.Users[c.cur.Lo+i] {
		if j := at - c.cur.Lo; j < len(c.pending) {
			c.pending[j] = true
		}
	}
}

// accept changes the partitions of some nodes if that lessens the objective, which it reports. The partitions may be scratch:
// the window gets copies.
func (c *climber) accept(changes ...change) bool {
	t := candidate.Window{Busy: c.cur.Busy, Energy: c.cur.Energy}
	least := c.least
	same := true
	for _, s := range changes {
		old := c.cur.Partitions[s.node]
		for k := range t.Busy {
			t.Busy[k] += s.to.Busy[k] - old.Busy[k]
			least[k] += s.to.Least[k] - old.Least[k]
		}
		t.Energy += s.to.Energy - old.Energy
		same = same && s.to.Equal(old)
	}
	t.Time = max(least[0], least[1]) // a lower bound
	if same || c.o.Cost(&t) >= c.value || c.trials > c.maxTrials || c.ctx.Err() != nil {
		return false
	}
	c.trials++
	c.link(changes)
	better := c.ScheduleBelow(c.cur.Lo, c.next, c.preds, c.o, c.value)
	if better == nil {
		c.unlink(changes)
		return false
	}
	for _, s := range changes {
		c.next[s.node] = s.to.Clone()
	}
	better.Partitions = slices.Clone(c.next)
	c.adopt(better)
	for _, s := range changes {
		c.mark(s.node)
	}
	return true
}

// repartition tries a partition of one node.
func (c *climber) repartition(i, dim int, ends, lanes []int) bool {
	if slices.Max(lanes) >= len(c.Store.Devices) {
		return false
	}
	d := c.asked.CutIn(c.scratch(0), c.cur.Lo+i, dim, ends, lanes)
	return d != nil && c.accept(change{i, d})
}

// scratch is the k-th partition for what is tried.
func (c *climber) scratch(k int) *candidate.Partition {
	for len(c.cuts) <= k {
		c.cuts = append(c.cuts, &candidate.Partition{})
	}
	return c.cuts[k]
}

// cutsOf are Cuts of a node's partition, until the next call.
func (c *climber) cutsOf(i int) (ends, lanes []int) {
	c.ends, c.lanes = c.cur.Partitions[i].Cuts(c.ends, c.lanes)
	return c.ends, c.lanes
}

// link has the changes in next, and the predecessors of the nodes changed, and of those that read them, in preds.
func (c *climber) link(changes []change) {
	c.attempt++
	c.touched = c.touched[:0]
	for _, s := range changes {
		c.next[s.node] = s.to
		c.touch(s.node)
		for _, at := range c.Store.Users[c.cur.Lo+s.node] { // ascending
			j := at - c.cur.Lo
			if j >= len(c.next) {
				break
			}
			c.touch(j)
		}
	}
	for _, i := range c.touched {
		c.spare[i], c.preds[i] = c.preds[i], c.PredecessorsOf(c.spare[i], c.cur.Lo, i, c.next)
	}
}

// touch has the predecessors of a node found again, once in an attempt.
func (c *climber) touch(i int) {
	if c.seen[i] != c.attempt {
		c.seen[i] = c.attempt
		c.touched = append(c.touched, i)
	}
}

// unlink undoes link.
func (c *climber) unlink(changes []change) {
	for _, s := range changes {
		c.next[s.node] = c.cur.Partitions[s.node]
	}
	for _, i := range c.touched {
		c.spare[i], c.preds[i] = c.preds[i], c.spare[i]
	}
}
