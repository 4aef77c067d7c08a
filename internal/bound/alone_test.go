package bound

import (
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestAlone: tiles of a node on one device take as long as all of them together, beside other nodes too. Node 2 is
// on the PIM, in two tiles of 60 or three of 40; node 1 is beside it and node 3, so that neither is closed.
func TestAlone(t *testing.T) {
	inputs := [][]int{{-1}, {0}, {0}, {2}, {1, 3}}
	for _, c := range []struct {
		rows int
		want float64
	}{{2, 10 + 120 + 20 + 5}, {3, 10 + 120 + 20 + 5}} {
		s := costed(fake.Branches(c.rows, inputs...), fake.Pair(0, func(pim bool, k int, box tensor.Box) device.Time {
			if n := box[plan.Rows].Len(); pim != (k == 2) || k == 2 && n > 1 || k != 2 && n < c.rows {
				return 0
			}
			return []device.Time{10, 1, device.Time(120 / c.rows), 20, 5}[k]
		}), false)
		x, nodes := newInstance(s, nil)
		_, gate, closed := barriers(nodes)
		if got, _ := x.bySplits(nodes, gate, closed); !near(got, c.want) {
			t.Errorf("%d tiles: %v, want %v", c.rows, got, c.want)
		}
	}
}

// TestLagrangian: a node on the GPU takes 100, one on either device 60 or 30. At λ = 1/3 the second counts 20
// on both. The first counts 100 at any λ if it blocks both devices, and λ of it if not.
func TestLagrangian(t *testing.T) {
	of := func(edges ...edge) node { return node{graphs: []cutGraph{{points: 2, edges: edges}}} }
	nodes := []node{of(edge{0, 1, 0, 100, true, nil}), of(edge{0, 1, 0, 60, false, nil}, edge{0, 1, 1, 30, false, nil})}
	for _, c := range []struct {
		wait     [candidate.Lanes]float64
		blocking bool
		want     float64
	}{
		{[candidate.Lanes]float64{}, true, 120}, {[candidate.Lanes]float64{}, false, 100},
		{[candidate.Lanes]float64{0, 12}, true, 100 + 20 + 12*2./3}, {[candidate.Lanes]float64{0, 90}, true, 190},
		{[candidate.Lanes]float64{0, 90}, false, 100./3 + 20 + 90*2./3},
	} {
		if got := lagrangian(nodes, c.wait, c.blocking); !near(got, c.want) {
			t.Errorf("waits %v, blocking %t: %v, want %v", c.wait, c.blocking, got, c.want)
		}
	}
}
