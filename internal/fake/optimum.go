package fake

import (
	"fmt"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Optimum is the least objective of all plans in which each node is whole or in two
// tiles, in all orders, with fused launches, found by trying each. The objective is a
// function of the makespan and the energy, in pJ without standby. The time of an order is
// followed tile by tile, as run.Time defines it and with fused launches as program.Fuse
// does; the best is compared with run.Time's.
func Optimum(g *graph.Graph, ds []device.Device, objective func(device.Time, float64) float64) float64 {
	var ways [][][]plan.Tile
	for i := range g.Nodes {
		id := graph.ID(i)
		if g.Nodes[i].Op == nil || g.Nodes[i].Shape.Size() == 0 {
			continue
		}
		var list [][]plan.Tile
		add := func(seg plan.Segment) {
			if _, err := program.Part(g, []plan.Segment{seg}, ds, nil); err == nil {
				list = append(list, seg.Tiles)
			}
		}
		for _, d := range ds {
			add(plan.Whole(g, id, d.Name()))
			for _, e := range ds {
				for dim, n := range g.Nodes[id].Shape {
					for at := 1; at < n; at++ {
						if seg, ok := plan.Split(g, id, dim, at, d.Name(), e.Name()); ok {
							add(seg)
						}
					}
				}
			}
		}
		ways = append(ways, list)
	}
	best := -1.0
	var choose func(tiles []plan.Tile, i int)
	choose = func(tiles []plan.Tile, i int) {
		if i < len(ways) {
			for _, w := range ways[i] {
				choose(append(tiles[:len(tiles):len(tiles)], w...), i+1)
			}
			return
		}
		p, err := program.Part(g, []plan.Segment{{Tiles: tiles}}, ds, nil)
		if err != nil {
			panic(err)
		}
		energy := 0.0
		for _, st := range p.Steps {
			c := st.Code.Cost()
			energy += c.Energy.Total().Value
		}
		value := func(end device.Time) float64 { return objective(end, energy) }
		ends := make([]device.Time, len(tiles))
		known := make([]uint, len(tiles)) // the steps that have ended before one starts, whatever any takes
		on := map[string]uint{}           // the steps of a device
		for k, st := range p.Steps {
			on[st.Device] |= 1 << k
		}
		var order []plan.Tile
		var next func(free map[string]device.Time, before map[string]int, placed uint, last device.Time)
		next = func(free map[string]device.Time, before map[string]int, placed uint, last device.Time) {
			if best >= 0 && value(last) >= best {
				return
			}
			if len(order) == len(tiles) {
				q, err := program.Part(g, []plan.Segment{{Tiles: order}}, ds, nil)
				if err != nil {
					panic(err)
				}
				if q.Fuse(); run.Time(q).Total != last {
					tl := run.Time(q)
					panic(fmt.Sprintf("%v by hand, %v", last, tl.Total))
				}
				best = value(last)
				return
			}
		tiles:
			for k, st := range p.Steps {
				if placed>>k&1 == 1 {
					continue
				}
				start, had := free[st.Device], uint(0)
				prev, follows := before[st.Device]
				if follows {
					had = known[prev] | 1<<prev
				}
				known[k] = had
				for _, j := range st.After {
					if placed>>j&1 == 0 {
						continue tiles
					}
					start = max(start, ends[j])
					known[k] |= known[j] | 1<<j
				}
				was := free[st.Device]
				ends[k] = start + st.Code.Cost().Time
				if follows && (known[k]&^had)&^on[st.Device] == 0 {
					ends[k] -= st.Code.Cost().Fusible
				}
				free[st.Device], before[st.Device] = ends[k], k
				order = append(order, st.Tile)
				next(free, before, placed|1<<k, max(last, ends[k]))
				order = order[:len(order)-1]
				free[st.Device] = was
				if delete(before, st.Device); follows {
					before[st.Device] = prev
				}
			}
		}
		next(map[string]device.Time{}, map[string]int{}, 0, 0)
	}
	choose(nil, 0)
	return best
}
