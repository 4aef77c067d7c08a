package pimflow

import (
	"context"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/explain"
	"pimflow/internal/graph"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
	"pimflow/internal/usage"
	"pimflow/internal/utilization"
)

// powerIntervals is the number of intervals of Power.
const powerIntervals = 50

// movedLayers is up to how many layers a plan is timed with each moved to either device: the time grows with their square.
const movedLayers = 400

// Utilize adds the utilization of a plan to its report: of the network, and of each layer and tile. The plan may come from another session
// of the same model. It searches nothing.
func (s *Session) Utilize(ctx context.Context, p *Plan, rep *Report) error {
	p, err := s.own(p)
	if err != nil {
		return err
	}
	u, r := &utilizer{s, map[graph.ID]int{}}, p.result
	layers, err := r.Layers()
	if err != nil {
		return err
	}
	for i := range layers {
		u.at[layers[i].Node] = i
	}
	out := &usage.Network{}
	if out.Peaks, err = u.peaks(r, p.channels()); err != nil {
		return err
	}
	macs := rep.MACs
	out.Baseline = u.use(r, r.Baseline, macs, out.Peaks.BaselineDRAM, &out.Peaks)
	out.Plan = u.use(r, r.Timeline, macs, out.Peaks.DRAM, &out.Peaks)
	out.Limits = limits(s.graph, r)
	out.Pieces = u.pieces(r.Baseline)
	rep.Layers = slices.Clone(rep.Layers)
	for i := range rep.Layers {
		l := &rep.Layers[i]
		l.Tiles = slices.Clone(l.Tiles)
		l.Use = u.layer(l, layers[i].Node)
		if c := layers[i].GPU; c != nil {
			low, high := c.Bounds()
			l.Use.GPULow, l.Use.GPUHigh = low.NS(), high.NS()
		}
	}
	for _, x := range out.Pieces {
		rep.Layers[x.Layer].Use.Baseline += x.End - x.Start
	}
	next := make([]int, len(rep.Layers))
	for _, x := range u.pieces(r.Timeline) {
		rep.Layers[x.Layer].Tiles[next[x.Layer]].Piece = &x
		next[x.Layer]++
	}
	if len(layers) <= movedLayers {
		e, err := explain.New(s.graph, r, p.target)
		if err != nil {
			return err
		}
		for i := range layers {
			if err := ctx.Err(); err != nil {
				return err
			}
			placed, err := e.Placed(&layers[i])
			if err != nil {
				return err
			}
			for _, to := range []struct {
				dev string
				ns  **float64
			}{{plan.GPU, &rep.Layers[i].Use.OnGPU}, {plan.PIM, &rep.Layers[i].Use.OnPIM}} {
				switch t, err := e.Moved(placed, to.dev); {
				case err != nil:
					return err
				case t > 0:
					ns := t.NS()
					*to.ns = &ns
				}
			}
		}
	}
	rep.Utilization = out
	return nil
}

// Limits is what the time goes to, by class of layer: a part of Utilize that takes no time to speak of.
func (s *Session) Limits(p *Plan) ([]usage.Limit, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	return limits(s.graph, p.result), nil
}

// utilizer makes the utilization of a plan of a session.
type utilizer struct {
	s  *Session
	at map[graph.ID]int // layers by node
}

// peaks are those of the machine under a plan with so many PIM channels.
func (u *utilizer) peaks(r *search.Result, channels int) (p usage.Peaks, err error) {
	m := u.s.machine
	cycles := float64(m.GPU.SMs) * m.GPU.Clock.GHz() // of all SMs, in 1e9/s
	tensor := m.GPU.MACs
	if m.Memory.ElementSize == 1 {
		tensor = m.GPU.Int8MACs
	}
	p.Tensor, p.FMA = 2*cycles*tensor, 2*cycles*m.GPU.FMAs
	all := m.Memory.Channels
	kept := all - r.Plan.PIMChannels
	if kept <= 0 || slices.ContainsFunc(r.Timeline.Program.Steps, func(s program.Step) bool { return s.Every }) {
		kept = all
	}
	p.BaselineDRAM, p.DRAM = m.Memory.ChannelGBps*float64(all), m.Memory.ChannelGBps*float64(kept)
	macs, bytes, err := pim.Peak(m)
	p.PIM, p.Inner = 2*macs*float64(channels), bytes*float64(channels)
	if m.Link.PerByte > 0 {
		link := 1e3 / m.Link.PerByte
		p.Link = &link
	}
	return p, err
}

// use is what a timeline uses, whose GPU has so many GB/s.
func (u *utilizer) use(r *search.Result, tl *run.Timeline, macs int64, dram float64, peaks *usage.Peaks) usage.Use {
	var sum device.Activity
	lanes := []device.Time{}
	for i := range tl.Program.Steps {
		s := &tl.Program.Steps[i]
		sum.Add(device.ActivityOf(s.Code))
		for k, t := range s.Code.Cost().Lanes {
			if k == len(lanes) {
				lanes = append(lanes, 0)
			}
			lanes[k] += t
		}
	}
	total := tl.Total.NS()
	flow := func(bytes, peak float64) usage.Flow {
		f := usage.Flow{Bytes: int64(math.Round(bytes)), GBps: quotient(bytes, total)}
		f.Share = quotient(f.GBps, peak)
		return f
	}
	link := 0.0
	if peaks.Link != nil {
		link = *peaks.Link
	}
	out := usage.Use{
		GFLOPS: quotient(2*float64(macs), total), DRAM: flow(sum.DRAM, dram), Inner: flow(float64(sum.Inner), peaks.Inner), Link: flow(float64(sum.Link), link),
		GPUMACs: sum.Tensor + sum.FMA, PIMMACs: sum.MACs, Activations: sum.Opened, Reads: sum.Reads, Hits: max(0, sum.Reads-sum.Firsts),
		Stalls: []usage.Stall{}, Power: powerOf(tl, &r.Standby),
	}
	if len(lanes) > 0 {
		busy := device.Time(0)
		for _, t := range lanes {
			busy += t
		}
		out.Channels = quotient(busy.NS(), total*float64(len(lanes)))
		out.ChannelsLeast, out.ChannelsMost = quotient(slices.Min(lanes).NS(), total), quotient(slices.Max(lanes).NS(), total)
	}
	for _, x := range utilization.Stalls(tl) {
		out.Stalls = append(out.Stalls, usage.Stall{Device: x.Device, Cause: x.Cause, Busy: x.Busy, NS: x.Time.NS(), Share: utilization.NS(x.Shared)})
	}
	return out
}

func powerOf(tl *run.Timeline, standby *device.Ledger) usage.Power {
	const milli = 1e-3 // pJ a nanosecond are mW
	p := utilization.PowerOf(tl, standby, powerIntervals)
	watts := func(list []float64) []float64 {
		out := []float64{}
		for _, x := range list {
			out = append(out, milli*x)
		}
		return out
	}
	return usage.Power{Interval: p.Interval, Standby: milli * p.Standby, GPU: watts(p.Work[program.Lane(plan.GPU)]), PIM: watts(p.Work[program.Lane(plan.PIM)])}
}

func limits(g *graph.Graph, r *search.Result) []usage.Limit {
	list := utilization.Limits(g, r.Baseline, r.Timeline)
	split := func(s utilization.Split) usage.Split {
		return usage.Split{Launch: utilization.NS(s[utilization.Launching]), Moving: utilization.NS(s[utilization.Moving]), Computing: utilization.NS(s[utilization.Computing])}
	}
	all := list[0].Baseline.Sum() - list[0].PlanSum()
	out := []usage.Limit{}
	for i := range list {
		l := &list[i]
		base, own := l.Baseline.Sum(), l.PlanSum()
		out = append(out, usage.Limit{
			Class: l.Class, Layers: l.Layers, Baseline: split(l.Baseline), GPU: split(l.Plan[program.Lane(plan.GPU)]), PIM: split(l.Plan[program.Lane(plan.PIM)]),
			BaselineNS: utilization.NS(base), Total: utilization.NS(own), Saved: utilization.NS(base - own), Gain: quotient(float64(base-own), float64(all)),
		})
	}
	return out
}

// layer is what a layer is and wants.
func (u *utilizer) layer(l *Layer, id graph.ID) *usage.Layer {
	g := u.s.graph
	x := &usage.Layer{Class: utilization.Class(g, id), FLOPs: 2 * l.MACs, Bytes: utilization.Bytes(g, id, u.s.machine.Memory.ElementSize)}
	x.Intensity = quotient(float64(x.FLOPs), float64(x.Bytes))
	return x
}

// pieces are the steps of a timeline.
func (u *utilizer) pieces(tl *run.Timeline) []usage.Piece {
	g, waits := u.s.graph, utilization.Waits(tl)
	list := []usage.Piece{}
	for i := range tl.Program.Steps {
		s, span, w := &tl.Program.Steps[i], tl.Spans[i], waits[i]
		terms := utilization.Terms(tl, i)
		split := utilization.SplitOf(terms)
		did := device.ActivityOf(s.Code)
		x := usage.Piece{
			Layer: u.at[s.Node], Device: s.Device, Start: span.Start.NS(), End: span.End.NS(),
			Split: usage.Split{Launch: split[utilization.Launching].NS(), Moving: split[utilization.Moving].NS(), Computing: split[utilization.Computing].NS()}, Terms: []usage.Term{},
			DRAM: int64(math.Round(did.DRAM)), L2: int64(math.Round(did.L2)), Link: did.Link, Inner: did.Inner,
			FLOPs: 2 * g.MACs(s.Cut), MACs: int64(math.Round(did.Tensor + did.FMA)), Tensor: did.Tensor > did.FMA, Waited: w.Idle.NS(), Channels: lanesOf(s.Code.Cost().Lanes),
		}
		if s.Device == plan.PIM {
			x.MACs, x.Tensor = did.MACs, false
		}
		x.Axis, x.From, x.To, x.Of = axisOf(s.Box, g.Nodes[s.Node].Shape)
		for _, t := range terms {
			x.Terms = append(x.Terms, usage.Term{Name: t.Name, NS: t.Time.NS()})
		}
		if w.Step >= 0 {
			of := &tl.Program.Steps[w.Step]
			x.For = &usage.WaitedFor{Layer: u.at[of.Node], Device: of.Device, Why: w.Why.String()}
		}
		list = append(list, x)
	}
	return list
}

// lanesOf are the busy times of channels in runs.
func lanesOf(times []device.Time) []usage.Lane {
	list := []usage.Lane{}
	for _, t := range times {
		if n := len(list); n > 0 && list[n-1].NS == t.NS() {
			list[n-1].N++
		} else {
			list = append(list, usage.Lane{N: 1, NS: t.NS()})
		}
	}
	return list
}

// axisOf is the dimension that a box is a part of, and its range there.
func axisOf(box tensor.Box, shape tensor.Shape) (axis string, from, to, of int) {
	names := map[int]string{plan.Images: "images", plan.Channels: "channels", plan.Rows: "rows", plan.Rows + 1: "columns"}
	for d, r := range box {
		switch {
		case r.Len() == shape[d]:
		case axis != "":
			return "several", 0, 0, 0
		default:
			if axis = names[d]; len(shape) != 4 && d != plan.Images || axis == "" {
				axis = fmt.Sprintf("dimension %d", d)
			}
			from, to, of = r.Lo, r.Hi, shape[d]
		}
	}
	return axis, from, to, of
}
