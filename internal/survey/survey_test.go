package survey_test

import (
	"context"
	"math"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/profile"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/survey"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

// searched is a network of the zoo, planned on the machine artifact.
func searched(t testing.TB, name, policy string) (*graph.Graph, *hw.Machine, search.Target, *search.Result) {
	t.Helper()
	g, err := zoo.Build(name, 1)
	if err == nil {
		g, err = simplify.Run(t.Context(), g)
	}
	m, err2 := hw.Load("artifact")
	p, err3 := search.Lookup(policy)
	if err != nil || err2 != nil || err3 != nil {
		t.Fatal(err, err2, err3)
	}
	to, err := platform.Target(m, platform.Makers{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Best(context.Background(), g, p, to)
	if err != nil {
		t.Fatal(err)
	}
	return g, m, to, r
}

// TestGPUAlone: where all is on the GPU, which does one thing after the other, the
// effect of a kernel is half of what its bounds span, as often as it is there, in the plan
// and in the baseline.
func TestGPUAlone(t *testing.T) {
	g, m, to, r := searched(t, "mobilenet-v2", "gpu")
	rows, left, err := survey.List(g, m, to, r, false)
	if err != nil || left != 0 {
		t.Fatal(err, left)
	}
	want := map[string]float64{}
	for _, s := range r.Baseline.Program.Steps {
		k := profile.Of(g, s.Cut, tensor.Float16)
		if c := s.Code.Cost(); c.Time > 0 {
			low, high := c.Bounds()
			want[k.String()] += 2 * 100 * float64(high-low) / 2 / float64(r.Baseline.Total)
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d kernels: %d wanted", len(rows), len(want))
	}
	for i, row := range rows {
		if w := want[row.String()]; math.Abs(row.Effect-w) > 1e-9 || row.Channels != 32 {
			t.Errorf("%v: effect %v, %d channels: %v wanted", &row.Kernel, row.Effect, row.Channels, w)
		}
		if i > 0 && row.Effect > rows[i-1].Effect {
			t.Errorf("row %d has more effect than the one before", i)
		}
	}
}

// faster is a GPU that makes one cut as fast as may be.
type faster struct {
	device.Device
	cut graph.Cut
}

type fasterCode struct {
	device.Code
	cost device.Cost
}

func (c fasterCode) Cost() device.Cost { return c.cost }

func (f faster) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := f.Device.Compile(g, c)
	if err != nil || c.Node != f.cut.Node || !c.Box.Equal(f.cut.Box) {
		return code, err
	}
	cost := code.Cost()
	cost.Time, _ = cost.Bounds()
	return fasterCode{code, cost}, nil
}

// TestAlternatives: the effects of whole layers and divisions that a plan of whole
// layers does not have are what they would gain, as programs of their own, were the
// GPU's part faster.
func TestAlternatives(t *testing.T) {
	g, m, to, r := searched(t, "mobilenet-v2", "newton++")
	rows, _, err := survey.List(g, m, to, r, false)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := to.Devices(r.Plan.PIMChannels, r.Plan.PIM)
	if err != nil {
		t.Fatal(err)
	}
	total := func(seg plan.Segment, ds []device.Device) device.Time {
		p, err := program.Part(g, []plan.Segment{seg}, ds, nil)
		if err != nil {
			t.Fatal(err)
		}
		return run.Time(p).Total
	}
	want := map[string]float64{}
	alone, err := r.Alone()
	if err != nil {
		t.Fatal(err)
	}
	inPlan := map[string]bool{}
	for i, seg := range r.Plan.Segments {
		id, on := seg.Tiles[0].Node, seg.Tiles[0].Device
		var segments []plan.Segment
		if on != plan.GPU {
			segments = append(segments, plan.Whole(g, id, plan.GPU))
		} else {
			k := profile.Of(g, seg.Tiles[0].Cut, tensor.Float16)
			inPlan[k.String()] = true
		}
		whole := len(segments)
		if _, err := ds[1].Compile(g, g.Whole(id)); err == nil && len(g.Nodes[id].Shape) == 4 && plan.Cuttable(&g.Nodes[id], plan.Rows) {
			for at := 1; at < g.Nodes[id].Shape[plan.Rows]; at++ {
				if s, ok := plan.Split(g, id, plan.Rows, at, plan.GPU, plan.PIM); ok {
					segments = append(segments, s)
				}
			}
		}
		type gain struct {
			cut  graph.Cut
			time device.Time
			ps   device.Time
		}
		var gains []gain
		for n, s := range segments {
			c := s.Tiles[0].Cut
			if ps := alone[i] - total(s, []device.Device{faster{ds[0], c}, ds[1]}); ps > 0 {
				if n < whole {
					k := profile.Of(g, c, tensor.Float16)
					want[k.String()] += 100 * float64(ps) / float64(r.Timeline.Total)
					continue
				}
				gains = append(gains, gain{c, total(s, ds), ps})
			}
		}
		best := 0
		for n := range gains {
			if gains[n].time < gains[best].time {
				best = n
			}
		}
		for n, x := range gains {
			if n == 0 || n == best || n == len(gains)-1 {
				k := profile.Of(g, x.cut, tensor.Float16)
				want[k.String()] += 100 * float64(x.ps) / float64(r.Timeline.Total)
			}
		}
	}
	compared := 0
	for _, row := range rows {
		if row.Channels != 16 || inPlan[row.String()] {
			continue
		}
		if w := want[row.String()]; math.Abs(row.Effect-w) > 1e-9 {
			t.Errorf("%s, %v: effect %v: %v wanted", row.Layer, &row.Kernel, row.Effect, w)
		}
		if row.Effect > 0 {
			compared++
		}
		delete(want, row.String())
	}
	for k := range want {
		if !inPlan[k] {
			t.Errorf("not listed: %s", k)
		}
	}
	if compared < 10 {
		t.Errorf("%d alternatives compared", compared)
	}
}

// TestCovers: every kernel of the plan and of the baseline, and every layer whole
// beside the plan's PIM channels, is listed, once.
func TestCovers(t *testing.T) {
	g, m, to, r := searched(t, "mobilenet-v2", "auto")
	for _, any := range []bool{false, true} {
		rows, left, err := survey.List(g, m, to, r, any)
		if err != nil || left != 0 {
			t.Fatal(err, left)
		}
		type key struct {
			kernel   string
			channels int
		}
		of := func(k profile.Kernel, channels int) key {
			if any {
				channels = 0
			}
			return key{k.String(), channels}
		}
		listed := map[key]int{}
		for _, row := range rows {
			listed[of(row.Kernel, row.Channels)]++
		}
		want := func(c graph.Cut, cost device.Cost, channels int) {
			if k := profile.Of(g, c, tensor.Float16); cost.Time > 0 && listed[of(k, channels)] != 1 {
				t.Errorf("%v, %d channels, is listed %d times", &k, channels, listed[of(k, channels)])
			}
		}
		for _, s := range r.Timeline.Program.Steps {
			if s.Device == plan.GPU {
				want(s.Cut, s.Code.Cost(), 16)
			}
		}
		for _, s := range r.Baseline.Program.Steps {
			want(s.Cut, s.Code.Cost(), 32)
		}
		layers, err := r.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			want(g.Whole(l.Node), *l.GPU, 16)
		}
	}
}
