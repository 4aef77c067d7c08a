package search

import (
	"slices"

	"pimflow/internal/candidate"
)

// ending is the best chain of candidates up to a node.
type ending struct {
	*candidate.Window         // the last candidate; nil where there is no such chain
	before            int     // the launch state where its nodes begin (candidate.Launch.Last)
	value             float64 // the sum of all
}

// dynamic is the best chain of candidates, by a dynamic programme over the order. Where
// PIM work is launched together, it tells chains apart by whether the last node is all on
// the PIM: then the next one's first piece there needs no launch.
func (s *search) dynamic(st *candidate.Store, p Policy, from [][]segment, o candidate.Linear) ([]*candidate.Window, error) {
	best := make([][candidate.Lanes]ending, len(from)+1)
	best[0][0].Window = &candidate.Window{}
	for i := range from {
		for before, b := range best[i] {
			if b.Window == nil {
				continue
			}
			for _, c := range from[i] {
				last := st.Launch.Last(c.Partitions[len(c.Partitions)-1])
				e := &best[c.Hi()][last]
				if v := b.value + o.Of(st.Launch.After(c.Window, before), c.Energy); e.Window == nil || v < e.value {
					*e = ending{c.Window, before, v}
				}
			}
		}
		if best[i+1][0].Window == nil && best[i+1][1].Window == nil {
			return nil, s.noDevice(i, p)
		}
	}
	at := 0
	if e := best[len(from)]; e[0].Window == nil || e[1].Window != nil && e[1].value < e[0].value {
		at = 1
	}
	var list []*candidate.Window
	for i := len(from); i > 0; {
		e := best[i][at]
		list = append(list, e.Window)
		i, at = e.Lo, e.before
	}
	slices.Reverse(list)
	return list, nil
}
