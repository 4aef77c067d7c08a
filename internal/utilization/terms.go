// Package utilization says what a timeline does with the machine: what each step's time goes to and what it waited for, how the time
// of the network divides among devices, causes and classes of layers, and what flows where at which power.
//
// A timeline goes in; integer picoseconds that add up to its total come out. The package does not know how plans are found.
//
// In the literature: a cycle breakdown, or CPI stack (Eyerman et al., ASPLOS 2006), of a schedule.
package utilization

import (
	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/run"
)

// Kind is what a device does in a part of a step's time.
type Kind int

// The kinds, in the order in which they are drawn.
const (
	Launching Kind = iota // kernels or PIM work
	Moving                // the GPU: L2, DRAM and their latency; the PIM: the link, and results that are finished
	Computing             // the GPU: tensor cores and FMA units; the PIM: all commands of the slowest channel
	Kinds                 // their number
)

// Shared is the word of the time that a step takes longer than alone, since the other device uses the bandwidth of the GPU's memory
// channels too.
const Shared = "shared bandwidth"

// kinds has the words of device.Breakdown that are not Computing.
var kinds = map[string]Kind{
	"launch": Launching, "latency": Moving, "l2": Moving, "dram": Moving, "link": Moving, "finish": Moving, Shared: Moving,
}

// KindOf is the kind of a term by its word.
func KindOf(word string) Kind {
	if k, ok := kinds[word]; ok {
		return k
	}
	return Computing
}

// Split is a time by kind.
type Split [Kinds]device.Time

// Sum is the whole time.
func (s Split) Sum() (t device.Time) {
	for _, x := range s {
		t += x
	}
	return t
}

// SplitOf adds up terms by kind.
func SplitOf(terms []device.Term) (s Split) {
	for _, x := range terms {
		s[KindOf(x.Name)] += x.Time
	}
	return s
}

// Terms are what the time of a step in its place goes to. They are above 0 and add up to its span. A fused launch is left out. Where
// terms of code overlap, those that are neither launch nor latency are reduced in proportion.
func Terms(tl *run.Timeline, step int) []device.Term {
	s, span := &tl.Program.Steps[step], tl.Spans[step].End-tl.Spans[step].Start
	cost := s.Cost()
	var fixed, rest []device.Term
	at, sum := device.Time(0), device.Time(0)
	for _, x := range device.Breakdown(s.Code) {
		switch {
		case x.Name == "launch":
			if s.Fused {
				x.Time -= s.Code.Cost().Fusible
			}
			fixed, at = append(fixed, x), at+x.Time
		case x.Name == "latency" && s.Device == plan.PIM:
			fixed, at = append(fixed, x), at+x.Time
		case x.Time > 0:
			rest, sum = append(rest, x), sum+x.Time
		}
	}
	terms := fixed
	if left := cost.Time - at; left > 0 {
		terms = append(terms, device.Scale(rest, sum, left, cost.Bound)...)
	} else {
		terms = device.Scale(fixed, at, cost.Time, cost.Bound)
	}
	if longer := span - cost.Time; longer > 0 {
		terms = append(terms, device.Term{Name: Shared, Time: longer})
	}
	return device.Fill(terms, span)
}
