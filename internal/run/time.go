// Package run performs a program twice: Time says when each step happens and
// Eval computes what it makes. Reference is the meaning of the graph itself, which
// Eval is held against.
package run

import (
	"math"
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
// order, each as soon as the device is free and what the step reads is made. A step
// takes longer than its cost says while steps of other devices before it in the
// program leave it too little of the bandwidth of the GPU's memory channels.
type Timeline struct {
	Program *program.Program
	Spans   []Span // one a step
	Total   device.Time
}

// Time schedules a program.
func Time(p *program.Program) *Timeline {
	return timed(p, func(c *device.Cost) device.Time { return c.Time })
}

// timed is Time where a step alone takes what of says.
func timed(p *program.Program, of func(*device.Cost) device.Time) *Timeline {
	tl := &Timeline{Program: p, Spans: make([]Span, len(p.Steps))}
	var lanes []*lane
	for i := range p.Steps {
		s := &p.Steps[i]
		k := slices.IndexFunc(lanes, func(l *lane) bool { return l.device == s.Device })
		if k < 0 {
			k = len(lanes)
			n := len(p.Steps) - i
			lanes = append(lanes, &lane{device: s.Device, spans: make([]Span, 0, n), use: make([]float64, 0, n)})
		}
		l := lanes[k]
		var start device.Time
		if n := len(l.spans); n > 0 {
			start = l.spans[n-1].End
		}
		for _, j := range s.After {
			start = max(start, tl.Spans[j].End)
		}
		c := s.Cost()
		time := of(&c)
		sp := Span{start, start + time}
		use := 0.0
		if c.Memory > 0 && time > 0 {
			use = min(1, float64(c.Memory)/float64(time))
			sp.End = shared(lanes, l, start, time, use)
		}
		l.spans, l.use = append(l.spans, sp), append(l.use, use)
		tl.Spans[i] = sp
		tl.Total = max(tl.Total, sp.End)
	}
	return tl
}

// lane is the spans of a device's steps so far, and the part of the bandwidth of the
// GPU's memory channels that each uses while it runs.
type lane struct {
	device string
	spans  []Span
	use    []float64
}

// at is the use of a lane's span at an instant, and when that changes next.
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

// shared is when a step ends that starts at an instant and takes a time by itself,
// using a part of the bandwidth: as far as the other lanes' spans and it want more than
// all of it, it waits.
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

// Energy is what the program takes: the work of its steps and, for as long as it
// lasts, standby, which is in pJ a nanosecond.
func (tl *Timeline) Energy(standby *device.Ledger) device.Ledger {
	sum := standby.Times(tl.Total.NS())
	for i := range tl.Program.Steps {
		c := tl.Program.Steps[i].Cost()
		sum.Add(&c.Energy)
	}
	return sum
}

// Busy says where the time of a timeline goes. Total = GPU + PIM - Both + idle.
type Busy struct {
	GPU, PIM device.Time // at least this device works
	Both     device.Time // both work
	// Launch and PIMLaunch are the parts of GPU and PIM that are launches.
	Launch, PIMLaunch device.Time
}

// Busy adds up the timeline's spans by device.
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
