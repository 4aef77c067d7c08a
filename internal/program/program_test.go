package program_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/tensor"
)

// TestClocks: vector clocks and fused launches of hand-made programs, step by step.
func TestClocks(t *testing.T) {
	type step struct {
		lane    int
		after   []int // earlier steps
		end     program.VectorClock
		follows bool
	}
	const gpu, pim = 0, 1
	for about, steps := range map[string][]step{
		"one device": {
			{gpu, nil, program.VectorClock{1, 0}, false},
			{gpu, nil, program.VectorClock{2, 0}, true},
		},
		"two devices that never meet": {
			{gpu, nil, program.VectorClock{1, 0}, false},
			{pim, nil, program.VectorClock{0, 1}, false},
			{gpu, []int{0}, program.VectorClock{2, 0}, true},
			{pim, []int{1}, program.VectorClock{0, 2}, true},
		},
		"there and back": {
			{pim, nil, program.VectorClock{0, 1}, false},
			{gpu, []int{0}, program.VectorClock{1, 1}, false},
			{pim, []int{1}, program.VectorClock{1, 2}, false},
			{gpu, []int{2}, program.VectorClock{2, 2}, false},
		},
		"a wait that the step before had, or a shorter one": {
			{gpu, nil, program.VectorClock{1, 0}, false},
			{gpu, nil, program.VectorClock{2, 0}, true},
			{pim, []int{1}, program.VectorClock{2, 1}, false},
			{pim, []int{1}, program.VectorClock{2, 2}, true},
			{pim, []int{0}, program.VectorClock{2, 3}, true},
			{gpu, []int{3}, program.VectorClock{3, 2}, false},
			{pim, []int{5}, program.VectorClock{3, 4}, false},
		},
		"a wait through a step of the own device": {
			{gpu, nil, program.VectorClock{1, 0}, false},
			{pim, []int{0}, program.VectorClock{1, 1}, false},
			{gpu, []int{1}, program.VectorClock{2, 1}, false},
			{pim, nil, program.VectorClock{1, 2}, true},
			{pim, []int{2, 3}, program.VectorClock{2, 3}, false},
			{gpu, []int{1}, program.VectorClock{3, 1}, true},
		},
	} {
		var c program.Clocks
		var ends []program.VectorClock
		p := &program.Program{}
		for i, s := range steps {
			var after program.VectorClock
			for _, j := range s.after {
				after = after.Max(ends[j])
			}
			end, follows := c.Advance(s.lane, after)
			if end != s.end || follows != s.follows {
				t.Errorf("%s: step %d: %v, follows %v: %v, %v wanted", about, i, end, follows, s.end, s.follows)
			}
			ends = append(ends, end)
			// The GPU's launches cannot be fused, the PIM's can.
			tile, cost := plan.Tile{Device: plan.GPU}, device.Cost{Time: 100, Launch: 40}
			if s.lane == pim {
				tile, cost = plan.Tile{Device: plan.PIM}, device.Cost{Time: 100, Launch: 40, Fusible: 30}
			}
			p.Steps = append(p.Steps, program.Step{Tile: tile, Code: priced{cost: cost}, After: s.after})
		}
		p.Fuse()
		for i, s := range steps {
			want := device.Cost{Time: 100, Launch: 40}
			if s.lane == pim {
				want.Fusible = 30
				if s.follows {
					want.Time, want.Launch = 70, 10
				}
			}
			got := p.Steps[i].Cost()
			if p.Steps[i].Fused != (s.follows && s.lane == pim) || got.Time != want.Time || got.Launch != want.Launch {
				t.Errorf("%s: step %d: fused %v, %v with launch %v: %v, %v wanted", about, i, p.Steps[i].Fused, got.Time, got.Launch, want.Time, want.Launch)
			}
		}
	}
}

// priced is code that only costs.
type priced struct {
	device.Code
	cost device.Cost
}

func (p priced) Cost() device.Cost { return p.cost }

// diamond is a = Relu(x), b = Relu(a), c = Neg(a), d = b + c, of 1 x 1 x 4 x 1: nodes 1 to 4.
func diamond(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("diamond")
	add := func(name, kind string, in ...graph.ID) graph.ID {
		id, err := b.Op(name, kind, op.Attrs{}, in...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	a := add("a", "Relu", b.Input("x", tensor.Float32, tensor.Shape{1, 1, 4, 1}))
	b.Output("y", add("d", "Add", add("b", "Relu", a), add("c", "Neg", a)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// tile is rows [lo, hi) of a node of the diamond.
func tile(dev string, node graph.ID, lo, hi int) plan.Tile {
	return plan.Tile{Cut: graph.Cut{Node: node, Box: tensor.Box{{Lo: 0, Hi: 1}, {Lo: 0, Hi: 1}, {Lo: lo, Hi: hi}, {Lo: 0, Hi: 1}}}, Device: dev}
}

// duo is the devices of a machine: the GPU twice, without and with every channel, and the PIM.
func duo(names ...string) (ds []device.Device) {
	for _, name := range names {
		ds = append(ds, &fake.Func{Called: name, Of: func(c graph.Cut) (device.Cost, bool) {
			return device.Cost{Time: 10, Launch: 5, Fusible: map[string]device.Time{plan.PIM: 5}[name]}, name != plan.PIM || c.Node != 4
		}})
	}
	return ds
}

func built(g *graph.Graph, launch string, segments ...plan.Segment) *plan.Plan {
	return &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: launch, Segments: segments}
}

// TestBuild: who waits for whom, who has every channel and whose launch is fused, in plans
// whose answer is known.
func TestBuild(t *testing.T) {
	g := diamond(t)
	const gpu, pim = plan.GPU, plan.PIM
	seg := func(tiles ...plan.Tile) plan.Segment { return plan.Segment{Tiles: tiles} }
	sole := func(tiles ...plan.Tile) plan.Segment { return plan.Segment{Tiles: tiles, Exclusive: true} }
	for _, row := range []struct {
		about  string
		launch string
		parts  []plan.Segment
		after  [][]int
		every  []int // steps
		fused  []int
	}{
		{"whole nodes", plan.Fused,
			[]plan.Segment{seg(tile(gpu, 1, 0, 4)), seg(tile(gpu, 2, 0, 4)), seg(tile(pim, 3, 0, 4)), seg(tile(gpu, 4, 0, 4))},
			[][]int{nil, {0}, {0}, {1, 2}}, nil, nil},
		{"halves wait for the halves that they read", plan.Fused,
			[]plan.Segment{seg(tile(pim, 1, 0, 2), tile(gpu, 1, 2, 4)), seg(tile(pim, 2, 0, 2), tile(gpu, 2, 2, 4)), seg(tile(pim, 3, 0, 3), tile(gpu, 3, 3, 4)), seg(tile(gpu, 4, 0, 4))},
			[][]int{nil, nil, {0}, {1}, {0, 1}, {1}, {2, 3, 4, 5}}, nil, []int{2}}, // 4 waits for step 1 of the GPU, for which 2 did not
		{"the same with a launch each", plan.Each,
			[]plan.Segment{seg(tile(pim, 1, 0, 2), tile(gpu, 1, 2, 4)), seg(tile(pim, 2, 0, 2), tile(gpu, 2, 2, 4)), seg(tile(pim, 3, 0, 3), tile(gpu, 3, 3, 4)), seg(tile(gpu, 4, 0, 4))},
			[][]int{nil, nil, {0}, {1}, {0, 1}, {1}, {2, 3, 4, 5}}, nil, nil},
		{"exclusive throughout: each waits for the one before", plan.Fused,
			[]plan.Segment{sole(tile(gpu, 1, 0, 4)), sole(tile(pim, 2, 0, 4)), sole(tile(pim, 3, 0, 4)), sole(tile(gpu, 4, 0, 4))},
			[][]int{nil, {0}, {0, 1}, {1, 2}}, []int{0, 3}, []int{2}},
		{"an exclusive segment waits for both devices, and both for it", plan.Fused,
			[]plan.Segment{seg(tile(gpu, 1, 0, 2), tile(pim, 1, 2, 4)), sole(tile(gpu, 2, 0, 4)), seg(tile(pim, 3, 0, 2), tile(gpu, 3, 2, 4)), seg(tile(gpu, 4, 0, 4))},
			[][]int{nil, nil, {0, 1}, {0, 2}, {1}, {2, 3, 4}}, nil, nil}, // 2 reads a, which is in the GPU's own channels
		{"an exclusive step waits for work that it does not read", plan.Fused,
			[]plan.Segment{seg(tile(gpu, 1, 0, 4)), seg(tile(pim, 2, 0, 4)), sole(tile(gpu, 3, 0, 4)), seg(tile(gpu, 4, 0, 4))},
			[][]int{nil, {0}, {0, 1}, {1, 2}}, nil, nil},
		{"the first of a device behind an exclusive segment", plan.Fused,
			[]plan.Segment{sole(tile(gpu, 1, 0, 4)), seg(tile(pim, 2, 0, 2), tile(pim, 2, 2, 4)), seg(tile(pim, 3, 0, 4)), sole(tile(gpu, 4, 0, 4))},
			[][]int{nil, {0}, {0}, {0}, {0, 1, 2, 3}}, []int{0}, []int{2, 3}},
	} {
		p, err := program.Build(g, built(g, row.launch, row.parts...), duo(gpu, plan.Every, pim))
		if err != nil {
			t.Errorf("%s: %v", row.about, err)
			continue
		}
		var after [][]int
		var every, fused []int
		for i, s := range p.Steps {
			after = append(after, s.After)
			if s.Every {
				every = append(every, i)
			}
			if s.Fused {
				fused = append(fused, i)
			}
		}
		if d := cmp.Diff(row.after, after); d != "" || !slices.Equal(every, row.every) || !slices.Equal(fused, row.fused) {
			t.Errorf("%s: every channel %v, %v wanted; fused %v, %v wanted; after: %s", row.about, every, row.every, fused, row.fused, d)
		}
	}
}

// TestOn: where all channels compute, the GPU has every channel or none; without the device
// of every channel it has its own.
func TestOn(t *testing.T) {
	g := diamond(t)
	for _, row := range []struct {
		devices   []string
		exclusive bool
		narrow    bool
		want      string
	}{
		{[]string{plan.GPU, plan.Every}, false, false, plan.GPU},
		{[]string{plan.GPU, plan.Every}, true, false, plan.Every},
		{[]string{plan.GPU, plan.Every}, true, true, plan.GPU},
		{[]string{plan.Every}, true, true, plan.Every},
		{[]string{plan.GPU}, true, false, plan.GPU},
	} {
		d, err := program.On(g, tile(plan.GPU, 2, 0, 4), row.exclusive, map[graph.ID]bool{1: row.narrow}, duo(row.devices...))
		if err != nil || d.Name() != row.want {
			t.Errorf("%+v: %v, %v", row, d, err)
		}
	}
}

// TestBuildErrors: the error names the tile.
func TestBuildErrors(t *testing.T) {
	g := diamond(t)
	whole := func(devs ...string) (parts []plan.Segment) {
		for i, d := range devs {
			parts = append(parts, plan.Segment{Tiles: []plan.Tile{tile(d, graph.ID(i+1), 0, 4)}})
		}
		return parts
	}
	for _, row := range []struct {
		devices []string
		parts   []plan.Segment
		want    string
	}{
		{[]string{plan.GPU, plan.PIM}, whole(plan.GPU, plan.GPU, plan.GPU, plan.PIM), `node %4 "d" on pim: d: not supported by the device`},
		{[]string{plan.GPU}, whole(plan.GPU, plan.PIM, plan.GPU, plan.GPU), `device "pim" is not there: one of gpu wanted`},
		{[]string{plan.GPU}, whole(plan.GPU, plan.GPU, plan.GPU), `node %4 "d" is not made whole`},
	} {
		if _, err := program.Build(g, built(g, plan.Each, row.parts...), duo(row.devices...)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v: %s wanted", err, row.want)
		}
	}
}
