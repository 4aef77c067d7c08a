package local

import (
	"math"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// banded divides a chain at shares of the last node's extent, with the patterns of
// devices that are worth trying.
func (h *hill) banded(chain []int, dim int, cut []float64) {
	c := h.bands(chain, dim, cut)
	if c == nil {
		return
	}
	now := worth * h.taken(chain)
	for _, p := range patternsOf(len(chain), len(cut)+1) {
		if c.pick(h, p) && c.busy(h) && c.glance(h.o, h.Store.Launch) <= now && h.try(c.sets()...) {
			now = worth * h.taken(chain)
		}
	}
}

// worth is how much longer a chain may take alone than it does now, for its division to
// be tried. Of divisions that gained, on four plans of networks, 2 % took longer; they are
// two thirds of all (measured).
const worth = 1.25

// taken is what a chain takes in the stretch, from the first start to the last end.
func (h *hill) taken(chain []int) float64 {
	first, last, work := device.Time(math.MaxInt64), device.Time(0), 0.0
	for i, p := range h.cur.Tiles {
		at := p.Pos - h.cur.Lo
		if at < chain[0] || at > chain[len(chain)-1] {
			continue
		}
		for _, k := range chain {
			if k == at {
				first, last, work = min(first, h.cur.Spans[i].Start), max(last, h.cur.Spans[i].End), work+p.Energy
			}
		}
	}
	return h.o.Of(last-first, work)
}

// bands is a chain of nodes in bands.
type bands struct {
	chain []int                                // nodes of the stretch
	on    [][][candidate.Lanes]*candidate.Tile // by node and band: the pieces on each device, nil where that does not execute it
	reads [][]uint64                           // by node and band: which bands of the node before it reads, a bit each
	list  [][]*candidate.Tile                  // by node and band: those that are picked
	ends  [][]device.Time                      // of them, as glance has it
	seen  [][]program.Awaited
}

// bands cuts a chain at shares of the last node's extent; nil where that cannot be.
func (h *hill) bands(chain []int, dim int, cut []float64) *bands {
	ids := make([]graph.ID, len(chain))
	for k, i := range chain {
		ids[k] = h.id(i)
	}
	extent := h.Store.Graph.Nodes[ids[len(ids)-1]].Shape[dim]
	ends := make([]int, len(cut))
	for k, c := range cut {
		ends[k] = int(c*float64(extent) + 0.5)
	}
	ranges, ok := plan.Bands(h.Store.Graph, ids, dim, ends, h.Store.Reach)
	if !ok {
		return nil
	}
	n := len(cut) + 1
	c := &bands{chain: chain}
	for k, i := range chain {
		on, reads := make([][candidate.Lanes]*candidate.Tile, n), make([]uint64, n)
		for b, r := range ranges[k] {
			for dev, able := range h.able[i] {
				if able {
					on[b][dev] = h.Store.Tile(h.cur.Lo+i, candidate.Span{Lane: dev, Dim: dim, Range: r})
				}
			}
			if either(on[b]) == nil {
				return nil
			}
			if k > 0 {
				for a := range n {
					if h.Store.Uses(either(on[b]), either(c.on[k-1][a])) {
						reads[b] |= 1 << a
					}
				}
			}
		}
		c.on, c.reads = append(c.on, on), append(c.reads, reads)
		c.list, c.ends, c.seen = append(c.list, make([]*candidate.Tile, n)), append(c.ends, make([]device.Time, n)), append(c.seen, make([]program.Awaited, n))
	}
	return c
}

// either is a piece on any device, which all read the same.
func either(on [candidate.Lanes]*candidate.Tile) *candidate.Tile {
	if on[0] != nil {
		return on[0]
	}
	return on[1]
}

// pick picks the pieces of a pattern; false where one is not executed.
func (c *bands) pick(h *hill, p pattern) bool {
	for k, i := range c.chain {
		for b := range c.list[k] {
			if c.list[k][b] = c.on[k][b][p(h, i, k, b)]; c.list[k][b] == nil {
				return false
			}
		}
	}
	return true
}

// busy reports whether devices would be busy for less than what is to be bettered.
func (c *bands) busy(h *hill) bool {
	busy := h.least
	for k, i := range c.chain {
		for d, t := range h.cur.Partitions[i].Least {
			busy[d] -= t
		}
		for _, p := range c.list[k] {
			busy[p.Lane] += p.Least()
		}
	}
	return h.o.Of(max(busy[0], busy[1]), 0) < h.value
}

// glance is what the picked pieces take alone, one band after the other through the chain.
func (c *bands) glance(o candidate.Linear, launch candidate.Launch) float64 {
	var now candidate.State
	last, work := device.Time(0), 0.0
	for slot := range len(c.chain) + len(c.list[0]) - 1 {
		for k := range c.chain {
			b := slot - k
			if b < 0 || b >= len(c.list[k]) {
				continue
			}
			p, ready, after := c.list[k][b], device.Time(0), program.Awaited{}
			for a := 0; c.reads[k][b]>>a > 0; a++ {
				if c.reads[k][b]>>a&1 > 0 {
					ready, after = max(ready, c.ends[k-1][a]), after.Max(c.seen[k-1][a])
				}
			}
			c.ends[k][b], c.seen[k][b] = now.Place(launch, p, ready, after)
			last, work = max(last, c.ends[k][b]), work+p.Energy
		}
	}
	return o.Of(last, work)
}

// sets are the picked pieces as divisions of the nodes.
func (c *bands) sets() []set {
	list := make([]set, len(c.chain))
	for k, i := range c.chain {
		list[k] = set{i, candidate.NewPartition(append([]*candidate.Tile{}, c.list[k]...)...)}
	}
	return list
}

// pattern says which device makes band b of node i, the k-th of a chain.
type pattern = func(h *hill, i, k, b int) int

// patternsOf are the patterns that are tried of a chain: all there are where it has few
// pieces. In a chain whose device changes inside, some bands change it and others do not.
func patternsOf(nodes, bands int) []pattern {
	if nodes*bands > fewPieces {
		return patterns
	}
	list := make([]pattern, 1<<(nodes*bands))
	for set := range list {
		list[set] = func(h *hill, i, k, b int) int { return h.or(i, set>>(k*bands+b)&1) }
	}
	return list
}

// fewPieces is up to how many pieces of a chain all patterns are tried. With 8 plans of four
// networks on two machines take from 0.2 % less to 1.7 % more, in half as much time again
// (measured).
const fewPieces = 6

// patterns are those of long chains.
var patterns = []pattern{
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
