package published

import (
	"context"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/published/generator"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

func network(t *testing.T, name string) *graph.Graph {
	g, err := zoo.Build(name, 1)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = simplify.Run(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

func artifact(t *testing.T) *hw.Machine {
	m, err := hw.Load("artifact")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDenseConvolutions: the 35 dense convolutions of MobileNetV2 all on the PIM
// take, in the artifact's sum times 1.56, 2,138,933 GPU cycles with one group and
// exposed writes, 1,345,720 with one group, and 704,225 with up to four (measured
// with the artifact's generator and simulator).
func TestDenseConvolutions(t *testing.T) {
	g, m := network(t, "mobilenet-v2"), artifact(t)
	for _, c := range []struct {
		s    generator.System
		want float64
	}{
		{generator.System{Buffers: 1, Exposed: true}, 2138933},
		{generator.System{Buffers: 1}, 1345720},
		{generator.System{Buffers: 4}, 704225},
	} {
		d, err := generator.New(m, 16, c.s)
		if err != nil {
			t.Fatal(err)
		}
		convs, ticks := 0, int64(0)
		for i := range g.Nodes {
			nd := &g.Nodes[i]
			if nd.Op == nil || nd.Op.Name != "Conv" || nd.Attrs.Int("group") > 1 {
				continue
			}
			code, err := d.Compile(g, g.Whole(nd.ID))
			if err != nil {
				t.Fatal(err)
			}
			convs++
			ticks += code.Cost().Ticks
		}
		if got := 1.56 * float64(ticks); convs != 35 || got < c.want-1 || got > c.want+1 {
			t.Errorf("%+v: %d convolutions take %.1f cycles: %.0f wanted", c.s, convs, got, c.want)
		}
	}
}

// TestPipelineFormulas: a pipeline's time is the published one (solve.py):
// type 1 and 2: first B + max(first A, second B) + second A; type 3 likewise with
// one more stage.
func TestPipelineFormulas(t *testing.T) {
	g, a := network(t, "mobilenet-v2"), New(artifact(t))
	cold, err := a.target(gpu.NewCold)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := cold.Devices(16, plan.Extended)
	if err != nil {
		t.Fatal(err)
	}
	p, err := search.Lookup("pipeline")
	if err != nil {
		t.Fatal(err)
	}
	cost := func(tile plan.Tile) device.Time {
		part, err := program.Part(g, []plan.Segment{{Tiles: []plan.Tile{tile}}}, ds, nil)
		if err != nil {
			t.Fatal(err)
		}
		return run.Time(part).Total
	}
	seen := map[int]int{}
	for i := range g.Nodes {
		for _, ch := range p.Chains {
			ids := chainAt(g, graph.ID(i), ch)
			if ids == nil {
				continue
			}
			for _, seg := range ch.Pipe(g, ids, ch.Devices) {
				c := make([]device.Time, len(seg.Tiles)) // in order: 0B, 0A, 1B, 1A (, 1A, 2B, 2A)
				for k, tile := range seg.Tiles {
					c[k] = cost(tile)
				}
				want := c[0] + max(c[1], c[2]) + c[3]
				if len(ids) == 3 {
					want = c[0] + max(c[1], c[2]) + max(c[3], c[4]) + c[5]
				}
				part, err := program.Part(g, []plan.Segment{seg}, ds, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := run.Time(part).Total; got != want {
					t.Errorf("%q, %d nodes: %v: %v wanted", g.Nodes[i].Name, len(ids), got, want)
				}
				seen[len(ids)]++
			}
		}
	}
	if seen[2] < 10 || seen[3] < 5 {
		t.Errorf("pipelines by length: %v", seen)
	}
}

// chainAt returns the nodes from id on that match a chain, each the only reader of
// the one before.
func chainAt(g *graph.Graph, id graph.ID, ch search.Chain) []graph.ID {
	users := g.Users()
	var ids []graph.ID
	for _, is := range ch.Nodes {
		if nd := &g.Nodes[id]; nd.Op == nil || !is(g, nd) {
			return nil
		}
		ids = append(ids, id)
		if len(ids) == len(ch.Nodes) {
			return ids
		}
		if len(users[id]) != 1 {
			return nil
		}
		id = users[id][0]
	}
	return ids
}

// TestPolicies: a policy that tries more is never slower over the convolutions;
// the same accounting gives the same sum in the comparison and in the bridge; each
// step that only adds choices, or overlap, does not add time.
func TestPolicies(t *testing.T) {
	g, m := network(t, "mobilenet-v2"), artifact(t)
	calls := 0
	rows, err := Compare(context.Background(), g, m, nil, func(done, total int) {
		if calls++; done != calls || total != len(Variants)*len(Policies) {
			t.Errorf("progress %d of %d at call %d", done, total, calls)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		by := map[string]Sum{}
		for _, s := range r.Sums {
			by[s.Policy] = s
			if s.ConvOnly.Baseline != r.Sums[0].ConvOnly.Baseline || s.EndToEnd.Baseline != r.Sums[0].EndToEnd.Baseline {
				t.Errorf("%s: the baseline depends on policy %s", r.Name, s.Policy)
			}
		}
		for _, c := range [][2]string{{"newton++", "newton+"}, {"pipeline", "newton++"}, {"mddp", "newton++"}, {"pimflow", "mddp"}, {"pimflow", "pipeline"}} {
			if by[c[0]].ConvOnly.Total > by[c[1]].ConvOnly.Total {
				t.Errorf("%s: %s takes %v, %s %v", r.Name, c[0], by[c[0]].ConvOnly.Total, c[1], by[c[1]].ConvOnly.Total)
			}
		}
	}
	timing := m.PIM.Timing["comp_act_ck"]
	bridge, err := Bridge(context.Background(), g, m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.PIM.Timing["comp_act_ck"] != timing || m.GPU.Fused {
		t.Error("the bridge changed the machine")
	}
	if first := rows[0].Sums[len(Policies)-1]; bridge[0].Sum != first {
		t.Errorf("the bridge begins with %+v, the table has %+v", bridge[0].Sum, first)
	}
	for i, r := range bridge {
		switch r.Name {
		case "row-exact cuts", "our pipelines", "whole program", "one rate a channel":
			if r.EndToEnd.Total > bridge[i-1].EndToEnd.Total {
				t.Errorf("%s: %v after %v", r.Name, r.EndToEnd.Total, bridge[i-1].EndToEnd.Total)
			}
		case "GPU calibrated":
			if r.EndToEnd.Baseline >= bridge[i-1].EndToEnd.Baseline || r.EndToEnd.Speedup() >= bridge[i-1].EndToEnd.Speedup() {
				t.Errorf("%s: %v after %v", r.Name, r.EndToEnd, bridge[i-1].EndToEnd)
			}
		case "precharge and tRC", "PIM launches":
			if r.EndToEnd.Total <= bridge[i-1].EndToEnd.Total {
				t.Errorf("%s: %v after %v", r.Name, r.EndToEnd.Total, bridge[i-1].EndToEnd.Total)
			}
		}
	}
}

// TestOneRate: after the step of that name a channel moves 32 B to its MAC units in the
// time that the GPU takes for them, as on the machine that the bridge leads to, and a wait
// that the bridge takes over is as long there.
func TestOneRate(t *testing.T) {
	a, m := New(own(artifact(t))), ours()
	rate := func(m *hw.Machine) float64 {
		return 32e3 / (float64(m.PIM.Timing["ccds_ck"]) * m.PIM.Clock.Picoseconds())
	}
	if got := rate(a.Machine) / a.Machine.Memory.ChannelGBps; got < 0.49 || got > 0.51 {
		t.Errorf("as published: %.3f of the GPU's rate", got)
	}
	extra := a.Machine.PIM.Clock.PS(a.Machine.PIM.Timing["gwrite_act_extra_ck"])
	a.rate(m)
	for _, x := range []*hw.Machine{a.Machine, m} {
		if got := rate(x) / x.Memory.ChannelGBps; got < 0.99 || got > 1.01 {
			t.Errorf("%s: %.3f of the GPU's rate", x.Name, got)
		}
	}
	if got := a.Machine.PIM.Clock.PS(a.Machine.PIM.Timing["gwrite_act_extra_ck"]); got != extra {
		t.Errorf("gwrite_act_extra: %d ps, %d before", got, extra)
	}
	if got, want := a.Machine.PIM.Timing["act_act_ck"], m.PIM.Timing["rc_ck"]; got != want {
		t.Errorf("act_act_ck %d: tRC is %d", got, want)
	}
}

// TestRepairs: with its work repaired the generator issues a computation for each
// 256 products that it must, and never fewer than as published.
func TestRepairs(t *testing.T) {
	for _, c := range []struct {
		l    generator.Layer
		want int64 // computations: pixels x ceil(inputs/16) x ceil(outputs/16)
	}{
		{generator.Layer{OC: 24, IC: 144, H: 56, W: 56, KH: 1, KW: 1, Stride: 1, Channels: 16, Buffers: 4}, 56 * 56 * 9 * 2},
		{generator.Layer{OC: 40, IC: 240, H: 28, W: 28, KH: 1, KW: 1, Stride: 1, Channels: 16, Buffers: 4}, 28 * 28 * 15 * 3},
		{generator.Layer{OC: 64, IC: 384, H: 14, W: 14, KH: 1, KW: 1, Stride: 1, Channels: 16, Buffers: 1}, 14 * 14 * 24 * 4},
	} {
		std, err := dram.Lookup("artifact")
		if err != nil {
			t.Fatal(err)
		}
		comp := std.Op("COMP")
		count := func(r generator.Repairs) (n int64) {
			l := c.l
			l.Repairs = r
			code, err := generator.Conv(l)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range code.Channels {
				by := make([]int64, 256)
				s.Count(by)
				n += by[comp]
			}
			return n
		}
		lost, whole := count(generator.Repairs{}), count(generator.Repairs{Work: true})
		if whole < c.want || whole < lost {
			t.Errorf("%+v: %d computations repaired, %d published: at least %d wanted", c.l, whole, lost, c.want)
		}
		if c.l.Buffers == 4 && lost >= c.want {
			t.Errorf("%+v: the published generator drops nothing", c.l)
		}
	}
}
