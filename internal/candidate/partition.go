package candidate

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
type Partition struct {
	Tiles  []*Tile
	Busy   [Lanes]device.Time // that each device works
	Fused  [Lanes]device.Time // of that, where all of it is launched with what is before
	Energy float64            // pJ, without standby
}

// devices is how many devices a machine has at most; they are numbered as lanes.
const Lanes = program.Lanes

func NewPartition(ps ...*Tile) *Partition {
	d := &Partition{Tiles: ps}
	for _, p := range ps {
		d.Busy[p.Lane] += p.Time
		d.Fused[p.Lane] += p.Fused
		d.Energy += p.Energy
	}
	return d
}

// dim is the dimension that is cut; whole where none is.
func (d *Partition) Dim() int { return d.Tiles[0].Dim }

// kind is gpu, pim or split.
func (d *Partition) Kind() string {
	for _, p := range d.Tiles {
		if p.Device != d.Tiles[0].Device {
			return "split"
		}
	}
	return d.Tiles[0].Device
}

// onPIM reports whether any piece is on the PIM.
func (d *Partition) OnPIM() bool {
	return slices.ContainsFunc(d.Tiles, func(p *Tile) bool { return p.Device == plan.PIM })
}

// String prints the pieces as a plan does.
func (d *Partition) String() (s string) {
	for i, p := range d.Tiles {
		if i > 0 {
			s += " + "
		}
		s += fmt.Sprintf("%s%v", p.Device, p.Box)
	}
	return s
}

// equal reports whether both are the same pieces.
func (d *Partition) Equal(o *Partition) bool { return slices.Equal(d.Tiles, o.Tiles) }

// cut divides the i-th node along a dimension at the ends given, the last of which
// is its extent, each piece on its device; nil where a piece would be empty or its
// device does not execute it.
func (s *Store) Cut(i, dim int, ends, devs []int) *Partition {
	if len(ends) == 1 {
		if p := s.Whole(i, devs[0]); p != nil {
			return NewPartition(p)
		}
		return nil
	}
	ps := make([]*Tile, len(ends))
	lo := 0
	for k, hi := range ends {
		if hi <= lo {
			return nil
		}
		if ps[k] = s.Tile(i, Span{devs[k], dim, tensor.Range{Lo: lo, Hi: hi}}); ps[k] == nil {
			return nil
		}
		lo = hi
	}
	return NewPartition(ps...)
}

// dims are the dimensions that the i-th node may be cut along: of N C H W values
// images, channels and rows. A column of the image is like a row, and not tried.
func (s *Store) Dims(i int) (list []int) {
	nd := s.Node(i)
	for d := 0; d <= plan.Rows; d++ {
		if plan.Cuttable(nd, d) && nd.Shape[d] > 1 && nd.Shape[d] < MaxExtent {
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
func (s *Store) Choices(i int, o Linear) []*Partition {
	var list []*Partition
	for dev := range s.Devices {
		if p := s.Whole(i, dev); p != nil {
			list = append(list, NewPartition(p))
		}
	}
	if len(list) == Lanes && list[0].Busy[list[0].Tiles[0].Lane] > 0 {
		for _, dim := range s.Dims(i) {
			for first := range Lanes {
				list = append(list, front(s.cuts(i, dim, first, o))...)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *Partition) int { return cmp.Compare(o.Alone(a), o.Alone(b)) })
	return list
}

// cuts divides the i-th node in two along a dimension wherever lines says, the
// first piece on device first; in the order of the cuts.
func (s *Store) cuts(i, dim, first int, o Linear) (list []*Partition) {
	lo, hi := 0, s.Node(i).Shape[dim]
	extent := hi
	of := func(at int) *Partition {
		a, b := Span{first, dim, tensor.Range{Lo: 0, Hi: at}}, Span{1 - first, dim, tensor.Range{Lo: at, Hi: extent}}
		if first != 0 {
			a, b = b, a
		}
		// Where a part takes as long as the whole, the whole is better. The costs of
		// the GPU, which comes first, are found sooner.
		p, all := s.Tile(i, a), s.Whole(i, 0)
		if p == nil || p.Time >= all.Time {
			return nil
		}
		q := s.Tile(i, b)
		if q == nil {
			return nil
		}
		if first != 0 {
			p, q = q, p
		}
		return NewPartition(p, q)
	}
	for {
		ls := lines(lo, hi)
		best, least := -1, 0.0
		for k, at := range ls {
			if d := of(at); d != nil {
				list = append(list, d)
				if v := o.Alone(d); best < 0 || v < least {
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
	slices.SortStableFunc(list, func(a, b *Partition) int { return cmp.Compare(a.Tiles[0].Hi, b.Tiles[0].Hi) })
	return slices.CompactFunc(list, (*Partition).Equal)
}

// maxFront bounds what is kept of one dimension and order of devices.
const maxFront = 16

// front keeps of divisions in two those of which no other keeps both devices less
// busy; of too many, evenly spaced ones.
func front(list []*Partition) []*Partition {
	slices.SortStableFunc(list, func(a, b *Partition) int {
		return cmp.Or(cmp.Compare(a.Busy[0], b.Busy[0]), cmp.Compare(a.Busy[1], b.Busy[1]))
	})
	var kept []*Partition
	for _, d := range list {
		if len(kept) == 0 || d.Busy[1] < kept[len(kept)-1].Busy[1] {
			kept = append(kept, d)
		}
	}
	if n := len(kept); n > maxFront {
		// The balanced one, which is the fastest alone, is always among them.
		even := slices.IndexFunc(kept, func(d *Partition) bool { return d.Busy[0] >= d.Busy[1] })
		var few []*Partition
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

// cuts are where the pieces end, and the devices they are on; both are copies.
func (d *Partition) Cuts() (ends, devs []int) {
	for _, p := range d.Tiles {
		ends, devs = append(ends, p.Hi), append(devs, p.Lane)
	}
	return ends, devs
}
