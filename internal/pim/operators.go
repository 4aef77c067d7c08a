package pim

import (
	"slices"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
)

// Operators lists the operators that the channels execute, sorted: products, on integers too.
func Operators() []string {
	return slices.DeleteFunc(op.Names(), func(name string) bool {
		o, _ := op.Lookup(name)
		return lowerings[o.OnReals()] == nil || o.MACs == nil
	})
}

// Fills returns the test whether an operation's vectors fill the units of a channel: a result is
// the sum of at least as many products as a column access has elements, and at least as many
// results as a channel has units are made of the same inputs. Source: PRIMO (Ahmed et al., DATE
// 2019) sends an operation to memory if its operands are as wide as the units there.
func Fills(m *hw.Machine) func(*graph.Graph, *graph.Node) bool {
	return func(g *graph.Graph, nd *graph.Node) bool {
		l, err := lower(g, g.Whole(nd.ID))
		if err != nil {
			return false
		}
		fills := func(l *layer) bool { return l.groupK >= m.PIM.Lanes() && l.groupOuts >= m.PIM.Banks }
		return l.phases == nil && fills(l) || slices.ContainsFunc(l.phases, fills)
	}
}
