package search

import (
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/plan"
)

// ending is the best chain of candidates up to a node.
type ending struct {
	*candidate.Window         // the last candidate; nil where there is no such chain
	before            bool    // where its nodes begin, the one before is all on the PIM
	value             float64 // the sum of all
}

// dynamic is the best chain of candidates, by a dynamic programme over the order. Where
// PIM work is launched together, it tells chains apart by whether the last node is all on
// the PIM: then the next one's first piece there needs no launch.
func (s *search) dynamic(p Policy, from [][]segment, o candidate.Linear) ([]*candidate.Window, error) {
	best := make([][2]ending, len(from)+1)
	best[0][0].Window = &candidate.Window{}
	for i := range from {
		for before, b := range best[i] {
			if b.Window == nil {
				continue
			}
			for _, c := range from[i] {
				time, all := c.Time, 0
				if p.Launch == plan.Joint {
					if before == 1 {
						time = c.after()
					}
					if c.Partitions[len(c.Partitions)-1].Kind() == plan.PIM {
						all = 1
					}
				}
				e := &best[c.Hi()][all]
				if v := b.value + o.Of(time, c.Energy); e.Window == nil || v < e.value {
					*e = ending{c.Window, before == 1, v}
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
		if i, at = e.Lo, 0; e.before {
			at = 1
		}
	}
	slices.Reverse(list)
	return list, nil
}

// after is what a candidate takes after a node that is all on the PIM.
func (c *segment) after() device.Time {
	if len(c.Partitions) > 1 {
		return c.Time
	}
	return max(c.Partitions[0].Fused[0], c.Partitions[0].Fused[1])
}
