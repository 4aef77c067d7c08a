package search

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
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
	d *division
}

// neighbours is how many nodes alone changes at most.
const neighbours = 8

func alone(h *hill, i int) {
	sets := make([]set, 0, neighbours)
	for k := i; k < min(i+neighbours, len(h.cur.divs)); k++ {
		sets = append(sets, set{k, h.choices[h.cur.lo+k][0]})
		h.try(sets...)
	}
}

func together(h *hill, i int) {
	for dev := range h.s.ds {
		sets := make([]set, 0, neighbours)
		for k := i; k < min(i+neighbours, len(h.cur.divs)); k++ {
			p := h.s.whole(h.cur.lo+k, dev)
			if p == nil {
				break
			}
			sets = append(sets, set{k, newDivision(p)})
			h.try(sets...)
		}
	}
}

func divide(h *hill, i int) {
	for _, d := range h.choices[h.cur.lo+i] {
		h.try(set{i, d})
	}
}

func flip(h *hill, i int) {
	for k := 0; k < len(h.cur.divs[i].pieces); k++ {
		ends, devs := h.cur.divs[i].cuts()
		devs[k] = 1 - devs[k]
		h.recut(i, h.cur.divs[i].dim(), ends, devs)
	}
}

// steps are how far shift moves a cut.
var steps = []int{-64, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 64}

func shift(h *hill, i int) {
	for k := 0; k < len(h.cur.divs[i].pieces)-1; k++ {
		for _, by := range steps {
			d := h.cur.divs[i]
			if k >= len(d.pieces)-1 {
				break
			}
			ends, devs := d.cuts()
			if ends[k] += by; ends[k] > d.pieces[k].Lo && ends[k] < ends[k+1] && !h.recut(i, d.dim(), ends, devs) {
				h.rechain(i, ends)
			}
		}
	}
}

func join(h *hill, i int) {
	for k := 0; k < len(h.cur.divs[i].pieces)-1; k++ {
		for dev := range h.s.ds {
			if k >= len(h.cur.divs[i].pieces)-1 {
				break
			}
			ends, devs := h.cur.divs[i].cuts()
			ends, devs = slices.Delete(ends, k, k+1), slices.Delete(devs, k, k+1)
			devs[k] = dev
			h.recut(i, h.cur.divs[i].dim(), ends, devs)
		}
	}
}

func part(h *hill, i int) {
	for _, dim := range h.s.dims(h.cur.lo + i) {
		for k := 0; k < len(h.cur.divs[i].pieces); k++ {
			for quarter := 1; quarter <= 3; quarter++ {
				for pair := range devices * devices {
					d := h.cur.divs[i]
					if dim != d.dim() && d.dim() != whole || k >= len(d.pieces) || len(d.pieces) >= maxPieces {
						break
					}
					ends, devs := d.cuts()
					lo, hi := d.pieces[k].Lo, d.pieces[k].Hi
					if d.dim() == whole {
						lo, hi = 0, h.s.node(h.cur.lo + i).Shape[dim]
						ends[0] = hi
					}
					ends = slices.Insert(ends, k, lo+(hi-lo)*quarter/4)
					devs = slices.Insert(devs, k, pair%devices)
					devs[k+1] = pair / devices
					h.recut(i, dim, ends, devs)
				}
			}
		}
	}
}

// maxPieces is in how many pieces part cuts a node, and band a chain.
const maxPieces = 8

func follow(h *hill, i int) {
	for _, in := range h.s.reads[h.cur.lo+i] {
		if j := in.at - h.cur.lo; j >= 0 {
			h.up(j, i)
			h.down(j, i)
		}
	}
}

// up cuts node j as Need asks where node i, which reads it, is cut.
func (h *hill) up(j, i int) {
	d := h.cur.divs[i]
	if d.dim() == whole {
		return
	}
	ends, devs := d.cuts()
	chain := []graph.ID{h.id(j), h.id(i)}
	if ranges, ok := plan.Bands(h.s.g, chain, d.dim(), ends[:len(ends)-1], h.s.reachOf); ok {
		h.alike(j, d.dim(), endsOf(ranges[0]), devs)
	}
}

// down cuts node i, which reads node j, where the first values of each piece of j
// are enough for it.
func (h *hill) down(j, i int) {
	d := h.cur.divs[j]
	nd := h.s.node(h.cur.lo + i)
	if dim := d.dim(); dim == whole || !plan.Cuttable(nd, dim) {
		return
	}
	dim, x := d.dim(), h.id(j)
	made, devs := d.cuts()
	var ends []int
	last, extent := 0, nd.Shape[dim]
	for _, end := range made[:len(made)-1] {
		// The largest cut whose first part reads no further than end.
		lo, hi := last, extent
		for lo < hi {
			mid := (lo + hi + 1) / 2
			if h.s.reachOf(h.id(i), x, dim, mid) <= end {
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
	for _, p := range h.cur.divs[i].pieces {
		at := slices.Index(h.cur.list, p)
		for j := at + 1; j < len(h.cur.list); j++ {
			q := h.cur.list[j]
			if h.s.uses(q, p) {
				break // and so does what follows
			}
			if q.dev == p.dev {
				if h.cur.spans[j].Start <= h.cur.spans[at].End { // it waits for nothing else
					h.swapped(at, j)
				}
				break
			}
		}
	}
}

// swapped puts the j-th piece of the list before the i-th.
func (h *hill) swapped(i, j int) {
	q := h.cur.list[j]
	for _, p := range h.cur.list[i:j] {
		if h.s.uses(q, p) {
			return
		}
	}
	list := slices.Insert(slices.Delete(slices.Clone(h.cur.list), j, j+1), i, q)
	if h.o.cost(h.followed(list)) >= h.value {
		return
	}
	if t := h.s.newStretch(h.cur.lo, h.cur.divs, list); h.o.cost(t) < h.value {
		h.adopt(t)
		h.look(q.at - h.cur.lo)
	}
}

// followed is what the stretch's pieces take in another order, where nothing but
// their order holds them up.
func (h *hill) followed(list []*piece) *stretch {
	t := &stretch{work: h.cur.work, busy: h.cur.busy}
	h.first = h.first[:0]
	n := int32(0)
	for _, d := range h.cur.divs {
		h.first = append(h.first, n)
		n += int32(len(d.pieces))
	}
	h.done, h.seen = sized(h.done, int(n)), sized(h.seen, int(n))
	var c clock
	for _, p := range list {
		node := p.at - h.cur.lo
		k := slices.Index(h.cur.divs[node].pieces, p)
		l, ready, after := &h.links[node], device.Time(0), program.Awaited{}
		for _, to := range l.to[l.at[k]:l.at[k+1]] {
			j := h.first[to.node] + to.piece
			ready, after = max(ready, h.done[j]), after.Max(h.seen[j])
		}
		at := h.first[node] + int32(k)
		h.done[at], h.seen[at] = c.place(p, ready, after)
		t.time = max(t.time, h.done[at])
	}
	h.sumEnds(t, h.cur.divs)
	return t
}

// cuts are where the pieces end, and the devices they are on; both are copies.
func (d *division) cuts() (ends, devs []int) {
	for _, p := range d.pieces {
		ends, devs = append(ends, p.Hi), append(devs, p.dev)
	}
	return ends, devs
}

func endsOf(rs []tensor.Range) (ends []int) {
	for _, r := range rs {
		ends = append(ends, r.Hi)
	}
	return ends
}
