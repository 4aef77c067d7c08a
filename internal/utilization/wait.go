package utilization

import (
	"pimflow/internal/device"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Wait is why a step did not start earlier.
type Wait struct {
	Why  Cause
	Step int         // whose end let it start; -1: it starts with the plan
	Idle device.Time // for which its device had nothing to do before
}

// Cause is why a step waited for another.
type Cause int

// The causes.
const (
	Nothing   Cause = iota // it starts with the plan
	Input                  // it reads what the step made
	Exclusive              // one of both runs alone
	Busy                   // the step was on the same device
)

var causeNames = [...]string{"nothing", "input", "exclusive", "device"}

// String is the cause's name in reports, as "input".
func (c Cause) String() string { return causeNames[c] }

// Waits says of each step what it waited for: the last producer of its inputs, else the step before on its device.
func Waits(tl *run.Timeline) []Wait {
	steps := tl.Program.Steps
	list := make([]Wait, len(steps))
	last := [program.Lanes]int{-1, -1}
	for i := range steps {
		lane := program.Lane(steps[i].Device)
		free := device.Time(0)
		if j := last[lane]; j >= 0 {
			free = tl.Spans[j].End
		}
		list[i] = waitOf(tl, i, last[lane])
		list[i].Idle = tl.Spans[i].Start - free
		last[lane] = i
	}
	return list
}

// waitOf is the wait of a step, whose device had another before; -1: none.
func waitOf(tl *run.Timeline, i, before int) Wait {
	step, start := &tl.Program.Steps[i], tl.Spans[i].Start
	if start == 0 {
		return Wait{Why: Nothing, Step: -1}
	}
	for _, reads := range []bool{true, false} {
		for _, j := range step.After {
			if tl.Spans[j].End != start || reads && !Reads(tl.Program, i, j) {
				continue
			}
			if reads {
				return Wait{Why: Input, Step: j}
			}
			return Wait{Why: Exclusive, Step: j}
		}
	}
	return Wait{Why: Busy, Step: before}
}

// Reads reports whether step i of a program reads a value that step j makes.
func Reads(p *program.Program, i, j int) bool {
	a, b := &p.Steps[i], &p.Steps[j]
	need := p.Graph.Need(a.Cut)
	for k, x := range p.Graph.Nodes[a.Node].In {
		if x == b.Node && !b.Box.Intersect(need[k]).Empty() {
			return true
		}
	}
	return false
}
