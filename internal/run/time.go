// Package run performs a program twice: Time says when each step happens and
// Eval computes what it makes. Reference is the meaning of the graph itself, which
// Eval is held against.
package run

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Span is when a step of the program ran.
type Span struct {
	Start, End device.Time
}

// Timeline is a program in time. Each device executes its steps in the program's
// order, each as soon as the device is free and what the step reads is made.
type Timeline struct {
	Program *program.Program
	Spans   []Span // one a step
	Total   device.Time
}

// Time schedules a program.
func Time(p *program.Program) *Timeline {
	tl := &Timeline{Program: p, Spans: make([]Span, len(p.Steps))}
	free := map[string]device.Time{}
	for i, s := range p.Steps {
		start := free[s.Device]
		for _, j := range s.After {
			start = max(start, tl.Spans[j].End)
		}
		end := start + s.Code.Cost().Time
		tl.Spans[i] = Span{start, end}
		free[s.Device] = end
		tl.Total = max(tl.Total, end)
	}
	return tl
}

// Energy is what the program takes: the work of its steps and, for as long as it
// lasts, standby, which is in pJ a nanosecond.
func (tl *Timeline) Energy(standby *device.Ledger) device.Ledger {
	sum := standby.Times(tl.Total.NS())
	for _, s := range tl.Program.Steps {
		c := s.Code.Cost()
		sum.Add(&c.Energy)
	}
	return sum
}

// Busy says where the time of a timeline goes. Total = GPU + PIM - Both + idle.
type Busy struct {
	GPU, PIM device.Time // at least this device works
	Both     device.Time // both work
	Launch   device.Time // the part of GPU that is kernel launches
}

// Busy adds up the timeline's spans by device.
func (tl *Timeline) Busy() Busy {
	var b Busy
	var edges []edge
	for i, s := range tl.Program.Steps {
		c, span := s.Code.Cost(), tl.Spans[i]
		b.Launch += c.Launch
		if s.Device == plan.GPU {
			b.GPU += c.Time
		} else {
			b.PIM += c.Time
		}
		if c.Time > 0 {
			edges = append(edges, edge{span.Start, 1}, edge{span.End, -1})
		}
	}
	slices.SortFunc(edges, func(x, y edge) int {
		if x.at != y.at {
			return int(min(max(x.at-y.at, -1), 1))
		}
		return x.step - y.step
	})
	n, last := 0, device.Time(0)
	for _, e := range edges {
		if n > 1 {
			b.Both += e.at - last
		}
		n, last = n+e.step, e.at
	}
	return b
}

// edge is the start (1) or the end (-1) of a span.
type edge struct {
	at   device.Time
	step int
}
