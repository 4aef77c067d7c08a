package search

import (
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// TestSegments: of each kind and length the best segment is kept, the first on a tie. Split at row n of 10, a
// node takes 10 a row on the GPU and 30 a row on the PIM, which has the later rows: split at row 7 it takes
// 90, at 8 80, at 9 90. Pipelines are of nodes that read each other.
func TestSegments(t *testing.T) {
	const rows = 10
	g := fake.Branches(rows, []int{-1}, []int{-1}, []int{1})
	s := candidate.NewStore(g, fake.Pair(0, func(pim bool, _ int, box tensor.Box) device.Time {
		if n := device.Time(box[plan.Rows].Len()); pim {
			return 30 * n
		}
		return 10 * device.Time(box[plan.Rows].Len())
	}))
	any := func(*graph.Graph, *graph.Node) bool { return true }
	both := func(g *graph.Graph, ids []graph.ID, on []string) []plan.Segment { // nodes that read each other or not
		return []plan.Segment{{Tiles: slices.Concat(plan.Whole(g, ids[0], on[0]).Tiles, plan.Whole(g, ids[1], on[1]).Tiles)}}
	}
	for _, at := range [][]int{{2, 9, 7, 8, 1}, {8}, {8, 2}, {1, 8}} {
		p := Policy{
			Splits: func(*graph.Graph, *graph.Node) []int { return at },
			Chains: []Chain{{Nodes: []nodeTest{any, any}, Devices: []string{plan.GPU, plan.PIM}, Pipe: both}},
		}
		made := generator{Store: s, p: p, o: candidate.Linear{Time: 1}}
		for i := range s.Order {
			var kinds []string
			for _, x := range made.segments(i, nil) {
				kinds = append(kinds, x.kind)
				if want := map[string]device.Time{plan.GPU: 100, plan.PIM: 300, "split": 80}[x.kind]; want > 0 && x.Time != want {
					t.Errorf("splits at %v, node %d, %s: %d, want %d", at, i, x.kind, x.Time, want)
				}
			}
			want := []string{plan.GPU, plan.PIM, "split"}
			if i == 1 { // node 1 reads the input, as node 0 does, and node 2 reads node 1
				want = append(want, "pipe")
			}
			if !slices.Equal(kinds, want) {
				t.Errorf("splits at %v, node %d: %v, want %v", at, i, kinds, want)
			}
		}
	}
}
