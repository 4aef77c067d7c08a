package candidate

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// stretch is consecutive nodes of the order, each divided, with the order of their
// pieces and what they take alone. It becomes a segment of a plan.
type Window struct {
	Lo         int          // position of the first node
	Serial     bool         // one device works at a time
	Partitions []*Partition // by node
	Tiles      []*Tile      // in the plan's order
	Spans      []run.Span   // by list
	Fused      []bool       // by list: it is launched with the piece before on its device
	Time       device.Time
	Energy     float64
	Busy       [Lanes]device.Time
	Ends       float64 // ps, the sum of when its nodes end
}

// hi is the position after the last node.
func (t *Window) Hi() int { return t.Lo + len(t.Partitions) }

func (t *Window) Segment() plan.Segment {
	s := plan.Segment{Exclusive: t.Serial}
	for _, p := range t.Tiles {
		s.Tiles = append(s.Tiles, p.Tile)
	}
	return s
}

// newStretch takes the time of divided nodes whose pieces are in a given order.
func (s *Store) NewWindow(lo int, divs []*Partition, list []*Tile) *Window {
	tl := s.timed(list)
	t := &Window{Lo: lo, Serial: s.Serial, Partitions: divs, Tiles: list, Spans: tl.Spans, Fused: joins(tl.Program), Time: tl.Total}
	t.sum()
	last := make([]device.Time, len(divs))
	for i, p := range list {
		last[p.Pos-lo] = max(last[p.Pos-lo], t.Spans[i].End)
	}
	for _, e := range last {
		t.Ends += float64(e)
	}
	return t
}

// sum adds up the work of a stretch.
func (t *Window) sum() {
	for _, d := range t.Partitions {
		t.Energy += d.Energy
		for k, b := range d.Busy {
			t.Busy[k] += b
		}
	}
}

// joins says which steps of a program are launched with the one before.
func joins(p *program.Program) []bool {
	list := make([]bool, len(p.Steps))
	for i := range list {
		list[i] = p.Steps[i].Joined
	}
	return list
}

// most is how many nodes stay in a stretch only because pieces are launched together.
const most = 24

// apart cuts a stretch where everything before a node ends before anything of it or
// after it starts, so that the parts' times add up to the whole's. Pieces that are
// launched together stay together as long as there are not too many.
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
			first[i] = f // on the PIM, of it and what is after
		}
	}
	var parts []*Window
	from, last := 0, device.Time(0)
	for i := range n {
		last = max(last, end[i])
		if i < n-1 && last > start[i+1] {
			continue
		}
		if f := first[i+1]; i < n-1 && f >= 0 && t.Fused[f] && i+1-from < most {
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

// united is stretches that follow each other as one.
func (s *Store) Merge(w []*Window) *Window {
	var divs []*Partition
	var list []*Tile
	for _, t := range w {
		divs = append(divs, t.Partitions...)
		list = append(list, t.Tiles...)
	}
	return s.NewWindow(w[0].Lo, divs, list)
}

// stretch takes the time of a segment whose first node is the i-th; nil where a
// device does not execute a tile.
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
