package local

import (
	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// chainLengths are the numbers of nodes of the chains that band takes.
var chainLengths = []int{2, 3, 4, 5, 6, 8, 12}

// shares are where band cuts the last node of a chain, in parts of its extent.
var shares = [][]float64{{1. / 2}, {1. / 4}, {3. / 4}, {3. / 8}, {5. / 8}, {1. / 3, 2. / 3}, {1. / 4, 2. / 4, 3. / 4}, {1. / 6, 2. / 6, 3. / 6, 4. / 6, 5. / 6}}

// band divides the chains that end at a node in bands.
func band(h *hill, last int) {
	for _, dim := range h.Store.Dims(h.cur.Lo + last) {
		for _, n := range chainLengths {
			chain := h.chain(last, n)
			if len(chain) < n {
				break
			}
			for _, cut := range shares {
				h.banded(chain, dim, cut)
			}
		}
	}
}

// chain is up to n nodes of the stretch that end with last, each read by the next:
// the latest of those that it reads, which leaves the longest way before it.
func (h *hill) chain(last, n int) []int {
	list := []int{last}
	for len(list) < n {
		at := -1
		for _, in := range h.Store.Reads[h.cur.Lo+list[0]] {
			at = max(at, in.Pos-h.cur.Lo)
		}
		if at < 0 {
			break
		}
		list = append([]int{at}, list...)
	}
	return list
}

// rechain moves the cuts of a node to ends, and those of the nodes before it that
// are cut in as many pieces along the same dimension to what Need then asks for.
func (h *hill) rechain(last int, ends []int) {
	d := h.cur.Partitions[last]
	chain := []int{last}
	for {
		at := -1
		for _, in := range h.Store.Reads[h.cur.Lo+chain[0]] {
			if j := in.Pos - h.cur.Lo; j >= 0 && h.cur.Partitions[j].Dim() == d.Dim() && len(h.cur.Partitions[j].Tiles) == len(d.Tiles) {
				at = max(at, j)
			}
		}
		if at < 0 {
			break
		}
		chain = append([]int{at}, chain...)
	}
	if len(chain) == 1 {
		return
	}
	ids := make([]graph.ID, len(chain))
	for k, i := range chain {
		ids[k] = h.id(i)
	}
	ranges, ok := plan.Bands(h.Store.Graph, ids, d.Dim(), ends[:len(ends)-1], h.Store.Reach)
	if !ok {
		return
	}
	var sets []set
	for k, i := range chain {
		_, devs := h.cur.Partitions[i].Cuts()
		d := h.Store.Cut(h.cur.Lo+i, d.Dim(), endsOf(ranges[k]), devs)
		if d == nil {
			return
		}
		sets = append(sets, set{i, d})
	}
	h.try(sets...)
}
