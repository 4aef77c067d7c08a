package local

import (
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// move is a neighbourhood of a window: changes of one kind at a node. apply tries them one by
// one and keeps those that lessen the objective.
type move struct {
	name, about string
	apply       func(c *climber, i int)
}

// moves is the table of all neighbourhoods; the search ends in a local optimum of all of them.
// Their order decides which optimum that is.
var moves = []move{
	{"band", "a chain of nodes in bands, each node or each band on a device of its own", band},
	{"alone", "neighbouring nodes each as it is best alone", alone},
	{"run", "neighbouring nodes all on one device", sameDevice},
	{"divide", "a node whole on either device or cut in two elsewhere", divide},
	{"flip", "a tile on the other device", flip},
	{"shift", "a split point elsewhere, alone and together with those of the nodes before that have as many tiles", shift},
	{"join", "two neighbouring tiles as one, on either device", merge},
	{"part", "a tile as two, on any devices", splitTile},
	{"follow", "a node cut where a node that reads it is, as Need asks, or that it reads", follow},
	{"swap", "two tiles that follow each other on a device in the other order", swap},
}

// change is a node of the window and its new partition.
type change struct {
	node int // in the window
	to   *candidate.Partition
}

// maxNeighbours is how many nodes alone and run change at most (estimated).
const maxNeighbours = 8

func alone(c *climber, i int) {
	changes := make([]change, 0, maxNeighbours)
	for k := i; k < min(i+maxNeighbours, len(c.cur.Partitions)); k++ {
		changes = append(changes, change{k, c.choices[c.cur.Lo+k][0]})
		c.accept(changes...)
	}
}

func sameDevice(c *climber, i int) {
	for lane := range c.Store.Devices {
		changes := make([]change, 0, maxNeighbours)
		for k := i; k < min(i+maxNeighbours, len(c.cur.Partitions)); k++ {
			p := c.asked.Whole(c.cur.Lo+k, lane)
			if p == nil {
				break
			}
			changes = append(changes, change{k, candidate.NewPartition(p)})
			c.accept(changes...)
		}
	}
}

func divide(c *climber, i int) {
	for _, d := range c.choices[c.cur.Lo+i] {
		c.accept(change{i, d})
	}
}

func flip(c *climber, i int) {
	for k := 0; k < len(c.cur.Partitions[i].Tiles); k++ {
		ends, lanes := c.cutsOf(i)
		lanes[k] = 1 - lanes[k]
		c.repartition(i, c.cur.Partitions[i].Dim(), ends, lanes)
	}
}

// offsets are how far shift moves a split point.
var offsets = []int{-64, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 64}

func shift(c *climber, i int) {
	for k := 0; k < len(c.cur.Partitions[i].Tiles)-1; k++ {
		for _, by := range c.offsets {
			d := c.cur.Partitions[i]
			if k >= len(d.Tiles)-1 {
				break
			}
			ends, lanes := c.cutsOf(i)
			if ends[k] += by; ends[k] > d.Tiles[k].Lo && ends[k] < ends[k+1] && !c.repartition(i, d.Dim(), ends, lanes) {
				c.shiftChain(i, ends)
			}
		}
	}
}

func merge(c *climber, i int) {
	for k := 0; k < len(c.cur.Partitions[i].Tiles)-1; k++ {
		for lane := range c.Store.Devices {
			if k >= len(c.cur.Partitions[i].Tiles)-1 {
				break
			}
			ends, lanes := c.cutsOf(i)
			ends, lanes = slices.Delete(ends, k, k+1), slices.Delete(lanes, k, k+1)
			lanes[k] = lane
			c.repartition(i, c.cur.Partitions[i].Dim(), ends, lanes)
		}
	}
}

func splitTile(c *climber, i int) {
	for _, dim := range c.Store.Dims(c.cur.Lo + i) {
		for k := 0; k < len(c.cur.Partitions[i].Tiles); k++ {
			for quarter := 1; quarter <= 3; quarter++ {
				for pair := range candidate.Lanes * candidate.Lanes {
					d := c.cur.Partitions[i]
					if dim != d.Dim() && d.Dim() != candidate.Uncut || k >= len(d.Tiles) || len(d.Tiles) >= maxTiles {
						break
					}
					ends, lanes := c.cutsOf(i)
					lo, hi := d.Tiles[k].Lo, d.Tiles[k].Hi
					if d.Dim() == candidate.Uncut {
						lo, hi = 0, c.Store.Node(c.cur.Lo + i).Shape[dim]
						ends[0] = hi
					}
					ends = slices.Insert(ends, k, lo+(hi-lo)*quarter/4)
					lanes = slices.Insert(lanes, k, pair%candidate.Lanes)
					lanes[k+1] = pair / candidate.Lanes
					c.repartition(i, dim, ends, lanes)
				}
			}
		}
	}
}

// maxTiles is how many tiles of a node part makes at most (estimated).
const maxTiles = 8

func follow(c *climber, i int) {
	for _, in := range c.Store.Near(c.cur.Lo+i, c.cur.Lo) {
		if j := in.Pos - c.cur.Lo; j >= 0 {
			c.followReader(j, i)
			c.followRead(j, i)
		}
	}
}

// followReader cuts node j where node i, which reads it, needs the cuts to be.
func (c *climber) followReader(j, i int) {
	d := c.cur.Partitions[i]
	if d.Dim() == candidate.Uncut {
		return
	}
	ends, lanes := c.cutsOf(i)
	chain := []graph.ID{c.id(j), c.id(i)}
	if ranges, ok := plan.Bands(c.Store.Graph, chain, d.Dim(), ends[:len(ends)-1], c.Store.Reach); ok {
		c.cutAlike(j, d.Dim(), endsOf(ranges[0]), lanes)
	}
}

// followRead cuts node i, which reads node j, as late as the first tiles of j suffice for its
// first tiles.
func (c *climber) followRead(j, i int) {
	d := c.cur.Partitions[j]
	nd := c.Store.Node(c.cur.Lo + i)
	if dim := d.Dim(); dim == candidate.Uncut || !plan.Cuttable(nd, dim) {
		return
	}
	dim, x := d.Dim(), c.id(j)
	made, lanes := c.cutsOf(j)
	var ends []int
	last, extent := 0, nd.Shape[dim]
	for _, end := range made[:len(made)-1] {
		// The latest split point whose first part reads no further than end.
		lo, hi := last, extent
		for lo < hi {
			mid := (lo + hi + 1) / 2
			if c.Store.Reach(c.id(i), x, dim, mid) <= end {
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
	c.cutAlike(i, dim, append(ends, extent), lanes)
}

// cutAlike cuts a node at ends, its tiles on the lanes given, on the other ones, or all on
// one.
func (c *climber) cutAlike(i, dim int, ends, lanes []int) {
	other, zero, one := make([]int, len(lanes)), make([]int, len(lanes)), make([]int, len(lanes))
	for k, d := range lanes {
		other[k], one[k] = 1-d, 1
	}
	for _, on := range [][]int{lanes, other, zero, one} {
		c.repartition(i, dim, ends, on)
	}
}

func swap(c *climber, i int) {
	for _, p := range c.cur.Partitions[i].Tiles {
		at := slices.Index(c.cur.Tiles, p)
		for j := at + 1; j < len(c.cur.Tiles); j++ {
			q := c.cur.Tiles[j]
			if c.Store.Uses(q, p) {
				break // later tiles do, too
			}
			if q.Lane == p.Lane {
				if c.cur.Spans[j].Start <= c.cur.Spans[at].End { // it waits for no other tile
					c.exchange(at, j)
				}
				break
			}
		}
	}
}

// exchange puts the j-th tile of the schedule before the i-th.
func (c *climber) exchange(i, j int) {
	q := c.cur.Tiles[j]
	for _, p := range c.cur.Tiles[i:j] {
		if c.Store.Uses(q, p) {
			return
		}
	}
	list := slices.Insert(slices.Delete(slices.Clone(c.cur.Tiles), j, j+1), i, q)
	if c.o.Cost(c.Evaluate(c.cur, c.preds, list)) >= c.value {
		return
	}
	if t := c.Store.NewWindow(c.cur.Lo, c.cur.Partitions, list); c.o.Cost(t) < c.value {
		c.adopt(t)
		c.mark(q.Pos - c.cur.Lo)
	}
}

func endsOf(rs []tensor.Range) (ends []int) {
	for _, r := range rs {
		ends = append(ends, r.Hi)
	}
	return ends
}
