package published

import (
	"context"
	"fmt"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// Sweep is a study of the published evaluation: the same networks under settings that
// differ in one thing.
type Sweep struct {
	Name     string
	About    string
	Policies []string
	Settings []Setting
}

// Setting is a column of a sweep.
type Setting struct {
	Name  string
	apply func(*Accounting)
}

// Sweeps lists the studies: those that the artifact's scripts support.
var Sweeps = []Sweep{
	{"stages", "stages of a pipeline; the policies have 2", []string{"pipeline", "pimflow"}, settings([]int{2, 3, 4, 5}, func(a *Accounting, n int) { a.Stages = n })},
	{"buffers", "groups of channels with inputs of their own (GWRITE_1, 2, 4), with the latency of buffer writes exposed or hidden; newton++ has 4, hidden", []string{"newton++", "mddp", "pimflow"},
		append(settings([]int{1, 2, 4}, func(a *Accounting, n int) { a.System.Buffers, a.System.Exposed = n, true }, "exposed"),
			settings([]int{1, 2, 4}, func(a *Accounting, n int) { a.System.Buffers = n }, "hidden")...)},
	{"channels", "memory channels that compute, of 32; the GPU has the others, the GPU alone has all", []string{"newton++", "mddp", "pimflow"},
		settings([]int{4, 8, 12, 16, 20, 24, 28}, func(a *Accounting, n int) { a.Machine.Memory.PIMChannels = n })},
}

func settings(numbers []int, apply func(*Accounting, int), words ...string) (list []Setting) {
	for _, n := range numbers {
		name := fmt.Sprint(n)
		for _, w := range words {
			name += " " + w
		}
		list = append(list, Setting{name, func(a *Accounting) { apply(a, n) }})
	}
	return list
}

// Point is the sum of a network under a policy and a setting.
type Point struct {
	Network, Setting string
	Sum
}

// Run sums the networks, by network, policy and setting.
func (s *Sweep) Run(ctx context.Context, graphs []*graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int)) ([]Point, error) {
	var list []Point
	base := New(own(m))
	if change != nil {
		change(base)
	}
	total := len(graphs) * len(s.Policies) * len(s.Settings)
	for _, g := range graphs {
		for _, policy := range s.Policies {
			for _, set := range s.Settings {
				a := base.fork()
				set.apply(a)
				sum, err := a.Sum(ctx, g, policy)
				if err != nil {
					return nil, fmt.Errorf("%s: policy %s: %s %s: %w", g.Name, policy, s.Name, set.Name, err)
				}
				list = append(list, Point{g.Name, set.Name, sum})
				if progress != nil {
					progress(len(list), total)
				}
			}
		}
	}
	return list, nil
}
