package bound

import (
	"context"
	"math"
	"slices"

	"pimflow/internal/candidate"
)

// trail is how plans of a history cut the gates so far.
type trail struct {
	stage   *stage
	variant *variant
	before  *trail // nil: the first gate
}

// Divisions are the partitions of gates, by position in the store, of a plan that the bound of at most two tiles a node cannot tell
// from the best: nil of other nodes. They are nil if the bound follows no plan to the end, as where none takes less than the one known.
// Their schedule may take longer than the bound. A node that is kept from the PIM meanwhile has none.
func Divisions(ctx context.Context, st *candidate.Store, o Options) []*candidate.Partition {
	s, nodes := newInstance(st, nil)
	_, gate, closed := barriers(nodes)
	stages, first, loose := s.stages(nodes, gate, closed, false, false)
	x := &forward{instance: s, ctx: ctx, stages: stages, best: math.Inf(1), kept: max(1, o.Histories), terms: len(balances), back: true, launch: float64(s.Launch.Certain(slices.Concat(s.tiles...)))}
	if o.Below > 0 {
		x.best = float64(o.Below)
	}
	x.run(first, loose)
	if x.trail == nil || ctx.Err() != nil {
		return nil
	}
	list := make([]*candidate.Partition, len(st.Order))
	for t := x.trail; t != nil; t = t.before {
		list[t.stage.at] = t.variant.partition(st, t.stage)
	}
	return list
}

// partition is the variant of a gate as a partition of its node.
func (v *variant) partition(st *candidate.Store, l *stage) *candidate.Partition {
	var lanes []int
	for _, p := range v.pieces {
		lanes = append(lanes, p.lane)
	}
	if v.dim == candidate.Uncut {
		return st.Cut(l.at, v.dim, []int{0}, lanes)
	}
	return st.Cut(l.at, v.dim, []int{v.at, l.shape[v.dim]}, lanes)
}
