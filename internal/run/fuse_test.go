package run

import (
	"math/rand/v2"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

func gpuStep(after ...int) program.Step {
	return program.Step{Tile: plan.Tile{Device: plan.GPU}, Code: priced{cost: device.Cost{Time: 100, Launch: 40}}, After: after}
}

func pimStep(after ...int) program.Step {
	return program.Step{Tile: plan.Tile{Device: plan.PIM}, Code: priced{cost: device.Cost{Time: 50, Launch: 30, Fusible: 30}}, After: after}
}

// TestFuse: a PIM launch is fused with the one before, as long as the step waits for nothing
// else of the GPU.
func TestFuse(t *testing.T) {
	for _, c := range []struct {
		about string
		steps []program.Step
		want  []bool
		total device.Time
	}{
		{"alone", []program.Step{pimStep()}, []bool{false}, 50},
		{"one after the other", []program.Step{pimStep(), pimStep(0), pimStep(1)}, []bool{false, true, true}, 90},
		{"kernels never are", []program.Step{gpuStep(), gpuStep(0)}, []bool{false, false}, 200},
		{"a kernel between them", []program.Step{pimStep(), gpuStep(0), pimStep(1)}, []bool{false, false, false}, 200},
		{"a kernel beside them", []program.Step{pimStep(), gpuStep(0), pimStep(0)}, []bool{false, false, true}, 150},
		{"a kernel that the first waited for", []program.Step{gpuStep(), pimStep(0), pimStep(0, 1)}, []bool{false, false, true}, 170},
		{"a kernel before the one that the first waited for", []program.Step{gpuStep(), gpuStep(), pimStep(1), pimStep(0)}, []bool{false, false, false, true}, 270},
		{"a kernel after the one that the first waited for", []program.Step{gpuStep(), gpuStep(), pimStep(0), pimStep(1)}, []bool{false, false, false, false}, 250},
		{"what a kernel of the first reads", []program.Step{gpuStep(), pimStep(0), gpuStep(1), pimStep(), pimStep(2)}, []bool{false, false, false, true, false}, 300},
	} {
		p := &program.Program{Steps: c.steps}
		before := Time(p).Total
		p.Fuse()
		for i := range p.Steps {
			if p.Steps[i].Fused != c.want[i] {
				t.Errorf("%s: step %d: fused %v, %v wanted", c.about, i, p.Steps[i].Fused, c.want[i])
			}
		}
		if got := Time(p).Total; got != c.total || got > before {
			t.Errorf("%s: %v, %v before, %v wanted", c.about, got, before, c.total)
		}
	}
}

// TestFusedNeverWaits: whatever time steps take, a step whose launch is fused with the one before
// starts when that ends.
func TestFusedNeverWaits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	fused := 0
	for range 2000 {
		p := &program.Program{}
		for i := range 2 + rng.IntN(9) {
			var after []int
			for j := range i {
				if rng.IntN(3) == 0 {
					after = append(after, j)
				}
			}
			s := pimStep(after...)
			if rng.IntN(2) == 0 {
				s = gpuStep(after...)
			}
			p.Steps = append(p.Steps, s)
		}
		p.Fuse()
		for i := range p.Steps { // times that Fuse has not seen
			c := p.Steps[i].Code.Cost()
			c.Time = c.Launch + device.Time(rng.IntN(200))
			p.Steps[i].Code = priced{cost: c}
		}
		tl, last := Time(p), map[string]device.Time{}
		for i, s := range p.Steps {
			if s.Fused {
				fused++
				if tl.Spans[i].Start != last[s.Device] {
					t.Fatalf("step %d of %+v starts at %v, the one before ends at %v", i, p.Steps, tl.Spans[i].Start, last[s.Device])
				}
			}
			last[s.Device] = tl.Spans[i].End
		}
	}
	if fused < 1000 {
		t.Errorf("only %d steps were fused", fused)
	}
}
