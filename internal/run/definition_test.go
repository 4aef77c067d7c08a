package run_test

import (
	"context"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// cropped is a GPU whose code computes the first row of its cut, by definition, and says so.
type cropped struct{ device.Device }

type croppedCode struct {
	device.Code
	g   *graph.Graph
	cut graph.Cut
}

func (d cropped) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := d.Device.Compile(g, c)
	return croppedCode{code, g, c}, err
}

func (c croppedCode) Definition() graph.Cut {
	rows := c.cut.Box[2]
	return graph.Cut{Node: c.cut.Node, Box: c.cut.Box.With(2, tensor.Range{Lo: rows.Lo, Hi: rows.Lo + 1})}
}

func (c croppedCode) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	c.g.Eval(c.Definition(), in, dst)
	return nil
}

// TestDefinition: a tile that computes another box by definition than its own is wrong, and a part of a node is not all of it.
func TestDefinition(t *testing.T) {
	g := relus(t, 1)
	x := []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})}
	half, ok := plan.Split(g, 1, plan.Rows, 2, plan.GPU, plan.GPU)
	if !ok {
		t.Fatal("not split")
	}
	for _, c := range []struct {
		name    string
		segment plan.Segment
		crop    bool
		steps   int
		want    run.Why
	}{
		{"whole", plan.Whole(g, 1, plan.GPU), false, 1, ""},
		{"halves", half, false, 2, ""},
		{"another box", plan.Whole(g, 1, plan.GPU), true, 1, run.NotEqual},
		{"one half", half, false, 1, run.NotMade},
	} {
		ds := devices(t, "toy")
		if c.crop {
			for i, d := range ds {
				ds[i] = cropped{d}
			}
		}
		prog, err := program.Build(g, &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: []plan.Segment{c.segment}}, ds)
		if err != nil {
			t.Fatal(err)
		}
		prog.Steps = prog.Steps[:c.steps]
		v, err := run.Verify(context.Background(), prog, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run.Why("")
		if len(v.Faults) > 0 {
			got = v.Faults[0].Why
		}
		if got != c.want || v.GPU.Compared == 0 || v.OK() != (c.want == "") {
			t.Errorf("%s: fault %q, %q wanted: %+v", c.name, got, c.want, v.GPU)
		}
	}
}
