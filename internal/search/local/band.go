package local

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/plan"
)

// lengths are the numbers of nodes of the chains that band takes.
var lengths = []int{2, 3, 4, 5, 6, 8, 12}

// shares are where band cuts the last node of a chain, as fractions of its extent.
var shares = [][]float64{{1. / 2}, {1. / 4}, {3. / 4}, {3. / 8}, {5. / 8}, {1. / 3, 2. / 3}, {1. / 4, 2. / 4, 3. / 4}, {1. / 6, 2. / 6, 3. / 6, 4. / 6, 5. / 6}}

// band cuts the chains that end at a node into bands.
//
// In the literature: fused-layer, or pipelined, tiling.
func band(c *climber, last int) {
	longest := c.chain(last, slices.Max(c.lengths))
	for _, dim := range c.Store.Dims(c.cur.Lo + last) {
		for _, n := range c.lengths {
			if len(longest) < n {
				break
			}
			for cuts := range c.shares {
				c.cutBands(longest[len(longest)-n:], dim, cuts)
			}
		}
	}
}

// chain is up to n nodes of the window that end with last. Each is the latest of the nodes that
// the next one reads, which leaves the longest chain before it.
func (c *climber) chain(last, n int) []int {
	list := []int{last}
	for len(list) < n {
		at := -1
		for _, in := range c.Store.Near(c.cur.Lo+list[len(list)-1], c.cur.Lo) {
			at = max(at, in.Pos-c.cur.Lo)
		}
		if at < 0 {
			break
		}
		list = append(list, at)
	}
	slices.Reverse(list)
	return list
}

// shiftChain moves the split points of a node to ends. Nodes before it that have as many tiles
// along the same dimension follow, as the needs of their readers ask.
func (c *climber) shiftChain(last int, ends []int) {
	d := c.cur.Partitions[last]
	chain := append(make([]int, 0, 8), last)
	for {
		at := -1
		for _, in := range c.Store.Near(c.cur.Lo+chain[len(chain)-1], c.cur.Lo) {
			if j := in.Pos - c.cur.Lo; j >= 0 && c.cur.Partitions[j].Dim() == d.Dim() && len(c.cur.Partitions[j].Tiles) == len(d.Tiles) {
				at = max(at, j)
			}
		}
		if at < 0 {
			break
		}
		chain = append(chain, at)
	}
	if len(chain) == 1 {
		return
	}
	slices.Reverse(chain)
	ids := make([]graph.ID, len(chain))
	for k, i := range chain {
		ids[k] = c.id(i)
	}
	ranges, ok := plan.Bands(c.Store.Graph, ids, d.Dim(), ends[:len(ends)-1], c.Store.Reach)
	if !ok {
		return
	}
	changes := make([]change, 0, len(chain))
	for k, i := range chain {
		_, lanes := c.cutsOf(i)
		d := c.asked.CutIn(c.scratch(k), c.cur.Lo+i, d.Dim(), endsOf(ranges[k]), lanes)
		if d == nil {
			return
		}
		changes = append(changes, change{i, d})
	}
	c.accept(changes...)
}
