package pimflow

import (
	"context"
	"math"
	"testing"

	"pimflow/internal/calibrate"
	"pimflow/internal/hw"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// TestMeasuredNetworksLieInside: on a machine with the GPU and the memory of a T4, launched in a
// stream, nine of ten whole networks that were measured on a T4 lie in the interval that a report
// gives the GPU alone, which is the interval of a validation.
func TestMeasuredNetworksLieInside(t *testing.T) {
	m, err := LoadMachine("newton+t4")
	if err == nil { // 320 GB/s and 4 MB of L2 in 16 channels, as hw/gpus/t4.json has
		m, err = m.Set("memory.channels=16", "memory.channel_gb_per_s=20", "memory.pim_channels=8")
	}
	if err != nil {
		t.Fatal(err)
	}
	board, err := hw.LoadBoard("t4")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.hw.Memory, board.Memory; got.Channels != want.Channels || got.ChannelGBps != want.ChannelGBps || got.ChannelL2 != want.ChannelL2 {
		t.Fatalf("memory %+v: %+v wanted", got, want)
	}
	measured := &calibrate.Measured{}
	in, err := calibrate.OpenTable("t4_networks")
	if err == nil {
		err = measured.Read("t4_networks", in)
	}
	if err != nil {
		t.Fatal(err)
	}
	list, err := calibrate.Validate(t.Context(), measured, nil, m.hw)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	reports := map[string]*Report{}
	for _, v := range list {
		r := reports[v.Name]
		if r == nil {
			name, _ := zoo.Measured(v.Name)
			g, err := zoo.Build(name, v.Batch)
			if err == nil {
				g, err = simplify.Run(t.Context(), g)
			}
			if err != nil {
				t.Fatal(err)
			}
			s := &Session{name: v.Name, model: g, graph: g}
			if err := s.place(m); err != nil {
				t.Fatal(err)
			}
			p, err := s.Plan(context.Background(), Search{Policy: "gpu"})
			if err == nil {
				r, err = s.Time(p)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !(r.BaselineLow < r.Baseline && r.Baseline < r.BaselineHigh) || r.Low != 1 || r.High != 1 {
				t.Errorf("%s: %v between %v and %v, speed-up between %v and %v", v.Name, r.Baseline, r.BaselineLow, r.BaselineHigh, r.Low, r.High)
			}
			reports[v.Name] = r
		}
		if !near(r.BaselineLow, 1e3*v.Low) || !near(r.BaselineHigh, 1e3*v.High) || !near(r.Baseline, 1e3*v.Modelled) {
			t.Errorf("%s: %v between %v and %v ns, validated %v between %v and %v us", v.Name, r.Baseline, r.BaselineLow, r.BaselineHigh, v.Modelled, v.Low, v.High)
		}
		if us := 1e3 * v.US; r.BaselineLow <= us && us <= r.BaselineHigh {
			inside++
		} else {
			t.Logf("%s %s: %.0f us, between %.0f and %.0f", v.Source, v.Name, v.US, r.BaselineLow/1e3, r.BaselineHigh/1e3)
		}
	}
	if t.Logf("%d of %d inside", inside, len(list)); len(list) < 30 || 10*inside < 9*len(list) {
		t.Errorf("%d of %d inside: nine of ten of at least 30 wanted", inside, len(list))
	}
}

// near reports whether two times in ns are the same picosecond.
func near(a, b float64) bool { return math.Abs(a-b) < 1e-3 }
