package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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

// halves are the divisions of the i-th node in at most two pieces.
func (s *store) halves(i int, o objective) (list []*division) {
	for dev := range s.ds {
		if p := s.whole(i, dev); p != nil {
			list = append(list, newDivision(p))
		}
	}
	for _, dim := range s.dims(i) {
		extent := s.node(i).Shape[dim]
		for at := 1; at < extent; at++ {
			for pair := range len(s.ds) * len(s.ds) {
				if d := s.cut(i, dim, []int{at, extent}, []int{pair % len(s.ds), pair / len(s.ds)}); d != nil {
					list = append(list, d)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *division) int { return cmp.Compare(o.alone(a), o.alone(b)) })
	return list
}

// divisions is how many divisions a graph has in the exact mode; +Inf at most.
func (s *store) divisions() float64 {
	n := 1.0
	for i := range s.order {
		devs := 0
		for dev := range s.ds {
			if s.whole(i, dev) != nil {
				devs++
			}
		}
		of := devs
		for _, dim := range s.dims(i) {
			of += (s.node(i).Shape[dim] - 1) * devs * devs
		}
		n *= float64(of)
	}
	return n
}

// exact is a search of the exact mode.
type exact struct {
	desk
	ctx     context.Context
	value   func(t device.Time, work float64) float64
	accept  func(*program.Program, []*piece) bool // of a better one
	best    float64
	choices [][]*division
	rest    [][exactWeights]float64 // by node: the work bound of those from it on, by weight
	work    []float64               // and their least energy
	divs    []*division
	links   []links
	ends    [][]device.Time // of each piece of the divided nodes, were devices free
}

// exactWeights is how many weights of the work bound (bound.go) are used.
const exactWeights = 17

func weight(k int) [devices]float64 {
	l := float64(k) / (exactWeights - 1)
	return [devices]float64{l, 1 - l}
}

// exactly searches for a plan that is better than c's, and reports whether it has
// looked at all.
func (s *search) exactly(ctx context.Context, c *chained, p Policy, o objective) (bool, error) {
	st, n := c.store, len(s.order)
	e := &exact{
		desk: desk{s: st}, ctx: ctx, best: s.value(c.timeline),
		value:   func(t device.Time, work float64) float64 { return s.t.Objective.value(t, work, s.standby) },
		choices: make([][]*division, n), rest: make([][exactWeights]float64, n+1), work: make([]float64, n+1),
		divs: make([]*division, n), links: make([]links, n), ends: make([][]device.Time, n),
	}
	for i := n - 1; i >= 0; i-- {
		e.choices[i] = st.halves(i, o)
		if err := st.err(); err != nil {
			return false, err
		}
		least := math.Inf(1)
		for _, d := range e.choices[i] {
			least = min(least, d.work)
		}
		e.work[i] = e.work[i+1] + least
		for k := range exactWeights {
			w, least := weight(k), math.Inf(1)
			for _, d := range e.choices[i] {
				least = min(least, w[0]*float64(d.least[0])+w[1]*float64(d.least[1]))
			}
			e.rest[i][k] = e.rest[i+1][k] + least
		}
	}
	var failed error
	e.accept = func(prog *program.Program, list []*piece) bool {
		pl := s.planOf(p, []*stretch{{list: list}})
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
	e.divide(0, [devices]device.Time{}, 0)
	full := slices.ContainsFunc(st.nodes, func(n *costed) bool { return n.full })
	return ctx.Err() == nil && !full, failed
}

// divide divides the i-th node and those after it.
func (e *exact) divide(i int, busy [devices]device.Time, work float64) {
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
			b[k] += d.least[k]
		}
		least := float64(e.wait(i, d))
		for k := range exactWeights {
			w := weight(k)
			// The sum is rounded.
			least = max(least, (1-1e-12)*(w[0]*float64(b[0])+w[1]*float64(b[1])+e.rest[i+1][k]))
		}
		if e.value(device.Time(math.Ceil(least)), work+d.work+e.work[i+1]) < e.best {
			e.divide(i+1, b, work+d.work)
		}
	}
}

// wait is when the last piece of the nodes up to the i-th ends, were devices free.
func (e *exact) wait(i int, d *division) (last device.Time) {
	e.divs[i] = d
	e.links[i] = e.lay(e.links[i], 0, i, e.divs)
	l := &e.links[i]
	e.ends[i] = e.ends[i][:0]
	for p := range d.pieces {
		start := device.Time(0)
		for _, to := range l.to[l.at[p]:l.at[p+1]] {
			start = max(start, e.ends[to.node][to.piece])
		}
		e.ends[i] = append(e.ends[i], start+d.pieces[p].least)
	}
	for _, ends := range e.ends[:i+1] {
		last = max(last, slices.Max(ends))
	}
	return last
}

// orders puts the pieces of a divided graph in every order in which each starts no
// sooner than the one before, which are all that differ in time.
func (e *exact) orders(work float64) {
	e.below = math.Inf(1)
	e.order(e.divs, e.links)
	n := len(e.all)
	// order has laid out who reads whom, and an order to begin with.
	e.complete(work, slices.Clone(e.list), e.program(e.divs, e.links))
	left, tail := make([]int32, n), make([]device.Time, n)
	for i := n - 1; i >= 0; i-- {
		for _, j := range e.next[e.from[i]:e.from[i+1]] {
			tail[i] = max(tail[i], tail[j])
			left[j]++
		}
		tail[i] += e.all[i].least
	}
	var rest [devices]device.Time
	for _, p := range e.all {
		rest[p.dev] += p.least
	}
	e.extend(work, nil, left, tail, made{make([]device.Time, n), make([]program.Awaited, n)}, clock{}, rest, 0)
}

// made is when what each piece reads is made, and what has ended then.
type made struct {
	ready []device.Time
	after []program.Awaited
}

// extend continues a list of pieces; rest is how long each device has still to work at
// least.
func (e *exact) extend(work float64, list []int32, left []int32, tail []device.Time, m made, c clock, rest [devices]device.Time, last device.Time) {
	if len(list) == len(e.all) {
		e.place = sized(e.place, len(list))
		e.list = e.list[:0]
		for at, i := range list {
			e.place[i] = int32(at)
			e.list = append(e.list, e.all[i])
		}
		e.complete(work, slices.Clone(e.list), e.program(e.divs, e.links))
		return
	}
	least := device.Time(0)
	for d := range rest {
		least = max(least, c.free[d]+rest[d])
	}
	if e.value(least, work) >= e.best || e.ctx.Err() != nil {
		return
	}
	for i, p := range e.all {
		start := max(m.ready[i], c.free[p.dev])
		if left[i] != 0 || start < last || e.value(start+tail[i], work) >= e.best {
			continue
		}
		then, r, k := made{slices.Clone(m.ready), slices.Clone(m.after)}, rest, c
		end, seen := k.place(p, m.ready[i], m.after[i])
		r[p.dev] -= p.least
		left[i] = -1
		for _, j := range e.next[e.from[i]:e.from[i+1]] {
			left[j]--
			then.ready[j], then.after[j] = max(then.ready[j], end), then.after[j].Max(seen)
		}
		e.extend(work, append(list, int32(i)), left, tail, then, k, r, start)
		left[i] = 0
		for _, j := range e.next[e.from[i]:e.from[i+1]] {
			left[j]++
		}
	}
}

// complete keeps an order of all pieces if its program is better than what is known.
func (e *exact) complete(work float64, list []*piece, prog *program.Program) {
	if v := e.value(run.Time(prog).Total, work); v < e.best && e.accept(prog, list) {
		e.best = v
	}
}

// decided runs the exact mode where it is asked for or the graph is small.
func (s *search) decided(ctx context.Context, c *chained, p Policy, o objective) (bool, error) {
	n := c.store.divisions()
	switch {
	case n <= exactAlways, s.t.Exact && n <= exactMost:
		return s.exactly(ctx, c, p, o)
	case s.t.Exact:
		return false, fmt.Errorf("%.3g divisions of the nodes: at most %d wanted: %w", n, exactMost, ErrTooLarge)
	}
	return false, nil
}
