package local

import (
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// move is a kind of change to a stretch. try makes the changes of its kind at one
// node, one by one, and keeps those that lessen the objective.
type move struct {
	name, about string
	try         func(h *hill, i int)
}

// moves is the table of all changes; the search ends where none of them helps.
var moves = []move{
	{"band", "a chain of nodes in bands, each node or each band on a device of its own", band},
	{"alone", "neighbouring nodes each as it is best alone", alone},
	{"run", "neighbouring nodes all on one device", together},
	{"divide", "a node whole on either device or cut in two elsewhere", divide},
	{"flip", "a piece on the other device", flip},
	{"shift", "a cut elsewhere, alone and together with those of the nodes before that are cut in as many pieces", shift},
	{"join", "two neighbouring pieces as one, on either device", join},
	{"part", "a piece as two, on any devices", part},
	{"follow", "a node cut where a node that reads it is, as Need asks, or that it reads", follow},
	{"swap", "two pieces that follow each other on a device in the other order", swap},
}

// set is a node of a stretch and a division of it.
type set struct {
	i int // in the stretch
	d *candidate.Partition
}

// neighbours is how many nodes alone changes at most.
const neighbours = 8

func alone(h *hill, i int) {
	sets := make([]set, 0, neighbours)
	for k := i; k < min(i+neighbours, len(h.cur.Partitions)); k++ {
		sets = append(sets, set{k, h.choices[h.cur.Lo+k][0]})
		h.try(sets...)
	}
}

func together(h *hill, i int) {
	for dev := range h.Store.Devices {
		sets := make([]set, 0, neighbours)
		for k := i; k < min(i+neighbours, len(h.cur.Partitions)); k++ {
			p := h.Store.Whole(h.cur.Lo+k, dev)
			if p == nil {
				break
			}
			sets = append(sets, set{k, candidate.NewPartition(p)})
			h.try(sets...)
		}
	}
}

func divide(h *hill, i int) {
	for _, d := range h.choices[h.cur.Lo+i] {
		h.try(set{i, d})
	}
}

func flip(h *hill, i int) {
	for k := 0; k < len(h.cur.Partitions[i].Tiles); k++ {
		ends, devs := h.cur.Partitions[i].Cuts()
		devs[k] = 1 - devs[k]
		h.recut(i, h.cur.Partitions[i].Dim(), ends, devs)
	}
}

// steps are how far shift moves a cut.
var steps = []int{-64, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 64}

func shift(h *hill, i int) {
	for k := 0; k < len(h.cur.Partitions[i].Tiles)-1; k++ {
		for _, by := range steps {
			d := h.cur.Partitions[i]
			if k >= len(d.Tiles)-1 {
				break
			}
			ends, devs := d.Cuts()
			if ends[k] += by; ends[k] > d.Tiles[k].Lo && ends[k] < ends[k+1] && !h.recut(i, d.Dim(), ends, devs) {
				h.rechain(i, ends)
			}
		}
	}
}

func join(h *hill, i int) {
	for k := 0; k < len(h.cur.Partitions[i].Tiles)-1; k++ {
		for dev := range h.Store.Devices {
			if k >= len(h.cur.Partitions[i].Tiles)-1 {
				break
			}
			ends, devs := h.cur.Partitions[i].Cuts()
			ends, devs = slices.Delete(ends, k, k+1), slices.Delete(devs, k, k+1)
			devs[k] = dev
			h.recut(i, h.cur.Partitions[i].Dim(), ends, devs)
		}
	}
}

func part(h *hill, i int) {
	for _, dim := range h.Store.Dims(h.cur.Lo + i) {
		for k := 0; k < len(h.cur.Partitions[i].Tiles); k++ {
			for quarter := 1; quarter <= 3; quarter++ {
				for pair := range candidate.Lanes * candidate.Lanes {
					d := h.cur.Partitions[i]
					if dim != d.Dim() && d.Dim() != candidate.Uncut || k >= len(d.Tiles) || len(d.Tiles) >= maxPieces {
						break
					}
					ends, devs := d.Cuts()
					lo, hi := d.Tiles[k].Lo, d.Tiles[k].Hi
					if d.Dim() == candidate.Uncut {
						lo, hi = 0, h.Store.Node(h.cur.Lo + i).Shape[dim]
						ends[0] = hi
					}
					ends = slices.Insert(ends, k, lo+(hi-lo)*quarter/4)
					devs = slices.Insert(devs, k, pair%candidate.Lanes)
					devs[k+1] = pair / candidate.Lanes
					h.recut(i, dim, ends, devs)
				}
			}
		}
	}
}

// maxPieces is in how many pieces part cuts a node, and band a chain.
const maxPieces = 8

func follow(h *hill, i int) {
	for _, in := range h.Store.Reads[h.cur.Lo+i] {
		if j := in.Pos - h.cur.Lo; j >= 0 {
			h.up(j, i)
			h.down(j, i)
		}
	}
}

// up cuts node j as Need asks where node i, which reads it, is cut.
func (h *hill) up(j, i int) {
	d := h.cur.Partitions[i]
	if d.Dim() == candidate.Uncut {
		return
	}
	ends, devs := d.Cuts()
	chain := []graph.ID{h.id(j), h.id(i)}
	if ranges, ok := plan.Bands(h.Store.Graph, chain, d.Dim(), ends[:len(ends)-1], h.Store.Reach); ok {
		h.alike(j, d.Dim(), endsOf(ranges[0]), devs)
	}
}

// down cuts node i, which reads node j, where the first values of each piece of j
// are enough for it.
func (h *hill) down(j, i int) {
	d := h.cur.Partitions[j]
	nd := h.Store.Node(h.cur.Lo + i)
	if dim := d.Dim(); dim == candidate.Uncut || !plan.Cuttable(nd, dim) {
		return
	}
	dim, x := d.Dim(), h.id(j)
	made, devs := d.Cuts()
	var ends []int
	last, extent := 0, nd.Shape[dim]
	for _, end := range made[:len(made)-1] {
		// The largest cut whose first part reads no further than end.
		lo, hi := last, extent
		for lo < hi {
			mid := (lo + hi + 1) / 2
			if h.Store.Reach(h.id(i), x, dim, mid) <= end {
				lo = mid
			} else {
				hi = mid - 1
			}
		}
		if lo <= last || lo >= extent {
			return
		}
		ends, last = append(ends, lo), lo
	}
	h.alike(i, dim, append(ends, extent), devs)
}

// alike cuts a node at ends, its pieces on the devices given, on the others, or all
// on one.
func (h *hill) alike(i, dim int, ends, devs []int) {
	other, zero, one := make([]int, len(devs)), make([]int, len(devs)), make([]int, len(devs))
	for k, d := range devs {
		other[k], one[k] = 1-d, 1
	}
	for _, on := range [][]int{devs, other, zero, one} {
		h.recut(i, dim, ends, on)
	}
}

func swap(h *hill, i int) {
	for _, p := range h.cur.Partitions[i].Tiles {
		at := slices.Index(h.cur.Tiles, p)
		for j := at + 1; j < len(h.cur.Tiles); j++ {
			q := h.cur.Tiles[j]
			if h.Store.Uses(q, p) {
				break // and so does what follows
			}
			if q.Lane == p.Lane {
				if h.cur.Spans[j].Start <= h.cur.Spans[at].End { // it waits for nothing else
					h.swapped(at, j)
				}
				break
			}
		}
	}
}

// swapped puts the j-th piece of the list before the i-th.
func (h *hill) swapped(i, j int) {
	q := h.cur.Tiles[j]
	for _, p := range h.cur.Tiles[i:j] {
		if h.Store.Uses(q, p) {
			return
		}
	}
	list := slices.Insert(slices.Delete(slices.Clone(h.cur.Tiles), j, j+1), i, q)
	if h.o.Cost(h.Evaluate(h.cur, h.links, list)) >= h.value {
		return
	}
	if t := h.Store.NewWindow(h.cur.Lo, h.cur.Partitions, list); h.o.Cost(t) < h.value {
		h.adopt(t)
		h.look(q.Pos - h.cur.Lo)
	}
}

func endsOf(rs []tensor.Range) (ends []int) {
	for _, r := range rs {
		ends = append(ends, r.Hi)
	}
	return ends
}
