package bound

import (
	"context"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
)

// Multipliers are the shares and balances of a table.
type Multipliers struct {
	Shares   [len(workShares)]float64
	Balances [len(balances)]float64
}

// Chosen is the table that bounds are made with.
func Chosen() Multipliers { return Multipliers{workShares, balances} }

// OfWith is Of with other multipliers, without serial segments.
func OfWith(st *candidate.Store, m Multipliers) (all, two device.Time) {
	s, nodes := newInstance(st, nil)
	s.multipliers = newMultipliers(m.Shares, m.Balances)
	return s.bounds(context.Background(), nodes, Options{})
}
