package search

import (
	"errors"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
)

// spliced puts runs of layers between the stretches of a plan in which one device works
// at a time, the GPU with every channel, where that is better.
func (s *search) spliced(c *chained, sole *candidate.Store, p Policy) error {
	if len(c.list) == 0 || len(sole.Devices) < candidate.Lanes {
		return nil
	}
	x := &splice{o: s.t.Objective.around(c.timeline.Total, work(c.timeline), s.standby), own: c.store, sole: sole}
	list := x.list(c.list)
	if !slices.ContainsFunc(list, func(t *candidate.Window) bool { return t.Serial }) {
		return nil
	}
	pl := s.planOf(p, list)
	tl, err := s.time(pl)
	if full := (*memory.FullError)(nil); errors.As(err, &full) {
		return nil
	}
	if err == nil && s.value(tl) < s.value(c.timeline) {
		c.plan, c.timeline = pl, tl
	}
	return err
}

// splice finds the best sequence of a plan's stretches and of runs of layers, each whole,
// of which one device executes one at a time.
type splice struct {
	o         candidate.Linear
	own, sole *candidate.Store
}

// longestRun bounds the layers of a run.
const longestRun = 128

// list is the best sequence.
func (x *splice) list(stretches []*candidate.Window) (list []*candidate.Window) {
	n := len(x.own.Order)
	type step struct {
		value float64
		from  int
		t     *candidate.Window // nil: a run
	}
	best := make([]step, n+1)
	for i := range best[1:] {
		best[i+1].value = math.Inf(1)
	}
	at := map[int]*candidate.Window{}
	for _, t := range stretches {
		at[t.Lo] = t
	}
	for i := range n {
		if math.IsInf(best[i].value, 1) {
			continue
		}
		if t := at[i]; t != nil {
			if v := best[i].value + x.o.Of(t.Time, t.Energy); v < best[t.Hi()].value {
				best[t.Hi()] = step{v, i, t}
			}
		}
		x.run(i, min(n, i+longestRun), func(hi int, value float64) {
			if v := best[i].value + value; v < best[hi].value {
				best[hi] = step{v, i, nil}
			}
		})
	}
	for i := n; i > 0; i = best[i].from {
		b := best[i]
		if b.t == nil {
			run := x.run(b.from, i, nil)
			slices.Reverse(run)
			list = append(list, run...)
		} else {
			list = append(list, b.t)
		}
	}
	slices.Reverse(list)
	return list
}

// run places layers from one position to another, each whole on the device that is best
// for all of them, and tells what those up to each take. A launch is needed where PIM
// work does not follow on PIM work.
func (x *splice) run(lo, hi int, tell func(hi int, value float64)) (list []*candidate.Window) {
	type choice struct {
		value float64
		from  int // the device of the layer before
		p     *candidate.Tile
	}
	var before [candidate.Lanes]choice
	before[1].value = math.Inf(1)
	var all [][candidate.Lanes]choice
	for i := lo; i < hi; i++ {
		now := [candidate.Lanes]choice{{value: math.Inf(1)}, {value: math.Inf(1)}}
		for dev := range now {
			p := x.piece(lo, i, dev)
			if p == nil {
				continue
			}
			for from, b := range before {
				if v := b.value + x.o.Of(x.sole.Launch.Marginal(p, from == dev), p.Energy); v < now[dev].value {
					now[dev] = choice{v, from, p}
				}
			}
		}
		if math.IsInf(min(now[0].value, now[1].value), 1) {
			break // no device executes it
		}
		if tell != nil {
			tell(i+1, min(now[0].value, now[1].value))
		}
		all, before = append(all, now), now
	}
	if tell != nil {
		return nil
	}
	dev := 0
	if before[1].value < before[0].value {
		dev = 1
	}
	for i := len(all) - 1; i >= 0; i-- {
		c := all[i][dev]
		d := candidate.NewPartition(c.p)
		list = append(list, x.sole.NewWindow(lo+i, []*candidate.Partition{d}, d.Tiles))
		dev = c.from
	}
	slices.Reverse(list)
	return list
}

// piece is all of a layer in a run that begins at lo: on the GPU with every channel where
// it reads nothing that was made before.
func (x *splice) piece(lo, i, dev int) *candidate.Tile {
	if x.sole.Devices[dev].Name() == plan.GPU && slices.ContainsFunc(x.own.Reads[i], func(in candidate.Input) bool { return in.Pos < lo }) {
		if p := x.own.Whole(i, dev); p != nil {
			return p
		}
	}
	return x.sole.Whole(i, dev)
}
