package explain

import (
	"io"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// termed is code whose time has terms.
type termed []device.Term

func (c termed) Cost() device.Cost {
	t := device.Time(0)
	for _, x := range c {
		t += x.Time
	}
	return device.Cost{Time: t, Launch: c[0].Time}
}
func (c termed) Breakdown() []device.Term                    { return c }
func (c termed) Eval([]*tensor.Tensor, *tensor.Tensor) error { return nil }
func (c termed) Print(io.Writer) error                       { return nil }

// TestChain: of nodes on the PIM, the PIM, the GPU and the PIM the first makes a value for the second. It spends its read, link and finish
// on that, and half of its latency; the second its write, its link and half of its latency. Where terms overlap, a step that saves
// them all still takes its launch.
func TestChain(t *testing.T) {
	for _, c := range []struct{ mac, free device.Time }{{270, 2000 - 134}, {-120, 4*110 - 10 - 10}} {
		g := fake.Chain(4, 1)
		p := &program.Program{Graph: g}
		for i, dev := range []string{plan.PIM, plan.PIM, plan.GPU, plan.PIM} {
			s := program.Step{Tile: plan.Tile{Cut: g.Whole(graph.ID(i + 1)), Device: dev}}
			if i > 0 {
				s.After = []int{i - 1}
			}
			s.Code = termed{{Name: "launch", Time: 100}, {Name: "latency", Time: 100}, {Name: "read", Time: 2}, {Name: "link", Time: 4}, {Name: "finish", Time: 8}, {Name: "write", Time: 16}, {Name: "mac", Time: c.mac}}
			p.Steps = append(p.Steps, s)
		}
		x := ChainOf(run.Time(p))
		want := []device.Term{{Name: "read", Time: 2}, {Name: "latency", Time: 100}, {Name: "link", Time: 8}, {Name: "finish", Time: 8}, {Name: "write", Time: 16}}
		if !slices.Equal(x.Terms, want) || x.Steps != 3 || x.Among != 2 || x.Sum() != 134 || x.Free != c.free {
			t.Errorf("mac %d: %+v, want %v and %d", c.mac, x, want, c.free)
		}
	}
}
