package candidate

import (
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// desk is what one goroutine puts pieces in order on.
type Scheduler struct {
	Store *Store
	all   []*Tile
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
	list  []*Tile
	end   device.Time
	trial Window // what is arranged
	o     Linear
	below float64 // what it must be
	steps []program.Step
	reads []int

	Scheduled int // pieces so far
}

// links are the pieces that the pieces of a node read, by piece.
type Predecessors struct {
	to []Ref
	at []int32 // where those of each piece begin in to, and the end
}

type Ref struct{ Node, Tile int32 } // of the stretch, of the node

// pieces is how many pieces the node has.
func (l *Predecessors) Tiles() int { return len(l.at) - 1 }

// of is what a piece of the node reads.
func (l *Predecessors) Of(piece int) []Ref { return l.to[l.at[piece]:l.at[piece+1]] }

// arrange puts the pieces of divided nodes in an order: always the piece that can
// start soonest is next; of several the one with the longest way to the end. The
// result is the time of the program in that order; nil where the objective is not
// below limit. The links of the nodes must have been laid.
func (k *Scheduler) ScheduleBelow(lo int, divs []*Partition, links []Predecessors, o Linear, limit float64) *Window {
	t := &k.trial
	*t = Window{Lo: lo, Partitions: divs}
	t.sum()
	// A program never ends before its pieces do where nothing but their order
	// holds them up: what is too late here is not worth the time of a program.
	k.o, k.below = o, limit
	for _, d := range divs {
		k.Scheduled += len(d.Tiles)
	}
	if !k.order(divs, links) {
		return nil
	}
	k.sumEnds(t, divs)
	if k.late(k.end) {
		return nil
	}
	tl := run.Time(k.Program(divs, links))
	if k.late(tl.Total) {
		return nil
	}
	t.Tiles, t.Spans, t.Fused = slices.Clone(k.list), tl.Spans, joins(tl.Program)
	found := *t
	return &found
}

// late reports whether a program that ends then is not better than the limit.
func (k *Scheduler) late(end device.Time) bool {
	k.trial.Time = end
	return k.o.Cost(&k.trial) >= k.below
}

// sumEnds adds up when nodes end, of the times done.
func (k *Scheduler) sumEnds(t *Window, divs []*Partition) {
	for n := range divs {
		last := device.Time(0)
		for j := range int32(len(divs[n].Tiles)) {
			last = max(last, k.done[k.first[n]+j])
		}
		t.Ends += float64(last)
	}
}

// program is the pieces in the order that was found. It is the desk's until the next.
func (k *Scheduler) Program(divs []*Partition, links []Predecessors) *program.Program {
	n := len(k.list)
	if cap(k.steps) < n {
		k.steps = make([]program.Step, n, 2*n)
	}
	k.steps, k.reads = k.steps[:n], k.reads[:0]
	for i, p := range k.list {
		k.steps[i] = program.Step{Tile: p.Tile, Code: p.Code}
	}
	i := 0
	for n := range divs {
		l := &links[n]
		for p := range l.Tiles() {
			from := len(k.reads)
			for _, to := range l.Of(p) {
				k.reads = append(k.reads, int(k.place[k.first[to.Node]+to.Tile]))
			}
			after := k.reads[from:len(k.reads):len(k.reads)]
			slices.Sort(after)
			k.steps[k.place[i]].After = after
			i++
		}
	}
	prog := &program.Program{Graph: k.Store.Graph, Steps: k.steps}
	prog.Join()
	return prog
}

// whatever puts the pieces of divided nodes in order, however long they then take, and
// returns that order. Pieces are then numbered as in all.
func (k *Scheduler) List(divs []*Partition, links []Predecessors) []*Tile {
	k.below = math.Inf(1)
	k.order(divs, links)
	return slices.Clone(k.list)
}

// Tiles are the tiles that were put in order last, by node.
func (k *Scheduler) Tiles() []*Tile { return k.all }

// readersOf are the pieces that read the i-th of those that were put in order last.
func (k *Scheduler) Successors(i int) []int32 { return k.next[k.from[i]:k.from[i+1]] }

// inOrder is the pieces that were put in order last in another order, and their program.
func (k *Scheduler) Reorder(divs []*Partition, links []Predecessors, order []int32) ([]*Tile, *program.Program) {
	k.place, k.list = sized(k.place, len(order)), k.list[:0]
	for at, i := range order {
		k.place[i] = int32(at)
		k.list = append(k.list, k.all[i])
	}
	return slices.Clone(k.list), k.Program(divs, links)
}

// ordered arranges divided nodes, however long they then take.
func (k *Scheduler) Schedule(lo int, divs []*Partition) *Window {
	return k.ScheduleBelow(lo, divs, k.Predecessors(lo, divs), Linear{1, 0}, math.Inf(1))
}

// linked are the links of divided nodes.
func (k *Scheduler) Predecessors(lo int, divs []*Partition) []Predecessors {
	out := make([]Predecessors, len(divs))
	for i := range out {
		out[i] = k.PredecessorsOf(Predecessors{}, lo, i, divs)
	}
	return out
}

// lay finds what the pieces of a node read.
func (k *Scheduler) PredecessorsOf(l Predecessors, lo, node int, divs []*Partition) Predecessors {
	l.to, l.at = l.to[:0], append(l.at[:0], 0)
	for _, p := range divs[node].Tiles {
		for i, in := range k.Store.Reads[lo+node] {
			at := in.Pos - lo
			if at < 0 {
				continue
			}
			for j, q := range divs[at].Tiles {
				if p.Takes(in.Index, q) && !k.twice(l, p, lo+node, i, q) {
					l.to = append(l.to, Ref{int32(at), int32(j)})
				}
			}
		}
		l.at = append(l.at, int32(len(l.to)))
	}
	return l
}

// twice reports whether an input before the i-th reads a piece, too.
func (k *Scheduler) twice(l Predecessors, p *Tile, at, i int, q *Tile) bool {
	for _, in := range k.Store.Reads[at][:i] {
		if in.Pos == q.Pos && p.Takes(in.Index, q) {
			return true
		}
	}
	return false
}

// order fills list and place; it gives up, and returns false, as soon as the end is
// clearly too late.
func (k *Scheduler) order(divs []*Partition, links []Predecessors) bool {
	k.all, k.first = k.all[:0], k.first[:0]
	for _, d := range divs {
		k.first = append(k.first, int32(len(k.all)))
		k.all = append(k.all, d.Tiles...)
	}
	n := len(k.all)
	k.tail, k.ready = sized(k.tail, n), sized(k.ready, n)
	k.left, k.place, k.done, k.seen = sized(k.left, n), sized(k.place, n), sized(k.done, n), sized(k.seen, n)
	k.open, k.list = k.open[:0], k.list[:0]
	k.end = 0
	k.from = sized(k.from, n+2)
	for node, i := len(divs)-1, n-1; node >= 0; node-- {
		l := &links[node]
		for p := l.Tiles() - 1; p >= 0; p-- {
			k.tail[i] += k.all[i].Fused
			k.end = max(k.end, k.tail[i])
			to := l.Of(p)
			for _, x := range to {
				j := k.first[x.Node] + x.Tile
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
	var c State
	for len(k.open) > 0 {
		best, soonest := -1, device.Time(0)
		for o, i := range k.open {
			start := max(k.ready[i], c.Free[k.all[i].Lane])
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
		done, seen := c.Place(k.all[i], k.ready[i], k.seen[i])
		k.done[i] = done
		k.place[i] = int32(len(k.list))
		k.list = append(k.list, k.all[i])
		for _, j := range k.Successors(int(i)) {
			k.ready[j], k.seen[j] = max(k.ready[j], done), k.seen[j].Max(seen)
			if k.left[j]--; k.left[j] == 0 {
				k.open = append(k.open, j)
			}
		}
	}
	return true
}

// followed is what a stretch's pieces take in another order, where nothing but
// their order holds them up.
func (k *Scheduler) Evaluate(of *Window, links []Predecessors, list []*Tile) *Window {
	t := &Window{Energy: of.Energy, Busy: of.Busy}
	k.first = k.first[:0]
	n := int32(0)
	for _, d := range of.Partitions {
		k.first = append(k.first, n)
		n += int32(len(d.Tiles))
	}
	k.done, k.seen = sized(k.done, int(n)), sized(k.seen, int(n))
	var c State
	for _, p := range list {
		node := p.Pos - of.Lo
		j := slices.Index(of.Partitions[node].Tiles, p)
		ready, after := device.Time(0), program.Awaited{}
		for _, to := range links[node].Of(j) {
			x := k.first[to.Node] + to.Tile
			ready, after = max(ready, k.done[x]), after.Max(k.seen[x])
		}
		at := k.first[node] + int32(j)
		k.done[at], k.seen[at] = c.Place(p, ready, after)
		t.Time = max(t.Time, k.done[at])
	}
	k.sumEnds(t, of.Partitions)
	return t
}

// readers fills next and from, which has been counted in.
func (k *Scheduler) readers(divs []*Partition, links []Predecessors) {
	for i := 2; i < len(k.from); i++ {
		k.from[i] += k.from[i-1]
	}
	k.next = sized(k.next, int(k.from[len(k.from)-1]))
	i := int32(0)
	for node := range divs {
		l := &links[node]
		for p := range l.Tiles() {
			for _, x := range l.Of(p) {
				at := &k.from[k.first[x.Node]+x.Tile+1]
				k.next[*at] = i
				*at++
			}
			i++
		}
	}
}

// clock is when devices are free, and what is launched together, of a list of pieces
// that nothing but their order holds up.
type State struct {
	order program.Order
	Free  [Lanes]device.Time
}

// place appends a piece that waits for an instant and what has ended then. It returns
// both where the piece ends.
func (c *State) Place(p *Tile, ready device.Time, after program.Awaited) (device.Time, program.Awaited) {
	seen, follows := c.order.Place(p.Lane, after)
	time := p.Time
	if follows {
		time = p.Fused
	}
	c.Free[p.Lane] = max(c.Free[p.Lane], ready) + time
	return c.Free[p.Lane], seen
}

// before says which of two pieces that can start at once goes first.
func before(k *Scheduler, i, j int32) bool {
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
