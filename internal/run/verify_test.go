package run_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// TestVerifyFaults: three nodes whose value is 0, on devices that add one. A device without a bound
// must compute what the graph says.
func TestVerifyFaults(t *testing.T) {
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
	v, err := run.Verify(context.Background(), prog, []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})}, nil)
	if err != nil || len(v.Layers) != 3 || len(v.Faults) != 4 || v.OK() {
		t.Fatalf("%+v, %v", v, err)
	}
	for i, want := range []struct{ own, total float64 }{{1, 1}, {0, 2}, {1, 3}} {
		if e := v.Layers[i]; e.Node != graph.ID(i+1) || e.Own.MaxAbs != want.own || e.Total.MaxAbs != want.total {
			t.Errorf("node %d: %+v: own error %v and %v in all wanted", i+1, e, want.own, want.total)
		}
	}
	if f := v.Faults[3]; f.Device != plan.PIM || !slices.Equal(f.Index, []int{0, 0, 2, 0}) || f.Got != 1 || f.Wanted != 0 || f.Wrong != 4 || f.Why != run.NotEqual {
		t.Errorf("%+v", f)
	}
	if got, def := v.Outputs[0].Floats()[0], v.Defined[0].Floats()[0]; got != 3 || def != 0 {
		t.Errorf("output %v, defined %v: 3 and 0 wanted", got, def)
	}
}

// TestVerify: real networks in real plans, with values of any kind, are right on the machines' own number
// formats, and equal on whole numbers.
func TestVerify(t *testing.T) {
	if err := flag.Set("rapid.checks", "60"); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("rapid.checks", checks)
	for _, machine := range []string{"newton", "aim", "artifact"} {
		ds, format := devices(t, machine), tensor.Float16
		if machine == "aim" {
			format = tensor.BFloat16
		}
		rapid.Check(t, func(t *rapid.T) {
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			normal := func(size float64) drawn {
				return func(t *rapid.T, s tensor.Shape) *tensor.Tensor {
					x := tensor.New(tensor.Float32, s)
					for i := range x.Floats() {
						x.Floats()[i] = float32(r.NormFloat64() * size)
					}
					return x
				}
			}
			size := rapid.SampledFrom([]float64{1e-9, 0.01, 1, 1e6}).Draw(t, "size of the weights")
			g, ids, x := network(t, normal(1), normal(size))
			if len(ids) == 0 {
				return
			}
			for _, w := range ways {
				segments, ok := w.make(t, g, ids)
				if !ok {
					continue
				}
				prog, err := program.Build(g, &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: segments}, ds)
				if err != nil {
					t.Fatal(err)
				}
				v, err := run.Verify(context.Background(), prog, x, nil)
				if err != nil || len(v.Faults) > 0 {
					t.Fatalf("%s: %+v, %v", w.name, v, err)
				}
				got, err := run.Eval(context.Background(), prog, x, nil)
				if err != nil || run.Compare(v.Outputs, got)[0].MaxAbs != 0 {
					t.Fatalf("%s: outputs differ from Eval's, %v", w.name, err)
				}
				if v, err = run.VerifyExact(context.Background(), prog, format, nil); err != nil || !v.OK() || len(v.Inexact) > 0 {
					t.Fatalf("%s: %+v, %v", w.name, v, err)
				}
			}
		})
	}
}

// TestSimplified: a difference is accepted within the tolerance of the model's type, or where the model
// itself depends as much on its last bits.
func TestSimplified(t *testing.T) {
	for _, c := range []struct {
		typ    tensor.Type
		cancel bool
		off    float32
		ok     bool
	}{
		{tensor.Float32, false, 0x1p-15, true}, {tensor.Float32, false, 0x1p-10, false}, {tensor.Float32, false, float32(math.NaN()), false},
		{tensor.Float32, true, 0x1p-15, true}, {tensor.Float32, true, 0.5, false},
		{tensor.Float16, false, 0x1p-9, true}, {tensor.Float16, false, 0x1p-7, false},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			b := graph.NewBuilder("m")
			x := b.Input("x", c.typ, tensor.Shape{2})
			y, err := b.Op("", "Relu", nil, x)
			if err == nil && c.cancel { // 1 and 1, minus almost as much
				y, err = b.Op("", "Sub", nil, y, b.Const("", tensor.Floats32(tensor.Shape{2}, []float32{1, 1 - 0x1p-13})))
			}
			if err != nil {
				t.Fatal(err)
			}
			b.Output("y", y)
			g, err := b.Graph()
			if err != nil {
				t.Fatal(err)
			}
			in := []*tensor.Tensor{tensor.Floats32(tensor.Shape{2}, []float32{1, 1}).Convert(c.typ)}
			want, err := run.Reference(context.Background(), g, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			top := want[0].Floats()[1]
			got := tensor.Floats32(tensor.Shape{2}, []float32{want[0].Floats()[0] + top*c.off, top})
			s, err := run.CheckSimplified(context.Background(), g, in, want, []*tensor.Tensor{got})
			if err != nil || s.OK != c.ok {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}
