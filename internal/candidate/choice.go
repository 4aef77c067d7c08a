package candidate

import (
	"cmp"
	"slices"

	"pimflow/internal/tensor"
)

// Points is how many split points of a dimension are tried at a time. Of more, evenly
// spaced ones are tried first, and then as many between the neighbours of the best, until
// these are adjacent. Every split point of up to 8 rows is thus tried; of more rows, other
// steps of the cost's staircase are left to moves. With 16, plans of five networks on two
// machines take from 0.4 % less to 1.1 % more, and the search a fourth more time (measured:
// BenchmarkLimits of package search).
const Points = 7

// points are at most most split points above lo and below hi, evenly spaced.
func points(lo, hi, most int) (list []int) {
	n := hi - lo - 1
	if n <= most {
		for at := lo + 1; at < hi; at++ {
			list = append(list, at)
		}
		return list
	}
	for k := 1; k <= most; k++ {
		list = append(list, lo+(hi-lo)*k/(most+1))
	}
	return list
}

// Choices are the partitions of the i-th node that are worth trying: whole on each device,
// and of its partitions in two those that no other dominates, at most maxFront a dimension
// and order of devices. The fastest alone comes first.
func (s *Store) Choices(i int, o Linear) []*Partition {
	list := s.Wholes(i)
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

// Wholes are the partitions of the i-th node that leave it whole.
func (s *Store) Wholes(i int) (list []*Partition) {
	for lane := range s.Devices {
		if t := s.Whole(i, lane); t != nil {
			list = append(list, NewPartition(t))
		}
	}
	return list
}

// InTwo are all partitions of the i-th node in at most two tiles, the fastest alone first.
func (s *Store) InTwo(i int, o Linear) []*Partition {
	list := s.Wholes(i)
	for _, dim := range s.Dims(i) {
		extent := s.Node(i).Shape[dim]
		for at := 1; at < extent; at++ {
			for pair := range len(s.Devices) * len(s.Devices) {
				if p := s.Cut(i, dim, []int{at, extent}, []int{pair % len(s.Devices), pair / len(s.Devices)}); p != nil {
					list = append(list, p)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *Partition) int { return cmp.Compare(o.Alone(a), o.Alone(b)) })
	return list
}

// CountInTwo is how many partitions the graph has whose nodes are each in at most two
// tiles; +Inf at most.
func (s *Store) CountInTwo() float64 {
	n := 1.0
	for i := range s.Order {
		n *= float64(s.CountOf(i))
	}
	return n
}

// CountOf is how many partitions in at most two tiles the i-th node has.
func (s *Store) CountOf(i int) (n int) {
	devices := len(s.Wholes(i))
	n = devices
	for _, dim := range s.Dims(i) {
		n += (s.Node(i).Shape[dim] - 1) * devices * devices
	}
	return n
}

// cuts are partitions of the i-th node in two along a dimension, the first tile on a lane
// given, in the order of the split points.
func (s *Store) cuts(i, dim, first int, o Linear) (list []*Partition) {
	lo, hi := 0, s.Node(i).Shape[dim]
	extent := hi
	of := func(at int) *Partition {
		a, b := Span{first, dim, tensor.Range{Lo: 0, Hi: at}}, Span{1 - first, dim, tensor.Range{Lo: at, Hi: extent}}
		if first != 0 {
			a, b = b, a
		}
		// If a part takes as long as the whole, the whole is better. Costs of the GPU
		// are found sooner than the PIM's.
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
		ls := points(lo, hi, s.Points)
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

// maxFront is how many partitions are kept of one dimension and order of devices
// (estimated).
const maxFront = 16

// front keeps of partitions in two those that no other dominates in the time of both
// devices; of more than maxFront, evenly spaced ones.
//
// In the literature: the Pareto front.
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
		// The balanced one, the fastest alone, is always among them.
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
