package local

import (
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/candidate"
)

// pass is a pass over a plan: how many nodes are at most in a window, and what is done in each.
// Nodes that are further apart share a device's idle time only as the plan's order has it.
type pass struct {
	nodes int
	do    func(*climber)
}

// starts are passes that each begin with the same plan. Which local optimum they end in depends
// on which moves come first; the crossover of all goes on to the final passes.
//
// In the literature: multi-start local search.
var starts = [][]pass{
	{{16, (*climber).climb}},
	{{8, (*climber).climb}},
}

// final are the passes on the crossover of the starts.
var final = []pass{{24, (*climber).perturb}, {40, (*climber).climb}}

// Improve returns windows of a lower objective, or the same. choices are partitions of each
// node, the best alone first (candidate.Store.Choices). If ctx ends, the best windows so far
// are returned. The result does not depend on the number of threads.
func (opt *Options) Improve(ctx context.Context, s *candidate.Store, choices [][]*candidate.Partition, list []*candidate.Window, o candidate.Linear) []*candidate.Window {
	if len(list) == 0 { // a graph that computes nothing
		return list
	}
	return opt.improvement(ctx, s, choices, o).best(s.Split(s.Merge(list))) // alone, windows could not share a launch
}

// improvement begins one.
func (opt *Options) improvement(ctx context.Context, s *candidate.Store, choices [][]*candidate.Partition, o candidate.Linear) *improvement {
	return &improvement{Store: s, Options: opt, ctx: ctx, choices: choices, o: o, bandings: make(bandings, len(s.Order))}
}

// best makes all passes over windows.
func (r *improvement) best(list []*candidate.Window) (best []*candidate.Window) {
	for _, passes := range r.starts {
		best = crossover(best, r.passes(list, passes), r.o)
	}
	return r.passes(best, r.final)
}

// passes makes passes over windows, one after the other.
func (r *improvement) passes(list []*candidate.Window, passes []pass) []*candidate.Window {
	r.settled = map[int]map[*candidate.Window]bool{}
	for _, p := range passes {
		list = r.pass(list, p)
	}
	return list
}

// crossover takes the better part of two lists of windows of the same nodes, between barriers
// that both have; the first on a tie.
//
// In the literature: path-wise, multi-point crossover of two solutions.
func crossover(a, b []*candidate.Window, o candidate.Linear) (list []*candidate.Window) {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
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

// improvement is the state of Improve.
type improvement struct {
	*candidate.Store
	*Options
	ctx     context.Context
	choices [][]*candidate.Partition
	o       candidate.Linear
	// settled has, by the size of a pass, the windows at whose nodes no move gained while all
	// nodes that moves there change were in the same group.
	settled map[int]map[*candidate.Window]bool

	bandings bandings
	steps    atomic.Int64 // tiles that climbers have placed or looked at
}

// outcome is what a climber made of a group of windows.
type outcome struct {
	lo     int // the group's first node
	steps  int64
	asked  *candidate.Asked    // the tiles that it asked for
	better []*candidate.Window // nil: none
}

// apply is the outcome for a group of nodes alike that begins with the lo-th.
func (r *improvement) apply(o *outcome, lo int) (better []*candidate.Window) {
	r.steps.Add(o.steps)
	if lo == o.lo || o.asked == nil { // stopped
		return o.better
	}
	o.asked.Repeat(lo - o.lo)
	for _, t := range o.better {
		better = append(better, r.Moved(t, lo-o.lo))
	}
	return better
}

// keyOf is all that the outcome of a group depends on; "" if there is no other group alike.
func (r *improvement) keyOf(w []*candidate.Window, settled map[*candidate.Window]bool) string {
	lo := w[0].Lo
	b, ok := r.Form(nil, lo, w[len(w)-1].Hi()-lo)
	if !ok {
		return ""
	}
	for _, t := range w {
		marked := byte(1)
		if settled[t] {
			marked = 0
		}
		for _, p := range t.Partitions {
			b = append(b, marked, byte(len(p.Tiles)))
			for _, x := range p.Tiles {
				b = binary.AppendVarint(binary.AppendVarint(append(b, byte(x.Lane)), int64(x.Dim)), int64(x.Hi))
			}
		}
		for _, x := range t.Tiles {
			b = binary.AppendVarint(b, int64(x.Pos-lo))
			b = binary.AppendVarint(b, int64(x.Hi))
		}
	}
	return string(b)
}

// maxPhases bounds the rounds of a pass (estimated: passes end far sooner).
const maxPhases = 64

// maxSteps is how many tiles are placed or looked at for a graph of so many nodes before no pass goes on. It is counted between
// the phases of passes, so that it does not depend on threads.
func (opt *Options) maxSteps(nodes int) int64 {
	return int64(opt.Steps)*int64(min(nodes, opt.Many)) + int64(opt.FewerSteps)*int64(max(0, nodes-opt.Many))
}

// pass improves groups of windows, and those half a group further, in turn until none gains.
// Moves are tried at the nodes of windows that have changed or that were near the end of a
// group, so the work is linear in the number of nodes.
//
// In the literature: large neighbourhood search (Shaw 1998): each group is a neighbourhood
// that is optimized while the rest is fixed.
func (r *improvement) pass(list []*candidate.Window, p pass) []*candidate.Window {
	settled := r.settled[p.nodes]
	if settled == nil {
		settled = map[*candidate.Window]bool{}
		r.settled[p.nodes] = settled
	}
	known := map[string]*outcome{}
	reach := slices.Max(r.lengths) // how far back the nodes are that a move changes
	for idle, phase := 0, 0; idle < 2 && phase < maxPhases && r.steps.Load() < r.maxSteps(len(r.Order)) && r.ctx.Err() == nil; phase++ {
		groups := groupsOf(list, p.nodes, phase%2 == 1)
		of := r.outcomes(groups, settled, known, func([]*candidate.Window, string) func(*climber) { return p.do })
		out := make([][]*candidate.Window, len(groups)) // nil: no better one
		for i, w := range groups {
			if of[i] != nil {
				out[i] = r.apply(of[i], w[0].Lo)
			}
		}
		idle++
		list = nil
		for i, w := range out {
			if w == nil {
				w = groups[i]
				for _, t := range w {
					first, last := w[0].Lo, w[len(w)-1].Hi()
					if (t.Lo-first >= reach || first == 0) && (last-t.Hi() >= reach || last == len(r.Order)) {
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

// outcomes are what climbers make of groups, all at the same time, by what do says for a group and its key; nil where no move is
// left to try. Groups alike have one outcome, which known keeps.
func (r *improvement) outcomes(groups [][]*candidate.Window, settled map[*candidate.Window]bool, known map[string]*outcome, do func(w []*candidate.Window, key string) func(*climber)) []*outcome {
	of := make([]*outcome, len(groups))
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range groups {
		if !slices.ContainsFunc(w, func(t *candidate.Window) bool { return !settled[t] }) {
			continue
		}
		key := r.keyOf(w, settled)
		if of[i] = known[key]; of[i] != nil {
			continue
		}
		of[i] = &outcome{lo: w[0].Lo}
		if key != "" {
			known[key] = of[i]
		}
		climb := do(w, key)
		eg.Go(func() error {
			if r.ctx.Err() == nil {
				r.improve(w, settled, climb, of[i])
			}
			return nil
		})
	}
	eg.Wait()
	return of
}

// groupsOf groups consecutive windows, up to a number of nodes. half begins with a group of half
// as many, so that its groups lie across the borders of the others.
func groupsOf(list []*candidate.Window, nodes int, half bool) (groups [][]*candidate.Window) {
	room := nodes
	if half {
		room /= 2
	}
	from, n := 0, 0
	for i, t := range list {
		if n += len(t.Partitions); n > room && i > from {
			groups = append(groups, list[from:i])
			from, n, room = i, len(t.Partitions), nodes
		}
	}
	return append(groups, list[from:])
}

// improve finds better windows for a group, split at their barriers, by the moves at windows that are not settled.
func (r *improvement) improve(w []*candidate.Window, settled map[*candidate.Window]bool, do func(*climber), of *outcome) {
	before := r.Merge(w)
	c := r.newClimber(before)
	for _, t := range w {
		for i := t.Lo; i < t.Hi() && !settled[t]; i++ {
			c.mark(i - w[0].Lo)
		}
	}
	do(c)
	of.steps, of.asked = int64(c.steps+c.Scheduled), c.asked
	if r.o.Of(c.cur.Time, c.cur.Energy) < r.o.Of(before.Time, before.Energy)*(1-1e-12) { // sums are rounded
		of.better = r.Split(c.cur)
	}
}
