package run_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"pimflow/internal/budget"
	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// checks is the number of draws for each property.
const checks = "400"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// fixed is a device whose code takes one nanosecond a value and adds one.
type fixed struct {
	name string
	fail error
	fast int // so many times
}

type fixedCode struct {
	d *fixed
	c graph.Cut
}

func (d *fixed) Name() string { return d.name }
func (d *fixed) Compile(_ *graph.Graph, c graph.Cut) (device.Code, error) {
	return fixedCode{d, c}, nil
}
func (c fixedCode) Cost() device.Cost {
	n := float64(c.c.Box.Size())
	return device.Cost{Time: device.Time(1000*n) / device.Time(max(1, c.d.fast)), Launch: 500, Energy: device.Ledger{device.PIMIO: {Value: 3 * n, Low: n, High: 5 * n}}}
}
func (c fixedCode) Print(io.Writer) error { return nil }
func (c fixedCode) Eval(in []*tensor.Tensor, dst *tensor.Tensor) error {
	c.c.Box.Runs(dst.Shape, func(off, n int) {
		for i := off; i < off+n; i++ {
			dst.Floats()[i] = in[0].Floats()[i] + 1
		}
	})
	return c.d.fail
}

// relus is a chain of element-wise nodes of 1x1x4x2 values.
func relus(t *testing.T, n int) *graph.Graph {
	b := graph.NewBuilder("relus")
	id := b.Input("x", tensor.Float32, tensor.Shape{1, 1, 4, 2})
	for range n {
		var err error
		if id, err = b.Op("", "Relu", nil, id); err != nil {
			t.Fatal(err)
		}
	}
	b.Output("y", id)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestExclusiveByHand: in an exclusive segment one device works at a time, after all before
// it and before all after it; the GPU has every channel and is twice as fast where it
// reads what was made so.
func TestExclusiveByHand(t *testing.T) {
	b := graph.NewBuilder("arms")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 1, 4, 2})
	var ids []graph.ID
	for _, from := range []int{-1, -1, 0, 2, 1, 3} { // what each reads
		in := x
		if from >= 0 {
			in = ids[from]
		}
		id, err := b.Op("", "Relu", nil, in)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	b.Output("y", ids[4])
	b.Output("z", ids[5])
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	whole := func(exclusive bool, devices ...string) (s plan.Segment) {
		s.Exclusive = exclusive
		for _, dev := range devices {
			s.Tiles = append(s.Tiles, plan.Whole(g, ids[0], dev).Tiles...)
			ids = ids[1:]
		}
		return s
	}
	p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: []plan.Segment{
		whole(false, plan.GPU), whole(true, plan.PIM, plan.GPU, plan.GPU), whole(false, plan.PIM, plan.GPU),
	}}
	prog, err := program.Build(g, p, []device.Device{&fixed{name: plan.GPU}, &fixed{name: plan.PIM}, &fixed{name: plan.Every, fast: 2}})
	if err != nil {
		t.Fatal(err)
	}
	// The third reads the first, which the GPU made without the other channels; the
	// fourth reads the third.
	want := []run.Span{{Start: 0, End: 8000}, {Start: 8000, End: 16000}, {Start: 16000, End: 24000}, {Start: 24000, End: 28000}, {Start: 28000, End: 36000}, {Start: 28000, End: 36000}}
	if d := cmp.Diff(want, run.Time(prog).Spans); d != "" {
		t.Error(d)
	}
	// Where the GPU has no channels of its own, it has every one.
	if _, err := program.Part(g, p.Segments[1:2], []device.Device{&fixed{name: plan.PIM}, &fixed{name: plan.Every}}, nil); err != nil {
		t.Error(err)
	}
	if _, err := program.Build(g, p, []device.Device{&fixed{name: plan.PIM}, &fixed{name: plan.Every}}); err == nil || !strings.Contains(err.Error(), `device "gpu" is not there`) {
		t.Error(err)
	}
}

// TestTimeByHand: two nodes of 8 values piped in halves on two devices: 4 ns, then
// two halves at once, then 4 ns.
func TestTimeByHand(t *testing.T) {
	g := relus(t, 2)
	s, ok := plan.Pipe(g, []graph.ID{1, 2}, []string{plan.GPU, plan.PIM}, plan.Rows, []int{2})
	if !ok {
		t.Fatal("not piped")
	}
	prog, err := program.Build(g, &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each, Segments: []plan.Segment{s}},
		[]device.Device{&fixed{name: plan.GPU}, &fixed{name: plan.PIM}})
	if err != nil {
		t.Fatal(err)
	}
	tl := run.Time(prog)
	want := []run.Span{{Start: 0, End: 4000}, {Start: 4000, End: 8000}, {Start: 4000, End: 8000}, {Start: 8000, End: 12000}}
	if d := cmp.Diff(want, tl.Spans); d != "" || tl.Total != 12000 {
		t.Error(tl.Total, d)
	}
	if d := cmp.Diff(run.Busy{GPU: 8000, PIM: 8000, Both: 4000, Launch: 1000, PIMLaunch: 1000}, tl.Busy()); d != "" {
		t.Error(d)
	}
	// 16 values are made; standby is 10 pJ a nanosecond.
	energy := tl.Energy(&device.Ledger{device.GPUStandby: {Value: 10, Low: 1, High: 20}})
	if want := (device.Ledger{device.GPUStandby: {Value: 120, Low: 12, High: 240}, device.PIMIO: {Value: 48, Low: 16, High: 80}}); energy != want {
		t.Errorf("energy %v: %v wanted", energy, want)
	}
	got, err := run.Eval(context.Background(), prog, []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float32{2, 2, 2, 2, 2, 2, 2, 2}, got[0].Floats()); d != "" {
		t.Error(d)
	}
}

func TestEvalStops(t *testing.T) {
	g := relus(t, 3)
	p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}
	for id := graph.ID(1); id <= 3; id++ {
		p.Segments = append(p.Segments, plan.Whole(g, id, []string{plan.GPU, plan.PIM}[id%2]))
	}
	x := []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{1, 1, 4, 2})}
	boom := errors.New("boom")
	prog, err := program.Build(g, p, []device.Device{&fixed{name: plan.GPU, fail: boom}, &fixed{name: plan.PIM}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Eval(context.Background(), prog, x, nil); !errors.Is(err, boom) || !strings.Contains(err.Error(), `"Relu_1" on gpu`) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := run.Eval(ctx, prog, x, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := run.Reference(ctx, g, x, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, bad := range [][]*tensor.Tensor{nil, {tensor.New(tensor.Float32, tensor.Shape{8})}, {tensor.New(tensor.Int64, tensor.Shape{1, 1, 4, 2})}} {
		if _, err := run.Reference(context.Background(), g, bad, nil); err == nil {
			t.Errorf("inputs %v accepted", bad)
		}
	}
}

// TestSizes: a value of no numbers is an output too, and one that no memory holds
// is an error before memory is asked for.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		rows int
		want string
	}{{0, ""}, {1 << 28, ""}, {1<<28 + 1, `node %1 "y" of 268435457x1, what is alive beside it and all weights take 3.2 GB of memory: at most 3.2 GB wanted`}} {
		b := graph.NewBuilder("m")
		x := b.Input("x", tensor.Float32, tensor.Shape{c.rows, 1})
		y, err := b.Op("y", "Relu", nil, x)
		if err != nil {
			t.Fatal(err)
		}
		b.Output("y", y)
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Fits(budget.With(t.Context(), 12<<28), g, 2); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d rows: %v", c.rows, err)
		}
		if c.rows > 0 {
			continue
		}
		p, err := program.Build(g, &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := run.Eval(context.Background(), p, []*tensor.Tensor{tensor.New(tensor.Float32, tensor.Shape{0, 1})}, nil)
		if err != nil || out[0] == nil || !out[0].Shape.Equal(tensor.Shape{0, 1}) {
			t.Errorf("no rows: %v, %v", out, err)
		}
	}
}

func TestCompare(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		want, got                       []float32
		abs, rel                        float64
		compared, notFinite, zero, lost int64
		vanished                        int64
	}{
		{[]float32{1, 2}, []float32{1, 2}, 0, 0, 2, 0, 0, 0, 0},
		{[]float32{0, 100}, []float32{0.5, 100}, 0.5, 0.005, 2, 0, 1, 0, 0},
		{[]float32{0, 0}, []float32{0, 1}, 1, math.MaxFloat64, 2, 0, 2, 0, 0},
		{[]float32{0, nan}, []float32{0, nan}, 0, 0, 1, 1, 1, 0, 0},
		{[]float32{4, inf}, []float32{3, inf}, 1, 0.25, 1, 1, 0, 0, 0},
		{[]float32{1, nan}, []float32{1, 1}, 0, 0, 1, 1, 0, 0, 0},
		{[]float32{1, 1}, []float32{1, nan}, 0, 0, 1, 1, 0, 1, 0},
		{[]float32{1, 1}, []float32{-inf, inf}, 0, 0, 0, 2, 0, 2, 0},
		{[]float32{-2, 0}, []float32{0, 0}, 2, 1, 2, 0, 1, 0, 1},
	} {
		s := tensor.Shape{2}
		d := run.Compare([]*tensor.Tensor{tensor.Floats32(s, c.want)}, []*tensor.Tensor{tensor.Floats32(s, c.got)})[0]
		if e := (device.Evidence{Compared: c.compared, NotFinite: c.notFinite, Zero: c.zero}); d.Evidence != e || d.MaxAbs != c.abs || d.MaxRel != c.rel || d.Lost != c.lost || d.Vanished != c.vanished {
			t.Errorf("%v against %v: %+v", c.got, c.want, d)
		}
	}
	d := run.Compare([]*tensor.Tensor{tensor.Ints64(tensor.Shape{3}, []int64{1, 2, 3})}, []*tensor.Tensor{tensor.Ints64(tensor.Shape{3}, []int64{1, 5, 4})})[0]
	if d.Changed != 2 || d.Compared != 3 {
		t.Errorf("integers: %+v", d)
	}
}
