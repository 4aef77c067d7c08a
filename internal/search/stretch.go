package search

import (
	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// stretch is consecutive nodes of the order, each divided, with the order of their
// pieces and what they take alone. It becomes a segment of a plan.
type stretch struct {
	lo    int         // position of the first node
	sole  bool        // one device works at a time
	divs  []*division // by node
	list  []*piece    // in the plan's order
	spans []run.Span  // by list
	joins []bool      // by list: it is launched with the piece before on its device
	time  device.Time
	work  float64
	busy  [devices]device.Time
	ends  float64 // ps, the sum of when its nodes end
}

// hi is the position after the last node.
func (t *stretch) hi() int { return t.lo + len(t.divs) }

func (t *stretch) segment() plan.Segment {
	s := plan.Segment{Exclusive: t.sole}
	for _, p := range t.list {
		s.Tiles = append(s.Tiles, p.Tile)
	}
	return s
}

// newStretch takes the time of divided nodes whose pieces are in a given order.
func (s *store) newStretch(lo int, divs []*division, list []*piece) *stretch {
	tl := s.timed(list)
	t := &stretch{lo: lo, sole: s.serial, divs: divs, list: list, spans: tl.Spans, joins: joins(tl.Program), time: tl.Total}
	t.sum()
	last := make([]device.Time, len(divs))
	for i, p := range list {
		last[p.at-lo] = max(last[p.at-lo], t.spans[i].End)
	}
	for _, e := range last {
		t.ends += float64(e)
	}
	return t
}

// sum adds up the work of a stretch.
func (t *stretch) sum() {
	for _, d := range t.divs {
		t.work += d.work
		for k, b := range d.busy {
			t.busy[k] += b
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
func (s *store) apart(t *stretch) []*stretch {
	n := len(t.divs)
	end, start, first := make([]device.Time, n), make([]device.Time, n+1), make([]int, n+1)
	for i := range start {
		start[i], first[i] = t.time, -1
	}
	for i := len(t.list) - 1; i >= 0; i-- {
		at := t.list[i].at - t.lo
		end[at] = max(end[at], t.spans[i].End)
		start[at] = min(start[at], t.spans[i].Start)
		if t.list[i].Device == plan.PIM {
			first[at] = i
		}
	}
	for i := n - 1; i >= 0; i-- {
		start[i] = min(start[i], start[i+1])
		if f := first[i+1]; f >= 0 && (first[i] < 0 || f < first[i]) {
			first[i] = f // on the PIM, of it and what is after
		}
	}
	var parts []*stretch
	from, last := 0, device.Time(0)
	for i := range n {
		last = max(last, end[i])
		if i < n-1 && last > start[i+1] {
			continue
		}
		if f := first[i+1]; i < n-1 && f >= 0 && t.joins[f] && i+1-from < most {
			continue
		}
		if from == 0 && i == n-1 {
			return []*stretch{t}
		}
		var list []*piece
		for _, p := range t.list {
			if at := p.at - t.lo; from <= at && at <= i {
				list = append(list, p)
			}
		}
		parts = append(parts, s.newStretch(t.lo+from, t.divs[from:i+1], list))
		from = i + 1
	}
	return parts
}
