package pimflow

import (
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/usage"
)

// ReportSchema names the form of Report's JSON.
const ReportSchema = "pimflow.run/1"

// Report holds the time, the energy and the placement of a plan: the JSON of pimflow run --json.
// Times are in ns or, if a key ends in _ck, in cycles of the clock of their device; energies are in
// pJ.
type Report struct {
	Schema      string `json:"schema"`
	Model       string `json:"model"`
	Machine     string `json:"machine"`
	PlanMachine string `json:"plan_machine,omitempty"` // that the given plan was made for, if it is another
	Policy      string `json:"policy"`
	Channels    int    `json:"channels"`     // of the memory
	PIMChannels int    `json:"pim_channels"` // of the plan; where nothing is on the PIM, of the machine
	Clocks      struct {
		GPU float64 `json:"gpu_ps"`
		PIM float64 `json:"pim_ps"`
	} `json:"clocks"` // periods that cycles are counted in

	// ChannelsTried is nil unless the search was for the number of PIM channels too.
	ChannelsTried []ChannelsTried `json:"channels_tried,omitempty"`

	Baseline     float64 `json:"baseline_ns"`     // the GPU alone, with every memory channel
	BaselineLow  float64 `json:"baseline_low_ns"` // within the errors of the GPU's model and the bounds of launches
	BaselineHigh float64 `json:"baseline_high_ns"`
	Total        float64 `json:"total_ns"`     // the plan
	TotalLow     float64 `json:"total_low_ns"` // within the same errors and bounds
	TotalHigh    float64 `json:"total_high_ns"`
	// Bound is a lower bound of the time of every plan of the search; nil if none was computed.
	Bound     *float64 `json:"bound_ns"`
	BoundTwo  *float64 `json:"bound_two_pieces_ns"` // the same for plans with at most two pieces a layer
	Exact     bool     `json:"exact"`               // no plan of at most two pieces a layer is better
	Stopped   bool     `json:"stopped"`             // the search ended early, or that of the given plan did: it is the best so far
	Effort    string   `json:"effort"`              // of the search: low, normal, high, or the steps a layer, also where a time limit ended it; "" of a given plan
	Objective string   `json:"objective"`           // latency, energy or edp
	Speedup   float64  `json:"speedup"`             // Baseline / Total
	Low       float64  `json:"speedup_low"`         // the least within the same errors and bounds
	High      float64  `json:"speedup_high"`        // the most
	GPUBusy   float64  `json:"gpu_busy_ns"`
	PIMBusy   float64  `json:"pim_busy_ns"`
	BothBusy  float64  `json:"both_busy_ns"`  // within both of the above
	Launch    float64  `json:"launch_ns"`     // launches of kernels, within GPUBusy
	PIMLaunch float64  `json:"pim_launch_ns"` // launches of PIM work, and of the kernels of the GPU that finish it, within PIMBusy
	Idle      float64  `json:"idle_ns"`       // neither device works
	Search    float64  `json:"search_s"`      // wall clock in seconds: the only number that is not reproducible

	// Cold is the writing of the weights into the PIM's banks, once before the first run and
	// not within Total; nil where the plan keeps none there.
	Cold *struct {
		NS    float64 `json:"ns"`
		Bytes int     `json:"bytes"` // of weights, every copy counted
		Rows  int     `json:"rows"`  // of all banks of a channel, over all channels
	} `json:"cold_start"`

	BaselineTicks int64 `json:"baseline_gpu_ck"`
	TotalTicks    int64 `json:"total_gpu_ck"`

	Throughput Throughput `json:"throughput"`

	Energy Energies `json:"energy"`
	// Launches is the same search for each way to launch work; nil until it is asked for
	// (Session.Launches).
	Launches []LaunchResult `json:"launches,omitempty"`
	Pareto   []Point        `json:"pareto,omitempty"`    // nil until it is asked for (Session.Pareto)
	MACs     int64          `json:"macs"`                // multiply-accumulates of the model
	Integers int64          `json:"int8_macs,omitempty"` // of these, products of integers of 8 bits, which the GPU multiplies at its int8 rate
	Check    *Check         `json:"check"`               // nil until SetCheck
	Layers   []Layer        `json:"layers"`              // in the graph's order
	Top      [][][]Class    `json:"top,omitempty"`       // the largest values of each output and image (Tensor.Top); nil until it is asked for
	TopWhole []int          `json:"top_whole,omitempty"` // the outputs of Top that have no dimension of images: of each there is one list, of all its values

	Limits      []usage.Limit   `json:"-"`                     // those of Utilization, or of Session.Limits alone
	Utilization *usage.Network  `json:"utilization,omitempty"` // nil until Session.Utilize
	Policies    []usage.Policy  `json:"policies,omitempty"`    // nil until Session.Beside
	Manifest    *usage.Manifest `json:"manifest,omitempty"`    // nil until Session.Manifest

	GPUProfile *GPUProfile `json:"gpu_profile,omitempty"` // nil where all GPU times are the model's

	Sizes    []Size    `json:"sizes,omitempty"`    // extents that depend on data (Session.Sizes); the plan is made with the largest
	Bindings []Binding `json:"bindings,omitempty"` // what the model's file leaves open (Session.Bindings)
	Warnings []string  `json:"warnings,omitempty"` // what it says, and its nodes contradict (Session.Warnings)
}

// ChannelsTried is the time of the best plan for a number of PIM channels, in ns.
type ChannelsTried struct {
	PIMChannels int     `json:"pim_channels"`
	Total       float64 `json:"total_ns"`
}

// Layer is an operation of the graph with its fused epilogue, and its placement in a plan.
type Layer struct {
	Name      string `json:"name"`
	Op        string `json:"op"`    // ONNX operator and those fused into it, as "Conv+Relu"
	Shape     []int  `json:"shape"` // of its value
	MACs      int64  `json:"macs"`
	Kind      string `json:"kind"`             // gpu, pim, split or pipe
	Exclusive bool   `json:"exclusive"`        // it runs alone: the GPU has every memory channel
	Pinned    string `json:"pinned,omitempty"` // the device that it was kept on (Pin); "": any
	Tiles     []Tile `json:"tiles"`
	GPU       *Whole `json:"gpu"` // the whole layer on the GPU; nil if the GPU cannot execute it
	PIM       *Whole `json:"pim"` // the whole layer on the PIM; nil likewise
	// Lost is the best other way to execute the layer alone; nil where there is none.
	Lost *struct {
		Kind string  `json:"kind"`
		NS   float64 `json:"ns"`
	} `json:"lost"`
	GPUSource string `json:"gpu_source,omitempty"` // of GPU: measured, interpolated, scaled or model
	// Fast and Slow are the kinds if the GPU were as fast or as slow as the bounds of its times;
	// "" until they are asked for (Session.Doubt).
	Fast string `json:"kind_if_fast,omitempty"`
	Slow string `json:"kind_if_slow,omitempty"`
	// Error is nil until SetCheck.
	Error *LayerError  `json:"error"`
	Use   *usage.Layer `json:"use,omitempty"` // nil until Session.Utilize
}

// Tile is a part of a layer's value on a device.
type Tile struct {
	Device string  `json:"device"` // gpu or pim
	Box    string  `json:"box"`    // its range in each dimension, as [0:1 0:32 0:56 0:112]
	NS     float64 `json:"ns"`
	Ticks  int64   `json:"ck"`
	Start  float64 `json:"start_ns"`
	Bound  string  `json:"bound"`     // what limits it, as "launch" or "dram"
	Energy float64 `json:"energy_pj"` // without standby
	Joined bool    `json:"joined"`    // launched with the PIM's tile before: NS and Ticks are without a launch

	GPUSource string `json:"gpu_source,omitempty"` // of NS on the GPU: measured, interpolated, scaled or model

	Piece *usage.Piece `json:"piece,omitempty"` // nil until Session.Utilize
}

// Whole is the cost of all of a layer on one device.
type Whole struct {
	NS    float64 `json:"ns"`
	Ticks int64   `json:"ck"` // of the device's clock
	Bound string  `json:"bound"`
}

// integerMACs is the multiply-accumulates of products of integers of 8 bits, and all.
func integerMACs(g *graph.Graph) (integers, all int64) {
	for i := range g.Nodes {
		n := g.MACs(g.Whole(graph.ID(i)))
		if all += n; n > 0 && g.Nodes[i].Op.Real != "" {
			integers += n
		}
	}
	return integers, all
}

// newSummary is the report without layers.
func newSummary(s *Session, p *Plan) (*Report, error) {
	g, m, r := s.graph, s.machine, p.result
	alone, err := s.baseline()
	if err != nil {
		return nil, err
	}
	if alone.timeline != r.Baseline { // of a plan whose number of channels was searched
		alone = &baseline{r.Baseline, s.deviate(r.Baseline.Program), run.Back(r.Baseline.Program)}
	}
	b, tl := r.Timeline.Busy(), r.Timeline
	own := s.deviate(tl.Program)
	out := &Report{
		Schema: ReportSchema, Model: g.Name, Machine: m.Name, Policy: r.Plan.Policy,
		Channels: m.Memory.Channels, PIMChannels: p.channels(), ChannelsTried: p.tried,
		Baseline: r.Baseline.Total.NS(), Total: tl.Total.NS(),
		GPUBusy: b.GPU.NS(), PIMBusy: b.PIM.NS(), BothBusy: b.Both.NS(), Launch: b.Launch.NS(), PIMLaunch: b.PIMLaunch.NS(),
		Idle:          (tl.Total - b.GPU - b.PIM + b.Both).NS(),
		Search:        r.Elapsed.Seconds(),
		BaselineTicks: m.GPU.Clock.Cycles(int64(r.Baseline.Total)),
		TotalTicks:    m.GPU.Clock.Cycles(int64(tl.Total)),
		Throughput:    newThroughput(g, alone.period, run.Back(tl.Program)),
		Energy:        newEnergies(r, alone.deviating, own),
		Exact:         r.Exact,
		Stopped:       r.Stopped || r.Plan.Stopped,
		Effort:        r.Effort.String(),
		Objective:     r.Objective.String(),
		Speedup:       1, // of nothing to do
	}
	if p.given {
		out.Effort = ""
	}
	if r.Plan.Machine != m.Name {
		out.PlanMachine = r.Plan.Machine
	}
	out.Clocks.GPU, out.Clocks.PIM = m.GPU.Clock.Picoseconds(), m.PIM.Clock.Picoseconds()
	if r.Bound > 0 {
		ns, two := r.Bound.NS(), r.BoundTwo.NS()
		out.Bound, out.BoundTwo = &ns, &two
	}
	if tl.Total > 0 {
		out.Speedup = float64(r.Baseline.Total) / float64(tl.Total)
	}
	low, high := alone.deviating.Bounds()
	out.BaselineLow, out.BaselineHigh = low.NS(), high.NS()
	low, high = own.Bounds()
	out.TotalLow, out.TotalHigh = low.NS(), high.NS()
	out.Low, out.High = run.Interval(alone.deviating, own)
	return out, nil
}

func newReport(s *Session, p *Plan) (*Report, error) {
	out, err := newSummary(s, p)
	if err != nil {
		return nil, err
	}
	g, r, tl := s.graph, p.result, p.result.Timeline
	out.Sizes, out.Bindings, out.Warnings = s.Sizes(), s.Bindings(), s.Warnings()
	out.Integers, _ = integerMACs(g)
	weights, err := memory.New(tl.Program)
	if err != nil {
		return nil, err
	}
	if len(weights.Steps) > 0 {
		cold := weights.ColdStart(s.machine)
		out.Cold = &struct {
			NS    float64 `json:"ns"`
			Bytes int     `json:"bytes"`
			Rows  int     `json:"rows"`
		}{cold.Time.NS(), cold.Bytes, cold.Rows}
	}
	tiles := map[graph.ID][]Tile{}
	for i := range tl.Program.Steps {
		id := tl.Program.Steps[i].Node
		tiles[id] = append(tiles[id], newTile(s, tl, i))
	}
	layers, err := r.Layers()
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		row := newLayer(g, l.Node, l.GPU, l.PIM)
		row.Kind, row.Exclusive, row.Tiles, row.Pinned = l.Kind, l.Exclusive, tiles[l.Node], p.target.Pins[l.Node]
		if l.Lost != nil {
			row.Lost = &struct {
				Kind string  `json:"kind"`
				NS   float64 `json:"ns"`
			}{l.Lost.Kind, l.Lost.Time.NS()}
		}
		out.MACs += row.MACs
		out.Layers = append(out.Layers, row)
	}
	out.Energy.setEfficiency(out.MACs)
	if s.profile != nil {
		out.GPUProfile = newGPUProfile(s.profile, r, layers)
	}
	return out, nil
}

// newLayer is a layer with its costs on both devices, in no plan.
func newLayer(g *graph.Graph, id graph.ID, gpu, pim *device.Cost) Layer {
	nd := &g.Nodes[id]
	return Layer{Name: nd.Name, Op: nd.Operators(), Shape: nd.Shape, MACs: g.MACs(g.Whole(id)), GPU: newWhole(gpu), PIM: newWhole(pim), GPUSource: sourceOf(gpu, plan.GPU)}
}

// newTile is the tile of a step of a timeline.
func newTile(s *Session, tl *run.Timeline, step int) Tile {
	st := &tl.Program.Steps[step]
	c := st.Cost()
	if st.Fused {
		c.Ticks = s.machine.PIM.Clock.Cycles(int64(c.Time))
	}
	return Tile{st.Device, st.Box.String(), c.Time.NS(), c.Ticks, tl.Spans[step].Start.NS(), c.Bound, c.Energy.Total().Value, st.Fused, sourceOf(&c, st.Device), nil}
}

func newWhole(c *device.Cost) *Whole {
	if c == nil {
		return nil
	}
	return &Whole{c.Time.NS(), c.Ticks, c.Bound}
}

// sourceOf names where a time of the GPU comes from; "" for none.
func sourceOf(c *device.Cost, dev string) string {
	if c == nil || dev != plan.GPU {
		return ""
	}
	return c.Source.String()
}

// SetCheck adds a check of the plan, and the errors of its layers.
func (r *Report) SetCheck(c *Check) {
	r.Check = c
	for i := range c.Layers {
		if !c.Layers[i].absent {
			r.Layers[i].Error = &c.Layers[i]
		}
	}
}

// Energies holds the energies of the plan and of the GPU alone, in pJ. Low and high are extremes over the errors of times, as
// those of the speed-up, and over the bounds of every energy constant of the machine; the parts' are those where the sum is at
// its extreme. Those of the ratio have the same errors and constants in numerator and denominator. Power is the energy over the time, as the
// models have it; efficiency is two operations for each multiply-accumulate of the graph, over the
// energy. Both are 0 where there is nothing to divide by.
type Energies struct {
	Baseline     float64      `json:"baseline_pj"`
	BaselineLow  float64      `json:"baseline_low_pj"`
	BaselineHigh float64      `json:"baseline_high_pj"`
	Total        float64      `json:"total_pj"`
	Low          float64      `json:"low_pj"`
	High         float64      `json:"high_pj"`
	Ratio        float64      `json:"ratio"` // Total / Baseline
	RatioLow     float64      `json:"ratio_low"`
	RatioHigh    float64      `json:"ratio_high"`
	Parts        []EnergyPart `json:"parts"` // they add up to the sums above

	BaselinePower          float64 `json:"baseline_w"`
	BaselinePowerLow       float64 `json:"baseline_low_w"`
	BaselinePowerHigh      float64 `json:"baseline_high_w"`
	Power                  float64 `json:"total_w"`
	PowerLow               float64 `json:"low_w"`
	PowerHigh              float64 `json:"high_w"`
	BaselineEfficiency     float64 `json:"baseline_gflops_per_w"`
	BaselineEfficiencyLow  float64 `json:"baseline_low_gflops_per_w"`
	BaselineEfficiencyHigh float64 `json:"baseline_high_gflops_per_w"`
	Efficiency             float64 `json:"total_gflops_per_w"`
	EfficiencyLow          float64 `json:"low_gflops_per_w"`
	EfficiencyHigh         float64 `json:"high_gflops_per_w"`
}

// EnergyPart is a component of the energy, as gpu_standby or pim_mac, in pJ.
type EnergyPart struct {
	Name         string  `json:"name"`
	Baseline     float64 `json:"baseline_pj"`
	BaselineLow  float64 `json:"baseline_low_pj"`
	BaselineHigh float64 `json:"baseline_high_pj"`
	Total        float64 `json:"total_pj"`
	Low          float64 `json:"low_pj"`
	High         float64 `json:"high_pj"`
}

func newEnergies(r *search.Result, alone, program *run.Deviating) Energies {
	const milli = 1e-3 // pJ a nanosecond are mW
	base, own := r.Baseline.Energy(&r.Standby), r.Timeline.Energy(&r.Standby)
	baseLow, baseHigh := alone.EnergyBounds(&r.Standby)
	low, high := program.EnergyBounds(&r.Standby)
	e := Energies{
		Baseline: base.Total().Value, BaselineLow: baseLow.Total().Low, BaselineHigh: baseHigh.Total().High,
		Total: own.Total().Value, Low: low.Total().Low, High: high.Total().High,
	}
	e.Ratio, _, _ = own.Ratio(&base)
	e.RatioLow, e.RatioHigh = run.EnergyInterval(&r.Standby, alone, program)
	for i := range device.Parts {
		e.Parts = append(e.Parts, EnergyPart{i.String(), base[i].Value, baseLow[i].Low, baseHigh[i].High, own[i].Value, low[i].Low, high[i].High})
	}
	power := func(e float64, tl *run.Timeline, d *run.Deviating) (value, low, high float64) {
		low, high = d.PowerBounds(&r.Standby)
		return milli * quotient(e, tl.Total.NS()), milli * low, milli * high
	}
	e.BaselinePower, e.BaselinePowerLow, e.BaselinePowerHigh = power(e.Baseline, r.Baseline, alone)
	e.Power, e.PowerLow, e.PowerHigh = power(e.Total, r.Timeline, program)
	return e
}

// setEfficiency sets the efficiencies for a number of multiply-accumulates.
func (e *Energies) setEfficiency(macs int64) {
	of := func(pj float64) float64 { return quotient(2e3*float64(macs), pj) } // operations a nanojoule are GFLOP/s/W
	e.BaselineEfficiency, e.BaselineEfficiencyLow, e.BaselineEfficiencyHigh = of(e.Baseline), of(e.BaselineHigh), of(e.BaselineLow)
	e.Efficiency, e.EfficiencyLow, e.EfficiencyHigh = of(e.Total), of(e.High), of(e.Low)
}

// quotient is a / b, and 0 where b is.
func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
