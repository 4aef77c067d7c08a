package candidate

import (
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Scheduler is a list scheduler: of the tiles whose predecessors are placed it always places
// next the one that can start first; ties go to the one with the longest critical path to
// the end. Each goroutine has its own. Only Store must be set.
//
// In the literature: list scheduling (Graham 1969) with critical-path priorities.
type Scheduler struct {
	Store     *Store
	Scheduled int // tiles that were to be placed so far: a measure of the work done

	all   []*Tile               // by node
	first []int32               // by node: the index of its first tile in all
	left  []int32               // by tile: predecessors that are not placed yet
	tail  []device.Time         // by tile: the critical path from its start to the end
	ready []device.Time         // by tile: when its predecessors have ended
	done  []device.Time         // by tile: its completion time
	ended []program.VectorClock // by tile: the steps that have ended by then
	next  []int32               // successors, tile after tile
	from  []int32               // by tile: where its successors begin in next; then the end
	open  []int32               // tiles all of whose predecessors are placed
	place []int32               // by tile: its index in list
	list  []*Tile               // in the order of the schedule
	end   device.Time           // a lower bound of the makespan
	limit device.Time           // a makespan from which on the objective is certainly not below the limit

	order    []int32 // the tiles of list
	follows  []bool  // by index in list: it may be fused
	sequence run.Sequence
	spans    []run.Span

	trial Window // the window that is scheduled
	o     Linear
	below float64 // the objective that the schedule must beat

	steps []program.Step // scratch of Program
	reads []int
}

// Predecessors are the tiles of a window that the tiles of one of its nodes read.
type Predecessors struct {
	to []Ref
	at []int32 // by tile: where its predecessors begin in to; then the end
}

// Ref is a tile of a window: the node in the window and the tile in the node.
type Ref struct{ Node, Tile int32 }

// Tiles is how many tiles the node has.
func (p *Predecessors) Tiles() int { return len(p.at) - 1 }

// Of returns the predecessors of a tile.
func (p *Predecessors) Of(tile int) []Ref { return p.to[p.at[tile]:p.at[tile+1]] }

// ScheduleBelow schedules partitioned nodes and times the program in that order. The result
// is nil if its objective is not below a limit.
func (s *Scheduler) ScheduleBelow(lo int, parts []*Partition, preds []Predecessors, o Linear, limit float64) *Window {
	t := &s.trial
	*t = Window{Lo: lo, Partitions: parts}
	t.sum()
	// The tiles alone, without contention for memory, never end after the program: a
	// schedule that is too late is dropped before its program is timed.
	s.o, s.below = o, limit
	s.limit = s.latest()
	for _, d := range parts {
		s.Scheduled += len(d.Tiles)
	}
	if !s.arrange(parts, preds) {
		return nil
	}
	s.complete(t, parts)
	if s.late(s.end) || !s.time() {
		return nil
	}
	t.Tiles, t.Spans, t.Fused = slices.Clone(s.list), slices.Clone(s.spans), make([]bool, len(s.list))
	for k, p := range s.list {
		t.Fused[k] = s.Store.Launch.fused(p, s.follows[k])
	}
	found := *t
	return &found
}

// time times the tiles in the order of the last schedule. It returns false as soon as the makespan is certainly too long.
func (s *Scheduler) time() bool {
	s.sequence.Reset()
	s.spans = s.spans[:0]
	clear(s.ready)
	end := device.Time(0)
	for k, i := range s.order {
		sp := s.sequence.Add(s.Store.Launch.task(s.all[i], s.follows[k]), s.ready[i])
		s.spans = append(s.spans, sp)
		if end = max(end, sp.End, sp.Start+s.tail[i]); end >= s.limit {
			return false
		}
		for _, j := range s.Successors(int(i)) {
			s.ready[j] = max(s.ready[j], sp.End)
		}
	}
	return !s.late(end)
}

// latest is a makespan from which on a program is certainly no better than the limit: the least, but for rounding.
func (s *Scheduler) latest() device.Time {
	s.trial.Time = 0
	if v := max(0, (s.below-s.o.Cost(&s.trial))/s.o.Time); v < math.MaxInt64/2 { // not NaN, not +Inf
		for end := device.Time(math.Ceil(v)); end <= device.Time(v)+2; end++ {
			if s.late(end) {
				return end
			}
		}
	}
	return math.MaxInt64
}

// late reports whether a program that ends then is no better than the limit.
func (s *Scheduler) late(end device.Time) bool {
	s.trial.Time = end
	return s.o.Cost(&s.trial) >= s.below
}

// complete adds up the completion times of the nodes.
func (s *Scheduler) complete(t *Window, parts []*Partition) {
	for n := range parts {
		last := device.Time(0)
		for j := range int32(len(parts[n].Tiles)) {
			last = max(last, s.done[s.first[n]+j])
		}
		t.Completion += float64(last)
	}
}

// Program is the tiles in the order of the last schedule, with fused launches. It is valid
// until the next call.
func (s *Scheduler) Program(parts []*Partition, preds []Predecessors) *program.Program {
	n := len(s.list)
	if cap(s.steps) < n {
		s.steps = make([]program.Step, n, 2*n)
	}
	s.steps, s.reads = s.steps[:n], s.reads[:0]
	for i, p := range s.list {
		s.steps[i] = program.Step{Tile: p.Tile(), Code: s.Store.code(p)}
	}
	i := 0
	for n := range parts {
		l := &preds[n]
		for p := range l.Tiles() {
			from := len(s.reads)
			for _, to := range l.Of(p) {
				s.reads = append(s.reads, int(s.place[s.first[to.Node]+to.Tile]))
			}
			after := s.reads[from:len(s.reads):len(s.reads)]
			slices.Sort(after)
			s.steps[s.place[i]].After = after
			i++
		}
	}
	prog := &program.Program{Graph: s.Store.Graph, Steps: s.steps}
	s.Store.Launch.Fuse(prog)
	return prog
}

// List schedules partitioned nodes without a limit and returns the order alone. Tiles are
// then numbered by node, as Tiles returns them.
func (s *Scheduler) List(parts []*Partition, preds []Predecessors) []*Tile {
	s.below, s.limit = math.Inf(1), math.MaxInt64
	s.arrange(parts, preds)
	return slices.Clone(s.list)
}

// Tiles returns the tiles of the last schedule, by node.
func (s *Scheduler) Tiles() []*Tile { return s.all }

// Successors returns the tiles that read the i-th tile of the last schedule.
func (s *Scheduler) Successors(i int) []int32 { return s.next[s.from[i]:s.from[i+1]] }

// Reorder puts the tiles of the last schedule in another topological order, given by their
// numbers, and returns that and its program.
func (s *Scheduler) Reorder(parts []*Partition, preds []Predecessors, order []int32) ([]*Tile, *program.Program) {
	s.place, s.list = sized(s.place, len(order)), s.list[:0]
	for at, i := range order {
		s.place[i] = int32(at)
		s.list = append(s.list, s.all[i])
	}
	return slices.Clone(s.list), s.Program(parts, preds)
}

// Schedule schedules partitioned nodes without a limit.
func (s *Scheduler) Schedule(lo int, parts []*Partition) *Window {
	return s.ScheduleBelow(lo, parts, s.Predecessors(lo, parts), Linear{Time: 1}, math.Inf(1))
}

// Predecessors returns the predecessors of all tiles of partitioned nodes, by node.
func (s *Scheduler) Predecessors(lo int, parts []*Partition) []Predecessors {
	out := make([]Predecessors, len(parts))
	for i := range out {
		out[i] = s.PredecessorsOf(Predecessors{}, lo, i, parts)
	}
	return out
}

// PredecessorsOf returns the predecessors of the tiles of one node, in the memory of l.
func (s *Scheduler) PredecessorsOf(l Predecessors, lo, node int, parts []*Partition) Predecessors {
	l.to, l.at = l.to[:0], append(l.at[:0], 0)
	near, once := s.Store.Near(lo+node, lo), s.Store.nodes[lo+node].sorted
	for _, p := range parts[node].Tiles {
		for i, in := range near {
			at := in.Pos - lo
			if at < 0 {
				continue
			}
			for j, q := range parts[at].Tiles {
				if p.Takes(in.Index, q) && (once || !s.twice(near[:i], p, q)) {
					l.to = append(l.to, Ref{int32(at), int32(j)})
				}
			}
		}
		l.at = append(l.at, int32(len(l.to)))
	}
	return l
}

// twice reports whether one of the inputs before reads a tile, too.
func (s *Scheduler) twice(before []Input, p, q *Tile) bool {
	for _, in := range before {
		if in.Pos == q.Pos && p.Takes(in.Index, q) {
			return true
		}
	}
	return false
}

// arrange fills order, list and place. It returns false as soon as the makespan is certainly too
// long.
func (s *Scheduler) arrange(parts []*Partition, preds []Predecessors) bool {
	s.all, s.first = s.all[:0], s.first[:0]
	for _, d := range parts {
		s.first = append(s.first, int32(len(s.all)))
		s.all = append(s.all, d.Tiles...)
	}
	n, launch := len(s.all), s.Store.Launch
	s.tail, s.ready = sized(s.tail, n), sized(s.ready, n)
	s.left, s.place, s.done, s.ended = sized(s.left, n), sized(s.place, n), sized(s.done, n), sized(s.ended, n)
	s.open, s.list, s.order, s.follows = s.open[:0], s.list[:0], s.order[:0], s.follows[:0]
	s.end = 0
	left := [Lanes]rest{}
	s.from = sized(s.from, n+2)
	for node, i := len(parts)-1, n-1; node >= 0; node-- {
		l := &preds[node]
		for p := l.Tiles() - 1; p >= 0; p-- {
			left[s.all[i].Lane].add(s.all[i].Least(), s.tail[i])
			s.tail[i] += s.all[i].Least()
			if s.end = max(s.end, s.tail[i]); s.end >= s.limit {
				return false
			}
			to := l.Of(p)
			for _, x := range to {
				j := s.first[x.Node] + x.Tile
				s.tail[j] = max(s.tail[j], s.tail[i])
				s.from[j+2]++
			}
			if s.left[i] = int32(len(to)); len(to) == 0 {
				s.open = append(s.open, int32(i))
			}
			i--
		}
	}
	s.succeed(parts, preds)
	var now State
	for len(s.open) > 0 {
		best, soonest := -1, device.Time(0)
		for o, i := range s.open {
			start := max(s.ready[i], now.Free[s.all[i].Lane])
			if best < 0 || start < soonest || start == soonest && before(s, i, s.open[best]) {
				best, soonest = o, start
			}
		}
		i := s.open[best]
		s.open[best] = s.open[len(s.open)-1]
		s.open = s.open[:len(s.open)-1]
		done, ended, follows := now.place(launch, s.all[i], s.ready[i], s.ended[i])
		left[s.all[i].Lane].place(s.all[i].Least())
		s.end = max(s.end, soonest+s.tail[i])
		for lane := range left { // no later tile starts before soonest
			s.end = max(s.end, left[lane].end(max(now.Free[lane], soonest)))
		}
		if s.end >= s.limit {
			return false
		}
		s.order, s.follows = append(s.order, i), append(s.follows, follows)
		s.done[i] = done
		s.place[i] = int32(len(s.list))
		s.list = append(s.list, s.all[i])
		for _, j := range s.Successors(int(i)) {
			if s.ready[j] = max(s.ready[j], done); launch.Fuses {
				s.ended[j] = s.ended[j].Max(ended)
			}
			if s.left[j]--; s.left[j] == 0 {
				s.open = append(s.open, j)
			}
		}
	}
	return true
}

// rest is the tiles of a device that are not placed yet: how many there are, their least time, and the least time from the end
// of any of the device's tiles to the end of all.
type rest struct {
	tiles       int
	time, after device.Time
}

func (r *rest) add(time, after device.Time) {
	if r.tiles == 0 || after < r.after {
		r.after = after
	}
	r.tiles, r.time = r.tiles+1, r.time+time
}

func (r *rest) place(time device.Time) { r.tiles, r.time = r.tiles-1, r.time-time }

// end is a lower bound of the makespan if the device is free at an instant.
//
// In the literature: the bound of one machine with heads and tails (Carlier 1982).
func (r *rest) end(free device.Time) device.Time {
	if r.tiles == 0 {
		return 0
	}
	return free + r.time + r.after
}

// Evaluate is the window with its tiles in another order and no contention for memory: its
// makespan, energy and completion times.
func (s *Scheduler) Evaluate(of *Window, preds []Predecessors, list []*Tile) *Window {
	t := &Window{Energy: of.Energy, Busy: of.Busy}
	s.first = s.first[:0]
	n := int32(0)
	for _, d := range of.Partitions {
		s.first = append(s.first, n)
		n += int32(len(d.Tiles))
	}
	s.done, s.ended = sized(s.done, int(n)), sized(s.ended, int(n))
	var now State
	for _, p := range list {
		node := p.Pos - of.Lo
		j := slices.Index(of.Partitions[node].Tiles, p)
		ready, after := device.Time(0), program.VectorClock{}
		for _, to := range preds[node].Of(j) {
			x := s.first[to.Node] + to.Tile
			ready, after = max(ready, s.done[x]), after.Max(s.ended[x])
		}
		at := s.first[node] + int32(j)
		s.done[at], s.ended[at] = now.Place(s.Store.Launch, p, ready, after)
		t.Time = max(t.Time, s.done[at])
	}
	s.complete(t, of.Partitions)
	return t
}

// succeed fills next and from, which has the number of successors of each tile.
func (s *Scheduler) succeed(parts []*Partition, preds []Predecessors) {
	for i := 2; i < len(s.from); i++ {
		s.from[i] += s.from[i-1]
	}
	s.next = sized(s.next, int(s.from[len(s.from)-1]))
	i := int32(0)
	for node := range parts {
		l := &preds[node]
		for p := range l.Tiles() {
			for _, x := range l.Of(p) {
				at := &s.from[s.first[x.Node]+x.Tile+1]
				s.next[*at] = i
				*at++
			}
			i++
		}
	}
}

// before reports which of two tiles that can start at the same time goes first: the one
// with the longer critical path.
func before(s *Scheduler, i, j int32) bool {
	return s.tail[i] > s.tail[j] || s.tail[i] == s.tail[j] && i < j
}

// sized is a slice of n zeros, in the memory of another where it has room.
func sized[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n, 2*n)
	}
	old = old[:n]
	clear(old)
	return old
}
