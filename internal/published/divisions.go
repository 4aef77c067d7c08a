package published

import (
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/search"
)

// everyRow is every cut of a node that has rows.
func everyRow(_ *graph.Graph, nd *graph.Node) []int {
	var at []int
	for r := 1; r < nd.Shape[plan.Rows]; r++ {
		at = append(at, r)
	}
	return at
}

// chains are pipelines of two and three convolutions of any kind on alternating
// devices, in two bands cut at each tenth of the last one's rows. Convolutions only,
// so that sums of convolutions alone stay defined.
var chains = []search.Chain{
	{Nodes: tests[:2], Devices: []string{plan.PIM, plan.GPU}, Pipe: tenths},
	{Nodes: tests[:2], Devices: []string{plan.GPU, plan.PIM}, Pipe: tenths},
	{Nodes: tests[:], Devices: []string{plan.PIM, plan.GPU, plan.PIM}, Pipe: tenths},
	{Nodes: tests[:], Devices: []string{plan.GPU, plan.PIM, plan.GPU}, Pipe: tenths},
}

var tests = [3]func(*graph.Graph, *graph.Node) bool{withRows, withRows, withRows}

func withRows(g *graph.Graph, nd *graph.Node) bool { return len(nd.Shape) == 4 && Convolution(g, nd) }

func tenths(g *graph.Graph, ids []graph.ID, devices []string) (list []plan.Segment) {
	rows, last := g.Nodes[ids[len(ids)-1]].Shape[plan.Rows], 0
	for t := 1; t < 10; t++ {
		at := (rows*t + 9) / 10
		if s, ok := plan.Pipe(g, ids, devices, plan.Rows, []int{at}); ok && at != last {
			list, last = append(list, s), at
		}
	}
	return list
}
