package bound

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// What a piece waits for of a cutting: its first or second piece, all of it, or any.
const (
	first = iota
	second
	all
	some
)

// enter is where the cuttings of a node follow those of the gate before.
type enter struct {
	s      *instance
	before []cutting
	at     int
	tidy   bool
	linked bool
	track  tensor.Range // what the tracks of the gate before span
	// What is reached on the same devices: of the cuttings from the first of the same
	// dimension to each, and from each to the last.
	to, from [][keys]stage
	least    [][keys]stage // and of each
	kinds    int           // of devices that are kept apart
}

// set begins at another node. What is reached on different devices is taken together
// where apart is false.
func (e *enter) set(before []cutting, i, at int, tidy, apart bool, tracks []track) {
	e.before, e.at, e.tidy, e.linked, e.track = before, at, tidy, tracks[i].linked, tensor.Range{}
	if at >= 0 && len(tracks[at].rows) > 0 {
		e.track = tensor.Range{Lo: slices.Min(tracks[at].rows), Hi: slices.Max(tracks[at].rows) + 1}
	}
	n := len(before)
	if len(e.to) < n {
		e.to, e.from, e.least = make([][keys]stage, 2*n), make([][keys]stage, 2*n), make([][keys]stage, 2*n)
	}
	kinds := 1
	if apart {
		kinds = keys
	}
	for c := range before {
		b := &before[c]
		for k := range kinds {
			e.least[c][k] = never
		}
		for v := range b.ways {
			k := b.ways[v].key % kinds
			e.least[c][k].join(&b.ways[v].reached)
		}
		for k := range kinds {
			e.to[c][k] = e.least[c][k]
			if c > 0 && before[c-1].dim == b.dim {
				e.to[c][k].join(&e.to[c-1][k])
			}
		}
	}
	for c := n - 1; c >= 0; c-- {
		for k := range kinds {
			e.from[c][k] = e.least[c][k]
			if c+1 < n && before[c+1].dim == before[c].dim {
				e.from[c][k].join(&e.from[c+1][k])
			}
		}
	}
	e.kinds = kinds
}

// waits says what a piece that reads ranges waits for of a cutting of the gate before.
func (e *enter) waits(b *cutting, takes []tensor.Range) int {
	switch {
	case b.dim == candidate.Uncut:
		return all
	case takes == nil || takes[b.dim].Lo >= takes[b.dim].Hi:
		return some
	}
	r := takes[b.dim]
	switch {
	case b.at == 0:
		if r.Lo == 0 && r.Hi == e.s.Node(e.at).Shape[b.dim] {
			return all
		}
		return some
	case r.Hi <= b.at:
		return first
	case r.Lo >= b.at:
		return second
	}
	return all
}

// start is when a piece can start that waits so.
func (s *stage) start(wait int) float64 {
	switch wait {
	case first, second:
		return s.ends[wait]
	case all:
		return s.done
	}
	return min(s.ends[0], s.ends[1])
}

// follows reports whether the tracks of the gate before go on in a cutting.
func (e *enter) follows(b, c *cutting) bool {
	switch {
	case b.dim != plan.Rows || e.track.Len() == 0: // any piece of it will do
		return true
	case c.dim == plan.Rows:
		return e.linked
	}
	for _, t := range c.takes {
		if t == nil || t[plan.Rows].Lo > e.track.Lo || e.track.Hi > t[plan.Rows].Hi {
			return false
		}
	}
	return true
}

// enter sets what a plan has reached with each variant of a cutting.
func (e *enter) enter(c *cutting, closed bool, launch float64) {
	for v := range c.ways {
		c.ways[v].reached, c.ways[v].met = never, [2]float64{math.Inf(1), math.Inf(1)}
	}
	for lo := 0; lo < len(e.before); {
		hi := lo + 1
		for hi < len(e.before) && e.before[hi].dim == e.before[lo].dim {
			hi++
		}
		for b := lo; b < hi; {
			wait := [2]int{e.waits(&e.before[b], c.takes[0]), e.waits(&e.before[b], c.takes[1])}
			n := b + 1
			for n < hi && wait == [2]int{e.waits(&e.before[n], c.takes[0]), e.waits(&e.before[n], c.takes[1])} {
				n++
			}
			if wait == [2]int{all, all} {
				e.synced(c, b, n, closed, launch)
				b = n
				continue
			}
			follows := e.follows(&e.before[b], c)
			for k := range e.kinds {
				var st stage
				switch {
				case b == lo:
					st = e.to[n-1][k]
				case n == hi:
					st = e.from[b][k]
				default:
					st = e.least[b][k]
					for x := b + 1; x < n; x++ {
						st.join(&e.least[x][k])
					}
				}
				if math.IsInf(st.done, 1) {
					continue
				}
				if !follows {
					st.sums = st.sums.worked()
				}
				c.reach(&st, [2]float64{st.start(wait[0]), st.start(wait[1])}, closed, false, 0)
			}
			b = n
		}
		lo = hi
	}
}

// synced is enter where all pieces of the cutting wait for all of those from b to n.
func (e *enter) synced(c *cutting, b, n int, closed bool, launch float64) {
	var found [2]stage // without a launch that is certain, and with one
	for k := range found {
		found[k] = never
	}
	for ; b < n; b++ {
		for v := range e.before[b].ways {
			w := &e.before[b].ways[v]
			st := &w.reached
			switch {
			case e.tidy && w.gpu:
				found[1].done = min(found[1].done, st.done)
			case e.tidy && w.mixed:
				found[0].done, found[1].done = min(found[0].done, w.met[0]), min(found[1].done, w.met[1])
			case e.tidy:
				found[0].done = min(found[0].done, st.done)
			default:
				done := st.done
				if c.dim == candidate.Uncut && closed {
					done = max(done, st.sums.most())
				}
				found[0].done = min(found[0].done, done)
				for k := range st.sums {
					found[0].sums[k] = min(found[0].sums[k], st.sums[k])
				}
			}
		}
	}
	for k := range found {
		st := &found[k]
		if math.IsInf(st.done, 1) {
			continue
		}
		if e.tidy {
			st.sums = sums{}
		}
		c.reach(st, [2]float64{st.done, st.done}, closed, e.tidy, float64(k)*launch)
	}
}

// reach makes the variants reached from a stage at which their pieces can start; met says
// whether all of them wait for all nodes before.
func (c *cutting) reach(from *stage, start [2]float64, closed, met bool, launch float64) {
	least := min(start[0], start[1])
	base := from.sums
	for k := range base {
		base[k] = max(base[k], least)
	}
	for v := range c.ways {
		w := &c.ways[v]
		busy, follow, alone := w.busy, w.follow, w.alone
		if launch > 0 {
			for d := range busy {
				busy[d] += launch * w.launch[d]
			}
			alone = max(alone, busy[0], busy[1])
			if c.dim == candidate.Uncut {
				follow = alone
			}
		}
		to, most := &w.reached, 0.0
		for k := range blends {
			b := &blends[k]
			x := base[k]
			if w.cost != nil {
				x += w.cost[k]
			} else {
				x += b[0]*busy[0] + b[1]*busy[1] + (1-b[0]-b[1])*follow
			}
			to.sums[k] = min(to.sums[k], x)
			if closed || k == following {
				most = max(most, x)
			}
		}
		ends := [2]float64{start[0] + w.time[0], start[1] + w.time[1]}
		done := max(least+alone, most)
		if w.cost == nil {
			done = max(done, ends[0], ends[1])
		}
		if c.dim == candidate.Uncut {
			ends = [2]float64{done, done}
		}
		to.ends[0], to.ends[1], to.done = min(to.ends[0], ends[0]), min(to.ends[1], ends[1]), min(to.done, done)
		if met {
			w.met[1] = min(w.met[1], done)
		} else {
			w.met[0] = min(w.met[0], done)
		}
	}
}
