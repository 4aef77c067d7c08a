// Package run performs a program twice: Time simulates when each step runs, Eval computes its
// values. Reference computes the values of the graph by definition, to compare Eval with.
//
// A program goes in; a Timeline, or the outputs, come out. The package does not know how a
// cost or a plan was found.
package run

import (
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Span is the time in which a step runs, from its start to its end.
type Span struct {
	Start, End device.Time
}

// Timeline is the simulated execution of a program. Each device executes its steps in the
// order of the program; a step starts when the device is free and its inputs exist. A step
// takes longer than its cost while steps of other devices, earlier in the program, leave it
// too little bandwidth of the GPU's memory channels.
//
// In the literature: a Gantt chart of a list schedule in fixed order (semi-active schedule).
type Timeline struct {
	Program *program.Program
	Spans   []Span // by step
	Total   device.Time
}

// Time simulates a program.
func Time(p *program.Program) *Timeline {
	e := execution{steps: p.Steps, spans: make([]Span, len(p.Steps))}
	for i := range p.Steps {
		e.step(i)
	}
	return &Timeline{p, e.spans, end(e.spans)}
}

// end is when the last of some spans ends.
func end(spans []Span) (t device.Time) {
	for _, s := range spans {
		t = max(t, s.End)
	}
	return t
}

// execution is a simulation in progress. Steps are placed in their order.
type execution struct {
	Sequence
	steps []program.Step
	spans []Span // of the steps placed
}

// step places a step when its device is free and its inputs exist, not before 0.
func (e *execution) step(i int) {
	s := &e.steps[i]
	c := s.Cost()
	var start device.Time
	for _, j := range s.After {
		start = max(start, e.spans[j].End)
	}
	e.spans[i] = e.Add(Task{program.Lane(s.Device), c.Time, c.Memory}, start)
}

// put places a step whose span is known.
func (e *execution) put(i int, sp Span) {
	s := &e.steps[i]
	c := s.Cost()
	t := Task{program.Lane(s.Device), c.Time, c.Memory}
	e.spans[i] = sp
	e.lanes[t.Lane].add(sp, t.share())
}

// Task is what the time of a step depends on beside its place in the program.
type Task struct {
	Lane         int         // of its device (program.Lane)
	Time, Memory device.Time // device.Cost's, with the launch fused where it is
}

// Sequence times steps one after the other, as Time does it. The zero value has placed none.
type Sequence struct {
	lanes [program.Lanes]lane
}

// Reset takes all steps from a sequence.
func (q *Sequence) Reset() {
	for k := range q.lanes {
		l := &q.lanes[k]
		l.spans, l.use = l.spans[:0], l.use[:0]
	}
}

// Add places a step when its device is free, not before its inputs exist.
func (q *Sequence) Add(t Task, start device.Time) Span {
	l := &q.lanes[t.Lane]
	if n := len(l.spans); n > 0 {
		start = max(start, l.spans[n-1].End)
	}
	sp, use := Span{start, start + t.Time}, t.share()
	if use > 0 {
		sp.End = q.shared(l, start, t.Time, use)
	}
	l.add(sp, use)
	return sp
}

// share is the share of the bandwidth of the GPU's memory channels that a task uses.
func (t *Task) share() float64 {
	if t.Memory <= 0 || t.Time <= 0 {
		return 0
	}
	return min(1, float64(t.Memory)/float64(t.Time))
}

// lane is the spans of a device's steps so far, and the share of the bandwidth of the GPU's
// memory channels that each uses.
type lane struct {
	spans []Span
	use   []float64
}

func (l *lane) add(sp Span, use float64) { l.spans, l.use = append(l.spans, sp), append(l.use, use) }

// at is the share that a lane uses at an instant, and the instant of the next change.
func (l *lane) at(t device.Time) (use float64, until device.Time) {
	i, _ := slices.BinarySearchFunc(l.spans, t, func(s Span, t device.Time) int {
		if s.End <= t {
			return -1
		}
		return 1
	})
	switch {
	case i == len(l.spans):
		return 0, math.MaxInt64
	case t < l.spans[i].Start:
		return 0, l.spans[i].Start
	}
	return l.use[i], l.spans[i].End
}

// shared is the end of a step that starts at an instant, takes the time left if alone, and
// uses a share of the bandwidth. While the shares of all lanes add up to more than 1, the
// step progresses with the share that is left.
func (q *Sequence) shared(own *lane, start, left device.Time, use float64) device.Time {
	for t := start; ; {
		others, until := 0.0, device.Time(math.MaxInt64)
		for k := range q.lanes {
			if l := &q.lanes[k]; l != own {
				u, end := l.at(t)
				others, until = others+u, min(until, end)
			}
		}
		rate := 1.0
		if excess := use + others - 1; excess > 0 {
			rate = max(0, 1-excess)
		}
		if rate == 1 && left <= until-t {
			return t + left
		}
		if done := device.Time(math.Round(float64(until-t) * rate)); done < left {
			left -= done
			t = until
			continue
		}
		return min(until, t+device.Time(math.Round(float64(left)/rate)))
	}
}

// Energy is the energy of the program: the work of its steps, and standby, in pJ a
// nanosecond, for the whole run.
func (tl *Timeline) Energy(standby *device.Ledger) device.Ledger {
	sum := standby.Times(tl.Total.NS())
	for i := range tl.Program.Steps {
		c := tl.Program.Steps[i].Cost()
		sum.Add(&c.Energy)
	}
	return sum
}

// Busy is the busy time of the devices. Total = GPU + PIM - Both + idle.
type Busy struct {
	GPU, PIM device.Time // the device works
	Both     device.Time // both work
	// Launch and PIMLaunch are the parts of GPU and PIM that are launches.
	Launch, PIMLaunch device.Time
}

// Busy adds up the spans of the timeline by device.
func (tl *Timeline) Busy() Busy {
	var b Busy
	var edges []edge
	for i := range tl.Program.Steps {
		s, span := &tl.Program.Steps[i], tl.Spans[i]
		c := s.Cost()
		if s.Device == plan.GPU {
			b.GPU += span.End - span.Start
			b.Launch += c.Launch
		} else {
			b.PIM += span.End - span.Start
			b.PIMLaunch += c.Launch
		}
		if span.End > span.Start {
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
