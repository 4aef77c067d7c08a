// Package program turns a plan into steps: each tile with the code its device
// compiled for it and the earlier steps it waits for. A graph, a plan and devices
// go in; what package run performs comes out. It does not know when steps run.
package program

import (
	"fmt"
	"slices"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
)

// Step is a tile with its code.
type Step struct {
	plan.Tile
	Code  device.Code
	After []int // earlier steps that it waits for: those whose values it reads and those that exclusive segments keep from it
	Fused bool  // it is launched with its device's step before
	Every bool  // it is on the GPU with every channel
}

// Cost is what the step takes in its place in the program.
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

// Build checks a plan against its graph and compiles it. The error names the
// tile that cannot be compiled and why.
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
// makes are there from the start. narrow is Narrow of the plan that they are of.
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
				return nil, fmt.Errorf("node %%%d %q on %s: %w", t.Node, g.Nodes[t.Node].Name, t.Device, err)
			}
			p.Steps = append(p.Steps, Step{Tile: t, Code: code, Every: d.Name() == plan.Every, After: w.add(Lane(t.Device), seg.Exclusive, after(g, t, tiles, makers))})
			makers[t.Node] = append(makers[t.Node], len(tiles))
			tiles = append(tiles, t)
		}
	}
	return p, nil
}

// waits are the steps that others wait for because of exclusive segments.
type waits struct {
	n    int
	last [Lanes]int // the last step of each device
	sole int        // the last step of an exclusive segment
}

func newWaits() *waits { return &waits{last: [Lanes]int{-1, -1}, sole: -1} }

// add appends a step that waits for what it reads, and returns all that it waits for: in
// an exclusive segment also for all steps before, and the first of a device after one for
// its last.
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

// after lists the steps that make what a tile reads, ascending, each once.
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

// Narrow are the values that are in the GPU's own channels only: those of which any part
// is made outside of exclusive segments.
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

// On is the device that executes a tile. In an exclusive segment the GPU has every
// channel, but for a tile that reads values that are in some of them only (Narrow).
func On(g *graph.Graph, t plan.Tile, exclusive bool, narrow map[graph.ID]bool, devices []device.Device) (device.Device, error) {
	if exclusive && t.Device == plan.GPU {
		names := []string{plan.Every, plan.GPU}
		if slices.ContainsFunc(g.Nodes[t.Node].In, func(x graph.ID) bool { return narrow[x] }) {
			slices.Reverse(names)
		}
		for _, name := range names { // where all channels compute the GPU has none of its own
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
	return nil, fmt.Errorf("device %q is not there: one of %q wanted%s", name, names, nearest.Hint(name, names))
}
