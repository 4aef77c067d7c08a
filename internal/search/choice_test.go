package search

import (
	"context"
	"slices"
	"testing"

	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/op"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

// net builds a small graph of values of 1 x 2 x 8 x 1.
type net struct {
	*graph.Builder
	x graph.ID
}

func newNet() *net {
	b := graph.NewBuilder("net")
	return &net{b, b.Input("x", tensor.Float32, tensor.Shape{1, 2, 8, 1})}
}

// conv is a convolution of kernel k x 1 in groups.
func (n *net) conv(x graph.ID, k, group int) graph.ID {
	w := n.Const("", tensor.New(tensor.Float32, tensor.Shape{2, 2 / group, k, 1}))
	return n.op("Conv", op.Attrs{"kernel_shape": []int64{int64(k), 1}, "strides": []int64{1, 1}, "dilations": []int64{1, 1},
		"pads": []int64{int64(k / 2), 0, int64(k / 2), 0}, "group": int64(group)}, x, w)
}

func (n *net) op(name string, a op.Attrs, in ...graph.ID) graph.ID {
	id, err := n.Op("", name, a, in...)
	if err != nil {
		panic(err)
	}
	return id
}

func (n *net) graph(outputs ...graph.ID) *graph.Graph {
	for _, y := range outputs {
		n.Output("", y)
	}
	g, err := n.Graph()
	if err != nil {
		panic(err)
	}
	return g
}

// costs are times of the operations of a graph, in the graph's order, on one device. 0: the device
// does not execute the operation, or cuts of it.
type costs []struct{ whole, rows, channels device.Time }

// device is a device of these costs; which part a cut is makes no difference.
func (c costs) device(name string, g *graph.Graph) device.Device {
	order := candidate.Operations(g)
	return &fake.Func{Called: name, Of: func(cut graph.Cut) (device.Cost, bool) {
		i := slices.Index(order, cut.Node)
		if i >= len(c) {
			return device.Cost{}, false
		}
		t := c[i].whole
		switch {
		case t == 0:
		case cut.Box[1].Len() < 2:
			t = c[i].channels
		case cut.Box[plan.Rows].Len() < 8:
			t = c[i].rows
		}
		return device.Cost{Time: t}, t > 0
	}}
}

// devices are those of a machine by their uses; nil: the machine has none.
type devices struct {
	all      costs // the GPU with every channel, without PIM
	shared   costs // the GPU beside the PIM
	every    costs // the GPU of exclusive layers
	basic    costs // the PIM under newton+'s command interface
	extended costs // the PIM of the other policies
}

func (d devices) target(g *graph.Graph) Target {
	return Target{Machine: "fake", PIMChannels: 1, Devices: Devices(func(n int, commands string) (list []device.Device, _ error) {
		gpu, pim := d.shared, d.extended
		switch {
		case n == 0:
			gpu, pim = d.all, nil
		case commands == plan.Basic:
			pim = d.basic
		}
		list = append(list, gpu.device(plan.GPU, g))
		if n > 0 {
			list = append(list, pim.device(plan.PIM, g))
		}
		if n > 0 && d.every != nil {
			list = append(list, d.every.device(plan.Every, g))
		}
		return list, nil
	}).Memo()}
}

// TestPolicyRows: for each row of the policy table there is a small graph on which only that
// policy has the best plan of all. The local search is a row, too; the exact mode is off.
// by-benefit makes the plans of newton++ by its definition: both have one graph.
func TestPolicyRows(t *testing.T) {
	one := func() *graph.Graph { // a 1x1 convolution
		n := newNet()
		return n.graph(n.conv(n.x, 1, 1))
	}
	two := func() *graph.Graph { // a 3x1 convolution, and one that reads it
		n := newNet()
		return n.graph(n.conv(n.conv(n.x, 3, 1), 3, 1))
	}
	branches := func() *graph.Graph { // a 1x1 and a 3x1 convolution side by side
		n := newNet()
		return n.graph(n.conv(n.x, 1, 1), n.conv(n.x, 3, 1))
	}
	// What the published policies cut: a 1x1 convolution, a depthwise one that reads it, and a 3x1
	// one that reads that; and operations beside some of them.
	pipes := func(beside ...int) func() *graph.Graph {
		return func() *graph.Graph {
			n := newNet()
			var out []graph.ID
			x := n.x
			for i, c := range []struct{ k, group int }{{1, 1}, {3, 2}, {3, 1}} {
				if slices.Contains(beside, i) {
					out = append(out, n.op("Relu", nil, x))
				}
				x = n.conv(x, c.k, c.group)
			}
			return n.graph(append(out, x)...)
		}
	}
	for _, row := range []struct {
		policy    string
		graph     func() *graph.Graph
		devices   devices
		best      device.Time // of all policies
		without   device.Time // without the policy
		undecided bool        // too large to try all plans
	}{
		{"gpu", one, devices{all: costs{{100, 0, 0}}, shared: costs{{150, 0, 0}}, extended: costs{{200, 0, 0}}}, 100, 150, true},
		// The 3x1 convolution would be faster on the PIM if that were not busy.
		{"conv1x1", branches, devices{all: costs{{100, 0, 0}, {95, 0, 0}}, shared: costs{{100, 0, 0}, {95, 0, 0}}, extended: costs{{90, 0, 0}, {90, 0, 0}}}, 95, 180, false},
		// Both convolutions are slower on the PIM, but it is idle.
		{"by-operator", branches, devices{all: costs{{100, 0, 0}, {100, 0, 0}}, shared: costs{{100, 0, 0}, {100, 0, 0}}, extended: costs{{110, 0, 0}}}, 110, 200, false},
		// Neither split nor pipeline, as mddp and pipeline below explain; and the depthwise
		// convolution would be slow on the PIM.
		{"newton++", pipes(0, 2), devices{all: costs{{60, 0, 0}, {100, 0, 0}, {45, 0, 0}, {50, 0, 0}, {100, 0, 0}}, shared: costs{{60, 0, 0}, {100, 0, 0}, {50, 30, 0}, {45, 0, 0}, {100, 55, 0}},
			extended: costs{{}, {50, 30, 0}, {200, 0, 0}, {}, {65, 55, 0}}}, 110 + 65, 120 + 65, true},
		{"exclusive", two, devices{all: costs{{300, 0, 0}, {100, 0, 0}}, shared: costs{{300, 0, 0}, {150, 0, 0}}, every: costs{{300, 0, 0}, {100, 0, 0}}, extended: costs{{100, 0, 0}}}, 200, 250, true},
		// The depthwise convolution takes as long on both devices, and half of its channels are enough to begin with.
		{"non-conv", func() *graph.Graph {
			n := newNet()
			return n.graph(n.conv(n.conv(n.x, 3, 1), 3, 2))
		}, devices{all: costs{{100, 1000, 55}, {100, 1000, 55}}, shared: costs{{100, 1000, 55}, {100, 1000, 55}}, extended: costs{{}, {100, 1000, 55}}}, 165, 200, true},
		{"newton+", one, devices{all: costs{{100, 0, 0}}, shared: costs{{100, 0, 0}}, basic: costs{{50, 0, 0}}, extended: costs{{100, 0, 0}}}, 50, 100, true},
		// Splitting the last convolution gains 30. The pipeline of the others takes 90 instead of
		// 100 alone, but keeps the GPU from the operation beside: 120 instead of 110.
		{"mddp", pipes(0), devices{all: costs{{60, 0, 0}, {100, 0, 0}, {50, 0, 0}, {85, 0, 0}}, shared: costs{{60, 0, 0}, {100, 0, 0}, {50, 30, 0}, {85, 55, 0}},
			extended: costs{{}, {50, 30, 0}, {}, {85, 55, 0}}}, 110 + 55, 120 + 55, true},
		// The pipeline gains 10. Splitting the last convolution gains 10 alone, but keeps the GPU
		// from the operation beside: 100 instead of 65.
		{"pipeline", pipes(2), devices{all: costs{{100, 0, 0}, {50, 0, 0}, {45, 0, 0}, {100, 0, 0}}, shared: costs{{100, 0, 0}, {50, 30, 0}, {45, 0, 0}, {100, 55, 0}},
			extended: costs{{50, 30, 0}, {}, {}, {65, 55, 0}}}, 90 + 65, 100 + 65, true},
		{"pimflow", pipes(), devices{all: costs{{100, 0, 0}, {50, 0, 0}, {85, 0, 0}}, shared: costs{{100, 0, 0}, {50, 30, 0}, {85, 55, 0}},
			extended: costs{{50, 30, 0}, {}, {85, 55, 0}}}, 90 + 55, 100 + 55, true},
		// Cut along the channels, which no other policy does.
		{"auto", one, devices{all: costs{{100, 0, 0}}, shared: costs{{100, 1000, 50}}, extended: costs{{100, 1000, 50}}}, 50, 100, false},
	} {
		g := row.graph()
		to := row.devices.target(g)
		run := func(table []Policy) device.Time {
			s := newSearch(g, to)
			s.policies, s.always = table, 0
			r, err := s.auto(context.Background(), policies[len(policies)-1])
			if err != nil {
				t.Fatalf("%s: %v", row.policy, err)
			}
			return r.Timeline.Total
		}
		table := policies
		if row.policy != "auto" { // whose local search finds what a policy alone does
			table = slices.DeleteFunc(slices.Clone(policies), func(p Policy) bool { return p.All })
		}
		less := slices.DeleteFunc(slices.Clone(table), func(p Policy) bool {
			return p.Name == row.policy || row.policy == "newton++" && p.Name == "by-benefit"
		})
		if _, err := Lookup(row.policy); err != nil {
			t.Error(err)
		}
		if best, without := run(table), run(less); best != row.best || without != row.without {
			t.Errorf("%s: best %d, without the row %d; want %d and %d", row.policy, best, without, row.best, row.without)
		}
		if row.undecided {
			continue
		}
		ds, _ := to.Devices(1, plan.Extended)
		if optimum := fake.Optimum(g, ds, func(t device.Time, _ float64) float64 { return float64(t) }); optimum != float64(row.best) {
			t.Errorf("%s: the optimum is %v", row.policy, optimum)
		}
	}
	if a, err := Lookup("by-benefit"); err != nil || a.launch != "" || a.Exclusive || a.Splits != nil || a.Chains != nil || a.Only != nil || a.Offload != nil {
		t.Errorf("by-benefit is not newton++: %+v, %v", a, err)
	}
}

// TestPipelines: for each kind of pipeline there is a chain that only it shortens. Whole operations
// take 100 on one device, and half ones 60: two operations take 3·60 in a pipeline, three 4·60.
func TestPipelines(t *testing.T) {
	chain := func(convs ...[2]int) *graph.Graph { // kernel and groups
		n := newNet()
		x := n.x
		for _, c := range convs {
			x = n.conv(x, c[0], c[1])
		}
		return n.graph(x)
	}
	Pointwise, depthwise, spatial := [2]int{1, 1}, [2]int{3, 2}, [2]int{3, 1}
	on, off := costs{{100, 60, 0}}[0], costs{{0, 0, 0}}[0]
	for i, row := range []struct {
		graph         *graph.Graph
		gpu, pim      costs
		best, without device.Time
	}{
		{chain(Pointwise, depthwise), costs{off, on}, costs{on, off}, 180, 200},
		{chain(spatial, Pointwise), costs{on, off}, costs{off, on}, 180, 200},
		{chain(Pointwise, depthwise, Pointwise), costs{off, on, off}, costs{on, off, on}, 240, 280},
	} {
		to := devices{all: costs{on, on, on}, shared: row.gpu, extended: row.pim}.target(row.graph)
		run := func(chains []Chain) device.Time {
			p, err := Lookup("pipeline")
			if err != nil {
				t.Fatal(err)
			}
			p.Chains = chains
			r, err := Best(context.Background(), row.graph, p, to)
			if err != nil {
				t.Fatal(err)
			}
			return r.Timeline.Total
		}
		if len(published) != 3 {
			t.Fatalf("%d pipelines", len(published))
		}
		if best, without := run(published), run(slices.Delete(slices.Clone(published), i, i+1)); best != row.best || without != row.without {
			t.Errorf("pipeline %d: %d, without it %d; want %d and %d", i, best, without, row.best, row.without)
		}
	}
}
