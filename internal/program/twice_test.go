package program_test

import (
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// TestTwice: steps of the second execution wait for those of the same execution, and around exclusive steps
// for those of the first. What a fused step waits for of the first is waited for at its launch.
func TestTwice(t *testing.T) {
	const gpu, pim = plan.GPU, plan.PIM
	type step struct {
		dev       string
		exclusive bool
		fused     bool
		after     []int
	}
	for about, c := range map[string]struct {
		steps []step
		after [][]int // of the second execution
	}{
		"without exclusive steps": {
			[]step{{gpu, false, false, nil}, {pim, false, false, []int{0}}, {gpu, false, false, []int{1}}},
			[][]int{nil, {3}, {4}},
		},
		"exclusive": {
			[]step{{gpu, true, false, nil}, {pim, true, false, []int{0}}, {pim, true, true, []int{1}}},
			[][]int{{2}, {3}, {4}},
		},
		"an exclusive step on the launch of the first": { // it waits for the GPU's last step, and so the first does
			[]step{{pim, false, false, nil}, {pim, true, true, []int{0}}, {gpu, false, false, []int{1}}},
			[][]int{{2}, {2, 3}, {4}},
		},
		"an exclusive step on the launch of the second": {
			[]step{{pim, false, false, nil}, {pim, false, false, nil}, {pim, true, true, []int{1}}, {gpu, false, false, []int{2}}},
			[][]int{nil, {3}, {3, 5}, {6}},
		},
	} {
		p := &program.Program{}
		for _, s := range c.steps {
			p.Steps = append(p.Steps, program.Step{
				Tile: plan.Tile{Device: s.dev}, Exclusive: s.exclusive, Fused: s.fused, After: s.after, Code: priced{cost: device.Cost{Time: 1}},
			})
		}
		twice := p.Twice()
		for i, s := range twice.Steps {
			want := slices.Clone(c.steps[i%len(p.Steps)].after)
			if i >= len(p.Steps) {
				want = c.after[i-len(p.Steps)]
			}
			if !slices.Equal(s.After, want) {
				t.Errorf("%s: step %d after %v, want %v", about, i, s.After, want)
			}
		}
	}
}
