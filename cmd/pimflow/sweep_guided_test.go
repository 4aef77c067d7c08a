package main

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"pimflow/internal/result"
	"pimflow/internal/space"
)

// byEffort is an engine whose points take 100 and more with the plans of others, and with their own one more for each unit of their numbers: the
// first points are better with more effort, the last are worse. It ends after so many rows.
type byEffort struct {
	left int
}

var errLeft = errors.New("no more rows")

func (f *byEffort) run(_ context.Context, tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) error {
	for t := range tasks {
		if f.left--; f.left < 0 {
			return errLeft
		}
		r := &result.Row{Point: t.Index, Effort: t.Effort, Total: 100 + float64(t.Index)/100, Energy: 1, Search: space.Anchors}
		if t.Effort == "5" {
			r.Search, r.Total = space.Full, 99.9+float64(t.Index)
		}
		if err := emit(r, false); err != nil {
			return err
		}
	}
	return nil
}

// TestGuided: of each point the better row is taken, when the point is not asked for again; at an error those are taken that there are.
func TestGuided(t *testing.T) {
	spec := &space.Spec{Effort: space.Text{Text: "5"}, Sample: &space.Sample{Points: 9, Method: space.Halving}}
	s := spaceOf(t, spec, "models=toy", "memory.pim_channels=1..3", "pim.timing.ccds_ck=2..4")
	if n := evaluations(s); n != 12 {
		t.Errorf("%d evaluations, 12 wanted", n)
	}
	for _, c := range []struct {
		rows int
		want []int // points of the rows that are taken, in order
		own  []int // of these those with their own plan
	}{
		{100, []int{-1, -1, -1, -1, -1, -1, 0, 1, 2}, []int{0}},
		{11, []int{-1, -1, -1, -1, -1, -1, 0, 1, 2}, []int{0}},
		{9, []int{-1, -1, -1, -1, -1, -1, 0, 1, 2}, nil},
		{4, []int{-1, -1, -1, -1}, nil},
		{0, nil, nil},
	} {
		var points, own []int
		err := guided(t.Context(), s.Guide(), &byEffort{c.rows}, func(*result.Row, bool) {}, func(r *result.Row) error {
			points = append(points, r.Point)
			if r.Search == space.Full {
				own = append(own, r.Point)
			}
			return nil
		})
		if (err != nil) != (c.rows < 12) || err != nil && !errors.Is(err, errLeft) {
			t.Errorf("%d rows: %v", c.rows, err)
		}
		if got := slices.Clone(points); len(got) != len(c.want) {
			t.Errorf("%d rows: %v are taken, %d wanted", c.rows, got, len(c.want))
		} else {
			for i, p := range c.want {
				if p >= 0 && !slices.Contains(got[6:], p) || slices.Contains(got[:i], got[i]) {
					t.Errorf("%d rows: %v are taken: those of %v last wanted", c.rows, got, c.want)
				}
			}
		}
		if !slices.Equal(own, c.own) {
			t.Errorf("%d rows: %v have their own plan, %v wanted", c.rows, own, c.own)
		}
	}
}

// TestGuidedGain compares samples of a space with the whole of it: generations dominate more than as many points at random.
func TestGuidedGain(t *testing.T) {
	if !*long {
		t.Skip("a minute; -long runs it")
	}
	made := func(p *space.Sample) *space.Space {
		spec := &space.Spec{Effort: space.Text{Text: "low"}, Sample: p}
		for _, a := range [][2]string{
			{"models", "toy"}, {"machines", "toy"}, {"memory.pim_channels", "1..3"}, {"pim.timing.ccds_ck", "2..8"}, {"pim.banks", "4,8,16"},
			{"gpu.launch_ck", "500..3000/100"}, {"launch.pim", "each,joint"},
		} {
			values, err := space.ParseValues(a[1])
			if err != nil {
				t.Fatal(err)
			}
			spec.Put(space.Axis{Name: a[0], Values: values})
		}
		s, err := space.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	flags := &queueFlags{}
	flags.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	flags.store = t.TempDir()
	by, err := inQueue{flags, func(text string) { t.Error(text) }}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer by.close()
	var all [][]float64 // by point
	if err := by.run(t.Context(), made(nil).Tasks(), func(r *result.Row, _ bool) error {
		all = append(all, r.Objectives())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	most := make([]float64, 3)
	for _, o := range all {
		for i := range o {
			most[i] = max(most[i], o[i])
		}
	}
	most[2] *= 1.1
	whole := hypervolume(all, most)
	const seeds = 40
	for _, n := range []int{32, 64, 128, 256} {
		mean, least := map[string]float64{}, map[string]float64{}
		for _, method := range []string{space.Random, space.NSGA2} {
			for seed := range uint64(seeds) {
				s := made(&space.Sample{Points: n, Method: method, Seed: seed})
				var got [][]float64
				if method == space.Random {
					for i := range s.Indexes() {
						got = append(got, all[i])
					}
				} else {
					for g, tasks := s.Guide(), []space.Task(nil); ; {
						if tasks = g.Ask(); len(tasks) == 0 {
							break
						}
						var told [][]float64
						for i := range tasks {
							told = append(told, all[tasks[i].Index])
						}
						g.Tell(told)
						got = append(got, told...)
					}
				}
				v := hypervolume(got, most) / whole
				if seed == 0 {
					least[method] = v
				}
				mean[method], least[method] = mean[method]+v/seeds, min(least[method], v)
			}
		}
		t.Logf("| %d | %.3f | %.3f | %.3f |", n, mean[space.Random], mean[space.NSGA2], least[space.NSGA2])
		if n >= 64 && mean[space.NSGA2] <= mean[space.Random] {
			t.Errorf("%d points: generations dominate %v, points at random %v", n, mean[space.NSGA2], mean[space.Random])
		}
	}
}

// hypervolume is the volume that points of three objectives dominate, each below its most.
func hypervolume(points [][]float64, most []float64) (volume float64) {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b []float64) int { return slices.Compare(a, b) })
	levels := []float64{most[2]}
	for _, p := range points {
		levels = append(levels, p[2])
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	for i, z := range levels[:len(levels)-1] {
		area, low := 0.0, most[1]
		for _, p := range points {
			if p[2] <= z && p[0] < most[0] && p[1] < low {
				area += (most[0] - p[0]) * (low - p[1])
				low = p[1]
			}
		}
		volume += area * (levels[i+1] - z)
	}
	return volume
}
