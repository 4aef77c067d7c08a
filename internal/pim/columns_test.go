package pim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
)

// halfRate gives newton the published simulator's speed grade, GDDR6_3500 with clocks of 8/7 ns,
// which the numbers of tests by hand are of.
func halfRate(m *hw.Machine) *hw.Machine {
	m.PIM.Clock, m.Memory.ChannelGBps = hw.Period{Num: 8000, Den: 7}, 14
	m.Link.PerByte, m.Link.Finish.PerOp = 2.2318, 71.43
	maps.Copy(m.PIM.Timing, map[string]int64{"cl_ck": 11, "cwl_ck": 7, "faw_ck": 17, "ras_ck": 25, "rc_ck": 35, "rcdr_ck": 11,
		"refi_ck": 1458, "rfc_ck": 92, "rp_ck": 11, "rrd_ck": 5, "rtp_ck": 2, "rtw_ck": 2, "wtr_ck": 4})
	return m
}

// small is newton with small numbers: 4 banks, rows of 8 columns of 4 lanes, 4 buffers
// of 4 columns.
func smallColumns(t fataler, buffers int) *Device {
	m := halfRate(machineOf(t, "newton"))
	p := &m.PIM
	p.Banks, p.Buffers = 4, buffers
	reshape(p, p.Format, 4, 8, 16)
	d, err := New(m, 2)
	if err != nil {
		t.Fatal(err)
	}
	return d.(*Device)
}

// TestPrintColumns: the text of a small layer of 5 output groups of 8 products. A row
// holds 4 groups of 2 columns each, so they are 3 and 2. By hand: GWRITE at 1 and 3, G_ACT0
// at 4, the others 17 apart while the buffers are filled, the last at 55, COMP from 66;
// 6 pixels of 3 results, 6 cycles each, the last READRES at 172, PREA at 173; G_ACT0 11
// later, COMP from 246, 12 results, the last READRES at 316 and the result there at 329.
func TestPrintColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := conv(t, r, tensor.Shape{1, 8, 3, 4}, 20, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	d := smallColumns(t, 4)
	code, err := d.Compile(n.g, n.g.Whole(n.id))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := code.Print(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/print_columns.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestColumnsReferee: the brute-force referee times the streams of every mapping of a
// layer as the engine does.
func TestColumnsReferee(t *testing.T) {
	std, err := dram.Lookup("newton")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		d := smallColumns(t, rapid.IntRange(1, 4).Draw(t, "buffers"))
		code, err := d.Compile(n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
		if err != nil {
			t.Fatal(err)
		}
		s := code.(*Code).mapped().perChannel()[0]
		if w := d.scheme.work(s); len(s) == 0 || w.commands() > 3000 {
			t.Skip()
		}
		slow, err := std.Referee(dram.Timing(d.m.Timing), d.stream(s))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slow, d.time(s)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestColumnsPanic performs streams that no mapping writes.
func TestColumnsPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := conv(t, r, tensor.Shape{1, 8, 3, 4}, 20, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	d := smallColumns(t, 2)
	c, err := d.Compile(n.g, n.g.Whole(n.id))
	if err != nil {
		t.Fatal(err)
	}
	code := c.(*Code).mapped()
	ops := d.ops
	write := func(buffer, col int64) dram.Item {
		return dram.Do(dram.Command{Op: ops.Write[buffer], Buf: dram.Affine{Base: col}})
	}
	comp := func(buffer, row, col, buf int64) dram.Item {
		return dram.Do(dram.Command{Op: ops.Comp[buffer], Row: dram.Affine{Base: row}, Col: dram.Affine{Base: col}, Buf: dram.Affine{Base: buf}})
	}
	var open dram.Stream
	for _, o := range ops.Open {
		open = append(open, dram.Do(dram.Command{Op: o}))
	}
	shut, read := dram.Do(dram.Command{Op: ops.Close[0]}), dram.Do(dram.Command{Op: ops.Read})
	with := func(s dram.Stream, more ...dram.Item) dram.Stream {
		return append(append(dram.Stream{}, s...), more...)
	}
	for _, row := range []struct {
		s    dram.Stream
		want string
	}{
		{with(open, write(0, 0), comp(0, 0, 0, 0), read, shut), ""},
		{with(open[:1], with(dram.Stream{write(0, 0), comp(0, 0, 0, 0)}, with(open[1:], comp(0, 0, 0, 0), read, shut)...)...), ""},
		{with(open, comp(0, 0, 0, 0)), "COMP of column 0 of a buffer, which was not filled"},
		{with(open, write(0, 0), comp(1, 0, 0, 0)), "COMP of column 0 of a buffer, which was not filled"},
		{with(open, write(0, 0), write(0, 1), write(0, 0), comp(0, 0, 1, 1)), "COMP of column 1 of a buffer, which was not filled"},
		{with(open, write(0, 4)), "columns 4 to 5 written to a buffer of 4"},
		{dram.Stream{write(2, 0)}, "written to a buffer of 0"},
		{dram.Stream{write(0, 0), comp(0, 0, 0, 0)}, "COMP in row 0, which is not open"},
		{with(open, write(0, 0), comp(0, 1, 0, 0)), "COMP in row 1, which is not open"},
		{with(open, write(0, 0), shut, comp(0, 0, 0, 0)), "COMP in row 0, which is not open"},
		{with(open, write(0, 0), comp(0, 0, 7, 0)), "of a row of 5 output groups of 4 elements"},
		{with(open, open...), "activation of row 0 in bank 0, where row 0 is open"},
		{with(open, write(0, 0), comp(0, 0, 0, 0), shut), "bank 0 has a result that nothing reads before PREA"},
		{with(open, read), "READRES of bank 0, which has computed nothing"},
	} {
		got := ""
		func() {
			defer func() {
				if r := recover(); r != nil {
					got = fmt.Sprint(r)
				}
			}()
			s := code.perChannel()[0]
			m := new(room)
			ch := code.performer(m, s, code.operands([]device.Evaluation{{In: n.in}}))
			ch.reads = newAllResults(&m.numbers, 1, code.layer.results(), false)
			ch.run(row.s, nil)
		}()
		if !strings.Contains(got, row.want) || row.want == "" && got != "" {
			t.Errorf("panic %q: %q wanted", got, row.want)
		}
	}
}

// TestNumberFormat: inputs and weights are rounded to float16, products and sums are
// float32, and what is read out is rounded again.
func TestNumberFormat(t *testing.T) {
	for _, c := range []struct {
		format  string
		x, w    []float32
		product float32
	}{
		{"fp32", []float32{1 + 1.0/4096, 2048, 1}, []float32{1, 1, -1}, 2048 + 1.0/4096},
		{"fp16", []float32{1 + 1.0/4096, 2048, 1}, []float32{1, 1, -1}, 2048}, // 2047 if sums were rounded
		{"fp32", []float32{2048, 1, 0}, []float32{1, 1, 1}, 2049},
		{"fp16", []float32{2048, 1, 0}, []float32{1, 1, 1}, 2048},
		{"fp16", []float32{1, 0, 0}, []float32{1 + 1.0/4096, 1, 1}, 1},
	} {
		n := build(t, "MatMul", nil, tensor.Floats32(tensor.Shape{1, 3}, c.x), tensor.Floats32(tensor.Shape{3, 1}, c.w))
		m := machineOf(t, "newton")
		inFormat(&m.PIM, c.format)
		y := tensor.New(tensor.Float32, tensor.Shape{1, 1})
		if err := compile(t, m, 1, n.g, n.g.Whole(n.id)).Eval(n.in, y); err != nil {
			t.Fatal(err)
		}
		if got := y.Floats()[0]; got != c.product {
			t.Errorf("%s: %v, %v wanted", c.format, got, c.product)
		}
	}
}

// TestColumnsBasic: without extensions every channel reads every input, nothing is
// written meanwhile, and the values are the same.
func TestColumnsBasic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		m, channels := machineOf(t, "newton"), anyChannels(t)
		d, err := NewBasic(m, channels)
		if err != nil {
			t.Fatal(err)
		}
		basic, err := d.Compile(n.g, cut)
		if err != nil {
			t.Fatal(err)
		}
		var y [2]*tensor.Tensor
		for i, c := range []*mappedCode{basic.(*Code).mapped().mapped(), compile(t, m, channels, n.g, cut)} {
			y[i] = tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			if err := c.Eval(n.in, y[i]); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(y[0].Floats(), y[1].Floats()); diff != "" {
			t.Fatal(diff)
		}
		c := basic.(*Code).mapped().mapped()
		if p := &c.parts[0]; c.teams != 1 || p.doubleBuffered || p.fillUnits != 1 {
			t.Fatalf("mapping %v", c.mapping)
		}
	})
}

// TestEveryPlan: the streams of all plans, not only of those that are simulated, are right
// command by command, and take at least what was foreseen.
func TestEveryPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(append(slices.Clone(anyLayers), wideConv)).Draw(t, "layer")(t)
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		m := anyMachine(t)
		if m.PIM.Standard != "newton" {
			t.Skip()
		}
		code := compile(t, m, anyChannels(t), n.g, cut)
		d := code.device
		l, err := lower(n.g, cut)
		if err != nil {
			t.Fatal(err)
		}
		plans, _ := d.scheme.candidates(l, d.newScratch())
		for i := range plans {
			p := &plans[i]
			code.mapping = &mapping{way: p.way}
			code.shares = code.perChannel()
			if code.count(); code.total > 4000 {
				continue
			}
			if _, err := code.Replay(); err != nil {
				t.Fatalf("%v: %v", &p.way, err)
			}
			if cycles, _ := d.slowest(code.mapping, tooLate); cycles == tooLate {
				t.Fatalf("%v: refreshes are late", &p.way)
			}
		}
	})
}
