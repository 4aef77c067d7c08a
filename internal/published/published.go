// Package published adds up a network's time as the published system does
// (PIMFlow, CGO 2023, and its artifact), and repairs that accounting step by step
// until it is this project's.
//
// A graph and a machine go in; sums by policy, and a bridge of steps with their
// sums, come out. Cuts, pipelines and the dynamic programme are those of package
// search; what is particular to the published system is a row of a table here or
// package generator. The package knows no values.
package published

import (
	"context"
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/profile"
	"pimflow/internal/published/generator"
	"pimflow/internal/search"
)

// Accounting is a way to add up a network's time.
type Accounting struct {
	Machine *hw.Machine
	System  generator.System                      // the generator and its quirks
	Ours    bool                                  // this project's mapping in place of the generator
	Splits  func(*graph.Graph, *graph.Node) []int // in place of the policy's, unless nil; every cut of those is among them
	Chains  []search.Chain                        // beside the policy's
	Stages  int                                   // of the policy's pipelines; 0: two, as published
	Overlap bool                                  // the time of the whole program, not the sum of its segments
	// Residual: an addition that follows a convolution is a kernel of its own unless the
	// whole convolution is on the GPU. A plan is made without it, end to end it is added.
	Residual bool

	made map[string]device.Device // PIM devices by what they depend on
}

// New is the published accounting on a machine: up to four groups of channels, and
// squeeze-excite layers with the back end's mistake.
func New(m *hw.Machine) *Accounting {
	return &Accounting{Machine: m, System: generator.System{Buffers: 4, Columns1: true}, made: map[string]device.Device{}}
}

// Sum is the time of a network under one policy, and its energy end to end.
type Sum struct {
	Policy             string
	ConvOnly, EndToEnd Ratio
	Pointwise          Ratio       // of the dense 1x1 convolutions among those of ConvOnly
	Fully              Ratio       // the part of EndToEnd that is fully connected layers, those of squeeze-excite blocks among them
	Residuals          device.Time // part of EndToEnd.Total: additions that are kernels of their own
	Additions          int         // their number
	Energy             Energy
}

// Energy is an energy, and that of the GPU alone for the same work.
type Energy struct{ Baseline, Total device.Ledger }

// Ratio is Total over Baseline; low and high are its bounds (device.Ledger.Ratio).
func (e *Energy) Ratio() (value, low, high float64) { return e.Total.Ratio(&e.Baseline) }

// Ratio is a time, and that of the GPU alone with every channel for the same work.
type Ratio struct{ Baseline, Total device.Time }

// Speedup is Baseline over Total; 1 where there is no work.
func (r Ratio) Speedup() float64 {
	if r.Total == 0 {
		return 1
	}
	return float64(r.Baseline) / float64(r.Total)
}

// Policies are the published policies, in the order of the published table.
var Policies = []string{"newton+", "newton++", "pipeline", "mddp", "pimflow"}

// Sum adds up a network under a policy as the published system does.
//
// Every layer is measured alone, with a cold L2, and the plan is made of that.
// Convolutions only: the sum over the convolutions that are not fully connected
// layers. End to end: what the plan leaves whole on the GPU is measured in one
// pass, with a warm L2; everything else keeps its measurement; fully connected
// layers are on the PIM whatever they cost. Segments follow one another.
func (a *Accounting) Sum(ctx context.Context, g *graph.Graph, policy string) (Sum, error) {
	s, _, err := a.sum(ctx, g, policy)
	return s, err
}

// sum is Sum, with the plan.
func (a *Accounting) sum(ctx context.Context, g *graph.Graph, policy string) (Sum, *search.Result, error) {
	s := Sum{Policy: policy}
	p, err := search.Lookup(policy)
	if err != nil {
		return s, nil, err
	}
	p.Offload = search.Fully
	if p.Splits != nil && a.Splits != nil {
		p.Splits = a.Splits
	}
	if p.Chains != nil {
		if a.Stages > 0 {
			p.Chains = search.Stages(a.Stages)
		}
		p.Chains = append(append([]search.Chain{}, p.Chains...), a.Chains...)
	}
	cold, err := a.target(gpu.NewCold)
	if err != nil {
		return s, nil, err
	}
	r, err := search.Best(ctx, g, p, cold)
	if err != nil {
		return s, nil, err
	}
	alone, err := r.Alone()
	if err != nil {
		return s, nil, err
	}
	s.ConvOnly = convOnly(g, r, alone, Convolution)
	s.Pointwise = convOnly(g, r, alone, search.Pointwise)
	return s, r, a.endToEnd(g, r, &s)
}

// convOnly adds the segments of convolutions that pass a test, and the same on the GPU
// alone. Chains hold nothing but convolutions, or none.
func convOnly(g *graph.Graph, r *search.Result, alone []device.Time, is func(*graph.Graph, *graph.Node) bool) (sum Ratio) {
	for i, seg := range r.Plan.Segments {
		if is(g, &g.Nodes[seg.Tiles[0].Node]) {
			sum.Total += alone[i]
		}
	}
	for _, st := range r.Baseline.Program.Steps {
		if is(g, &g.Nodes[st.Node]) {
			sum.Baseline += st.Code.Cost().Time
		}
	}
	return sum
}

// endToEnd adds all segments of a plan made with cold measurements: those whole on
// the GPU from the warm devices, the others as measured.
func (a *Accounting) endToEnd(g *graph.Graph, r *search.Result, s *Sum) error {
	warm, err := a.target(gpu.New)
	if err != nil {
		return err
	}
	w, err := search.Given(g, r.Plan, warm)
	if err != nil {
		return err
	}
	s.EndToEnd.Baseline = w.Baseline.Total
	s.Energy.Baseline = w.Baseline.Energy(&w.Standby)
	if a.Overlap {
		s.EndToEnd.Total = w.Timeline.Total
		s.Energy.Total = w.Timeline.Energy(&w.Standby)
		return nil
	}
	for _, st := range w.Baseline.Program.Steps {
		if search.Fully(g, &g.Nodes[st.Node]) {
			s.Fully.Baseline += st.Code.Cost().Time
		}
	}
	own, err := r.Alone()
	if err != nil {
		return err
	}
	again, err := w.Alone()
	if err != nil {
		return err
	}
	k := 0 // step of both programs: they have one for each tile
	for i, seg := range r.Plan.Segments {
		from, alone := r, own[i]
		if whole(seg) {
			from, alone = w, again[i]
		}
		s.EndToEnd.Total += alone
		if search.Fully(g, &g.Nodes[seg.Tiles[0].Node]) {
			s.Fully.Total += alone
		}
		for range seg.Tiles {
			c := from.Timeline.Program.Steps[k].Cost()
			s.Energy.Total.Add(&c.Energy)
			k++
		}
	}
	if a.Residual {
		if err := s.residuals(g, r.Plan, warm); err != nil {
			return err
		}
	}
	rest := w.Standby.Times(s.EndToEnd.Total.NS())
	s.Energy.Total.Add(&rest)
	return nil
}

// Convolution reports whether a node is a convolution that the published system
// plans: one that is not a fully connected layer.
func Convolution(g *graph.Graph, nd *graph.Node) bool {
	return nd.Op != nil && nd.Op.Name == "Conv" && !search.Fully(g, nd)
}

// target makes the devices of the accounting; newGPU says how layers are measured.
func (a *Accounting) target(newGPU profile.Maker) (search.Target, error) {
	by := platform.Makers{GPU: newGPU, PIM: func(_ *hw.Machine, channels int, commands string) (device.Device, error) {
		return a.pim(channels, commands)
	}}
	to, err := platform.Target(a.Machine, by)
	to.Fits = nil // the published generator does not say where weights are
	return to, err
}

// pim makes the PIM of the accounting, once for all sums that share it.
func (a *Accounting) pim(channels int, commands string) (device.Device, error) {
	m := a.Machine
	key := fmt.Sprint(channels, commands, a.System, a.Ours, m.Link, m.PIM.Timing, m.PIM.Clock, m.GPU.Clock, m.Memory)
	if d := a.made[key]; d != nil {
		return d, nil
	}
	var d device.Device
	var err error
	if a.Ours {
		d, err = platform.PIM(a.Machine, channels, commands)
	} else {
		s := a.System
		if commands == plan.Basic {
			s.Buffers, s.Exposed = 1, true
		}
		d, err = generator.New(a.Machine, channels, s)
	}
	if err != nil {
		return nil, err
	}
	d = device.Memo(d)
	a.made[key] = d
	return d, nil
}
