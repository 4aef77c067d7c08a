package search

import (
	"errors"
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
)

// addSerialRuns replaces windows of a plan by serial runs if that is better: runs of layers of
// which one device executes one at a time, the GPU with every memory channel.
func (s *search) addSerialRuns(c *solution, serial *candidate.Store, p Policy) error {
	if c.plan == nil || len(c.windows) == 0 || len(serial.Devices) < candidate.Lanes {
		return nil
	}
	x := &serialRuns{o: s.t.Objective.around(c.timeline.Total, energyOf(c.timeline), s.standby), own: c.store, serial: serial}
	list := x.best(c.windows)
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

// serialRuns finds the best sequence of a plan's windows and of serial runs, in which every
// layer is whole.
type serialRuns struct {
	o           candidate.Linear
	own, serial *candidate.Store // of the windows, of the runs
}

// longestSerial bounds the layers of a run (estimated: longer runs are two runs).
const longestSerial = 128

// best is the best sequence, a shortest path over positions.
func (x *serialRuns) best(windows []*candidate.Window) (list []*candidate.Window) {
	n := len(x.own.Order)
	type step struct {
		value float64
		from  int
		t     *candidate.Window // nil: a serial run
	}
	best := make([]step, n+1)
	for i := range best[1:] {
		best[i+1].value = math.Inf(1)
	}
	at := map[int]*candidate.Window{}
	for _, t := range windows {
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
		x.run(i, min(n, i+longestSerial), func(hi int, value float64) {
			if v := best[i].value + value; v < best[hi].value {
				best[hi] = step{v, i, nil}
			}
		})
	}
	for i := n; i > 0; i = best[i].from {
		b := best[i]
		if b.t == nil {
			serial := x.run(b.from, i, nil)
			slices.Reverse(serial)
			list = append(list, serial...)
		} else {
			list = append(list, b.t)
		}
	}
	slices.Reverse(list)
	return list
}

// run is the best serial run from one position to another: the devices of its layers, by a
// dynamic programme whose state is the device of the layer before, since a tile that follows
// on its device may share a launch. If tell is set, it is told the objective of the run up to
// each position instead.
func (x *serialRuns) run(lo, hi int, tell func(hi int, value float64)) (list []*candidate.Window) {
	type choice struct {
		value float64
		from  int // the lane of the layer before
		p     *candidate.Tile
	}
	var before [candidate.Lanes]choice
	before[1].value = math.Inf(1)
	var all [][candidate.Lanes]choice
	for i := lo; i < hi; i++ {
		now := [candidate.Lanes]choice{{value: math.Inf(1)}, {value: math.Inf(1)}}
		for dev := range now {
			p := x.tile(lo, i, dev)
			if p == nil {
				continue
			}
			for from, b := range before {
				if v := b.value + x.o.Of(x.serial.Launch.Marginal(p, from == dev), p.Energy); v < now[dev].value {
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
		list = append(list, x.serial.NewWindow(lo+i, []*candidate.Partition{d}, d.Tiles))
		dev = c.from
	}
	slices.Reverse(list)
	return list
}

// tile is a whole layer in a run that begins at lo. On the GPU it has every memory channel if it
// reads nothing that was made before the run.
func (x *serialRuns) tile(lo, i, dev int) *candidate.Tile {
	if x.serial.Devices[dev].Name() == plan.GPU && slices.ContainsFunc(x.own.Reads[i], func(in candidate.Input) bool { return in.Pos < lo }) {
		if p := x.own.Whole(i, dev); p != nil {
			return p
		}
	}
	return x.serial.Whole(i, dev)
}
