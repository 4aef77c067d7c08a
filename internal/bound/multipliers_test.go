package bound_test

import (
	"testing"

	"pimflow/internal/bound"
	"pimflow/internal/candidate"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// BenchmarkMultipliers prints the table that the multipliers are chosen from: with each of some
// tables of as many, the bounds of networks beside those with the chosen one, the least and the
// most of both bounds. The tiles are those of Store.Choices. -benchtime 1x is enough.
func BenchmarkMultipliers(b *testing.B) {
	var stores []*candidate.Store
	for _, machine := range []string{"newton", "artifact"} {
		m, err := hw.Load(machine)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"mobilenet-v2", "mnasnet-1.0", "resnet-50", "efficientnet-b0", "vgg-16"} {
			g, err := zoo.Build(name, 1)
			if err != nil {
				b.Fatal(err)
			}
			if g, err = simplify.Run(b.Context(), g); err != nil {
				b.Fatal(err)
			}
			ds, err := platform.Devices(m, platform.Makers{}, m.Memory.PIMChannels, plan.Extended)
			if err != nil {
				b.Fatal(err)
			}
			s := candidate.NewStore(g, ds[:candidate.Lanes]) // without the GPU of exclusive layers
			s.Launch.Fuses = true
			for i := range s.Order {
				s.Choices(i, candidate.Linear{Time: 1})
			}
			stores = append(stores, s)
		}
	}
	with := func(set func(*bound.Multipliers)) bound.Multipliers {
		m := bound.Chosen()
		set(&m)
		return m
	}
	for _, row := range []struct {
		name  string
		table bound.Multipliers
	}{
		{"chosen", bound.Chosen()},
		{"shares=1,0.8,0.6", with(func(m *bound.Multipliers) { m.Shares = [...]float64{1, 0.8, 0.6} })},
		{"shares=1,0.95,0.85", with(func(m *bound.Multipliers) { m.Shares = [...]float64{1, 0.95, 0.85} })},
		{"shares=1,0.5,0.2", with(func(m *bound.Multipliers) { m.Shares = [...]float64{1, 0.5, 0.2} })},
		{"balances=even", with(func(m *bound.Multipliers) {
			for i := range m.Balances {
				m.Balances[i] = float64(i) / float64(len(m.Balances)-1)
			}
		})},
		{"balances=0.6..0.9", with(func(m *bound.Multipliers) {
			m.Balances = [...]float64{0, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 1}
		})},
	} {
		b.Run(row.name, func(b *testing.B) {
			least, most := 1.0, 1.0
			for b.Loop() {
				for _, s := range stores {
					all, two := bound.OfWith(s, row.table)
					a, t := bound.Of(b.Context(), s, nil, bound.Options{})
					for _, ratio := range []float64{float64(all) / float64(a), float64(two) / float64(t)} {
						least, most = min(least, ratio), max(most, ratio)
					}
				}
			}
			b.ReportMetric(100*(least-1), "%least")
			b.ReportMetric(100*(most-1), "%most")
		})
	}
}
