package search

import (
	"slices"

	"pimflow/internal/candidate"
)

// label is the best sequence of segments up to a node.
type label struct {
	*candidate.Window         // the last segment; nil: there is no sequence
	before            int     // the launch state where its nodes begin (candidate.Launch.Last)
	value             float64 // the sum of the segments
}

// dynamic is the best sequence of segments, by a dynamic programme over the order. Its states
// are a position and a launch state: if the node before is wholly on the PIM, the next PIM tile
// may share its launch (candidate.Launch).
//
// In the literature: a shortest path in a directed acyclic graph (Bellman 1957).
func (s *search) dynamic(st *candidate.Store, p Policy, segments [][]segment, o candidate.Linear) ([]*candidate.Window, error) {
	best := make([][candidate.Lanes]label, len(segments)+1)
	best[0][0].Window = &candidate.Window{}
	for i := range segments {
		for before, b := range best[i] {
			if b.Window == nil {
				continue
			}
			for _, c := range segments[i] {
				last := st.Launch.Last(c.Partitions[len(c.Partitions)-1])
				e := &best[c.Hi()][last]
				if v := b.value + o.Of(st.Launch.After(c.Window, before), c.Energy); e.Window == nil || v < e.value {
					*e = label{c.Window, before, v}
				}
			}
		}
		if best[i+1][0].Window == nil && best[i+1][1].Window == nil {
			return nil, s.noDevice(i, p)
		}
	}
	at := 0
	if e := best[len(segments)]; e[0].Window == nil || e[1].Window != nil && e[1].value < e[0].value {
		at = 1
	}
	var list []*candidate.Window
	for i := len(segments); i > 0; {
		e := best[i][at]
		list = append(list, e.Window)
		i, at = e.Lo, e.before
	}
	slices.Reverse(list)
	return list, nil
}
