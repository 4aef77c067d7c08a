package graph

import (
	"fmt"

	"pimflow/internal/op"
	"pimflow/internal/tensor"
)

// MaxOperations bounds the operations of a graph: searching a plan takes some milliseconds and about 100 kB an operation.
// Estimated; CNNs have a few thousand at most.
const MaxOperations = 10_000

// Bounds of what is made of constants alone, by values in all. A model may store a mask or a grid as a few numbers; it must
// not be small on disk and without end in memory. Estimated: a grid of 2048 x 2048, or some copies of what is stored.
const (
	freeMade      = 1 << 22
	madePerStored = 8
	stepsPerMade  = 64 // a value may take so many steps
)

// made counts what a graph makes of constants alone.
type made struct {
	stored, values int64 // of constants, and made of them
	most           ID    // the node that makes the most
	atMost         int64
}

// constant counts a node that depends on no input.
func (m *made) constant(g *Graph, nd *Node) {
	if nd.Const != nil {
		m.stored += int64(nd.Const.Shape.Size())
		return
	}
	const most = 1 << 48 // so that sums do not overflow
	n := max(int64(nd.Shape.Size()), steps(nd, g.shapes(nd, nd.Operands()))/stepsPerMade)
	if n < 0 || n > most {
		n = most
	}
	m.values += n
	if n > m.atMost {
		m.most, m.atMost = nd.ID, n
	}
}

// check refuses more than a model of so many constants may make.
func (m *made) check(g *Graph) error {
	limit := freeMade + madePerStored*m.stored
	if m.values <= limit {
		return nil
	}
	nd := &g.Nodes[m.most]
	return fmt.Errorf("node %.80q (%s) makes a value of %v from constants alone: at most %d numbers, or %d steps, wanted in all for %d numbers stored", nd.Name, nd.Op.Name, nd.Shape, limit, limit*stepsPerMade, m.stored)
}

// steps is the work of a node: multiply-accumulates, or the values under windows.
func steps(nd *Node, in []tensor.Shape) int64 {
	box := tensor.Full(nd.Shape)
	if nd.Op.MACs != nil {
		return nd.Op.MACs(nd.Attrs, in, box)
	}
	n := int64(nd.Shape.Size())
	for _, a := range nd.Op.Attrs {
		switch {
		case a.Name == "kernel_shape" && a.Kind == op.Ints:
			for _, k := range nd.Attrs.Ints(a.Name) {
				n = times(n, int64(k))
			}
		case nd.Op.Name == "LRN" && a.Name == "size":
			n = times(n, int64(nd.Attrs.Int(a.Name)))
		}
	}
	return n
}

// times is a*b of numbers of 0 or more, at most 2^62.
func times(a, b int64) int64 {
	if a > 0 && b > 1<<62/a {
		return 1 << 62
	}
	return a * b
}
