// Package report shows what a search found: as text for people, as one JSON
// object, and as a trace for a timeline viewer. Results go in; nothing is
// computed here that a number could depend on.
package report

import (
	"encoding/json"
	"io"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/run"
	"pimflow/internal/search"
)

// Schema names the form of Run's JSON.
const Schema = "pimflow.run/1"

// Run is the report of one model under one plan. Times are in ns and, where a
// key ends in _ck, in cycles of the clock of the device they belong to.
type Run struct {
	Schema      string `json:"schema"`
	Model       string `json:"model"`
	Machine     string `json:"machine"`
	Policy      string `json:"policy"`
	Channels    int    `json:"channels"`
	PIMChannels int    `json:"pim_channels"` // of the plan
	Clocks      Clocks `json:"clocks"`

	// ChannelsTried are numbers of PIM channels that were tried, where that was asked for.
	ChannelsTried []ChannelsTried `json:"channels_tried,omitempty"`

	Baseline float64 `json:"baseline_ns"` // GPU alone, with every channel
	Total    float64 `json:"total_ns"`
	// Bound is a time that no plan of the search is below; null where it was not
	// asked for. Exact says that no plan of at most two pieces a layer betters this.
	Bound     *float64 `json:"bound_ns"`
	BoundTwo  *float64 `json:"bound_two_pieces_ns"` // of plans that cut no layer in more than two pieces
	Exact     bool     `json:"exact"`
	Stopped   bool     `json:"stopped"`     // before the search was done
	Objective string   `json:"objective"`   // latency, energy or edp
	Speedup   float64  `json:"speedup"`     // Baseline / Total
	Low       float64  `json:"speedup_low"` // while the GPU's times are anywhere between their bounds
	High      float64  `json:"speedup_high"`
	GPUBusy   float64  `json:"gpu_busy_ns"`
	PIMBusy   float64  `json:"pim_busy_ns"`
	BothBusy  float64  `json:"both_busy_ns"`  // within both of the above
	Launch    float64  `json:"launch_ns"`     // within GPUBusy
	PIMLaunch float64  `json:"pim_launch_ns"` // within PIMBusy
	Idle      float64  `json:"idle_ns"`       // neither works
	Search    float64  `json:"search_s"`      // wall clock; all other fields are reproducible

	BaselineTicks int64 `json:"baseline_gpu_ck"`
	TotalTicks    int64 `json:"total_gpu_ck"`

	Energy Energies    `json:"energy"`
	Pareto []Point     `json:"pareto,omitempty"` // null unless asked for
	MACs   int64       `json:"macs"`
	Check  *Check      `json:"check"` // null unless asked for
	Layers []Layer     `json:"layers"`
	Top    [][][]Class `json:"top,omitempty"` // by output and image

	GPUProfile *GPUProfile `json:"gpu_profile,omitempty"` // unless all GPU times are the model's
}

// ChannelsTried is the best plan's time when so many memory channels compute.
type ChannelsTried struct {
	PIMChannels int     `json:"pim_channels"`
	Total       float64 `json:"total_ns"`
}

// Clocks are the periods that cycles are counted in.
type Clocks struct {
	GPU float64 `json:"gpu_ps"`
	PIM float64 `json:"pim_ps"`
}

// Check is how far the plan's outputs are from the graph's.
type Check struct {
	OK      bool     `json:"ok"` // Replay too
	MaxAbs  float64  `json:"max_abs"`
	MaxRel  float64  `json:"max_rel"` // relative to the output's largest magnitude
	Outputs []Output `json:"outputs"` // null where the replay failed
	Replay  Replay   `json:"replay"`
}

// Replay is how many commands of the plan's streams were checked without values.
type Replay struct {
	OK       bool   `json:"ok"`
	Streams  int    `json:"streams"`
	Commands int64  `json:"commands"`
	Timed    int64  `json:"timed"`           // of Commands, also held against the DRAM's rules of time
	Error    string `json:"error,omitempty"` // the first that is wrong
}

// Output is the check of one output.
type Output struct {
	Name   string  `json:"name"`
	OK     bool    `json:"ok"`
	MaxAbs float64 `json:"max_abs"`
	MaxRel float64 `json:"max_rel"`
}

// Layer is one operation.
type Layer struct {
	Name      string  `json:"name"`
	Op        string  `json:"op"`
	Shape     []int   `json:"shape"`
	MACs      int64   `json:"macs"`
	Kind      string  `json:"kind"`      // gpu, pim, split or pipe
	Exclusive bool    `json:"exclusive"` // one device works at a time then, and the GPU has every channel
	Tiles     []Tile  `json:"tiles"`
	GPU       *Whole  `json:"gpu"` // all of it on that device; null where that cannot be
	PIM       *Whole  `json:"pim"`
	Lost      *Option `json:"lost"`                 // the best other way to execute it alone
	GPUSource string  `json:"gpu_source,omitempty"` // of GPU: measured, interpolated, scaled or model
	// Fast and Slow are the kinds that it would have if the GPU were as fast or as slow as
	// the bounds of its times; "" where that was not asked for.
	Fast string `json:"kind_if_fast,omitempty"`
	Slow string `json:"kind_if_slow,omitempty"`
	// Error is null unless the plan was checked.
	Error *LayerError `json:"error"`
}

// LayerError is how far a layer's values are from those that the graph defines: by its
// own execution on the PIM, with exact inputs, and with what the plan had made before.
type LayerError struct {
	OwnAbs float64 `json:"own_max_abs"`
	OwnRel float64 `json:"own_max_rel"` // relative to the value's largest magnitude
	Abs    float64 `json:"max_abs"`
	Rel    float64 `json:"max_rel"`
}

// Tile is a part of an operation on a device.
type Tile struct {
	Device string  `json:"device"`
	Box    string  `json:"box"`
	NS     float64 `json:"ns"`
	Ticks  int64   `json:"ck"`
	Start  float64 `json:"start_ns"`
	Bound  string  `json:"bound"`
	Energy float64 `json:"energy_pj"` // without standby
	Joined bool    `json:"joined"`    // launched with the PIM's tile before: NS and Ticks are without a launch

	GPUSource string `json:"gpu_source,omitempty"` // of NS, of a tile on the GPU
}

// Whole is the cost of a whole operation on one device.
type Whole struct {
	NS    float64 `json:"ns"`
	Ticks int64   `json:"ck"`
	Bound string  `json:"bound"`
}

// Option is an alternative.
type Option struct {
	Kind string  `json:"kind"`
	NS   float64 `json:"ns"`
}

// Class is one of the largest values of an output.
type Class struct {
	Index int    `json:"index"`
	Label string `json:"label,omitempty"`
	Score Number `json:"score"`
}

// New builds the report of a result.
func New(g *graph.Graph, m *hw.Machine, r *search.Result) *Run {
	b, tl := r.Timeline.Busy(), r.Timeline
	out := &Run{
		Schema: Schema, Model: g.Name, Machine: m.Name, Policy: r.Plan.Policy,
		Channels: m.Memory.Channels, PIMChannels: r.Plan.PIMChannels,
		Clocks:   Clocks{m.GPU.Clock.Picoseconds(), m.PIM.Clock.Picoseconds()},
		Baseline: r.Baseline.Total.NS(), Total: tl.Total.NS(),
		GPUBusy: b.GPU.NS(), PIMBusy: b.PIM.NS(), BothBusy: b.Both.NS(), Launch: b.Launch.NS(), PIMLaunch: b.PIMLaunch.NS(),
		Idle:          (tl.Total - b.GPU - b.PIM + b.Both).NS(),
		Search:        r.Elapsed.Seconds(),
		BaselineTicks: m.GPU.Clock.Cycles(int64(r.Baseline.Total)),
		TotalTicks:    m.GPU.Clock.Cycles(int64(tl.Total)),
		Energy:        newEnergy(r),
		Exact:         r.Exact,
		Stopped:       r.Stopped,
		Objective:     r.Objective.String(),
	}
	if r.Bound > 0 {
		ns, two := r.Bound.NS(), r.BoundTwo.NS()
		out.Bound, out.BoundTwo = &ns, &two
	}
	out.Speedup = 1 // of nothing to do
	if tl.Total > 0 {
		out.Speedup = float64(r.Baseline.Total) / float64(tl.Total)
	}
	out.Low, out.High = run.Interval(r.Baseline.Program, tl.Program)
	tiles := map[graph.ID][]Tile{}
	for i := range tl.Program.Steps {
		s := &tl.Program.Steps[i]
		c := s.Cost()
		if s.Joined {
			c.Ticks = m.PIM.Clock.Cycles(int64(c.Time))
		}
		tiles[s.Node] = append(tiles[s.Node], Tile{s.Device, s.Box.String(), c.Time.NS(), c.Ticks, tl.Spans[i].Start.NS(), c.Bound, c.Energy.Total().Value, s.Joined, sourceOf(&c, s.Device)})
	}
	for _, l := range r.Layers {
		nd := &g.Nodes[l.Node]
		row := Layer{
			Name: nd.Name, Op: opName(nd), Shape: nd.Shape, MACs: g.MACs(g.Whole(l.Node)), Kind: l.Kind, Exclusive: l.Exclusive,
			Tiles: tiles[l.Node], GPU: whole(l.GPU), PIM: whole(l.PIM), GPUSource: sourceOf(l.GPU, plan.GPU),
		}
		if l.Lost != nil {
			row.Lost = &Option{l.Lost.Kind, l.Lost.Time.NS()}
		}
		out.MACs += row.MACs
		out.Layers = append(out.Layers, row)
	}
	return out
}

// opName is the operator with its epilogue, as "Conv+Add+Relu".
func opName(nd *graph.Node) string {
	s := nd.Op.Name
	for _, p := range nd.Post {
		s += "+" + p.Op.Name
	}
	return s
}

func whole(c *device.Cost) *Whole {
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

// SetCheck adds the comparison of the plan's outputs with the graph's, and what was
// replayed of its streams.
func (r *Run) SetCheck(diffs []run.Diff, replayed device.Replay) {
	c := &Check{OK: true, Replay: Replay{OK: true, Streams: replayed.Streams, Commands: replayed.Commands, Timed: replayed.Timed}}
	for _, d := range diffs {
		c.OK = c.OK && d.OK
		c.MaxAbs, c.MaxRel = max(c.MaxAbs, d.MaxAbs), max(c.MaxRel, d.MaxRel)
		c.Outputs = append(c.Outputs, Output{d.Output, d.OK, d.MaxAbs, d.MaxRel})
	}
	r.Check = c
}

// SetFlips adds how layers are placed by searches for a GPU as fast and as slow as it
// may be.
func (r *Run) SetFlips(fast, slow *search.Result) {
	for i := range r.Layers {
		r.Layers[i].Fast, r.Layers[i].Slow = fast.Layers[i].Kind, slow.Layers[i].Kind
	}
}

// SetErrors adds how far each layer is from its definition.
func (r *Run) SetErrors(errs []run.LayerError) {
	for i, e := range errs {
		r.Layers[i].Error = &LayerError{e.Own.MaxAbs, e.Own.MaxRel, e.Total.MaxAbs, e.Total.MaxRel}
	}
}

// SetWrong adds what the replay of the plan's streams found; they are not executed.
func (r *Run) SetWrong(err error) { r.Check = &Check{Replay: Replay{Error: err.Error()}} }

// JSON writes the report as one object.
func (r *Run) JSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
