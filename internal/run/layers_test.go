package run_test

import (
	"context"
	"sync/atomic"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// TestEvalLayers: three nodes whose value is 0, on devices that add one. What the GPU
// adds is no error of its own: it computes what the graph says.
func TestEvalLayers(t *testing.T) {
	g := relus(t, 3)
	p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}
	p.Segments = append(p.Segments, plan.Whole(g, 1, plan.PIM), plan.Whole(g, 2, plan.GPU))
	half, ok := plan.Split(g, 3, plan.Rows, 2, plan.GPU, plan.PIM)
	if !ok {
		t.Fatal("not split")
	}
	p.Segments = append(p.Segments, half)
	prog, err := program.Build(g, p, []device.Device{&fixed{name: plan.GPU}, &fixed{name: plan.PIM}})
	if err != nil {
		t.Fatal(err)
	}
	var last atomic.Int64
	out, errs, err := run.EvalLayers(context.Background(), prog, []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})},
		func(n, total int) { last.Store(int64(n * 100 / total)) })
	if err != nil || len(errs) != 3 || last.Load() != 100 {
		t.Fatal(errs, err, last.Load())
	}
	for i, want := range []struct{ own, total float64 }{{1, 1}, {0, 2}, {1, 3}} {
		if e := errs[i]; e.Node != graph.ID(i+1) || e.Own.MaxAbs != want.own || e.Total.MaxAbs != want.total {
			t.Errorf("node %d: %+v: own error %v and %v in all wanted", i+1, e, want.own, want.total)
		}
	}
	if got := out[0].Floats()[0]; got != 3 {
		t.Errorf("output %v: 3 wanted", got)
	}
}
