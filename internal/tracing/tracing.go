package tracing

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/utilization"
)

// intervals is the number of values of each counter.
const intervals = 200

// Trace is a timeline as viewers draw it.
type Trace struct {
	Tracks  []Track
	Slices  []Slice // each after the one that it lies in, those of a track in order of time
	Flows   []Flow
	Samples []Sample
}

// Track is a row of a viewer, in a group of rows.
type Track struct {
	Group, Name string
	Unit        string // of a counter; "" for slices
}

// Slice is a span on a track, in ps. It lies within an earlier one of its track, or beside all of them.
type Slice struct {
	Track      int // in Trace.Tracks
	Name       string
	Start, End device.Time
	Args       []Arg
}

// Arg is a text or a number that stands beside what it describes.
type Arg struct {
	Name  string
	Value any // string, int64 or float64
}

// Flow is an arrow from the end of a slice to the start of another that reads what it made. Both are numbers in Trace.Slices.
type Flow struct{ From, To int }

// Sample is the value of a counter from a time on.
type Sample struct {
	Track int
	At    device.Time
	Value float64
}

// The tracks of slices: one for the plan, one for each device, and one for each channel of the PIM.
const (
	planTrack = iota
	gpuTrack
	pimTrack
	channelTrack // of channel 0
)

// New is the trace of a timeline whose plan has so many PIM channels. Standby is what both devices draw at all times, in mW. What meta
// says of the plan stands beside a slice of its whole time, which has its name.
func New(tl *run.Timeline, standby *device.Ledger, channels int, name string, meta []Arg) *Trace {
	t := &Trace{Tracks: []Track{{Group: "plan", Name: "whole"}, {Group: "GPU", Name: "kernels"}, {Group: "PIM", Name: "all channels"}}}
	t.Slices = []Slice{{Track: planTrack, Name: name, End: tl.Total, Args: meta}}
	for c := range channels {
		t.Tracks = append(t.Tracks, Track{Group: "PIM", Name: fmt.Sprintf("channel %d", c)})
	}
	waits, at := utilization.Waits(tl), make([]int, len(tl.Program.Steps))
	for i := range tl.Program.Steps {
		at[i] = len(t.Slices)
		t.step(tl, i, waits[i])
	}
	for i, w := range waits {
		if w.Why == utilization.Input && tl.Program.Steps[w.Step].Device != tl.Program.Steps[i].Device && t.has(at, w.Step) && t.has(at, i) {
			t.Flows = append(t.Flows, Flow{From: at[w.Step], To: at[i]})
		}
	}
	t.counters(tl, standby)
	return t
}

// has reports whether a step has a slice: one that takes no time is not drawn.
func (t *Trace) has(at []int, i int) bool {
	return i+1 < len(at) && at[i] < at[i+1] || i+1 == len(at) && at[i] < len(t.Slices)
}

// step adds the slices of a step: the whole, its parts in order, and the commands of each channel.
func (t *Trace) step(tl *run.Timeline, i int, w utilization.Wait) {
	s, span := &tl.Program.Steps[i], tl.Spans[i]
	if span.End == span.Start {
		return
	}
	nd, cost, energy := &tl.Program.Graph.Nodes[s.Node], s.Code.Cost(), s.Cost().Energy
	whole := Slice{Track: gpuTrack, Name: fault.Name(nd.Name), Start: span.Start, End: span.End, Args: []Arg{
		{"operator", nd.Operators()}, {"box", s.Box.String()}, {"bound", cost.Bound}, {"cycles", cost.Ticks}, {"clock", s.Device},
		{"energy_pj", energy.Total().Value}, {"waited_ns", w.Idle.NS()},
	}}
	if w.Step >= 0 {
		of := &tl.Program.Steps[w.Step]
		whole.Args = append(whole.Args, Arg{"waited_for", fmt.Sprintf("%s: %s on %s", w.Why, fault.Name(tl.Program.Graph.Nodes[of.Node].Name), of.Device)})
	}
	if s.Device == plan.PIM {
		whole.Track = pimTrack
	}
	t.Slices = append(t.Slices, whole)
	commands := span.Start
	for _, p := range parts(tl, i) {
		t.Slices = append(t.Slices, Slice{Track: whole.Track, Name: p.name, Start: p.from, End: p.to})
		if p.name == Commands {
			commands = p.from
		}
	}
	for c, ran := range cost.Lanes {
		if s.Device == plan.PIM && ran > 0 {
			t.Slices = append(t.Slices, Slice{Track: channelTrack + c, Name: whole.Name, Start: commands, End: commands + ran})
		}
	}
}

// The parts of PIM work that are not terms of its time.
const (
	Input    = "input"    // the latency of the link on the way there
	Commands = "commands" // those of the slowest channel; its terms lie within
	Results  = "results"  // the latency on the way back
)

// part is a part of a step's time.
type part struct {
	name     string
	from, to device.Time
}

// parts divides the time of a step, in the order in which a device does it as far as that is known. On the PIM work is launched, its
// inputs arrive, the commands follow, then what the link, the finish and shared bandwidth take longer, and results arrive. Kernels of
// the GPU are launched; their other terms overlap, and have the order of the cost model.
func parts(tl *run.Timeline, i int) (list []part) {
	at := tl.Spans[i].Start
	put := func(name string, length device.Time) {
		if length > 0 {
			list = append(list, part{name, at, at + length})
			at += length
		}
	}
	terms := utilization.Terms(tl, i)
	if tl.Program.Steps[i].Device != plan.PIM {
		for _, x := range terms {
			put(x.Name, x.Time)
		}
		return list
	}
	sum := func(of func(name string) bool) (t device.Time) {
		for _, x := range terms {
			if of(x.Name) {
				t += x.Time
			}
		}
		return t
	}
	is := func(want string) func(string) bool { return func(name string) bool { return name == want } }
	computing := func(name string) bool { return utilization.KindOf(name) == utilization.Computing }
	latency := sum(is("latency"))
	put("launch", sum(is("launch")))
	put(Input, latency/2)
	if all := sum(computing); all > 0 {
		begin := at
		put(Commands, all)
		at = begin
		for _, x := range terms {
			if computing(x.Name) {
				put(x.Name, x.Time)
			}
		}
	}
	for _, x := range terms {
		if !computing(x.Name) && x.Name != "launch" && x.Name != "latency" {
			put(x.Name, x.Time)
		}
	}
	put(Results, latency-latency/2)
	return list
}

// counters adds powers and flows over time.
func (t *Trace) counters(tl *run.Timeline, standby *device.Ledger) {
	if tl.Total == 0 {
		return
	}
	const milli = 1e-3 // pJ a nanosecond are mW
	p := utilization.PowerOf(tl, standby, intervals)
	gpu, pim := p.Work[program.Lane(plan.GPU)], p.Work[program.Lane(plan.PIM)]
	did := make([]device.Activity, len(tl.Program.Steps))
	for i := range did {
		did[i] = device.ActivityOf(tl.Program.Steps[i].Code)
	}
	flow := func(of func(*device.Activity) float64) (list []float64) {
		by := utilization.Spread(tl, intervals, func(i int) float64 { return of(&did[i]) })
		for k := range by[0] {
			sum := 0.0
			for _, lane := range by {
				sum += lane[k]
			}
			list = append(list, sum/p.Interval) // bytes a nanosecond are GB/s
		}
		return list
	}
	for _, c := range []struct {
		name, unit string
		value      []float64
		scale, add float64
	}{
		{"GPU work", "W", gpu, milli, 0}, {"PIM work", "W", pim, milli, 0}, {"standby", "W", make([]float64, intervals), milli, p.Standby},
		{"GPU memory", "GB/s", flow(func(a *device.Activity) float64 { return a.DRAM }), 1, 0},
		{"link", "GB/s", flow(func(a *device.Activity) float64 { return float64(a.Link) }), 1, 0},
		{"PIM banks to multipliers", "GB/s", flow(func(a *device.Activity) float64 { return float64(a.Inner) }), 1, 0},
	} {
		t.Tracks = append(t.Tracks, Track{Group: "counters", Name: c.name, Unit: c.unit})
		for k, v := range c.value {
			t.Samples = append(t.Samples, Sample{Track: len(t.Tracks) - 1, At: device.Time(float64(k) * float64(tl.Total) / intervals), Value: c.scale * (v + c.add)})
		}
	}
}
