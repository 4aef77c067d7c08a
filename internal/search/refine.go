package search

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// sweep is a pass over a plan: how many nodes are changed together at most, and how. What
// is further apart than that shares a device's idle time only as the order of the plan
// has it.
type sweep struct {
	window int
	change func(*hill)
}

// starts are ways to make moves, each from the same plan. Where moves end depends on
// which are made first; the best parts of what the ways end in go on to further.
var starts = [][]sweep{
	{{16, (*hill).climb}},
	{{8, (*hill).climb}},
}

var further = []sweep{{24, (*hill).retry}, {40, (*hill).climb}}

// refine makes moves on a plan's stretches.
func (s *store) refine(ctx context.Context, choices [][]*division, list []*stretch, o objective) []*stretch {
	if len(list) == 0 { // a graph that computes nothing
		return list
	}
	list = s.apart(s.united(list)) // candidates know of no launch before them
	var best []*stretch
	for _, sweeps := range starts {
		best = cross(best, s.swept(ctx, choices, list, o, sweeps), o)
	}
	return s.swept(ctx, choices, best, o, further)
}

// swept makes sweeps over stretches, one after the other.
func (s *store) swept(ctx context.Context, choices [][]*division, list []*stretch, o objective, sweeps []sweep) []*stretch {
	r := &refinement{store: s, ctx: ctx, choices: choices, o: o, settled: map[int]map[*stretch]bool{}}
	for _, sw := range sweeps {
		list = r.sweep(list, sw.window, sw.change)
	}
	return list
}

// cross takes of two lists of stretches of the same nodes, between nodes where both are
// cut, what is better, the first on a tie.
func cross(a, b []*stretch, o objective) (list []*stretch) {
	if a == nil {
		return b
	}
	for len(a) > 0 {
		i, j := 1, 1
		for a[i-1].hi() != b[j-1].hi() {
			if a[i-1].hi() < b[j-1].hi() {
				i++
			} else {
				j++
			}
		}
		if o.sum(b[:j]) < o.sum(a[:i]) {
			list = append(list, b[:j]...)
		} else {
			list = append(list, a[:i]...)
		}
		a, b = a[i:], b[j:]
	}
	return list
}

// refinement is the state of refine.
type refinement struct {
	*store
	ctx     context.Context
	choices [][]*division
	o       objective
	// settled has, by window, the stretches at whose nodes no move gained while
	// everything was in the window that moves at them reach.
	settled map[int]map[*stretch]bool
}

// maxPhases bounds the rounds of a sweep.
const maxPhases = 64

// sweep changes the windows of a plan, and those half a window further, until none
// gains. Moves are made at the nodes of stretches that have changed or that were near
// the end of a window, so the work grows with the number of nodes.
func (r *refinement) sweep(list []*stretch, window int, change func(*hill)) []*stretch {
	settled := r.settled[window]
	if settled == nil {
		settled = map[*stretch]bool{}
		r.settled[window] = settled
	}
	for idle, phase := 0, 0; idle < 2 && phase < maxPhases && r.ctx.Err() == nil; phase++ {
		windows := split(list, window, phase%2 == 1)
		out := make([][]*stretch, len(windows)) // nil: as before
		var eg errgroup.Group
		eg.SetLimit(runtime.GOMAXPROCS(0))
		for i, w := range windows {
			if !slices.ContainsFunc(w, func(t *stretch) bool { return !settled[t] }) {
				continue
			}
			eg.Go(func() error {
				if r.ctx.Err() == nil {
					out[i] = r.improved(w, settled, change)
				}
				return nil
			})
		}
		eg.Wait()
		idle++
		list = nil
		for i, w := range out {
			if w == nil {
				w = windows[i]
				for _, t := range w {
					first, last := w[0].lo, w[len(w)-1].hi()
					if (t.lo-first >= farthest || first == 0) && (last-t.hi() >= farthest || last == len(r.order)) {
						settled[t] = true
					}
				}
			} else {
				idle = 0
			}
			list = append(list, w...)
		}
	}
	return list
}

// farthest is how far before a node the others are that a move at it changes.
var farthest = slices.Max(chainLengths)

// split groups stretches to windows; half begins with one of half the length, so that
// its windows lie across the borders of the others.
func split(list []*stretch, window int, half bool) (windows [][]*stretch) {
	room := window
	if half {
		room /= 2
	}
	from, n := 0, 0
	for i, t := range list {
		if n += len(t.divs); n > room && i > from {
			windows = append(windows, list[from:i])
			from, n, room = i, len(t.divs), window
		}
	}
	return append(windows, list[from:])
}

// improved returns other stretches for a window that take less, one after the other;
// nil where the moves at those that are not settled find none.
func (r *refinement) improved(w []*stretch, settled map[*stretch]bool, change func(*hill)) []*stretch {
	before := r.united(w)
	h := r.newHill(before)
	for _, t := range w {
		for i := t.lo; i < t.hi() && !settled[t]; i++ {
			h.look(i - w[0].lo)
		}
	}
	change(h)
	if r.o.of(h.cur.time, h.cur.work) >= r.o.of(before.time, before.work)*(1-1e-12) { // as sums are rounded
		return nil
	}
	return r.apart(h.cur)
}

// united is stretches that follow each other as one.
func (s *store) united(w []*stretch) *stretch {
	var divs []*division
	var list []*piece
	for _, t := range w {
		divs = append(divs, t.divs...)
		list = append(list, t.list...)
	}
	return s.newStretch(w[0].lo, divs, list)
}
