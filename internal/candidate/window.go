package candidate

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Window is consecutive nodes of the order with their partitions and the schedule of their
// tiles alone. It becomes a segment of a plan.
//
// In the literature: a window of a large neighbourhood search (Shaw 1998); with its spans a
// schedule.
type Window struct {
	Lo         int          // position of the first node
	Serial     bool         // one device works at a time
	Partitions []*Partition // by node
	Tiles      []*Tile      // in the plan's order
	Spans      []run.Span   // by tile
	Fused      []bool       // by tile: launched with the tile before on its device
	Time       device.Time  // the makespan
	Energy     float64      // pJ, without standby
	Busy       [Lanes]device.Time
	Completion float64 // ps, the sum of the nodes' completion times
}

// Hi is the position after the last node.
func (t *Window) Hi() int { return t.Lo + len(t.Partitions) }

// Segment is the window as a segment of a plan.
func (t *Window) Segment() plan.Segment {
	s := plan.Segment{Exclusive: t.Serial}
	for _, p := range t.Tiles {
		s.Tiles = append(s.Tiles, p.Tile())
	}
	return s
}

// NewWindow times partitioned nodes whose tiles are in a given order. Values that none of them makes are available at time 0.
func (s *Store) NewWindow(lo int, divs []*Partition, list []*Tile) *Window {
	t := &Window{Lo: lo, Serial: s.Serial, Partitions: divs, Tiles: list, Spans: make([]run.Span, len(list)), Fused: make([]bool, len(list))}
	last, before := make([]int, len(divs)), make([]int, len(list)) // by node: its last tile so far; by tile: the one of its node before; both less 1
	ended := make([]program.VectorClock, len(list))
	var order program.Clocks
	var time run.Sequence
	for i, x := range list {
		ready, after := device.Time(0), program.VectorClock{}
		for _, in := range s.Near(x.Pos, lo) {
			if in.Pos < lo {
				continue
			}
			for j := last[in.Pos-lo]; j > 0; j = before[j-1] {
				if x.Takes(in.Index, list[j-1]) {
					ready, after = max(ready, t.Spans[j-1].End), after.Max(ended[j-1])
				}
			}
		}
		follows := false
		ended[i], follows = order.Advance(x.Lane, after)
		t.Fused[i] = s.Launch.fused(x, follows)
		t.Spans[i] = time.Add(s.Launch.task(x, follows), ready)
		t.Time = max(t.Time, t.Spans[i].End)
		before[i], last[x.Pos-lo] = last[x.Pos-lo], i+1
	}
	t.sum()
	done := make([]device.Time, len(divs))
	for i, p := range list {
		done[p.Pos-lo] = max(done[p.Pos-lo], t.Spans[i].End)
	}
	for _, e := range done {
		t.Completion += float64(e)
	}
	return t
}

// sum adds up the energy and device times of the partitions.
func (t *Window) sum() {
	for _, d := range t.Partitions {
		t.Energy += d.Energy
		for k, b := range d.Busy {
			t.Busy[k] += b
		}
	}
}

// maxFused is how many nodes stay in a window only because their launches are fused
// (estimated).
const maxFused = 24

// Split cuts a window at its barriers: instants at which all earlier nodes have ended and
// none of the later ones has started. The parts' times add up to the window's. Up to
// maxFused nodes whose launches are fused stay together.
func (s *Store) Split(t *Window) []*Window {
	n := len(t.Partitions)
	end, start, first := make([]device.Time, n), make([]device.Time, n+1), make([]int, n+1)
	for i := range start {
		start[i], first[i] = t.Time, -1
	}
	for i := len(t.Tiles) - 1; i >= 0; i-- {
		at := t.Tiles[i].Pos - t.Lo
		end[at] = max(end[at], t.Spans[i].End)
		start[at] = min(start[at], t.Spans[i].Start)
		if t.Tiles[i].Device == plan.PIM {
			first[at] = i
		}
	}
	for i := n - 1; i >= 0; i-- {
		start[i] = min(start[i], start[i+1])
		if f := first[i+1]; f >= 0 && (first[i] < 0 || f < first[i]) {
			first[i] = f // the first PIM tile of this node and the later ones
		}
	}
	var parts []*Window
	from, last := 0, device.Time(0)
	for i := range n {
		last = max(last, end[i])
		if i < n-1 && last > start[i+1] {
			continue
		}
		if f := first[i+1]; i < n-1 && f >= 0 && t.Fused[f] && i+1-from < maxFused {
			continue
		}
		if from == 0 && i == n-1 {
			return []*Window{t}
		}
		var list []*Tile
		for _, p := range t.Tiles {
			if at := p.Pos - t.Lo; from <= at && at <= i {
				list = append(list, p)
			}
		}
		parts = append(parts, s.NewWindow(t.Lo+from, t.Partitions[from:i+1], list))
		from = i + 1
	}
	return parts
}

// Merge is consecutive windows as one.
func (s *Store) Merge(w []*Window) *Window {
	var divs []*Partition
	var list []*Tile
	for _, t := range w {
		divs = append(divs, t.Partitions...)
		list = append(list, t.Tiles...)
	}
	return s.NewWindow(w[0].Lo, divs, list)
}

// WindowOf times a segment whose first node is the i-th; nil if a device does not execute a
// tile.
func (s *Store) WindowOf(i int, seg plan.Segment) *Window {
	var list []*Tile
	var by [][]*Tile
	for _, t := range seg.Tiles {
		p := s.lookup(t)
		if p == nil {
			return nil
		}
		list = append(list, p)
		for len(by) <= p.Pos-i {
			by = append(by, nil)
		}
		by[p.Pos-i] = append(by[p.Pos-i], p)
	}
	divs := make([]*Partition, len(by))
	for k := range divs {
		slices.SortFunc(by[k], func(a, b *Tile) int { return a.Lo - b.Lo })
		divs[k] = NewPartition(by[k]...)
	}
	return s.NewWindow(i, divs, list)
}
