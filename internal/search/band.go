package search

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// chainLengths are the numbers of nodes of the chains that band takes.
var chainLengths = []int{2, 3, 4, 5, 6, 8, 12}

// shares are where band cuts the last node of a chain, in parts of its extent.
var shares = [][]float64{{1. / 2}, {1. / 4}, {3. / 4}, {3. / 8}, {5. / 8}, {1. / 3, 2. / 3}, {1. / 4, 2. / 4, 3. / 4}, {1. / 6, 2. / 6, 3. / 6, 4. / 6, 5. / 6}}

// band divides the chains that end at a node in bands.
func band(h *hill, last int) {
	for _, dim := range h.s.dims(h.cur.lo + last) {
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
		for _, in := range h.s.reads[h.cur.lo+list[0]] {
			at = max(at, in.at-h.cur.lo)
		}
		if at < 0 {
			break
		}
		list = append([]int{at}, list...)
	}
	return list
}

// banded divides a chain at shares of the last node's extent, with the patterns of
// devices that are worth trying.
func (h *hill) banded(chain []int, dim int, cut []float64) {
	ids := make([]graph.ID, len(chain))
	for k, i := range chain {
		ids[k] = h.id(i)
	}
	extent := h.s.g.Nodes[ids[len(ids)-1]].Shape[dim]
	ends := make([]int, len(cut))
	for k, c := range cut {
		ends[k] = int(c*float64(extent) + 0.5)
	}
	ranges, ok := plan.Bands(h.s.g, ids, dim, ends, h.s.reachOf)
	if !ok {
		return
	}
	// Both devices' pieces, looked up once for all patterns.
	on := make([][][devices]*piece, len(chain))
	for k, i := range chain {
		on[k] = make([][devices]*piece, len(ranges[k]))
		for b, r := range ranges[k] {
			for dev, able := range h.able[i] {
				if able {
					on[k][b][dev] = h.s.piece(h.cur.lo+i, span{dev, dim, r})
				}
			}
		}
	}
	for _, pattern := range patterns {
		busy := h.cur.busy
		for k, i := range chain {
			for d, t := range h.cur.divs[i].busy {
				busy[d] -= t
			}
			for b := range on[k] {
				if p := on[k][b][pattern(h, i, k, b)]; p != nil {
					busy[p.dev] += p.time
				}
			}
		}
		if h.o.of(max(busy[0], busy[1]), 0) >= h.value {
			continue // as most: not worth the divisions
		}
		sets := make([]set, len(chain))
		for k, i := range chain {
			ps := make([]*piece, len(on[k]))
			for b := range ps {
				ps[b] = on[k][b][pattern(h, i, k, b)]
			}
			if slices.Contains(ps, nil) {
				sets = nil
				break
			}
			sets[k] = set{i, newDivision(ps...)}
		}
		if sets != nil {
			h.try(sets...)
		}
	}
}

// patterns say which device makes band b of node i, the k-th of a chain.
var patterns = []func(h *hill, i, k, b int) int{
	func(h *hill, i, _, _ int) int { return h.fast[i] },
	func(h *hill, i, k, _ int) int { return h.or(i, k%2) },
	func(h *hill, i, k, _ int) int { return h.or(i, 1-k%2) },
	func(h *hill, i, _, b int) int { return h.or(i, b%2) },
	func(h *hill, i, _, b int) int { return h.or(i, 1-b%2) },
}

// or is dev, or the other device where dev does not execute the node.
func (h *hill) or(i, dev int) int {
	if h.able[i][dev] {
		return dev
	}
	return 1 - dev
}

// rechain moves the cuts of a node to ends, and those of the nodes before it that
// are cut in as many pieces along the same dimension to what Need then asks for.
func (h *hill) rechain(last int, ends []int) {
	d := h.cur.divs[last]
	chain := []int{last}
	for {
		at := -1
		for _, in := range h.s.reads[h.cur.lo+chain[0]] {
			if j := in.at - h.cur.lo; j >= 0 && h.cur.divs[j].dim() == d.dim() && len(h.cur.divs[j].pieces) == len(d.pieces) {
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
	ranges, ok := plan.Bands(h.s.g, ids, d.dim(), ends[:len(ends)-1], h.s.reachOf)
	if !ok {
		return
	}
	var sets []set
	for k, i := range chain {
		_, devs := h.cur.divs[i].cuts()
		d := h.s.cut(h.cur.lo+i, d.dim(), endsOf(ranges[k]), devs)
		if d == nil {
			return
		}
		sets = append(sets, set{i, d})
	}
	h.try(sets...)
}
