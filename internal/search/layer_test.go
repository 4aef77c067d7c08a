package search

import (
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// TestLayers: how operations are executed under a plan, and the fastest of the other ways.
func TestLayers(t *testing.T) {
	n := newNet()
	x := n.x
	for range 5 {
		x = n.conv(x, 1, 1)
	}
	g := n.graph(x)
	d := devices{
		all: costs{{100, 60, 0}, {100, 60, 0}, {100, 60, 0}, {100, 60, 0}, {100, 60, 0}}, every: costs{{40, 0, 0}, {40, 0, 0}, {40, 0, 0}, {40, 0, 0}, {40, 0, 0}},
		shared: costs{{100, 60, 0}, {100, 60, 0}, {100, 60, 0}, {100, 60, 0}, {100, 60, 0}}, extended: costs{{90, 60, 0}, {90, 60, 0}, {90, 60, 0}, {90, 60, 0}, {}},
	}
	s := newSearch(g, d.target(g))
	order := s.order
	exclusive := plan.Whole(g, order[0], plan.GPU)
	exclusive.Exclusive = true
	cut, ok := plan.Split(g, order[1], plan.Rows, 4, plan.GPU, plan.PIM)
	if !ok {
		t.Fatal("no split")
	}
	tile := func(i int, dev string, lo, hi int) plan.Tile {
		c := g.Whole(order[i])
		c.Box = c.Box.With(plan.Rows, tensor.Range{Lo: lo, Hi: hi})
		return plan.Tile{Cut: c, Device: dev}
	}
	pipe := plan.Segment{Tiles: []plan.Tile{tile(2, plan.PIM, 0, 4), tile(3, plan.GPU, 0, 4), tile(2, plan.PIM, 4, 8), tile(3, plan.GPU, 4, 8)}}
	p := s.blank(Policy{PIM: plan.Extended})
	p.Segments = []plan.Segment{exclusive, cut, pipe, plan.Whole(g, order[4], plan.GPU)}
	s.options = make([][]Option, len(order))
	s.options[0] = []Option{{"split", "two tiles", 70}, {"pipe", "not alone", 1}}
	s.options[1] = []Option{{"split", "two others", 60}}
	r := &Result{Plan: p, Timeline: &run.Timeline{Program: &program.Program{Graph: g}}, target: s.t, options: s.options}
	list, err := r.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		kind      string
		exclusive bool
		gpu, pim  device.Time // 0: none
		lost      string
		time      device.Time
	}{
		{plan.GPU, true, 40, 90, "split", 70},
		{"split", false, 100, 90, plan.PIM, 90},
		{"pipe", false, 100, 90, plan.PIM, 90},
		{"pipe", false, 100, 90, plan.PIM, 90},
		{plan.GPU, false, 100, 0, "", 0},
	} {
		l := &list[i]
		of := func(c *device.Cost) device.Time {
			if c == nil {
				return 0
			}
			return c.Time
		}
		lost := Option{}
		if l.Lost != nil {
			lost = *l.Lost
		}
		if l.Node != order[i] || l.Kind != want.kind || l.Exclusive != want.exclusive || of(l.GPU) != want.gpu || of(l.PIM) != want.pim || lost.Kind != want.lost || lost.Time != want.time || !slices.Equal(l.Options, s.options[i]) {
			t.Errorf("layer %d: %+v, lost %+v; want %+v", i, l, lost, want)
		}
	}
}
