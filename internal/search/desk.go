package search

import (
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// desk is what one goroutine puts pieces in order on.
type desk struct {
	s     *store
	all   []*piece
	first []int32 // of each node's pieces in all
	left  []int32 // pieces before that have no place yet
	tail  []device.Time
	ready []device.Time
	done  []device.Time
	seen  []program.Awaited // what has ended when pieces end
	next  []int32           // the pieces that read each, one piece after the other
	from  []int32           // where those of each begin in next, and the end
	open  []int32
	place []int32
	list  []*piece
	end   device.Time
	trial stretch // what is arranged
	o     objective
	below float64 // what it must be
	steps []program.Step
	reads []int

	arranged int // pieces so far
}

// links are the pieces that the pieces of a node read, by piece.
type links struct {
	to []link
	at []int32 // where those of each piece begin in to, and the end
}

type link struct{ node, piece int32 } // of the stretch, of the node

// arrange puts the pieces of divided nodes in an order: always the piece that can
// start soonest is next; of several the one with the longest way to the end. The
// result is the time of the program in that order; nil where the objective is not
// below limit. The links of the nodes must have been laid.
func (k *desk) arrange(lo int, divs []*division, links []links, o objective, limit float64) *stretch {
	t := &k.trial
	*t = stretch{lo: lo, divs: divs}
	t.sum()
	// A program never ends before its pieces do where nothing but their order
	// holds them up: what is too late here is not worth the time of a program.
	k.o, k.below = o, limit
	for _, d := range divs {
		k.arranged += len(d.pieces)
	}
	if !k.order(divs, links) {
		return nil
	}
	k.sumEnds(t, divs)
	if k.late(k.end) {
		return nil
	}
	tl := run.Time(k.program(divs, links))
	if k.late(tl.Total) {
		return nil
	}
	t.list, t.spans, t.joins = slices.Clone(k.list), tl.Spans, joins(tl.Program)
	found := *t
	return &found
}

// late reports whether a program that ends then is not better than the limit.
func (k *desk) late(end device.Time) bool {
	k.trial.time = end
	return k.o.cost(&k.trial) >= k.below
}

// sumEnds adds up when nodes end, of the times done.
func (k *desk) sumEnds(t *stretch, divs []*division) {
	for n := range divs {
		last := device.Time(0)
		for j := range int32(len(divs[n].pieces)) {
			last = max(last, k.done[k.first[n]+j])
		}
		t.ends += float64(last)
	}
}

// program is the pieces in the order that was found. It is the desk's until the next.
func (k *desk) program(divs []*division, links []links) *program.Program {
	n := len(k.list)
	if cap(k.steps) < n {
		k.steps = make([]program.Step, n, 2*n)
	}
	k.steps, k.reads = k.steps[:n], k.reads[:0]
	for i, p := range k.list {
		k.steps[i] = program.Step{Tile: p.Tile, Code: p.code}
	}
	i := 0
	for n := range divs {
		l := &links[n]
		for p := range len(l.at) - 1 {
			from := len(k.reads)
			for _, to := range l.to[l.at[p]:l.at[p+1]] {
				k.reads = append(k.reads, int(k.place[k.first[to.node]+to.piece]))
			}
			after := k.reads[from:len(k.reads):len(k.reads)]
			slices.Sort(after)
			k.steps[k.place[i]].After = after
			i++
		}
	}
	prog := &program.Program{Graph: k.s.g, Steps: k.steps}
	prog.Join()
	return prog
}

// ordered arranges divided nodes, however long they then take.
func (k *desk) ordered(lo int, divs []*division) *stretch {
	return k.arrange(lo, divs, k.linked(lo, divs), objective{1, 0}, math.Inf(1))
}

// linked are the links of divided nodes.
func (k *desk) linked(lo int, divs []*division) []links {
	out := make([]links, len(divs))
	for i := range out {
		out[i] = k.lay(links{}, lo, i, divs)
	}
	return out
}

// lay finds what the pieces of a node read.
func (k *desk) lay(l links, lo, node int, divs []*division) links {
	l.to, l.at = l.to[:0], append(l.at[:0], 0)
	for _, p := range divs[node].pieces {
		for i, in := range k.s.reads[lo+node] {
			at := in.at - lo
			if at < 0 {
				continue
			}
			for j, q := range divs[at].pieces {
				if p.takes(in.k, q) && !k.twice(l, p, lo+node, i, q) {
					l.to = append(l.to, link{int32(at), int32(j)})
				}
			}
		}
		l.at = append(l.at, int32(len(l.to)))
	}
	return l
}

// twice reports whether an input before the i-th reads a piece, too.
func (k *desk) twice(l links, p *piece, at, i int, q *piece) bool {
	for _, in := range k.s.reads[at][:i] {
		if in.at == q.at && p.takes(in.k, q) {
			return true
		}
	}
	return false
}

// order fills list and place; it gives up, and returns false, as soon as the end is
// clearly too late.
func (k *desk) order(divs []*division, links []links) bool {
	k.all, k.first = k.all[:0], k.first[:0]
	for _, d := range divs {
		k.first = append(k.first, int32(len(k.all)))
		k.all = append(k.all, d.pieces...)
	}
	n := len(k.all)
	k.tail, k.ready = sized(k.tail, n), sized(k.ready, n)
	k.left, k.place, k.done, k.seen = sized(k.left, n), sized(k.place, n), sized(k.done, n), sized(k.seen, n)
	k.open, k.list = k.open[:0], k.list[:0]
	k.end = 0
	k.from = sized(k.from, n+2)
	for node, i := len(divs)-1, n-1; node >= 0; node-- {
		l := &links[node]
		for p := len(l.at) - 2; p >= 0; p-- {
			k.tail[i] += k.all[i].least
			k.end = max(k.end, k.tail[i])
			to := l.to[l.at[p]:l.at[p+1]]
			for _, x := range to {
				j := k.first[x.node] + x.piece
				k.tail[j] = max(k.tail[j], k.tail[i])
				k.from[j+2]++
			}
			if k.left[i] = int32(len(to)); len(to) == 0 {
				k.open = append(k.open, int32(i))
			}
			i--
		}
	}
	if k.late(k.end) {
		return false
	}
	k.readers(divs, links)
	var c clock
	for len(k.open) > 0 {
		best, soonest := -1, device.Time(0)
		for o, i := range k.open {
			start := max(k.ready[i], c.free[k.all[i].dev])
			if best < 0 || start < soonest || start == soonest && before(k, i, k.open[best]) {
				best, soonest = o, start
			}
		}
		i := k.open[best]
		if end := soonest + k.tail[i]; end > k.end {
			if k.end = end; k.late(end) {
				return false
			}
		}
		k.open[best] = k.open[len(k.open)-1]
		k.open = k.open[:len(k.open)-1]
		done, seen := c.place(k.all[i], k.ready[i], k.seen[i])
		k.done[i] = done
		k.place[i] = int32(len(k.list))
		k.list = append(k.list, k.all[i])
		for _, j := range k.next[k.from[i]:k.from[i+1]] {
			k.ready[j], k.seen[j] = max(k.ready[j], done), k.seen[j].Max(seen)
			if k.left[j]--; k.left[j] == 0 {
				k.open = append(k.open, j)
			}
		}
	}
	return true
}

// readers fills next and from, which has been counted in.
func (k *desk) readers(divs []*division, links []links) {
	for i := 2; i < len(k.from); i++ {
		k.from[i] += k.from[i-1]
	}
	k.next = sized(k.next, int(k.from[len(k.from)-1]))
	i := int32(0)
	for node := range divs {
		l := &links[node]
		for p := range len(l.at) - 1 {
			for _, x := range l.to[l.at[p]:l.at[p+1]] {
				at := &k.from[k.first[x.node]+x.piece+1]
				k.next[*at] = i
				*at++
			}
			i++
		}
	}
}

// clock is when devices are free, and what is launched together, of a list of pieces
// that nothing but their order holds up.
type clock struct {
	order program.Order
	free  [devices]device.Time
}

// place appends a piece that waits for an instant and what has ended then. It returns
// both where the piece ends.
func (c *clock) place(p *piece, ready device.Time, after program.Awaited) (device.Time, program.Awaited) {
	seen, follows := c.order.Place(p.dev, after)
	time := p.time
	if follows {
		time = p.least
	}
	c.free[p.dev] = max(c.free[p.dev], ready) + time
	return c.free[p.dev], seen
}

// before says which of two pieces that can start at once goes first.
func before(k *desk, i, j int32) bool {
	return k.tail[i] > k.tail[j] || k.tail[i] == k.tail[j] && i < j
}

// sized is a slice of n zeros in the memory of another.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, 2*n)
	}
	s = s[:n]
	clear(s)
	return s
}
