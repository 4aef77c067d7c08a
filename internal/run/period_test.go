package run

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// drawn is a program of up to ten steps that may wait for any earlier, with a run of exclusive
// steps in one of two. One step in memory of so many uses the GPU's memory channels; 0 for none.
func drawn(rng *rand.Rand, memory int) *program.Program {
	p := &program.Program{}
	n := 1 + rng.IntN(10)
	lo, hi := 0, 0
	if rng.IntN(2) == 0 {
		lo = rng.IntN(n)
		hi = lo + rng.IntN(n-lo)
	}
	for i := range n {
		s := pimStep()
		if rng.IntN(2) == 0 {
			s = gpuStep()
		}
		c := s.Code.Cost()
		c.Time = device.Time(rng.IntN(100))
		c.Fusible = min(c.Fusible, c.Time)
		if memory > 0 && rng.IntN(memory) == 0 {
			c.Memory = device.Time(rng.IntN(1 + int(c.Time)))
		}
		s.Code = priced{cost: c}
		s.Exclusive = lo <= i && i < hi
		for j := range i {
			if s.Exclusive || p.Steps[j].Exclusive || rng.IntN(3) == 0 {
				s.After = append(s.After, j)
			}
		}
		p.Steps = append(p.Steps, s)
	}
	if rng.IntN(2) == 0 {
		p.Fuse()
	}
	return p
}

// repeated is a program executed n times in a row, with the waits for both executions before
// each by definition. Where limit, an execution waits for the end of the next but one before it.
func repeated(p *program.Program, n int, limit bool) *program.Program {
	all := &program.Program{}
	size := len(p.Steps)
	for k := range n {
		leader := map[string]int{}
		for i, s := range p.Steps {
			at := k*size + i
			var own, others []int
			for _, j := range s.After {
				own = append(own, k*size+j)
			}
			for j := max(0, k-2) * size; j < k*size; j++ {
				if s.Exclusive || p.Steps[j%size].Exclusive || limit && j/size < k-1 {
					others = append(others, j)
				}
			}
			s.After = append(others, own...)
			all.Steps = append(all.Steps, s)
			if !s.Fused {
				leader[s.Device] = at
				continue
			}
			first := &all.Steps[leader[s.Device]]
			first.After = append(first.After, others...)
		}
	}
	return all
}

// ends are the ends of the executions of a repeated program.
func ends(p *program.Program, n int) (list []device.Time) {
	spans := Time(p).Spans
	for part := range slices.Chunk(spans, len(spans)/n) {
		list = append(list, end(part))
	}
	return list
}

// TestBackByRepetition: the period is that of a long repetition, of which all executions are
// timed as one program.
func TestBackByRepetition(t *testing.T) {
	const n = 140
	rng := rand.New(rand.NewPCG(1, 9))
	settled, below := 0, 0
	for range 400 {
		p := drawn(rng, 2)
		got, latency := Back(p), Time(p).Total
		busy := map[string]device.Time{}
		for i := range p.Steps {
			busy[p.Steps[i].Device] += p.Steps[i].Cost().Time
		}
		for dev, b := range busy {
			if got.NS() < b.NS() {
				t.Fatalf("%+v: period %v, %s works %v", p.Steps, got, dev, b)
			}
		}
		if got.NS() > latency.NS() {
			t.Fatalf("%+v: period %v, alone %v", p.Steps, got, latency)
		}
		at := ends(repeated(p, n, true), n)
		if got.Settled {
			settled++
			if want := at[n-1] - at[n-2]; got.Span != min(want, latency) {
				t.Fatalf("%+v: period %v, repeated %v", p.Steps, got, want)
			}
		}
		if got.NS() < latency.NS() {
			below++
		}
	}
	if settled < 390 || below < 100 {
		t.Errorf("%d settled, %d below the program alone", settled, below)
	}
}

// TestBackUnsettled: the PIM gains one picosecond on the GPU in each execution.
func TestBackUnsettled(t *testing.T) {
	p := &program.Program{Steps: []program.Step{pimStep(), gpuStep(0), pimStep()}}
	for i, time := range []device.Time{1, 100_000, 99_998} {
		p.Steps[i].Code = priced{cost: device.Cost{Time: time}}
	}
	if got, want := Back(p), (Period{maxRuns / 2 * 100_000, maxRuns / 2, false}); got != want {
		t.Errorf("%v: %v wanted", got, want)
	}
}

// TestBackTwoBuffersEnough: where bandwidth is not shared, more than two executions under way
// would not shorten the period.
func TestBackTwoBuffersEnough(t *testing.T) {
	const n = 200
	rng := rand.New(rand.NewPCG(2, 9))
	for range 100 {
		p := drawn(rng, 0)
		got := Back(p)
		at := ends(repeated(p, n, false), n)
		want := (at[n-1] - at[n/2-1]).NS() / (n / 2)
		if math.Abs(got.NS()-want) > 0.002 {
			t.Fatalf("%+v: period %v, without a limit %v", p.Steps, got.NS(), want)
		}
	}
}

// TestBackByHand: periods of programs whose steps take 100 on the GPU and 50 on the PIM.
func TestBackByHand(t *testing.T) {
	exclusive := func(s program.Step) program.Step { s.Exclusive = true; return s }
	for _, c := range []struct {
		about string
		steps []program.Step
		want  device.Time
	}{
		{"kernels of one stream follow each other", []program.Step{gpuStep(), gpuStep(0)}, 200},
		{"the PIM's part is hidden", []program.Step{pimStep(), gpuStep(0)}, 100},
		{"the next execution fills what the last leaves", []program.Step{gpuStep(), pimStep(0), pimStep(1)}, 100},
		{"the GPU waits in its own order", []program.Step{gpuStep(), pimStep(0), gpuStep(1)}, 250},
		{"the PIM waits in its own order", []program.Step{pimStep(), gpuStep(0), pimStep(1)}, 200},
		{"nothing runs beside an exclusive step", []program.Step{exclusive(pimStep()), gpuStep(0)}, 150},
		{"nor beside any", []program.Step{exclusive(pimStep()), exclusive(gpuStep(0))}, 150},
		{"no step, no time", nil, 0},
	} {
		got := Back(&program.Program{Steps: c.steps})
		if got != (Period{c.want, 1, true}) {
			t.Errorf("%s: %v: %v wanted", c.about, got, c.want)
		}
	}
}

// TestFusedNeverWaitsTwice: in the second execution, too, a step whose launch is fused starts
// when the one before it ends.
func TestFusedNeverWaitsTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	fused := 0
	for range 2000 {
		p := drawn(rng, 0).Twice()
		tl, before := Time(p), map[string]device.Time{}
		for i, s := range p.Steps {
			if s.Fused {
				fused++
				if tl.Spans[i].Start != before[s.Device] {
					t.Fatalf("step %d of %+v starts at %v, the one before ends at %v", i, p.Steps, tl.Spans[i].Start, before[s.Device])
				}
			}
			before[s.Device] = tl.Spans[i].End
		}
	}
	if fused < 500 {
		t.Errorf("only %d steps were fused", fused)
	}
}

// TestBackOfTheGPU: one device executes one kernel at a time, so the period is the latency.
func TestBackOfTheGPU(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 9))
	for range 200 {
		p := drawn(rng, 2)
		for i := range p.Steps {
			p.Steps[i].Device, p.Steps[i].Fused = plan.GPU, false
		}
		if got, want := Back(p), (Period{Time(p).Total, 1, true}); got != want {
			t.Fatalf("%+v: period %v: %v wanted", p.Steps, got, want)
		}
	}
}
