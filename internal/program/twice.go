package program

import "slices"

// Twice is the program executed two times in a row on other inputs: the second execution's
// steps follow the first's on each device, and nothing runs beside the exclusive steps of
// either. An execution's steps read no value of the other, and no launch is fused across
// both.
//
// In the literature: software pipelining of a loop (modulo scheduling), with one list
// schedule an iteration.
func (p *Program) Twice() *Program {
	n := len(p.Steps)
	t := &Program{Graph: p.Graph, Steps: slices.Grow(slices.Clone(p.Steps), n)}
	w := newWaits()
	for i := range p.Steps {
		s := &p.Steps[i]
		w.add(Lane(s.Device), s.Exclusive, s.After)
	}
	var leader [Lanes]int // the step whose launch those after it share
	for i := range p.Steps {
		s := p.Steps[i]
		lane := Lane(s.Device)
		s.After = slices.Clone(s.After)
		for k := range s.After {
			s.After[k] += n
		}
		s.After = w.add(lane, s.Exclusive, s.After)
		if !s.Fused {
			leader[lane] = n + i
		} else if k := leader[lane]; k > 0 { // what it waits for of the first execution exists at the launch
			first := &t.Steps[k]
			own, _ := slices.BinarySearch(s.After, n)
			first.After = append(first.After, s.After[:own]...)
			slices.Sort(first.After)
			first.After = slices.Compact(first.After)
		}
		t.Steps = append(t.Steps, s)
	}
	return t
}
