package pimflow

import (
	"math"
	"testing"

	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/usage"
)

// TestUtilization: of plans of all kinds the causes of each device's time, the shares of both and the limits by class add up to the times of
// the report, in picoseconds; pieces to their layers' tiles, the energy over time to the energy, and what is counted to the energy that the
// devices charge for it.
func TestUtilization(t *testing.T) {
	for _, c := range []struct{ machine, policy string }{{"newton", "auto"}, {"newton", "pipeline"}, {"newton", "exclusive"}, {"artifact", "pimflow"}, {"aim", "mddp"}, {"newton", "gpu"}} {
		s := open(t, "toy", Options{Machine: c.machine})
		p, r := planned(t, s, Search{Policy: c.policy})
		if err := s.Utilize(t.Context(), p, r); err != nil {
			t.Fatal(err)
		}
		u := r.Utilization
		equal := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > 1e-4 { // a tenth of a picosecond
				t.Errorf("%s %s: %s: %v, want %v", c.machine, c.policy, what, got, want)
			}
		}
		near := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > 1e-9*math.Abs(want) {
				t.Errorf("%s %s: %s: %v, want %v", c.machine, c.policy, what, got, want)
			}
		}
		for _, x := range []struct {
			what   string
			use    *usage.Use
			ns, pj float64
		}{{"baseline", &u.Baseline, r.Baseline, r.Energy.Baseline}, {"plan", &u.Plan, r.Total, r.Energy.Total}} {
			by, all := map[string]float64{}, 0.0
			for _, st := range x.use.Stalls {
				by[st.Device] += st.NS
				all += st.Share
			}
			equal(x.what+": causes of the GPU", by["gpu"], x.ns)
			equal(x.what+": causes of the PIM", by["pim"], x.ns)
			equal(x.what+": shared causes", all, x.ns)
			energy := x.use.Power.Standby * x.ns
			for i := range x.use.Power.GPU {
				energy += (x.use.Power.GPU[i] + x.use.Power.PIM[i]) * x.use.Power.Interval
			}
			near(x.what+": energy over time", 1e3*energy, x.pj)
			near(x.what+": flow", x.use.DRAM.GBps*x.ns, float64(x.use.DRAM.Bytes))
		}
		sum, all := usage.Limit{}, u.Limits[0]
		add := func(a *usage.Split, b usage.Split) {
			a.Launch, a.Moving, a.Computing = a.Launch+b.Launch, a.Moving+b.Moving, a.Computing+b.Computing
		}
		for _, l := range u.Limits[1:] {
			add(&sum.Baseline, l.Baseline)
			add(&sum.GPU, l.GPU)
			add(&sum.PIM, l.PIM)
			sum.Layers += l.Layers
			sum.BaselineNS, sum.Total, sum.Saved, sum.Gain = sum.BaselineNS+l.BaselineNS, sum.Total+l.Total, sum.Saved+l.Saved, sum.Gain+l.Gain
		}
		for _, x := range []struct {
			what      string
			got, want float64
		}{
			{"launch", sum.Baseline.Launch, all.Baseline.Launch}, {"moving", sum.Baseline.Moving, all.Baseline.Moving}, {"computing", sum.Baseline.Computing, all.Baseline.Computing},
			{"GPU's launch", sum.GPU.Launch, all.GPU.Launch}, {"GPU's moving", sum.GPU.Moving, all.GPU.Moving}, {"GPU's computing", sum.GPU.Computing, all.GPU.Computing},
			{"PIM's launch", sum.PIM.Launch, all.PIM.Launch}, {"PIM's moving", sum.PIM.Moving, all.PIM.Moving}, {"PIM's computing", sum.PIM.Computing, all.PIM.Computing},
			{"alone", sum.BaselineNS, r.Baseline}, {"plan", sum.Total, r.Total}, {"all alone", all.BaselineNS, r.Baseline}, {"all of the plan", all.Total, r.Total},
			{"saved", sum.Saved, r.Baseline - r.Total}, {"gain", sum.Gain, all.Gain}, {"layers", float64(sum.Layers), float64(len(r.Layers))},
		} {
			equal("by class: "+x.what, x.got, x.want)
		}
		if c.policy != "gpu" && all.Gain != 1 || c.policy == "gpu" && all.Gain != 0 {
			t.Errorf("%s %s: gain %v", c.machine, c.policy, all.Gain)
		}
		alone, dram, inner, link := 0.0, int64(0), int64(0), int64(0)
		for i, l := range r.Layers {
			alone += l.Use.Baseline
			for k, x := range l.Tiles {
				piece := x.Piece
				if piece.Layer != i || piece.Device != x.Device || piece.Start != x.Start {
					t.Errorf("%s %s: piece %d of layer %d is %+v", c.machine, c.policy, k, i, piece)
				}
				terms := 0.0
				for _, term := range piece.Terms {
					terms += term.NS
				}
				equal("terms", terms, piece.End-piece.Start)
				equal("kinds", piece.Launch+piece.Moving+piece.Computing, piece.End-piece.Start)
				dram, inner, link = dram+piece.DRAM, inner+piece.Inner, link+piece.Link
			}
			if whole := map[string]*float64{"gpu": l.Use.OnGPU, "pim": l.Use.OnPIM}[l.Kind]; l.Kind == "gpu" || l.Kind == "pim" {
				equal("layer where it is", *whole, r.Total)
			}
		}
		equal("alone, layer by layer", alone, r.Baseline)
		near("inner bytes", float64(inner), float64(u.Plan.Inner.Bytes))
		near("link's bytes", float64(link), float64(u.Plan.Link.Bytes))
		if d := dram - u.Plan.DRAM.Bytes; d > 20 || d < -20 { // rounded piece by piece
			t.Errorf("%s %s: pieces move %d B, the plan %d", c.machine, c.policy, dram, u.Plan.DRAM.Bytes)
		}
		part := func(name string) float64 {
			for _, x := range r.Energy.Parts {
				if x.Name == name {
					return x.Total
				}
			}
			t.Fatalf("no part %s", name)
			return 0
		}
		e := s.machine.PIM.Energy
		near("energy of column reads", part("pim_column_read"), e.ColumnRead.Value*float64(u.Plan.Reads))
		near("energy of products", part("pim_mac"), e.MAC.Value*float64(u.Plan.PIMMACs))
		near("energy of the GPU's DRAM, rounded", math.Round(part("gpu_dram")/s.machine.GPU.Energy.DRAM.Value), float64(u.Plan.DRAM.Bytes))
		if u.Plan.Hits != u.Plan.Reads-u.Plan.Activations || c.policy != "gpu" && u.Plan.Hits <= 0 {
			t.Errorf("%s %s: %d hits of %d reads, %d activations", c.machine, c.policy, u.Plan.Hits, u.Plan.Reads, u.Plan.Activations)
		}
		for _, f := range []usage.Flow{u.Plan.DRAM, u.Plan.Inner, u.Plan.Link, u.Baseline.DRAM} {
			if f.Share < 0 || f.Share > 1 {
				t.Errorf("%s %s: %+v", c.machine, c.policy, f)
			}
		}
	}
}

// TestPeaks: utilization is of the peaks that a machine derives from its numbers.
func TestPeaks(t *testing.T) {
	for _, name := range pim.Machines() {
		m, err := hw.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		macs, bytes, err := pim.Peak(m)
		if err != nil {
			t.Fatal(err)
		}
		got, compared := map[string]float64{"internal_gb_per_s_of_a_channel": bytes, "pim_peak_gflop_per_s_of_a_channel": 2 * macs}, 0
		for _, f := range m.Figures() {
			if x, ok := got[f.Key]; ok {
				compared++
				if math.Abs(x-f.Value) > 1e-9*f.Value {
					t.Errorf("%s: %s is %v, %v derived", name, f.Key, x, f.Value)
				}
			}
		}
		if compared != len(got) {
			t.Errorf("%s: %d figures compared, %d wanted", name, compared, len(got))
		}
	}
}

// TestUtilizationAgain: a report that is timed has no utilization, and asking for it twice, with the report's layers shared, changes nothing.
func TestUtilizationAgain(t *testing.T) {
	s := open(t, "toy", Options{})
	p, r := planned(t, s, Search{Effort: "low"})
	if r.Utilization != nil || r.Layers[0].Use != nil || r.Layers[0].Tiles[0].Piece != nil {
		t.Error("a plan that is timed has a utilization")
	}
	copied := *r
	if err := s.Utilize(t.Context(), p, &copied); err != nil {
		t.Fatal(err)
	}
	if r.Layers[0].Use != nil || r.Layers[0].Tiles[0].Piece != nil {
		t.Error("the report that was copied has a utilization")
	}
	before := copied.Layers[0].Use
	if err := s.Options(t.Context(), p, &copied); err != nil || before.Options != nil {
		t.Errorf("%v, options of the report before: %v", err, before.Options)
	}
	for _, l := range copied.Layers {
		chosen := 0
		for k, o := range l.Use.Options {
			if o.Chosen {
				chosen++
				if o.Total != r.Total {
					t.Errorf("%s: the plan takes %v with the placement, want %v", l.Name, o.Total, r.Total)
				}
			}
			if k > 0 && o.NS < l.Use.Options[k-1].NS {
				t.Errorf("%s: option %d is faster than the one before", l.Name, k)
			}
		}
		if n := len(l.Use.Options); chosen != 1 || n > mostOptions+1 {
			t.Errorf("%s: %d options, %d of them chosen", l.Name, n, chosen)
		}
	}
	m, err := s.Manifest(t.Context(), p, "v", "c")
	if err != nil || len(m.Energy) != len(r.Energy.Parts) || len(m.Plan) != 64 || len(m.Machine) != 64 || m.Model != "" {
		t.Errorf("%+v, %v", m, err)
	}
	for i, list := range m.Energy {
		for _, k := range list {
			if k.Source == "" {
				t.Errorf("%s: %s has no source", r.Energy.Parts[i].Name, k.Key)
			}
		}
		if len(list) == 0 {
			t.Errorf("%s has no constants", r.Energy.Parts[i].Name)
		}
	}
	first := copied.Layers[0].Use.Baseline
	if err := s.Utilize(t.Context(), p, &copied); err != nil || copied.Layers[0].Use.Baseline != first {
		t.Errorf("again %v, %v: %v wanted", copied.Layers[0].Use.Baseline, err, first)
	}
}
