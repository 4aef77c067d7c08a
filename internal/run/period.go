package run

import (
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/program"
)

// Period is the time from the end of an execution to the end of the next, where a program is
// executed back to back: Span is the time of Runs executions.
type Period struct {
	Span device.Time
	Runs int
	// Settled: the executions repeat, and the period is exact. Otherwise it is the mean of the
	// last half of maxRuns executions.
	Settled bool
}

// NS is the time of one execution in nanoseconds.
func (p Period) NS() float64 { return p.Span.NS() / float64(p.Runs) }

// maxRuns is the number of executions after which a mean is taken (estimated).
const maxRuns = 256

// Back is the period of a program that is executed back to back, each time on other inputs.
// The executions are timed as Time does it, with program.Twice: each device executes the next
// execution's steps, in order, as soon as its own of this one have ended and their inputs exist.
// At most two executions are under way, so that two buffers a value are enough: the next but
// one begins after this one has ended. An executor may also wait for the end of each
// execution, so that no period is longer than the program alone.
//
// In the literature: cycle time of a cyclic schedule, initiation interval of a software
// pipeline; eigenvalue of a max-plus linear system, in its periodic regime (Baccelli et al.
// 1992).
func Back(p *program.Program) Period {
	steps, alone := p.Twice().Steps, Time(p)
	back, now := Period{}, alone.Spans
	for k := range maxRuns {
		last := now
		if now = next(steps, last); slices.Equal(now, last) {
			back = Period{end(now), 1, true}
			break
		}
		if k >= maxRuns/2 {
			back.Span, back.Runs = back.Span+end(now), back.Runs+1
		}
	}
	if alone.Total.NS() <= back.NS() {
		return Period{alone.Total, 1, true}
	}
	return back
}

// next is the spans of the next execution, from the end of this one, whose spans are those
// from the end of the one before it. steps are those of two executions.
func next(steps []program.Step, now []Span) []Span {
	n := len(now)
	e := execution{steps: steps, spans: make([]Span, 2*n)}
	for i, s := range now {
		e.put(i, s)
	}
	for i := n; i < 2*n; i++ {
		e.step(i)
	}
	over := end(now)
	for i := n; i < 2*n; i++ {
		e.spans[i].Start, e.spans[i].End = e.spans[i].Start-over, e.spans[i].End-over
	}
	return e.spans[n:]
}
