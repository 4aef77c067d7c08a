package utilization

import (
	"io"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
)

// termed is code whose time has terms; the first is its launch, which may be fused.
type termed []device.Term

func (c termed) Cost() device.Cost {
	t := device.Time(0)
	for _, x := range c {
		t += x.Time
	}
	return device.Cost{Time: t, Launch: c[0].Time, Fusible: c[0].Time, Bound: "mac", Energy: device.Ledger{device.PIMIO: {Value: float64(t)}}}
}
func (c termed) Breakdown() []device.Term                    { return c }
func (c termed) Eval([]*tensor.Tensor, *tensor.Tensor) error { return nil }
func (c termed) Print(io.Writer) error                       { return nil }

// timeline is a chain of nodes with spans that are given: from and to by step.
func timeline(devices []string, codes []termed, spans []run.Span) *run.Timeline {
	g := fake.Chain(len(devices), 1)
	p := &program.Program{Graph: g}
	total := device.Time(0)
	for i, dev := range devices {
		p.Steps = append(p.Steps, program.Step{Tile: plan.Tile{Cut: g.Whole(graph.ID(i + 1)), Device: dev}, Code: codes[i]})
		total = max(total, spans[i].End)
	}
	return &run.Timeline{Program: p, Spans: spans, Total: total}
}

// TestTerms: a fused launch is no term; what overlaps is reduced in proportion, launch and latency are not; a longer span shares its bandwidth.
func TestTerms(t *testing.T) {
	code := termed{{Name: "launch", Time: 100}, {Name: "latency", Time: 50}, {Name: "mac", Time: 60}, {Name: "write", Time: 60}, {Name: "overlap", Time: -20}}
	for _, c := range []struct {
		fused  bool
		longer device.Time
		want   []device.Term
	}{
		{false, 0, []device.Term{{Name: "launch", Time: 100}, {Name: "latency", Time: 50}, {Name: "mac", Time: 50}, {Name: "write", Time: 50}}},
		{true, 30, []device.Term{{Name: "latency", Time: 50}, {Name: "mac", Time: 50}, {Name: "write", Time: 50}, {Name: Shared, Time: 30}}},
	} {
		span := 250 + c.longer
		if c.fused {
			span -= 100
		}
		tl := timeline([]string{plan.PIM}, []termed{code}, []run.Span{{Start: 7, End: 7 + span}})
		tl.Program.Steps[0].Fused = c.fused
		got := Terms(tl, 0)
		if !slices.Equal(got, c.want) {
			t.Errorf("fused %v, %v longer: %v, want %v", c.fused, c.longer, got, c.want)
		}
		if s := SplitOf(got); s[Computing] != 100 || s[Moving] != 50+c.longer || s.Sum() != span {
			t.Errorf("by kind: %v", s)
		}
	}
}

// TestShares: the GPU from 0 to 101, the PIM from 60 to 160 and, after a gap in which nothing runs, the GPU from 200 to 210, by hand in half
// picoseconds.
func TestShares(t *testing.T) {
	one := func(n device.Time) termed { return termed{{Name: "launch", Time: 0}, {Name: "mac", Time: n}} }
	tl := timeline([]string{plan.GPU, plan.PIM, plan.GPU}, []termed{one(101), one(100), one(10)}, []run.Span{{Start: 0, End: 101}, {Start: 60, End: 160}, {Start: 200, End: 210}})
	tl.Program.Steps[2].After = []int{1}
	steps, idle := Shares(tl)
	if want := []Half{120 + 41, 41 + 118, 20}; !slices.Equal(steps, want) || idle != [program.Lanes]Half{40, 40} {
		t.Errorf("%v, idle %v: want %v, 40 each", steps, idle, want)
	}
	var sums [program.Lanes]device.Time
	all := Half(0)
	for _, s := range Stalls(tl) {
		sums[program.Lane(s.Device)] += s.Time
		all += s.Shared
	}
	if sums != [program.Lanes]device.Time{210, 210} || all != 420 {
		t.Errorf("stalls of %v, shared %v: want 210 of each device, 420", sums, all)
	}
	list := Limits(tl.Program.Graph, tl, tl)
	if n := list[0].PlanSum(); list[0].Class != All || list[0].Layers != 3 || n != 420 || list[len(list)-1].Class != Idle {
		t.Errorf("%+v", list)
	}
}

// TestWaits: what a step waits for is the end at which it starts: a producer before one that only goes first, and that before its device.
func TestWaits(t *testing.T) {
	one := termed{{Name: "launch", Time: 10}}
	tl := timeline([]string{plan.GPU, plan.PIM, plan.PIM, plan.GPU}, []termed{one, one, one, one}, []run.Span{{Start: 0, End: 10}, {Start: 10, End: 20}, {Start: 20, End: 30}, {Start: 30, End: 40}})
	for i := 1; i < 4; i++ {
		tl.Program.Steps[i].After = []int{i - 1}
	}
	want := []Wait{{Nothing, -1, 0}, {Input, 0, 10}, {Input, 1, 0}, {Input, 2, 20}}
	if got := Waits(tl); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	tl.Program.Steps[2].After, tl.Program.Steps[3].After = nil, []int{0, 2}
	tl.Program.Steps[3].Node = tl.Program.Steps[0].Node // reads neither
	want[2], want[3] = Wait{Busy, 1, 0}, Wait{Exclusive, 2, 20}
	if got := Waits(tl); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestSums: of any timeline the stalls of each device, the shared stalls, the limits by class and the energy add up exactly.
func TestSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ends [program.Lanes]device.Time
		var devices []string
		var codes []termed
		var spans []run.Span
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			dev := rapid.SampledFrom([]string{plan.GPU, plan.PIM}).Draw(t, "device")
			time := func(what string) device.Time { return device.Time(rapid.Int64Range(0, 50).Draw(t, what)) }
			code := termed{{Name: "launch", Time: time("launch")}, {Name: "latency", Time: time("latency")}, {Name: "mac", Time: time("mac")}, {Name: "dram", Time: time("dram")}}
			lane := program.Lane(dev)
			start := ends[lane] + time("gap")
			ends[lane] = start + code.Cost().Time + time("longer")
			devices, codes, spans = append(devices, dev), append(codes, code), append(spans, run.Span{Start: start, End: ends[lane]})
		}
		tl := timeline(devices, codes, spans)
		var sums [program.Lanes]device.Time
		shared := Half(0)
		for _, s := range Stalls(tl) {
			sums[program.Lane(s.Device)] += s.Time
			shared += s.Shared
		}
		if sums != [program.Lanes]device.Time{tl.Total, tl.Total} || shared != 2*tl.Total {
			t.Fatalf("stalls of %v, shared %v: total %v", sums, shared, tl.Total)
		}
		list := Limits(tl.Program.Graph, tl, tl)
		var base, own Half
		layers := 0
		for _, l := range list[1:] {
			base, own, layers = base+l.Baseline.Sum(), own+l.PlanSum(), layers+l.Layers
		}
		if base != 2*tl.Total || own != base || list[0].Baseline.Sum() != base || list[0].PlanSum() != own || layers != list[0].Layers {
			t.Fatalf("%v and %v of %v", base, own, tl.Total)
		}
		standby := device.Ledger{device.GPUStandby: {Value: 2}}
		p := PowerOf(tl, &standby, 7)
		if tl.Total == 0 {
			return
		}
		energy := p.Standby * tl.Total.NS()
		for _, lane := range p.Work {
			for _, mw := range lane {
				energy += mw * p.Interval
			}
		}
		want := tl.Energy(&standby)
		if math.Abs(energy-want.Total().Value) > 1e-9*want.Total().Value {
			t.Fatalf("%v pJ, want %v", energy, want.Total().Value)
		}
	})
}

// TestClass: convolutions by their kernel, products by their second operand, all else together; bytes count each value once.
func TestClass(t *testing.T) {
	b := graph.NewBuilder("classes")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, 4, 6, 6})
	y := b.Input("y", tensor.Float32, tensor.Shape{6, 6})
	weight := func(s ...int) graph.ID { return b.Const("w", tensor.New(tensor.Float32, s)) }
	ops := func(name string, group int64, in ...graph.ID) graph.ID {
		a := map[string]any{}
		if group > 0 {
			var kernel []int64
			for _, n := range b.Peek().Nodes[in[1]].Shape[2:] {
				kernel = append(kernel, int64(n))
			}
			ones := []int64{1, 1}
			a["group"], a["kernel_shape"], a["strides"], a["dilations"], a["pads"] = group, kernel, ones, ones, make([]int64, 4)
			if name == "ConvTranspose" {
				a["output_padding"] = make([]int64, 2)
			}
		}
		id, err := b.Op("", name, a, in...)
		if err != nil {
			t.Fatal(err)
		}
		b.Output("o", id)
		return id
	}
	for _, c := range []struct {
		id    graph.ID
		class string
		bytes int64
	}{
		{ops("Conv", 1, x, weight(8, 4, 1, 1)), "1x1", 2 * (144 + 32 + 8*36)},
		{ops("Conv", 1, x, weight(8, 4, 3, 1)), "3x1", 2 * (144 + 96 + 8*24)},
		{ops("Conv", 4, x, weight(8, 1, 3, 3)), Depthwise, 2 * (144 + 72 + 8*16)},
		{ops("Conv", 2, x, weight(8, 2, 3, 3)), "3x3", 2 * (144 + 144 + 8*16)},
		{ops("ConvTranspose", 1, x, weight(4, 2, 2, 2)), "2x2 transposed", 2 * (144 + 32 + 2*49)},
		{ops("MatMul", 0, x, weight(6, 5)), FC, 2 * (144 + 30 + 120)},
		{ops("MatMul", 0, x, y), Product, 2 * (144 + 36 + 144)},
		{ops("Add", 0, x, x), Other, 2 * (144 + 144)},
	} {
		g := b.Peek()
		if class, n := Class(g, c.id), Bytes(g, c.id, 2); class != c.class || n != c.bytes {
			t.Errorf("%s, %d B: want %s, %d B", class, n, c.class, c.bytes)
		}
	}
}
