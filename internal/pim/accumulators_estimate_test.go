package pim

import (
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
)

// TestAccumulatorsEstimate: without refreshes the estimate of every mapping that is tried is its time, on GDDR6 and on
// LPDDR5, whose activations and transfers have commands ahead of them.
func TestAccumulatorsEstimate(t *testing.T) {
	ran := 0
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		m := unrefreshed(anyAccumulators(t))
		code := compile(t, m, rapid.IntRange(1, 3).Draw(t, "channels"), n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
		d := code.device
		_, tried := code.compared()
		for _, k := range tried {
			code.mapping = k
			s := code.perChannel()[0]
			if len(s) == 0 || d.scheme.work(s).commands() > 20000 {
				continue
			}
			ran++
			if e, r := d.scheme.(*accumulators).estimate(s).cycles, int64(d.time(s).Cycles); e != r {
				t.Fatalf("%v: %d cycles, estimated %d", k, r, e)
			}
		}
	})
	if ran < 10 {
		t.Errorf("%d streams", ran)
	}
	// Six rows of the same length, whose mean is no whole number.
	m := unrefreshed(machineOf(t, "lpddr5-aim"))
	m.PIM.Sums = 2
	n := product(t, m.PIM.Columns()*m.PIM.Lanes(), 6*m.PIM.Banks)
	code := compile(t, m, 1, n.g, n.g.Whole(n.id))
	if e := code.device.scheme.(*accumulators).estimate(code.perChannel()[0]).cycles; e != code.cost.Stream {
		t.Errorf("%d cycles, estimated %d", code.cost.Stream, e)
	}
}
