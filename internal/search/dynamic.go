package search

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
)

// ending is the best chain of candidates up to a node.
type ending struct {
	*stretch         // the last candidate; nil where there is no such chain
	before   bool    // where its nodes begin, the one before is all on the PIM
	value    float64 // the sum of all
}

// dynamic is the best chain of candidates, by a dynamic programme over the order. Where
// PIM work is launched together, it tells chains apart by whether the last node is all on
// the PIM: then the next one's first piece there needs no launch.
func (s *search) dynamic(p Policy, from [][]candidate, o objective) ([]*stretch, error) {
	best := make([][2]ending, len(from)+1)
	best[0][0].stretch = &stretch{}
	for i := range from {
		for before, b := range best[i] {
			if b.stretch == nil {
				continue
			}
			for _, c := range from[i] {
				time, all := c.time, 0
				if p.Launch == plan.Joint {
					if before == 1 {
						time = c.after()
					}
					if c.divs[len(c.divs)-1].kind() == plan.PIM {
						all = 1
					}
				}
				e := &best[c.hi()][all]
				if v := b.value + o.of(time, c.work); e.stretch == nil || v < e.value {
					*e = ending{c.stretch, before == 1, v}
				}
			}
		}
		if best[i+1][0].stretch == nil && best[i+1][1].stretch == nil {
			return nil, s.noDevice(i, p)
		}
	}
	at := 0
	if e := best[len(from)]; e[0].stretch == nil || e[1].stretch != nil && e[1].value < e[0].value {
		at = 1
	}
	var list []*stretch
	for i := len(from); i > 0; {
		e := best[i][at]
		list = append(list, e.stretch)
		if i, at = e.lo, 0; e.before {
			at = 1
		}
	}
	slices.Reverse(list)
	return list, nil
}

// after is what a candidate takes after a node that is all on the PIM.
func (c *candidate) after() device.Time {
	if len(c.divs) > 1 {
		return c.time
	}
	return max(c.divs[0].least[0], c.divs[0].least[1])
}
