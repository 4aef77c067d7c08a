package candidate

import (
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Partition is a node's value cut along one dimension into tiles, in the order of the
// dimension.
//
// In the literature: data-parallel (operator) partitioning.
type Partition struct {
	Tiles  []*Tile
	Busy   [Lanes]device.Time // by device: the sum of the tiles' times
	Least  [Lanes]device.Time // by device: the sum of their least times, all fused
	Energy float64            // pJ, without standby
}

// Lanes is how many devices a machine has at most. They are numbered as program.Lane does.
const Lanes = program.Lanes

// NewPartition returns the partition of a node into tiles.
func NewPartition(tiles ...*Tile) *Partition {
	p := &Partition{}
	p.Set(tiles)
	return p
}

// Set makes it the partition into other tiles, which it keeps.
func (d *Partition) Set(tiles []*Tile) {
	*d = Partition{Tiles: tiles}
	for _, t := range tiles {
		d.Busy[t.Lane] += t.Time
		d.Least[t.Lane] += t.Least()
		d.Energy += t.Energy
	}
}

// Clone is a copy that shares no memory but the tiles.
func (d *Partition) Clone() *Partition {
	c := *d
	c.Tiles = slices.Clone(d.Tiles)
	return &c
}

// Dim is the dimension that is cut; Uncut if the node is whole.
func (d *Partition) Dim() int { return d.Tiles[0].Dim }

// Kind is the device of all tiles, plan.GPU or plan.PIM, or "split".
func (d *Partition) Kind() string {
	for _, p := range d.Tiles {
		if p.Device != d.Tiles[0].Device {
			return "split"
		}
	}
	return d.Tiles[0].Device
}

// OnPIM reports whether any tile is on the PIM.
func (d *Partition) OnPIM() bool {
	return slices.ContainsFunc(d.Tiles, func(p *Tile) bool { return p.Device == plan.PIM })
}

// String prints the tiles as a plan does.
func (d *Partition) String() (s string) {
	for i, p := range d.Tiles {
		if i > 0 {
			s += " + "
		}
		s += fmt.Sprintf("%s%v", p.Device, p.Box)
	}
	return s
}

// Equal reports whether both have the same tiles.
func (d *Partition) Equal(o *Partition) bool { return slices.Equal(d.Tiles, o.Tiles) }

// Cut is the partition of the i-th node along a dimension at given ends, the last of which
// is the extent, each tile on its lane; nil if a tile is empty or its device does not
// execute it.
func (s *Store) Cut(i, dim int, ends, lanes []int) *Partition {
	return (&Asked{Store: s}).Cut(i, dim, ends, lanes)
}

// Dims are the dimensions along which the i-th node may be cut: images, channels and rows
// of an N C H W value. Columns are not tried: a column of an image is like a row.
func (s *Store) Dims(i int) (list []int) {
	nd := s.Node(i)
	for d := 0; d <= plan.Rows; d++ {
		if plan.Cuttable(nd, d) && nd.Shape[d] > 1 && nd.Shape[d] < MaxExtent {
			list = append(list, d)
		}
	}
	return list
}

// Cuts returns where the tiles end and on which lanes they are. Both are copies, in the memory of others where they have room.
func (d *Partition) Cuts(inEnds, inLanes []int) (ends, lanes []int) {
	ends, lanes = inEnds[:0], inLanes[:0]
	for _, p := range d.Tiles {
		ends, lanes = append(ends, p.Hi), append(lanes, p.Lane)
	}
	return ends, lanes
}
