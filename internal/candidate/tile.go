package candidate

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// Tile is a plan's tile with its code, its cost and the values it reads.
//
// In the literature: a task; its device is the machine.
type Tile struct {
	*Costed
	Pos  int // the node's position in the order
	Node graph.ID
	id   int32 // among the tiles of the nodes alike
}

// Costed is what tiles of nodes alike have in common.
type Costed struct {
	Span
	Box    tensor.Box
	Device string
	Time   device.Time // with a launch of its own
	fused  device.Time // in a fused launch: at most Time
	memory device.Time // device.Cost.Memory
	Energy float64     // pJ, without standby
	needs  needs
}

// needs is what a tile reads by each input: consecutive inputs that need the same are one run. A concatenation of hundreds of
// values has few.
type needs struct {
	boxes []tensor.Box // by run
	ends  []int        // by run: the input after its last
}

// newNeeds is the needs of a tile that reads boxes of its inputs, of which made says whether other tiles make them.
func newNeeds(list []tensor.Box, made func(k int) bool) (n needs) {
	for k, b := range list {
		if !made(k) || b.Empty() {
			b = nil
		}
		last := len(n.ends) - 1
		if last < 0 || (b == nil) != (n.boxes[last] == nil) || !n.boxes[last].Equal(b) { // the box of a scalar equals nil
			n.boxes, n.ends = append(n.boxes, b), append(n.ends, 0)
			last++
		}
		n.ends[last] = k + 1
	}
	return n
}

func (n *needs) box(k int) tensor.Box {
	if len(n.ends) > few {
		i, _ := slices.BinarySearch(n.ends, k+1)
		return n.boxes[i]
	}
	i := 0
	for n.ends[i] <= k {
		i++
	}
	return n.boxes[i]
}

// Need is what the tile reads by its k-th input; nil where no other tile makes what it reads.
func (t *Tile) Need(k int) tensor.Box { return t.needs.box(k) }

// Tile is the tile in a plan.
func (t *Tile) Tile() plan.Tile {
	return plan.Tile{Cut: graph.Cut{Node: t.Node, Box: t.Box}, Device: t.Device}
}

// Span says which tile of a node it is: a range of one dimension, on a device.
type Span struct {
	Lane int // the device's number, from 0 to Lanes-1
	Dim  int // Uncut: the tile is the whole value
	tensor.Range
}

// Uncut is the dimension of a tile that is a whole value.
const Uncut = -1

// MaxExtent bounds the dimensions that are cut: longer ones stay whole, so that key has
// room for both ends of a range.
const MaxExtent = 1 << 30

// key numbers the spans of a node.
func (s Span) key() uint64 {
	return uint64(s.Lane) | uint64(s.Dim+1)<<1 | uint64(s.Lo)<<3 | uint64(s.Hi)<<33
}

// Takes reports whether a tile reads any value of another by its k-th input, which is the
// other's node.
func (t *Tile) Takes(k int, of *Tile) bool {
	need := t.Need(k)
	if need == nil || of.Dim == Uncut {
		return need != nil
	}
	return need[of.Dim].Lo < of.Hi && of.Lo < need[of.Dim].Hi
}
