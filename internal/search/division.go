package search

import (
	"cmp"
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// division is a node's value cut into pieces, in the order of the dimension.
type division struct {
	pieces []*piece
	busy   [devices]device.Time // that each device works
	least  [devices]device.Time // of that, where all of it is launched with what is before
	work   float64              // pJ, without standby
}

// devices is how many devices a machine has at most; they are numbered as lanes.
const devices = program.Lanes

func newDivision(ps ...*piece) *division {
	d := &division{pieces: ps}
	for _, p := range ps {
		d.busy[p.dev] += p.time
		d.least[p.dev] += p.least
		d.work += p.work
	}
	return d
}

// dim is the dimension that is cut; whole where none is.
func (d *division) dim() int { return d.pieces[0].dim }

// kind is gpu, pim or split.
func (d *division) kind() string {
	for _, p := range d.pieces {
		if p.Device != d.pieces[0].Device {
			return "split"
		}
	}
	return d.pieces[0].Device
}

// onPIM reports whether any piece is on the PIM.
func (d *division) onPIM() bool {
	return slices.ContainsFunc(d.pieces, func(p *piece) bool { return p.Device == plan.PIM })
}

// String prints the pieces as a plan does.
func (d *division) String() (s string) {
	for i, p := range d.pieces {
		if i > 0 {
			s += " + "
		}
		s += fmt.Sprintf("%s%v", p.Device, p.Box)
	}
	return s
}

// equal reports whether both are the same pieces.
func (d *division) equal(o *division) bool { return slices.Equal(d.pieces, o.pieces) }

// cut divides the i-th node along a dimension at the ends given, the last of which
// is its extent, each piece on its device; nil where a piece would be empty or its
// device does not execute it.
func (s *store) cut(i, dim int, ends, devs []int) *division {
	if len(ends) == 1 {
		if p := s.whole(i, devs[0]); p != nil {
			return newDivision(p)
		}
		return nil
	}
	ps := make([]*piece, len(ends))
	lo := 0
	for k, hi := range ends {
		if hi <= lo {
			return nil
		}
		if ps[k] = s.piece(i, span{devs[k], dim, tensor.Range{Lo: lo, Hi: hi}}); ps[k] == nil {
			return nil
		}
		lo = hi
	}
	return newDivision(ps...)
}

// dims are the dimensions that the i-th node may be cut along: of N C H W values
// images, channels and rows. A column of the image is like a row, and not tried.
func (s *store) dims(i int) (list []int) {
	nd := s.node(i)
	for d := 0; d <= plan.Rows; d++ {
		if plan.Cuttable(nd, d) && nd.Shape[d] > 1 && nd.Shape[d] < maxExtent {
			list = append(list, d)
		}
	}
	return list
}

// maxLines is how many cuts of a dimension are tried at a time. Where there are more, the
// evenly spaced ones are tried and then, as often as it takes to come to neighbours, so
// many between those beside the best. So every cut of up to 8 rows is tried; of more, the
// best of the evenly spaced ones and of those around it is found, steps of the staircase
// elsewhere are left to moves. With 16 plans of five networks on two machines take from
// 0.4 % less to 3 % more, in a fourth more time (measured).
const maxLines = 7

// lines are at most maxLines cuts above lo and below hi, evenly spaced.
func lines(lo, hi int) (list []int) {
	n := hi - lo - 1
	if n <= maxLines {
		for at := lo + 1; at < hi; at++ {
			list = append(list, at)
		}
		return list
	}
	for k := 1; k <= maxLines; k++ {
		list = append(list, lo+(hi-lo)*k/(maxLines+1))
	}
	return list
}

// choices are the divisions of the i-th node that are worth trying: whole on each
// device, and of its cuts in two those of which no other keeps both devices less
// busy, at most maxFront of a dimension and order of devices; fastest alone first.
func (s *store) choices(i int, o objective) []*division {
	var list []*division
	for dev := range s.ds {
		if p := s.whole(i, dev); p != nil {
			list = append(list, newDivision(p))
		}
	}
	if len(list) == devices && list[0].busy[list[0].pieces[0].dev] > 0 {
		for _, dim := range s.dims(i) {
			for first := range devices {
				list = append(list, front(s.cuts(i, dim, first, o))...)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *division) int { return cmp.Compare(o.alone(a), o.alone(b)) })
	return list
}

// cuts divides the i-th node in two along a dimension wherever lines says, the
// first piece on device first; in the order of the cuts.
func (s *store) cuts(i, dim, first int, o objective) (list []*division) {
	lo, hi := 0, s.node(i).Shape[dim]
	extent := hi
	of := func(at int) *division {
		a, b := span{first, dim, tensor.Range{Lo: 0, Hi: at}}, span{1 - first, dim, tensor.Range{Lo: at, Hi: extent}}
		if first != 0 {
			a, b = b, a
		}
		// Where a part takes as long as the whole, the whole is better. The costs of
		// the GPU, which comes first, are found sooner.
		p, all := s.piece(i, a), s.whole(i, 0)
		if p == nil || p.time >= all.time {
			return nil
		}
		q := s.piece(i, b)
		if q == nil {
			return nil
		}
		if first != 0 {
			p, q = q, p
		}
		return newDivision(p, q)
	}
	for {
		ls := lines(lo, hi)
		best, least := -1, 0.0
		for k, at := range ls {
			if d := of(at); d != nil {
				list = append(list, d)
				if v := o.alone(d); best < 0 || v < least {
					best, least = k, v
				}
			}
		}
		if best < 0 || len(ls) == hi-lo-1 {
			break
		}
		if best > 0 {
			lo = ls[best-1]
		}
		if best < len(ls)-1 {
			hi = ls[best+1]
		}
	}
	slices.SortStableFunc(list, func(a, b *division) int { return cmp.Compare(a.pieces[0].Hi, b.pieces[0].Hi) })
	return slices.CompactFunc(list, (*division).equal)
}

// maxFront bounds what is kept of one dimension and order of devices.
const maxFront = 16

// front keeps of divisions in two those of which no other keeps both devices less
// busy; of too many, evenly spaced ones.
func front(list []*division) []*division {
	slices.SortStableFunc(list, func(a, b *division) int {
		return cmp.Or(cmp.Compare(a.busy[0], b.busy[0]), cmp.Compare(a.busy[1], b.busy[1]))
	})
	var kept []*division
	for _, d := range list {
		if len(kept) == 0 || d.busy[1] < kept[len(kept)-1].busy[1] {
			kept = append(kept, d)
		}
	}
	if n := len(kept); n > maxFront {
		// The balanced one, which is the fastest alone, is always among them.
		even := slices.IndexFunc(kept, func(d *division) bool { return d.busy[0] >= d.busy[1] })
		var few []*division
		for k := range maxFront {
			at := k * (n - 1) / (maxFront - 1)
			few = append(few, kept[at])
		}
		for _, at := range []int{even - 1, even} {
			if at >= 0 && !slices.Contains(few, kept[at]) {
				few = append(few, kept[at])
			}
		}
		return few
	}
	return kept
}
