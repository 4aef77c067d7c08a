package local

import (
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// cutBands cuts a chain at shares of the last node's extent, cuts of the table, and tries the
// patterns of devices that are worth it.
func (c *climber) cutBands(chain []int, dim, cuts int) {
	of := c.bandings.of(c, chain, dim, cuts)
	if of.on == nil {
		return
	}
	b := &c.bands
	b.begin(of, chain)
	now, busy := c.Worth*c.spanOf(chain), b.others(c)
	hopeless := func(x *load) bool {
		if x.missing > 0 || c.o.Of(max(busy[0]+x.least[0], busy[1]+x.least[1]), 0) >= c.value || c.o.Of(max(x.least[0], x.least[1]), 0) > now {
			c.steps += len(chain) * of.bands
			return true
		}
		return false
	}
	c.patternsOf(chain, of.bands, b.loadsOf(c), hopeless, func(p pattern) (took work, accepted bool) {
		took = work{c.trials, c.Scheduled}
		c.steps += len(chain) * of.bands
		if accepted = b.pick(c, p) && b.fits(c) && b.estimate(c) <= now && c.accept(b.changes()...); accepted {
			now, busy = c.Worth*c.spanOf(chain), b.others(c)
			return work{}, true
		}
		return work{c.trials - took.trials, c.Scheduled - took.placed}, false
	})
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

// banding is a chain of nodes, each cut into as many tiles: band k has the k-th tile of each.
type banding struct {
	once  sync.Once
	asked *candidate.Asked // what its tiles were asked of
	bands int
	// By node and band, a node's after those of the node before: the tile on each device, nil if that does not execute it. nil if
	// the chain cannot be cut so.
	on    [][candidate.Lanes]*candidate.Tile
	reads []uint64 // as on: a bit for each band of the node before that it reads
}

// bandings remembers the bandings of chains, which climbers of many windows ask for: by the position of a chain's last node, then
// by length, dimension and shares.
type bandings []atomic.Pointer[[]atomic.Pointer[banding]]

// of is the banding of a chain of a climber's window.
func (m bandings) of(c *climber, chain []int, dim, cuts int) *banding {
	ending := &m[c.cur.Lo+chain[len(chain)-1]]
	list := ending.Load()
	if list == nil {
		ending.CompareAndSwap(nil, new(make([]atomic.Pointer[banding], len(c.lengths)*(plan.Rows+1)*len(c.shares))))
		list = ending.Load()
	}
	at := &(*list)[(slices.Index(c.lengths, len(chain))*(plan.Rows+1)+dim)*len(c.shares)+cuts]
	b := at.Load()
	if b == nil {
		at.CompareAndSwap(nil, &banding{})
		b = at.Load()
	}
	b.once.Do(func() { b.cut(c, chain, dim, c.shares[cuts]) })
	if b.asked != nil {
		c.asked.Join(b.asked)
	}
	return b
}

// cut cuts a chain at shares of the last node's extent.
func (b *banding) cut(c *climber, chain []int, dim int, cuts []float64) {
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
		return
	}
	n := len(cuts) + 1
	tiles, reads := make([][candidate.Lanes]*candidate.Tile, len(chain)*n), make([]uint64, len(chain)*n)
	b.asked = c.Store.List()
	for k, i := range chain {
		for j, r := range ranges[k] {
			on := &tiles[k*n+j]
			for lane, able := range c.able[i] {
				if able {
					on[lane] = b.asked.Tile(c.cur.Lo+i, candidate.Span{Lane: lane, Dim: dim, Range: r})
				}
			}
			if either(*on) == nil {
				return
			}
			if k > 0 {
				for a := range n {
					if c.Store.Uses(either(*on), either(tiles[(k-1)*n+a])) {
						reads[k*n+j] |= 1 << a
					}
				}
			}
		}
	}
	b.bands, b.on, b.reads = n, tiles, reads
}

// bands is a banding whose tiles are picked. Each climber has its own, whose memory serves for one
// banding after the other.
type bands struct {
	*banding
	chain []int                   // nodes of the window
	tiles [][]*candidate.Tile     // by node and band: those that are picked
	ends  [][]device.Time         // their completion times, as estimated
	ended [][]program.VectorClock // and the steps that have ended then
	loads []load
	parts []candidate.Partition // the picked tiles
	list  []change
}

// load is the least time that tiles of a banding keep the devices busy: a tile for each node and band.
type load struct {
	least   [candidate.Lanes]device.Time
	missing int // tiles that a device does not execute
}

// add adds a tile, nil for a missing one, so many times.
func (x *load) add(t *candidate.Tile, times int) {
	if t == nil {
		x.missing += times
		return
	}
	x.least[t.Lane] += device.Time(times) * t.Least()
}

// loadsOf are the loads of all assignments of the tiles to devices, if they are few (AllPatterns). A bit of the number of an
// assignment is the lane of a tile.
func (b *bands) loadsOf(c *climber) []load {
	b.loads = b.loads[:0]
	m := len(b.on)
	if m > c.AllPatterns {
		return nil
	}
	first := load{}
	for x, on := range b.on {
		first.add(on[c.orOther(b.chain[x/b.bands], 0)], 1)
	}
	b.loads = append(b.loads, first)
	for set := 1; set < 1<<m; set++ {
		x := bits.TrailingZeros(uint(set))
		on, i, l := b.on[x], b.chain[x/b.bands], b.loads[set&(set-1)]
		l.add(on[c.orOther(i, 0)], -1)
		l.add(on[c.orOther(i, 1)], 1)
		b.loads = append(b.loads, l)
	}
	return b.loads
}

// others is the least time that the tiles of the nodes that are not in the chain keep the devices busy.
func (b *bands) others(c *climber) [candidate.Lanes]device.Time {
	busy := c.least
	for _, i := range b.chain {
		for lane, t := range c.cur.Partitions[i].Least {
			busy[lane] -= t
		}
	}
	return busy
}

// begin takes a banding of a chain.
func (b *bands) begin(of *banding, chain []int) {
	b.banding, b.chain = of, chain
	b.tiles, b.ends, b.ended = rows(b.tiles, len(chain), of.bands), rows(b.ends, len(chain), of.bands), rows(b.ended, len(chain), of.bands)
}

// rows is so many rows of n values each, in the memory of others where they have room. What the
// values are is not said.
func rows[T any](old [][]T, many, n int) [][]T {
	for len(old) < many {
		old = append(old, nil)
	}
	for i := range many {
		if cap(old[i]) < n {
			old[i] = make([]T, n)
		}
		old[i] = old[i][:n]
	}
	return old
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
			if b.tiles[k][j] = b.on[k*b.bands+j][p(c, i, k, j)]; b.tiles[k][j] == nil {
				return false
			}
		}
	}
	return true
}

// fits reports whether the least time that the picked tiles keep the devices busy leaves room
// for a gain.
func (b *bands) fits(c *climber) bool {
	busy := b.others(c)
	for k := range b.chain {
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
			for reads := b.reads[k*b.bands+j]; reads > 0; reads &= reads - 1 {
				a := bits.TrailingZeros64(reads)
				ready, after = max(ready, b.ends[k-1][a]), after.Max(b.ended[k-1][a])
			}
			b.ends[k][j], b.ended[k][j] = now.Place(c.Store.Launch, p, ready, after)
			last, energy = max(last, b.ends[k][j]), energy+p.Energy
		}
	}
	return c.o.Of(last, energy)
}

// changes are the picked tiles as partitions of the nodes, until others are picked.
func (b *bands) changes() []change {
	b.list = b.list[:0]
	for len(b.parts) < len(b.chain) {
		b.parts = append(b.parts, candidate.Partition{})
	}
	for k, i := range b.chain {
		b.parts[k].Set(b.tiles[k])
		b.list = append(b.list, change{i, &b.parts[k]})
	}
	return b.list
}

// pattern says which device makes band j of node i, the k-th of a chain.
type pattern = func(c *climber, i, k, j int) (lane int)

// work is what the limits of a climber count: schedules, and tiles that were to be placed.
type work struct{ trials, placed int }

// repeat counts work that is known to change nothing as done: limits mean the same with it and without.
func (c *climber) repeat(w work) {
	if c.trials <= c.maxTrials {
		c.trials, c.Scheduled = c.trials+w.trials, c.Scheduled+w.placed
	}
}

// patternsOf tries the patterns of a chain in n bands: all there are if it has few tiles. Where the device changes inside a
// chain, some bands may change it and others not. Of patterns that pick the same tiles, the first is tried, and the next ones
// again only after another was accepted. loads has the loads of all patterns if they are few; a hopeless one is not tried.
func (c *climber) patternsOf(chain []int, n int, loads []load, hopeless func(*load) bool, try func(pattern) (took work, accepted bool)) {
	choice := func(i int) bool { return c.able[i][0] && c.able[i][1] }
	if len(chain)*n > c.AllPatterns {
		same := !slices.ContainsFunc(chain, choice)
		first := work{}
		for k, p := range c.patterns {
			if k > 0 && same {
				c.repeat(first)
			} else {
				first, _ = try(p)
			}
		}
		return
	}
	only := 0 // tiles that one device makes, as bits
	for k, i := range chain {
		if !choice(i) {
			only |= (1<<n - 1) << (k * n)
		}
	}
	last := 0 // the pattern that was accepted last
	c.took = append(c.took[:0], make([]work, 1<<(len(chain)*n))...)
	set := 0
	assignment := func(c *climber, i, k, j int) int { return c.orOther(i, set>>(k*n+j)&1) }
	for set = range c.took {
		if set&only != 0 && set&^only >= last {
			c.repeat(c.took[set&^only])
			continue
		}
		if hopeless(&loads[set]) {
			continue
		}
		var accepted bool
		if c.took[set], accepted = try(assignment); accepted {
			last = set
		}
	}
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
