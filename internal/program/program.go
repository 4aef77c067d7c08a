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
	After []int // earlier steps that it waits for: those whose values it reads and, where one device owns all channels, the one before
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
	prog, err := Part(g, p.Tiles(), devices)
	if err == nil && p.PIM == plan.Exclusive {
		for i := 1; i < len(prog.Steps); i++ {
			s := &prog.Steps[i]
			if n := len(s.After); n == 0 || s.After[n-1] != i-1 {
				s.After = append(slices.Clip(s.After), i-1)
			}
		}
	}
	return prog, err
}

// Part compiles tiles that need not be a whole plan: values that none of them
// makes are there from the start.
func Part(g *graph.Graph, tiles []plan.Tile, devices []device.Device) (*Program, error) {
	p := &Program{Graph: g, Steps: make([]Step, len(tiles))}
	makers := map[graph.ID][]int{}
	for i, t := range tiles {
		d, err := find(devices, t.Device)
		if err != nil {
			return nil, err
		}
		code, err := d.Compile(g, t.Cut)
		if err != nil {
			return nil, fmt.Errorf("node %%%d %q on %s: %w", t.Node, g.Nodes[t.Node].Name, t.Device, err)
		}
		p.Steps[i] = Step{Tile: t, Code: code, After: after(g, t, tiles, makers)}
		makers[t.Node] = append(makers[t.Node], i)
	}
	return p, nil
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
