package search

import (
	"context"
	"errors"
	"math"
	"slices"

	"pimflow/internal/bound"
	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/memory"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// The exact mode finds the best of all plans in which each node is whole or cut in two, anywhere
// along any of its dimensions, with each tile on any device and the tiles in any order. It
// branches on the partition of one node after the other, prunes by a lower bound, and orders
// the tiles of what remains in the same way. Where the lower bound of package bound is the time of the plan
// that the local search found, there is nothing to branch on.

// The numbers of partitions of all nodes together up to which a graph is solved exactly, always and when that is asked for, and
// how many partitions the second branches on at most (estimated: less than the local search takes, and half a minute).
const (
	exactAlways = 1 << 16
	exactMost   = 1 << 40
	exactVisits = 1 << 23
)

// mostTiles is how many partitions the nodes have at most if the lower bound is asked for a proof (estimated: seconds).
const mostTiles = 20_000

// ErrTooLarge is wrapped by the error of a graph that is too large for the exact mode.
var ErrTooLarge = errors.New("too large for the exact mode")

// branching is the state of the exact mode.
//
// In the literature: branch and bound (Land & Doig 1960).
type branching struct {
	candidate.Scheduler
	ctx        context.Context
	value      func(t device.Time, energy float64) float64
	accept     func(*program.Program, []*candidate.Tile) bool // of a better plan
	best       float64
	choices    [][]*candidate.Partition
	restWork   [][weightCount]float64 // by node and weight: the least weighted work from the node on
	restEnergy []float64              // by node: the least energy from the node on
	parts      []*candidate.Partition
	preds      []candidate.Predecessors
	ends       [][]device.Time // by node and tile: the completion time if devices were always free
	visits     int             // partitions that were branched on
}

// weightCount is how many weights λ the bound by work uses (estimated; package bound explains
// it).
const weightCount = 17

func weight(k int) [candidate.Lanes]float64 {
	l := float64(k) / (weightCount - 1)
	return [candidate.Lanes]float64{l, 1 - l}
}

// branchAndBound replaces the plan of c by the best of all plans of the exact mode, and reports
// whether it has seen all.
func (s *search) branchAndBound(ctx context.Context, c *solution, p Policy, o candidate.Linear) (bool, error) {
	st, n := c.store, len(s.order)
	e := &branching{
		Scheduler: candidate.Scheduler{Store: st}, ctx: ctx, best: math.Inf(1),
		value:   func(t device.Time, energy float64) float64 { return s.t.Objective.value(t, energy, s.standby) },
		choices: make([][]*candidate.Partition, n), restWork: make([][weightCount]float64, n+1), restEnergy: make([]float64, n+1),
		parts: make([]*candidate.Partition, n), preds: make([]candidate.Predecessors, n), ends: make([][]device.Time, n),
	}
	if c.plan != nil {
		e.best = s.value(c.timeline)
	}
	for i := n - 1; i >= 0; i-- {
		e.choices[i] = st.InTwo(i, o)
		if err := st.Err(); err != nil {
			return false, err
		}
		least := math.Inf(1)
		for _, d := range e.choices[i] {
			least = min(least, d.Energy)
		}
		e.restEnergy[i] = e.restEnergy[i+1] + least
		for k := range weightCount {
			w, least := weight(k), math.Inf(1)
			for _, d := range e.choices[i] {
				least = min(least, w[0]*float64(d.Least[0])+w[1]*float64(d.Least[1]))
			}
			e.restWork[i][k] = e.restWork[i+1][k] + least
		}
	}
	var failed error
	e.accept = func(prog *program.Program, list []*candidate.Tile) bool {
		pl := s.planOf(p, []*candidate.Window{{Tiles: list}})
		tl, err := s.time(pl)
		if full := (*memory.FullError)(nil); errors.As(err, &full) {
			return false // other plans may have room
		}
		if err != nil {
			failed = err
			return false
		}
		c.plan, c.timeline = pl, tl
		return true
	}
	e.partition(0, [candidate.Lanes]device.Time{}, 0)
	return ctx.Err() == nil && e.visits <= exactVisits && !st.Evicted(), failed
}

// partition branches on the partition of the i-th node and the later ones.
func (e *branching) partition(i int, busy [candidate.Lanes]device.Time, energy float64) {
	if i == len(e.parts) {
		e.order(energy)
		return
	}
	for _, d := range e.choices[i] {
		if e.visits++; e.visits > exactVisits || e.ctx.Err() != nil {
			return
		}
		b := busy
		for k := range b {
			b[k] += d.Least[k]
		}
		least := float64(e.earliestEnd(i, d))
		for k := range weightCount {
			w := weight(k)
			// Sums are rounded.
			least = max(least, (1-1e-12)*(w[0]*float64(b[0])+w[1]*float64(b[1])+e.restWork[i+1][k]))
		}
		if e.value(device.Time(math.Ceil(least)), energy+d.Energy+e.restEnergy[i+1]) < e.best {
			e.partition(i+1, b, energy+d.Energy)
		}
	}
}

// earliestEnd is the makespan of the nodes up to the i-th if devices were always free: their
// critical path.
func (e *branching) earliestEnd(i int, d *candidate.Partition) (last device.Time) {
	e.parts[i] = d
	e.preds[i] = e.PredecessorsOf(e.preds[i], 0, i, e.parts)
	l := &e.preds[i]
	e.ends[i] = e.ends[i][:0]
	for p := range d.Tiles {
		start := device.Time(0)
		for _, to := range l.Of(p) {
			start = max(start, e.ends[to.Node][to.Tile])
		}
		e.ends[i] = append(e.ends[i], start+d.Tiles[p].Least())
	}
	for _, ends := range e.ends[:i+1] {
		last = max(last, slices.Max(ends))
	}
	return last
}

// order branches on the order of the tiles of a partitioned graph. Only orders by start time are
// tried: any other has the makespan of one of these.
func (e *branching) order(energy float64) {
	list := e.List(e.parts, e.preds)
	n := len(list)
	e.offer(energy, list, e.Program(e.parts, e.preds))
	left, tail := make([]int32, n), make([]device.Time, n)
	for i := n - 1; i >= 0; i-- {
		for _, j := range e.Successors(i) {
			tail[i] = max(tail[i], tail[j])
			left[j]++
		}
		tail[i] += e.Tiles()[i].Least()
	}
	var rest [candidate.Lanes]device.Time
	for _, p := range e.Tiles() {
		rest[p.Lane] += p.Least()
	}
	e.extend(energy, nil, left, tail, made{make([]device.Time, n), make([]program.VectorClock, n)}, candidate.State{}, rest, 0)
}

// made is, by tile, when its predecessors have ended, and the steps that have ended then.
type made struct {
	ready []device.Time
	after []program.VectorClock
}

// extend branches on the next tile of a list. rest is the least time that each device has still
// to work, and last the start of the list's last tile.
func (e *branching) extend(energy float64, list []int32, left []int32, tail []device.Time, m made, c candidate.State, rest [candidate.Lanes]device.Time, last device.Time) {
	if len(list) == len(e.Tiles()) {
		order, prog := e.Reorder(e.parts, e.preds, list)
		e.offer(energy, order, prog)
		return
	}
	least := device.Time(0)
	for d := range rest {
		least = max(least, c.Free[d]+rest[d])
	}
	if e.value(least, energy) >= e.best || e.ctx.Err() != nil {
		return
	}
	for i, p := range e.Tiles() {
		start := max(m.ready[i], c.Free[p.Lane])
		if left[i] != 0 || start < last || e.value(start+tail[i], energy) >= e.best {
			continue
		}
		then, r, k := made{slices.Clone(m.ready), slices.Clone(m.after)}, rest, c
		end, seen := k.Place(e.Store.Launch, p, m.ready[i], m.after[i])
		r[p.Lane] -= p.Least()
		left[i] = -1
		for _, j := range e.Successors(i) {
			left[j]--
			then.ready[j], then.after[j] = max(then.ready[j], end), then.after[j].Max(seen)
		}
		e.extend(energy, append(list, int32(i)), left, tail, then, k, r, start)
		left[i] = 0
		for _, j := range e.Successors(i) {
			left[j]++
		}
	}
}

// offer keeps an order of all tiles if its program is better than the best known.
func (e *branching) offer(energy float64, list []*candidate.Tile, prog *program.Program) {
	if v := e.value(run.Time(prog).Total, energy); v < e.best && e.accept(prog, list) {
		e.best = v
	}
}

// decide runs the exact mode if it is asked for or the graph is small.
func (s *search) decide(ctx context.Context, c *solution, p Policy, o candidate.Linear) (bool, error) {
	c.store.Readmit() // a plan that memory has no room for is not accepted
	n := c.store.CountInTwo()
	if n <= s.always {
		return s.branchAndBound(ctx, c, p, o)
	}
	if !s.t.Exact {
		return false, nil
	}
	exact := s.provenInTwo(ctx, c, o)
	var err error
	if !exact && n <= exactMost {
		exact, err = s.branchAndBound(ctx, c, p, o)
	}
	if !exact && err == nil && ctx.Err() == nil {
		err = fault.Usagef("%.3g divisions of the nodes, and the lower bound is below the plan: %w", n, ErrTooLarge)
	}
	return exact, err
}

// provenInTwo reports whether the lower bound of plans in at most two tiles, all of which are costed for it, is the solution's time.
func (s *search) provenInTwo(ctx context.Context, c *solution, o candidate.Linear) bool {
	if s.t.Objective != Latency || c.plan == nil {
		return false
	}
	tiles := 0
	for i := range s.order {
		if tiles += c.store.CountOf(i); tiles > mostTiles {
			return false
		}
	}
	for i := range s.order {
		c.store.InTwo(i, o)
	}
	_, two := bound.Of(ctx, c.store, s.serialStore(), bound.Options{Histories: bound.High, Below: c.timeline.Total})
	return two >= c.timeline.Total && ctx.Err() == nil
}
