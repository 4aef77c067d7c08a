package local

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/candidate"
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
func Improve(ctx context.Context, s *candidate.Store, choices [][]*candidate.Partition, list []*candidate.Window, o candidate.Linear) []*candidate.Window {
	if len(list) == 0 { // a graph that computes nothing
		return list
	}
	list = s.Split(s.Merge(list)) // candidates know of no launch before them
	var best []*candidate.Window
	for _, sweeps := range starts {
		best = cross(best, swept(ctx, s, choices, list, o, sweeps), o)
	}
	return swept(ctx, s, choices, best, o, further)
}

// swept makes sweeps over stretches, one after the other.
func swept(ctx context.Context, s *candidate.Store, choices [][]*candidate.Partition, list []*candidate.Window, o candidate.Linear, sweeps []sweep) []*candidate.Window {
	r := &refinement{Store: s, ctx: ctx, choices: choices, o: o, settled: map[int]map[*candidate.Window]bool{}}
	for _, sw := range sweeps {
		list = r.sweep(list, sw.window, sw.change)
	}
	return list
}

// cross takes of two lists of stretches of the same nodes, between nodes where both are
// cut, what is better, the first on a tie.
func cross(a, b []*candidate.Window, o candidate.Linear) (list []*candidate.Window) {
	if a == nil {
		return b
	}
	for len(a) > 0 {
		i, j := 1, 1
		for a[i-1].Hi() != b[j-1].Hi() {
			if a[i-1].Hi() < b[j-1].Hi() {
				i++
			} else {
				j++
			}
		}
		if o.Sum(b[:j]) < o.Sum(a[:i]) {
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
	*candidate.Store
	ctx     context.Context
	choices [][]*candidate.Partition
	o       candidate.Linear
	// settled has, by window, the stretches at whose nodes no move gained while
	// everything was in the window that moves at them reach.
	settled map[int]map[*candidate.Window]bool
}

// maxPhases bounds the rounds of a sweep.
const maxPhases = 64

// sweep changes the windows of a plan, and those half a window further, until none
// gains. Moves are made at the nodes of stretches that have changed or that were near
// the end of a window, so the work grows with the number of nodes.
func (r *refinement) sweep(list []*candidate.Window, window int, change func(*hill)) []*candidate.Window {
	settled := r.settled[window]
	if settled == nil {
		settled = map[*candidate.Window]bool{}
		r.settled[window] = settled
	}
	for idle, phase := 0, 0; idle < 2 && phase < maxPhases && r.ctx.Err() == nil; phase++ {
		windows := split(list, window, phase%2 == 1)
		out := make([][]*candidate.Window, len(windows)) // nil: as before
		var eg errgroup.Group
		eg.SetLimit(runtime.GOMAXPROCS(0))
		for i, w := range windows {
			if !slices.ContainsFunc(w, func(t *candidate.Window) bool { return !settled[t] }) {
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
					first, last := w[0].Lo, w[len(w)-1].Hi()
					if (t.Lo-first >= farthest || first == 0) && (last-t.Hi() >= farthest || last == len(r.Order)) {
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
func split(list []*candidate.Window, window int, half bool) (windows [][]*candidate.Window) {
	room := window
	if half {
		room /= 2
	}
	from, n := 0, 0
	for i, t := range list {
		if n += len(t.Partitions); n > room && i > from {
			windows = append(windows, list[from:i])
			from, n, room = i, len(t.Partitions), window
		}
	}
	return append(windows, list[from:])
}

// improved returns other stretches for a window that take less, one after the other;
// nil where the moves at those that are not settled find none.
func (r *refinement) improved(w []*candidate.Window, settled map[*candidate.Window]bool, change func(*hill)) []*candidate.Window {
	before := r.Merge(w)
	h := r.newHill(before)
	for _, t := range w {
		for i := t.Lo; i < t.Hi() && !settled[t]; i++ {
			h.look(i - w[0].Lo)
		}
	}
	change(h)
	if r.o.Of(h.cur.Time, h.cur.Energy) >= r.o.Of(before.Time, before.Energy)*(1-1e-12) { // as sums are rounded
		return nil
	}
	return r.Split(h.cur)
}
