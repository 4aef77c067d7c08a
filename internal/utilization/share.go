package utilization

import (
	"cmp"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Half is a time in half picoseconds: an instant in which both devices work is shared equally, exactly.
type Half = device.Time

// NS is a time in half picoseconds in nanoseconds.
func NS(h Half) float64 { return float64(h) / 2e3 }

// Shares divides a timeline among its steps and the idle devices: an instant belongs to the steps that run in it, to equal parts. One
// in which no step runs belongs to the idle devices. All add up to twice the total.
func Shares(tl *run.Timeline) (steps []Half, idle [program.Lanes]Half) {
	type edge struct {
		at         device.Time
		step, lane int // lane -1: the step ends
	}
	var edges []edge
	for i, s := range tl.Spans {
		if s.End > s.Start {
			lane := program.Lane(tl.Program.Steps[i].Device)
			edges = append(edges, edge{s.Start, i, lane}, edge{s.End, i, -1})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.lane, b.lane)) })
	steps = make([]Half, len(tl.Spans))
	var now []int
	last := device.Time(0)
	for _, e := range edges {
		dt := e.at - last
		last = e.at
		for _, i := range now {
			steps[i] += 2 * dt / device.Time(len(now)) // one or two
		}
		if len(now) == 0 {
			for k := range idle {
				idle[k] += dt
			}
		}
		if e.lane < 0 {
			now = slices.DeleteFunc(now, func(i int) bool { return i == e.step })
		} else {
			now = append(now, e.step)
		}
	}
	return steps, idle
}

// sharedTerms are the terms of a step, scaled from its span to its share.
func sharedTerms(tl *run.Timeline, step int, share Half) []device.Term {
	if share == 0 {
		return nil
	}
	terms := Terms(tl, step)
	return device.Scale(terms, tl.Spans[step].End-tl.Spans[step].Start, share, tl.Program.Steps[step].Cost().Bound)
}
