package platform_test

import (
	"reflect"
	"slices"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

// TestForms: nodes of one form cost the same on a device, whole and cut.
func TestForms(t *testing.T) {
	m, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	ds, err := platform.Devices(m, platform.Makers{}, m.Memory.PIMChannels, plan.Extended)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mobilenet-v2", "densenet-121", "inception-v3"} {
		g, err := zoo.Build(name, 1)
		if err == nil {
			g, err = simplify.Run(t.Context(), g)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			first, compared := map[string]graph.ID{}, 0
			for i := range g.Nodes {
				id := graph.ID(i)
				if g.Nodes[i].Op == nil {
					continue
				}
				form := device.Form(d, g, id)
				of, ok := first[form]
				if !ok {
					first[form] = id
					continue
				}
				cuts := []tensor.Box{g.Whole(id).Box}
				for dim := range min(len(cuts[0]), plan.Rows+1) {
					if n := g.Nodes[i].Shape[dim]; n > 2 && plan.Cuttable(&g.Nodes[i], dim) {
						cuts = append(cuts, cuts[0].With(dim, tensor.Range{Lo: n / 3, Hi: n}))
					}
				}
				for _, box := range cuts {
					compared++
					a, errA := d.Compile(g, graph.Cut{Node: of, Box: box})
					b, errB := d.Compile(g, graph.Cut{Node: id, Box: box})
					if (errA == nil) != (errB == nil) || errA == nil && !reflect.DeepEqual(a.Cost(), b.Cost()) {
						t.Errorf("%s: %q and %q, %v on %s, have one form and not one cost", name, g.Nodes[of].Name, g.Nodes[i].Name, box, d.Name())
					}
					needs := [][]tensor.Box{g.Need(graph.Cut{Node: of, Box: box}), g.Need(graph.Cut{Node: id, Box: box})}
					if !slices.EqualFunc(needs[0], needs[1], tensor.Box.Equal) {
						t.Errorf("%s: %q and %q, %v, have one form and not one need", name, g.Nodes[of].Name, g.Nodes[i].Name, box)
					}
				}
			}
			if compared < 50 {
				t.Errorf("%s on %s: %d cuts compared", name, d.Name(), compared)
			}
		}
	}
}
