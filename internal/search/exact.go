package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/memory"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// The exact mode decides between all plans of a graph in which each node is whole or
// cut in two, anywhere along any of its dimensions, each piece on any device, in any
// order. It divides one node after the other, leaves a branch whose best end is no
// better than a plan that is known, and orders the pieces of what remains in the same
// way.

// The numbers of divisions, over all nodes together, up to which a graph is decided
// exactly: when asked for, and in any case.
const (
	exactMost   = 1 << 24
	exactAlways = 1 << 16
)

// ErrTooLarge is wrapped where a graph is too large for the exact mode.
var ErrTooLarge = errors.New("too large for the exact mode")

// exact is a search of the exact mode.
type exact struct {
	candidate.Scheduler
	ctx     context.Context
	value   func(t device.Time, work float64) float64
	accept  func(*program.Program, []*candidate.Tile) bool // of a better one
	best    float64
	choices [][]*candidate.Partition
	rest    [][exactWeights]float64 // by node: the work bound of those from it on, by weight
	work    []float64               // and their least energy
	divs    []*candidate.Partition
	links   []candidate.Predecessors
	ends    [][]device.Time // of each piece of the divided nodes, were devices free
}

// exactWeights is how many weights of the work bound (bound.go) are used.
const exactWeights = 17

func weight(k int) [candidate.Lanes]float64 {
	l := float64(k) / (exactWeights - 1)
	return [candidate.Lanes]float64{l, 1 - l}
}

// exactly searches for a plan that is better than c's, and reports whether it has
// looked at all.
func (s *search) exactly(ctx context.Context, c *chained, p Policy, o candidate.Linear) (bool, error) {
	st, n := c.store, len(s.order)
	e := &exact{
		Scheduler: candidate.Scheduler{Store: st}, ctx: ctx, best: s.value(c.timeline),
		value:   func(t device.Time, work float64) float64 { return s.t.Objective.value(t, work, s.standby) },
		choices: make([][]*candidate.Partition, n), rest: make([][exactWeights]float64, n+1), work: make([]float64, n+1),
		divs: make([]*candidate.Partition, n), links: make([]candidate.Predecessors, n), ends: make([][]device.Time, n),
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
		e.work[i] = e.work[i+1] + least
		for k := range exactWeights {
			w, least := weight(k), math.Inf(1)
			for _, d := range e.choices[i] {
				least = min(least, w[0]*float64(d.Least[0])+w[1]*float64(d.Least[1]))
			}
			e.rest[i][k] = e.rest[i+1][k] + least
		}
	}
	var failed error
	e.accept = func(prog *program.Program, list []*candidate.Tile) bool {
		pl := s.planOf(p, []*candidate.Window{{Tiles: list}})
		tl, err := s.time(pl)
		if full := (*memory.FullError)(nil); errors.As(err, &full) {
			return false // another has room
		}
		if err != nil {
			failed = err
			return false
		}
		c.plan, c.timeline = pl, tl
		return true
	}
	e.divide(0, [candidate.Lanes]device.Time{}, 0)
	return ctx.Err() == nil && !st.Evicted(), failed
}

// divide divides the i-th node and those after it.
func (e *exact) divide(i int, busy [candidate.Lanes]device.Time, work float64) {
	if i == len(e.divs) {
		e.orders(work)
		return
	}
	for _, d := range e.choices[i] {
		if e.ctx.Err() != nil {
			return
		}
		b := busy
		for k := range b {
			b[k] += d.Least[k]
		}
		least := float64(e.wait(i, d))
		for k := range exactWeights {
			w := weight(k)
			// The sum is rounded.
			least = max(least, (1-1e-12)*(w[0]*float64(b[0])+w[1]*float64(b[1])+e.rest[i+1][k]))
		}
		if e.value(device.Time(math.Ceil(least)), work+d.Energy+e.work[i+1]) < e.best {
			e.divide(i+1, b, work+d.Energy)
		}
	}
}

// wait is when the last piece of the nodes up to the i-th ends, were devices free.
func (e *exact) wait(i int, d *candidate.Partition) (last device.Time) {
	e.divs[i] = d
	e.links[i] = e.PredecessorsOf(e.links[i], 0, i, e.divs)
	l := &e.links[i]
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

// orders puts the pieces of a divided graph in every order in which each starts no
// sooner than the one before, which are all that differ in time.
func (e *exact) orders(work float64) {
	list := e.List(e.divs, e.links)
	n := len(list)
	e.complete(work, list, e.Program(e.divs, e.links))
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
	e.extend(work, nil, left, tail, made{make([]device.Time, n), make([]program.Awaited, n)}, candidate.State{}, rest, 0)
}

// made is when what each piece reads is made, and what has ended then.
type made struct {
	ready []device.Time
	after []program.Awaited
}

// extend continues a list of pieces; rest is how long each device has still to work at
// least.
func (e *exact) extend(work float64, list []int32, left []int32, tail []device.Time, m made, c candidate.State, rest [candidate.Lanes]device.Time, last device.Time) {
	if len(list) == len(e.Tiles()) {
		order, prog := e.Reorder(e.divs, e.links, list)
		e.complete(work, order, prog)
		return
	}
	least := device.Time(0)
	for d := range rest {
		least = max(least, c.Free[d]+rest[d])
	}
	if e.value(least, work) >= e.best || e.ctx.Err() != nil {
		return
	}
	for i, p := range e.Tiles() {
		start := max(m.ready[i], c.Free[p.Lane])
		if left[i] != 0 || start < last || e.value(start+tail[i], work) >= e.best {
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
		e.extend(work, append(list, int32(i)), left, tail, then, k, r, start)
		left[i] = 0
		for _, j := range e.Successors(i) {
			left[j]++
		}
	}
}

// complete keeps an order of all pieces if its program is better than what is known.
func (e *exact) complete(work float64, list []*candidate.Tile, prog *program.Program) {
	if v := e.value(run.Time(prog).Total, work); v < e.best && e.accept(prog, list) {
		e.best = v
	}
}

// decided runs the exact mode where it is asked for or the graph is small.
func (s *search) decided(ctx context.Context, c *chained, p Policy, o candidate.Linear) (bool, error) {
	n := c.store.CountInTwo()
	switch {
	case n <= exactAlways, s.t.Exact && n <= exactMost:
		return s.exactly(ctx, c, p, o)
	case s.t.Exact:
		return false, fmt.Errorf("%.3g divisions of the nodes: at most %d wanted: %w", n, exactMost, ErrTooLarge)
	}
	return false, nil
}
