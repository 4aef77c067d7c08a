// Package explain gives the reason for each layer's placement: the limit on each device, the
// time of every alternative, alone and in the plan, and why the alternative lost.
//
// The result of a search and its target go in; layers with their alternatives come out. Every
// reason follows from times that are computed here or in the plan. The package does not know
// how a device computes its times.
//
// In the literature: what-if analysis of a schedule.
package explain

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/utilization"
)

// Explainer holds one plan and its devices.
type Explainer struct {
	g       *graph.Graph
	res     *search.Result
	ds      []device.Device
	fits    func(*program.Program) error
	some    bool    // memory channels compute in policies that use PIM
	standby float64 // pJ a nanosecond
	steps   map[graph.ID][]int
	narrow  map[graph.ID]bool
	waits   []utilization.Wait // nil until Tiles
}

// New explains the result of a search on a target.
func New(g *graph.Graph, res *search.Result, t search.Target) (*Explainer, error) {
	ds, err := t.Devices(res.Plan.PIMChannels, res.Plan.PIM)
	if err != nil {
		return nil, err
	}
	e := &Explainer{g: g, res: res, ds: ds, fits: t.Fits, some: t.PIMChannels > 0, standby: res.Standby.Total().Value, steps: map[graph.ID][]int{}, narrow: program.Narrow(res.Plan.Segments)}
	for i := range res.Timeline.Program.Steps {
		id := res.Timeline.Program.Steps[i].Node
		e.steps[id] = append(e.steps[id], i)
	}
	return e, nil
}

// Placed is the placement of a layer in the plan.
type Placed struct {
	Layer      *search.Layer
	Tiles      []plan.Tile
	Start, End device.Time // in the plan, of all tiles
	Alone      device.Time // of the tiles, without the rest of the plan
}

// Placed returns the placement of a layer.
func (e *Explainer) Placed(l *search.Layer) (*Placed, error) {
	p := &Placed{Layer: l}
	for k, i := range e.steps[l.Node] {
		s := e.res.Timeline.Spans[i]
		if p.Tiles = append(p.Tiles, e.res.Timeline.Program.Steps[i].Tile); k == 0 {
			p.Start = s.Start
		}
		p.Start, p.End = min(p.Start, s.Start), max(p.End, s.End)
	}
	prog, err := e.part(l, p.Tiles)
	if err != nil {
		return nil, err
	}
	p.Alone = run.Time(prog).Total
	return p, nil
}

// Part is a tile of a way to execute a layer.
type Part struct {
	plan.Tile
	Code device.Code
	Cost device.Cost
}

// Option is a way to execute a layer.
type Option struct {
	Parts  []Part
	Time   device.Time // alone
	Energy float64     // pJ, without standby
	// With is Energy plus the standby energy of the machine during Time.
	With float64
	// Total is the time of the plan with the option instead of the placement; 0 if no position in
	// the plan's order fits it.
	Total  device.Time
	Chosen bool
	Why    string // the reason why it was chosen or lost
}

// part returns the program of a layer's tiles alone; those of an exclusive layer run one after
// the other.
func (e *Explainer) part(l *search.Layer, tiles []plan.Tile) (*program.Program, error) {
	return program.Part(e.g, []plan.Segment{{Tiles: tiles, Exclusive: l.Exclusive}}, e.ds, e.narrow)
}

// ways lists the alternatives of a layer: its placement first, the whole layer on each device,
// and the cuts that the search kept. refused has the reasons against the others.
func (e *Explainer) ways(p *Placed) (ways [][]plan.Tile, refused []string, err error) {
	whole := e.g.Whole(p.Layer.Node)
	tried := [][]plan.Tile{p.Tiles}
	for _, dev := range []string{plan.GPU, plan.PIM} {
		tried = append(tried, []plan.Tile{{Cut: whole, Device: dev}})
	}
	for i := range p.Layer.Options {
		tiles, err := p.Layer.Options[i].Parse(p.Layer.Node)
		if err != nil {
			return nil, nil, err
		}
		tried = append(tried, tiles)
	}
	for _, tiles := range tried {
		if slices.ContainsFunc(ways, func(w []plan.Tile) bool { return same(w, tiles) }) {
			continue
		}
		why, err := e.refuses(p.Layer, tiles)
		switch {
		case err != nil:
			return nil, nil, err
		case why == "":
			ways = append(ways, tiles)
		case !slices.Contains(refused, why):
			refused = append(refused, why)
		}
	}
	return ways, refused, nil
}

// refuses returns the reason why a device of the plan cannot execute a tile; "" if all can. The
// plan that auto returns can be that of another policy, with other devices than its options.
func (e *Explainer) refuses(l *search.Layer, tiles []plan.Tile) (why string, err error) {
	for _, t := range tiles {
		d, err := program.On(e.g, t, l.Exclusive, e.narrow, e.ds)
		if err != nil {
			why := fmt.Sprintf("not on the %s: in this plan it has no memory channels", t.Device)
			if e.some {
				why += "; with policy pimflow it has some"
			}
			return why, nil
		}
		switch _, err := d.Compile(e.g, t.Cut); {
		case errors.Is(err, device.ErrUnsupported):
			return fmt.Sprintf("not executed by the %s: %v", t.Device, err), nil
		case err != nil:
			return "", err
		}
	}
	return "", nil
}

// same reports whether two lists hold the same tiles, in any order.
func same(a, b []plan.Tile) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x plan.Tile) bool {
		return !slices.ContainsFunc(b, func(y plan.Tile) bool { return x.Device == y.Device && x.Box.Equal(y.Box) })
	})
}

// kind is gpu, pim or split.
func kind(tiles []plan.Tile) string {
	for _, t := range tiles {
		if t.Device != tiles[0].Device {
			return "split"
		}
	}
	return tiles[0].Device
}

// Best returns the fastest alternative, executed alone, on other devices than the placement; nil
// for none.
func (e *Explainer) Best(p *Placed) (*Option, error) {
	ways, _, err := e.ways(p)
	if err != nil {
		return nil, err
	}
	var best *Option
	for _, tiles := range ways[1:] {
		if kind(tiles) == kind(p.Tiles) {
			continue
		}
		o, err := e.option(p.Layer, tiles)
		if err != nil {
			return nil, err
		}
		if best == nil || o.Time < best.Time {
			best = &o
		}
	}
	return best, nil
}

// Options lists the alternatives of a layer, the fastest alone first, and the reasons why there
// are no others.
func (e *Explainer) Options(p *Placed) (list []Option, refused []string, err error) {
	return e.Fastest(p, math.MaxInt)
}

// Fastest is Options of so many alternatives, with the placement beside them if it is slower. Only these are tried in the plan.
func (e *Explainer) Fastest(p *Placed, most int) (list []Option, refused []string, err error) {
	ways, refused, err := e.ways(p)
	if err != nil {
		return nil, nil, err
	}
	for _, tiles := range ways {
		o, err := e.option(p.Layer, tiles)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, o)
	}
	placement := list[0]
	list[0].Chosen = true
	slices.SortStableFunc(list, func(a, b Option) int { return cmp.Compare(a.Time, b.Time) })
	fastest := list[:0]
	for i, o := range list {
		if i >= most && !o.Chosen {
			continue
		}
		if err := e.judge(p, &placement, &o, o.Chosen); err != nil {
			return nil, nil, err
		}
		fastest = append(fastest, o)
	}
	return fastest, refused, nil
}

func (e *Explainer) option(l *search.Layer, tiles []plan.Tile) (Option, error) {
	prog, err := e.part(l, tiles)
	if err != nil {
		return Option{}, err
	}
	o := Option{Time: run.Time(prog).Total}
	for i := range prog.Steps {
		part := Part{Tile: tiles[i], Code: prog.Steps[i].Code, Cost: prog.Steps[i].Code.Cost()}
		o.Energy += part.Cost.Energy.Total().Value
		o.Parts = append(o.Parts, part)
	}
	o.With = o.Energy + e.standby*o.Time.NS()
	return o, nil
}

// Breakdown returns the breakdown of the part's time, the largest term first.
func (p *Part) Breakdown() []device.Term {
	terms := device.Breakdown(p.Code)
	slices.SortStableFunc(terms, func(a, b device.Term) int { return cmp.Compare(b.Time, a.Time) })
	return terms
}

// Tiles returns the tiles of the option.
func (o *Option) Tiles() (list []plan.Tile) {
	for i := range o.Parts {
		list = append(list, o.Parts[i].Tile)
	}
	return list
}

// Moved is the time of the plan with a whole layer on one device, at the position of the first or of the last of its tiles; 0 if the device
// does not execute it, or if there is no place for it in the plan's order or no room in the banks.
func (e *Explainer) Moved(p *Placed, dev string) (device.Time, error) {
	tiles := []plan.Tile{{Cut: e.g.Whole(p.Layer.Node), Device: dev}}
	if same(tiles, p.Tiles) {
		return e.res.Timeline.Total, nil
	}
	if why, err := e.refuses(p.Layer, tiles); why != "" || err != nil {
		return 0, err
	}
	tl, err := e.instead(p, &Option{Parts: []Part{{Tile: tiles[0]}}})
	var full *memory.FullError
	switch {
	case errors.As(err, &full) || err == nil && tl == nil:
		return 0, nil
	case err != nil:
		return 0, err
	}
	return tl.Total, nil
}
