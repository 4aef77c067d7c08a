// Package program compiles a plan to steps: each tile with the code of its device and the
// earlier steps that it waits for. A graph, a plan and devices go in; a Program, which
// package run performs, comes out.
//
// In the literature: a task graph with its precedence constraints, bound to machines. The
// package does not know when a step starts or ends.
package program

import (
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
)

// Step is a tile with its code.
type Step struct {
	plan.Tile
	Code  device.Code
	After []int // the earlier steps that it waits for: those whose values it reads, and those that an exclusive segment orders before it
	Fused bool  // its launch is fused with that of its device's step before
	Every bool  // the GPU executes it with every memory channel (plan.Every)
	// Exclusive: nothing runs beside it (plan.Segment).
	Exclusive bool
}

// Cost is the cost of the step in its place in the program: of the code, with its launch
// fused where it is.
func (s *Step) Cost() device.Cost {
	c := s.Code.Cost()
	if s.Fused {
		c = c.Fused()
	}
	return c
}

// Program is a plan, compiled.
type Program struct {
	Graph *graph.Graph
	Steps []Step
}

// Build checks a plan against its graph, compiles it, and fuses launches where the plan
// says so. The error names the tile that cannot be compiled and the reason.
func Build(g *graph.Graph, p *plan.Plan, devices []device.Device) (*Program, error) {
	if err := p.Check(g); err != nil {
		return nil, err
	}
	prog, err := Part(g, p.Segments, devices, Narrow(p.Segments))
	if err == nil && p.Launch == plan.Fused {
		prog.Fuse()
	}
	return prog, err
}

// Part compiles segments that need not be a whole plan: values that none of their tiles
// makes exist from the start. narrow is Narrow of their plan. No launch is fused.
func Part(g *graph.Graph, segments []plan.Segment, devices []device.Device, narrow map[graph.ID]bool) (*Program, error) {
	p := &Program{Graph: g}
	var tiles []plan.Tile
	makers := map[graph.ID][]int{}
	w := newWaits()
	for k := range segments {
		seg := &segments[k]
		for _, t := range seg.Tiles {
			d, err := On(g, t, seg.Exclusive, narrow, devices)
			if err != nil {
				return nil, err
			}
			code, err := d.Compile(g, t.Cut)
			if err != nil {
				return nil, fmt.Errorf("node %%%d %.80q on %s: %w", t.Node, g.Nodes[t.Node].Name, t.Device, err)
			}
			p.Steps = append(p.Steps, Step{Tile: t, Code: code, Every: d.Name() == plan.Every, Exclusive: seg.Exclusive, After: w.add(Lane(t.Device), seg.Exclusive, after(g, t, tiles, makers))})
			makers[t.Node] = append(makers[t.Node], len(tiles))
			tiles = append(tiles, t)
		}
	}
	return p, nil
}

// waits orders steps around exclusive segments: nothing runs beside a step of one.
//
// In the literature: a barrier.
type waits struct {
	n    int
	last [Lanes]int // the last step of each device, -1 before the first
	sole int        // the last step of an exclusive segment, -1 before the first
}

func newWaits() *waits { return &waits{last: [Lanes]int{-1, -1}, sole: -1} }

// add appends a step that waits for the steps in after, and returns all steps that it waits
// for, ascending. A step of an exclusive segment also waits for all steps before it. The
// first step of a device behind an exclusive segment waits for the last step of the segment.
func (w *waits) add(lane int, exclusive bool, after []int) []int {
	more := func(i int) {
		if i >= 0 && !slices.Contains(after, i) {
			after = append(slices.Clip(after), i)
		}
	}
	switch {
	case exclusive && w.sole >= 0 && w.sole == w.n-1:
		more(w.sole)
	case exclusive:
		more(w.last[0])
		more(w.last[1])
	case w.last[lane] < w.sole:
		more(w.sole)
	}
	slices.Sort(after)
	if exclusive {
		w.sole = w.n
	}
	w.last[lane] = w.n
	w.n++
	return after
}

// after lists the steps that make the values that a tile reads, ascending, each once.
func after(g *graph.Graph, t plan.Tile, tiles []plan.Tile, makers map[graph.ID][]int) []int {
	var list []int
	need := g.Need(t.Cut)
	for i, x := range g.Nodes[t.Node].In {
		for _, m := range makers[x] {
			if !tiles[m].Box.Intersect(need[i]).Empty() {
				list = append(list, m)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Narrow is the set of values that lie in the GPU's own channels only: some part of each is
// made outside of exclusive segments.
func Narrow(segments []plan.Segment) map[graph.ID]bool {
	narrow := map[graph.ID]bool{}
	for _, seg := range segments {
		for _, t := range seg.Tiles {
			if !seg.Exclusive {
				narrow[t.Node] = true
			}
		}
	}
	return narrow
}

// On is the device that executes a tile. In an exclusive segment the GPU has every channel,
// unless the tile reads a value that lies in some of them only (Narrow).
func On(g *graph.Graph, t plan.Tile, exclusive bool, narrow map[graph.ID]bool, devices []device.Device) (device.Device, error) {
	if exclusive && t.Device == plan.GPU {
		names := []string{plan.Every, plan.GPU}
		if slices.ContainsFunc(g.Nodes[t.Node].In, func(x graph.ID) bool { return narrow[x] }) {
			slices.Reverse(names)
		}
		for _, name := range names { // where all channels compute, the GPU has none of its own
			if d, err := find(devices, name); err == nil {
				return d, nil
			}
		}
	}
	return find(devices, t.Device)
}

func find(devices []device.Device, name string) (device.Device, error) {
	var names []string
	for _, d := range devices {
		if d.Name() == name {
			return d, nil
		}
		names = append(names, d.Name())
	}
	return nil, fmt.Errorf("device %.80q is not there: one of %s wanted%s", name, fault.Names(names), nearest.Hint(name, names))
}
