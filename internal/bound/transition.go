package bound

import (
	"math"

	"pimflow/internal/candidate"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// What a tile waits for of a split: its first or second tile, all of it, or some tile.
const (
	waitsFirst = iota
	waitsSecond
	waitsAll
	waitsSome
)

// transition leads from the splits of a gate to those of the next.
//
// In the literature: the arcs and resource extension functions of a label-setting algorithm.
type transition struct {
	s      *instance
	from   []split
	gate   int
	sealed bool
	linked bool
	track  tensor.Range // the rows from the first to the last track of the gate before
	// Labels by pair of devices: those of the splits of the same dimension up to each, and
	// from each on.
	upToHere, fromHere [][pairs]label
	at                 [][pairs]label // of each split
	apart              int            // pairs of devices whose labels are kept apart; the labels of all meet if it is 1
}

// begin sets the transition from the gate at to node i. Labels on different devices meet if
// apart is false.
func (e *transition) begin(before []split, i, at int, tidy, apart bool, tracks []track) {
	e.from, e.gate, e.sealed, e.linked, e.track = before, at, tidy, tracks[i].linked, tensor.Range{}
	if at >= 0 {
		e.track = tracks[at].span()
	}
	n := len(before)
	if len(e.upToHere) < n {
		e.upToHere, e.fromHere, e.at = make([][pairs]label, 2*n), make([][pairs]label, 2*n), make([][pairs]label, 2*n)
	}
	kinds := 1
	if apart {
		kinds = pairs
	}
	for c := range before {
		b := &before[c]
		for k := range kinds {
			e.at[c][k] = unreached
		}
		for v := range b.assignments {
			k := b.assignments[v].pair % kinds
			e.at[c][k].meet(&b.assignments[v].label)
		}
		for k := range kinds {
			e.upToHere[c][k] = e.at[c][k]
			if c > 0 && before[c-1].dim == b.dim {
				e.upToHere[c][k].meet(&e.upToHere[c-1][k])
			}
		}
	}
	for c := n - 1; c >= 0; c-- {
		for k := range kinds {
			e.fromHere[c][k] = e.at[c][k]
			if c+1 < n && before[c+1].dim == before[c].dim {
				e.fromHere[c][k].meet(&e.fromHere[c+1][k])
			}
		}
	}
	e.apart = kinds
}

// waitsFor says what a tile that reads ranges waits for of a split of the gate before.
func (e *transition) waitsFor(b *split, needs []tensor.Range) int {
	switch {
	case b.dim == candidate.Uncut:
		return waitsAll
	case needs == nil || needs[b.dim].Lo >= needs[b.dim].Hi:
		return waitsSome
	}
	r := needs[b.dim]
	switch {
	case b.at == 0:
		if r.Lo == 0 && r.Hi == e.s.Node(e.gate).Shape[b.dim] {
			return waitsAll
		}
		return waitsSome
	case r.Hi <= b.at:
		return waitsFirst
	case r.Lo >= b.at:
		return waitsSecond
	}
	return waitsAll
}

// start is when a tile can start that waits so.
func (s *label) start(wait int) float64 {
	switch wait {
	case waitsFirst, waitsSecond:
		return s.ends[wait]
	case waitsAll:
		return s.done
	}
	return min(s.ends[0], s.ends[1])
}

// follows reports whether the tracks of the gate before continue in a split.
func (e *transition) follows(b, c *split) bool {
	switch {
	case b.dim != plan.Rows || e.track.Len() == 0: // each tile of it has all tracks
		return true
	case c.dim == plan.Rows:
		return e.linked
	}
	for _, t := range c.reads {
		if t == nil || t[plan.Rows].Lo > e.track.Lo || e.track.Hi > t[plan.Rows].Hi {
			return false
		}
	}
	return true
}

// extend sets the labels of a split.
func (e *transition) extend(c *split, closed bool, launch float64) {
	for v := range c.assignments {
		c.assignments[v].label, c.assignments[v].met = unreached, [2]float64{math.Inf(1), math.Inf(1)}
	}
	for lo := 0; lo < len(e.from); {
		hi := lo + 1
		for hi < len(e.from) && e.from[hi].dim == e.from[lo].dim {
			hi++
		}
		for b := lo; b < hi; {
			wait := [2]int{e.waitsFor(&e.from[b], c.reads[0]), e.waitsFor(&e.from[b], c.reads[1])}
			n := b + 1
			for n < hi && wait == [2]int{e.waitsFor(&e.from[n], c.reads[0]), e.waitsFor(&e.from[n], c.reads[1])} {
				n++
			}
			if wait == [2]int{waitsAll, waitsAll} {
				e.synchronize(c, b, n, closed, launch)
				b = n
				continue
			}
			follows := e.follows(&e.from[b], c)
			for k := range e.apart {
				var st label
				switch {
				case b == lo:
					st = e.upToHere[n-1][k]
				case n == hi:
					st = e.fromHere[b][k]
				default:
					st = e.at[b][k]
					for x := b + 1; x < n; x++ {
						st.meet(&e.at[x][k])
					}
				}
				if math.IsInf(st.done, 1) {
					continue
				}
				if !follows {
					st.sums = e.s.multipliers.worked(&st.sums)
				}
				c.relax(e.s.multipliers, &st, [2]float64{st.start(wait[0]), st.start(wait[1])}, closed, false, 0)
			}
			b = n
		}
		lo = hi
	}
}

// synchronize is extend if all tiles of the split wait for all tiles of the splits b to n.
func (e *transition) synchronize(c *split, b, n int, closed bool, launch float64) {
	var found [2]label // without a certain launch, and with one
	for k := range found {
		found[k] = unreached
	}
	for ; b < n; b++ {
		for v := range e.from[b].assignments {
			w := &e.from[b].assignments[v]
			st := &w.label
			switch {
			case e.sealed && w.onGPU:
				found[1].done = min(found[1].done, st.done)
			case e.sealed && w.partlyGPU:
				found[0].done, found[1].done = min(found[0].done, w.met[0]), min(found[1].done, w.met[1])
			case e.sealed:
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
		if e.sealed {
			st.sums = sums{}
		}
		c.relax(e.s.multipliers, st, [2]float64{st.done, st.done}, closed, e.sealed, float64(k)*launch)
	}
}

// relax lowers the labels of a split to those of plans that come from a label and whose tiles
// start at given times at the earliest. met says that all tiles wait for all nodes before.
func (c *split) relax(m *multipliers, from *label, start [2]float64, closed, met bool, launch float64) {
	least := min(start[0], start[1])
	base := from.sums
	for k := range base {
		base[k] = max(base[k], least)
	}
	for v := range c.assignments {
		w := &c.assignments[v]
		busy, follow, alone := w.busy, w.chain, w.alone
		if launch > 0 {
			for d := range busy {
				busy[d] += launch * w.launch[d]
			}
			alone = max(alone, busy[0], busy[1])
			if c.dim == candidate.Uncut {
				follow = alone
			}
		}
		to, most := &w.label, 0.0
		for k := range m.of {
			b := &m.of[k]
			x := base[k]
			if w.cost != nil {
				x += w.cost[k]
			} else {
				x += b[0]*busy[0] + b[1]*busy[1] + (1-b[0]-b[1])*follow
			}
			to.sums[k] = min(to.sums[k], x)
			if closed || k == chainOnly {
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
