package search

import (
	"math"
	"slices"

	"pimflow/internal/candidate"
	"pimflow/internal/graph"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
)

// capacities are how many capacities drops looks at. Estimated: more find better plans, and take as much more time.
const capacities = 32

// drops are sets of nodes, each of which may leave the PIM so that the weights of the others fit its banks: for each of some
// capacities up to that of the banks, of all sets that fit it, the one that stays gains most. The capacities are
// shares of what all weights want, whatever there is room for. Thus banks of more rows have all sets of banks of fewer.
//
// What a node gains is the time that it takes on other devices less that of its partition, both alone. A node that
// gains nothing leaves in any case; one that no other device executes stays, as long as there is room for it.
func (c *solution) drops(full *memory.FullError, windows []*candidate.Window) (sets [][]graph.ID) {
	parts := map[int]*candidate.Partition{}
	for _, w := range windows {
		for i, d := range w.Partitions {
			parts[w.Lo+i] = d
		}
	}
	items, want := make([]load, len(full.Demands)), 0
	for i, d := range full.Demands {
		at := c.store.Pos[d.Node]
		items[i], want = load{d.Rows, c.gain(at, parts[at])}, want+d.Rows
	}
	for k := capacities - 1; k >= 0; k-- {
		rows := want * k / capacities
		if rows > full.Rows {
			continue
		}
		var ids []graph.ID
		for i, stays := range fill(rows, items) {
			if !stays {
				ids = append(ids, full.Demands[i].Node)
			}
		}
		if len(ids) > 0 && !slices.ContainsFunc(sets, func(o []graph.ID) bool { return slices.Equal(o, ids) }) {
			sets = append(sets, ids)
		}
	}
	return sets
}

// gain is what a node's partition gains over the node whole on another device, each alone, in
// picoseconds. It is above all others if no other device executes the node.
func (c *solution) gain(at int, d *candidate.Partition) float64 {
	elsewhere := math.Inf(1)
	for lane, dev := range c.store.Devices {
		if p := c.store.Whole(at, lane); p != nil && dev.Name() != plan.PIM {
			elsewhere = min(elsewhere, float64(p.Time))
		}
	}
	if d == nil || math.IsInf(elsewhere, 1) {
		return 1e18 // eleven days: sums of these stay finite, and exact enough
	}
	return elsewhere - float64(c.store.Launch.Alone(d))
}

// load is the rows that the weights of a node want, and what the node gains.
type load struct {
	rows int
	gain float64
}

// fill chooses the loads that gain most together in so many rows; none that gains nothing.
//
// In the literature: the 0/1 knapsack problem, solved exactly by dynamic programming (Bellman 1957).
func fill(rows int, list []load) []bool {
	best := make([]float64, rows+1) // the most that the loads so far gain in r rows
	taken := make([][]bool, len(list))
	for i, x := range list {
		taken[i] = make([]bool, rows+1)
		for r := rows; r >= x.rows; r-- {
			if v := best[r-x.rows] + x.gain; v > best[r] {
				best[r], taken[i][r] = v, true
			}
		}
	}
	stays := make([]bool, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		if stays[i] = taken[i][rows]; stays[i] {
			rows -= list[i].rows
		}
	}
	return stays
}
