package local

import (
	"math"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// cutBands cuts a chain at shares of the last node's extent and tries the patterns of devices
// that are worth it.
func (c *climber) cutBands(chain []int, dim int, cuts []float64) {
	b := c.newBands(chain, dim, cuts)
	if b == nil {
		return
	}
	now := c.Worth * c.spanOf(chain)
	for _, p := range c.patternsOf(len(chain), len(cuts)+1) {
		if b.pick(c, p) && b.fits(c) && b.estimate(c) <= now && c.accept(b.changes()...) {
			now = c.Worth * c.spanOf(chain)
		}
	}
}

// spanOf is the objective of the chain as it is scheduled: from its first start to its last
// end, and its energy.
func (c *climber) spanOf(chain []int) float64 {
	first, last, energy := device.Time(math.MaxInt64), device.Time(0), 0.0
	for i, p := range c.cur.Tiles {
		at := p.Pos - c.cur.Lo
		if at < chain[0] || at > chain[len(chain)-1] {
			continue
		}
		for _, k := range chain {
			if k == at {
				first, last, energy = min(first, c.cur.Spans[i].Start), max(last, c.cur.Spans[i].End), energy+p.Energy
			}
		}
	}
	return c.o.Of(last-first, energy)
}

// bands is a chain of nodes, each cut into as many tiles: band k has the k-th tile of each.
type bands struct {
	chain []int                                // nodes of the window
	on    [][][candidate.Lanes]*candidate.Tile // by node and band: the tile on each device, nil if that does not execute it
	reads [][]uint64                           // by node and band: a bit for each band of the node before that it reads
	tiles [][]*candidate.Tile                  // by node and band: those that are picked
	ends  [][]device.Time                      // their completion times, as estimated
	ended [][]program.VectorClock              // and the steps that have ended then
}

// newBands cuts a chain at shares of the last node's extent; nil if that cannot be.
func (c *climber) newBands(chain []int, dim int, cuts []float64) *bands {
	ids := make([]graph.ID, len(chain))
	for k, i := range chain {
		ids[k] = c.id(i)
	}
	extent := c.Store.Graph.Nodes[ids[len(ids)-1]].Shape[dim]
	ends := make([]int, len(cuts))
	for k, s := range cuts {
		ends[k] = int(s*float64(extent) + 0.5)
	}
	ranges, ok := plan.Bands(c.Store.Graph, ids, dim, ends, c.Store.Reach)
	if !ok {
		return nil
	}
	n := len(cuts) + 1
	b := &bands{chain: chain}
	for k, i := range chain {
		on, reads := make([][candidate.Lanes]*candidate.Tile, n), make([]uint64, n)
		for j, r := range ranges[k] {
			for lane, able := range c.able[i] {
				if able {
					on[j][lane] = c.Store.Tile(c.cur.Lo+i, candidate.Span{Lane: lane, Dim: dim, Range: r})
				}
			}
			if either(on[j]) == nil {
				return nil
			}
			if k > 0 {
				for a := range n {
					if c.Store.Uses(either(on[j]), either(b.on[k-1][a])) {
						reads[j] |= 1 << a
					}
				}
			}
		}
		b.on, b.reads = append(b.on, on), append(b.reads, reads)
		b.tiles, b.ends, b.ended = append(b.tiles, make([]*candidate.Tile, n)), append(b.ends, make([]device.Time, n)), append(b.ended, make([]program.VectorClock, n))
	}
	return b
}

// either is a tile on any device: on all of them it reads the same.
func either(on [candidate.Lanes]*candidate.Tile) *candidate.Tile {
	if on[0] != nil {
		return on[0]
	}
	return on[1]
}

// pick picks the tiles of a pattern; false if a device does not execute one.
func (b *bands) pick(c *climber, p pattern) bool {
	for k, i := range b.chain {
		for j := range b.tiles[k] {
			if b.tiles[k][j] = b.on[k][j][p(c, i, k, j)]; b.tiles[k][j] == nil {
				return false
			}
		}
	}
	return true
}

// fits reports whether the least time that the picked tiles keep the devices busy leaves room
// for a gain.
func (b *bands) fits(c *climber) bool {
	busy := c.least
	for k, i := range b.chain {
		for lane, t := range c.cur.Partitions[i].Least {
			busy[lane] -= t
		}
		for _, p := range b.tiles[k] {
			busy[p.Lane] += p.Least()
		}
	}
	return c.o.Of(max(busy[0], busy[1]), 0) < c.value
}

// estimate is the objective of the picked tiles alone, one band after the other through the
// chain: a software pipeline.
func (b *bands) estimate(c *climber) float64 {
	var now candidate.State
	last, energy := device.Time(0), 0.0
	for slot := range len(b.chain) + len(b.tiles[0]) - 1 {
		for k := range b.chain {
			j := slot - k
			if j < 0 || j >= len(b.tiles[k]) {
				continue
			}
			p, ready, after := b.tiles[k][j], device.Time(0), program.VectorClock{}
			for a := 0; b.reads[k][j]>>a > 0; a++ {
				if b.reads[k][j]>>a&1 > 0 {
					ready, after = max(ready, b.ends[k-1][a]), after.Max(b.ended[k-1][a])
				}
			}
			b.ends[k][j], b.ended[k][j] = now.Place(c.Store.Launch, p, ready, after)
			last, energy = max(last, b.ends[k][j]), energy+p.Energy
		}
	}
	return c.o.Of(last, energy)
}

// changes are the picked tiles as partitions of the nodes.
func (b *bands) changes() []change {
	list := make([]change, len(b.chain))
	for k, i := range b.chain {
		list[k] = change{i, candidate.NewPartition(append([]*candidate.Tile{}, b.tiles[k]...)...)}
	}
	return list
}

// pattern says which device makes band j of node i, the k-th of a chain.
type pattern = func(c *climber, i, k, j int) (lane int)

// patternsOf are the patterns that are tried of a chain of nodes in n bands: all there are if it has few tiles.
// Where the device changes inside a chain, some bands may change it and others not.
func (c *climber) patternsOf(nodes, n int) []pattern {
	if nodes*n > c.AllPatterns {
		return c.patterns
	}
	list := make([]pattern, 1<<(nodes*n))
	for set := range list {
		list[set] = func(c *climber, i, k, j int) int { return c.orOther(i, set>>(k*n+j)&1) }
	}
	return list
}

// patterns are those of long chains: each node on its faster device, nodes in turn, bands in
// turn.
var patterns = []pattern{
	func(c *climber, i, _, _ int) int { return c.fastest[i] },
	func(c *climber, i, k, _ int) int { return c.orOther(i, k%2) },
	func(c *climber, i, k, _ int) int { return c.orOther(i, 1-k%2) },
	func(c *climber, i, _, j int) int { return c.orOther(i, j%2) },
	func(c *climber, i, _, j int) int { return c.orOther(i, 1-j%2) },
}

// orOther is a lane, or the other one if the lane does not execute the node.
func (c *climber) orOther(i, lane int) int {
	if c.able[i][lane] {
		return lane
	}
	return 1 - lane
}
