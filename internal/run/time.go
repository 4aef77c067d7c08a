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
	return timed(p, alone)
}

// timed is Time with the time of each step alone chosen by of, from its cost.
func timed(p *program.Program, of func(*program.Step, *device.Cost) device.Time) *Timeline {
	e := execution{steps: p.Steps, spans: make([]Span, len(p.Steps)), of: of}
	for i := range p.Steps {
		e.step(i)
	}
	return &Timeline{p, e.spans, end(e.spans)}
}

// alone is the time of a step alone.
func alone(_ *program.Step, c *device.Cost) device.Time { return c.Time }

// end is when the last of some spans ends.
func end(spans []Span) (t device.Time) {
	for _, s := range spans {
		t = max(t, s.End)
	}
	return t
}

// execution is a simulation in progress. Steps are placed in their order.
type execution struct {
	steps []program.Step
	spans []Span // of the steps placed
	lanes []*lane
	of    func(*program.Step, *device.Cost) device.Time // the time of a step alone
}

// step places a step when its device is free and its inputs exist, not before 0.
func (e *execution) step(i int) {
	s := &e.steps[i]
	c := s.Cost()
	l, time := e.lane(s.Device), e.of(s, &c)
	var start device.Time
	if n := len(l.spans); n > 0 {
		start = max(start, l.spans[n-1].End)
	}
	for _, j := range s.After {
		start = max(start, e.spans[j].End)
	}
	sp, use := Span{start, start + time}, share(&c, time)
	if use > 0 {
		sp.End = shared(e.lanes, l, start, time, use)
	}
	e.spans[i] = sp
	l.spans, l.use = append(l.spans, sp), append(l.use, use)
}

// put places a step whose span is known.
func (e *execution) put(i int, sp Span) {
	s := &e.steps[i]
	c := s.Cost()
	l := e.lane(s.Device)
	e.spans[i] = sp
	l.spans, l.use = append(l.spans, sp), append(l.use, share(&c, e.of(s, &c)))
}

// lane is that of a device.
func (e *execution) lane(name string) *lane {
	k := slices.IndexFunc(e.lanes, func(l *lane) bool { return l.device == name })
	if k < 0 {
		k = len(e.lanes)
		n := len(e.steps)
		e.lanes = append(e.lanes, &lane{device: name, spans: make([]Span, 0, n), use: make([]float64, 0, n)})
	}
	return e.lanes[k]
}

// share is the share of the bandwidth of the GPU's memory channels that work uses.
func share(c *device.Cost, time device.Time) float64 {
	if c.Memory <= 0 || time <= 0 {
		return 0
	}
	return min(1, float64(c.Memory)/float64(time))
}

// lane is the spans of a device's steps so far, and the share of the bandwidth of the GPU's
// memory channels that each uses.
type lane struct {
	device string
	spans  []Span
	use    []float64
}

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
func shared(lanes []*lane, own *lane, start, left device.Time, use float64) device.Time {
	for t := start; ; {
		others, until := 0.0, device.Time(math.MaxInt64)
		for _, l := range lanes {
			if l != own {
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
