package pim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/dram/aimhost"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/simplify"
	"pimflow/internal/tensor"
	"pimflow/internal/zoo"
)

// smallAccumulators is aim with small numbers: 4 banks, rows and a buffer of 8 columns of 4
// lanes, and so many accumulators.
func smallAccumulators(t fataler, sums int) *hw.Machine { return small(t, "aim", sums) }

func small(t fataler, machine string, sums int) *hw.Machine {
	m := machineOf(t, machine)
	p := &m.PIM
	p.Banks, p.Sums = 4, sums
	reshape(p, p.Format, 4, 8, 32)
	return m
}

// unrefreshed is a machine whose refreshes come after all streams.
func unrefreshed(m *hw.Machine) *hw.Machine {
	m.PIM.Timing["refi_ck"] = 100_000_000
	return m
}

// TestPrintRegisters: the text of a small layer of 5 output groups of 8 products for 12
// pixels, on two channels. By hand: TMOD at 1, WRGB from 33 to 47, WRMAC16 at 49 and 51,
// TMOD at 52, ACT16 at 84, MAC16 56 later from 140 to 146, TMOD at 148, RDMAC16 at 180 and
// 183; the second block's WRMAC16 5 later at 188. A block takes 65 cycles and 2 a WRGB,
// WRMAC16 and MAC16, 3 a RDMAC16: 83 with the 2, 4 and 2 of these; a fill of two blocks 182
// with 8 WRGB, and 88 more where it closes a row and opens one. So the second row begins at
// 188 + 83 + 182 + 182 = 635, the third at 635 + 270 + 182 + 182 = 1269; its fills are
// a block of 91, so that what follows the last RDMAC16 by 5 would be at 1269 + 88 + 3 x 91 =
// 1630: it is at 1625, TMOD at 1628 and PREA at 1660.
func TestPrintRegisters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := conv(t, r, tensor.Shape{1, 8, 3, 4}, 20, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	var got strings.Builder
	if err := compile(t, smallAccumulators(t, 2), 2, n.g, n.g.Whole(n.id)).Print(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/print_accumulators.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// anyAccumulators draws a small machine that sets sums.
func anyAccumulators(t *rapid.T) *hw.Machine {
	machine := rapid.SampledFrom([]string{"aim", "lpddr5-aim"}).Draw(t, "machine")
	return small(t, machine, rapid.SampledFrom([]int{1, 2, 3, 5, 32}).Draw(t, "accumulators"))
}

// TestAccumulatorsReferee: the brute-force referee times the streams of every mapping of a
// layer as the engine does.
func TestAccumulatorsReferee(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		m := anyAccumulators(t)
		m.PIM.Timing["refi_ck"] = rapid.SampledFrom([]int64{700, 3333}).Draw(t, "refi")
		code := compile(t, m, 2, n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
		d := code.device
		s := code.perChannel()[0]
		if w := d.scheme.work(s); len(s) == 0 || w.commands() > 3000 {
			t.Skip()
		}
		slow, err := d.standard.Referee(d.timing, d.stream(s))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slow, d.time(s)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// instructions renders a stream as the published simulator's instructions for all
// channels: they name neither activations nor precharges.
func instructions(d *Device, s dram.Stream) (out []string) {
	type run struct {
		op  dram.Op
		row int64
		n   int
	}
	var last run
	flush := func() {
		switch d.ops.roles[last.op] {
		case writeRole:
			out = append(out, fmt.Sprintf("AiM WR_GB %d 0 0xffffffff", last.n))
		case compRole:
			out = append(out, fmt.Sprintf("AiM MAC_ABK %d 0xffffffff %d", last.n, last.row))
		case initRole:
			out = append(out, slices.Repeat([]string{"AiM WR_BIAS 0 0xffffffff"}, last.n)...)
		case readRole:
			out = append(out, slices.Repeat([]string{"AiM RD_MAC 0 0xffffffff"}, last.n)...)
		}
	}
	s.Walk(func(c *dram.Command, index []int) bool {
		if next := (run{op: c.Op, row: c.Row.At(index)}); last.n > 0 && next.op == last.op && next.row == last.row {
			last.n++
		} else {
			flush()
			last = next
			last.n = 1
		}
		return true
	})
	flush()
	return append(out, "AiM EOC")
}

// hosted runs instructions on the published simulator's host.
func hosted(t fataler, d *Device, lines []string) aimhost.Result {
	h, err := aimhost.New(d.channel, aimhost.MaxChannels)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		in, _, err := aimhost.ParseInstruction(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Do(in); err != nil {
			t.Fatal(err)
		}
	}
	return h.Result()
}

// ending is what a stream takes longer than a host's trace: behind the last RDMAC16, in
// cycle x, the stream leaves register mode for a last PREA: TMOD at x+3, PREA modch_ck
// later; the host's EOC is over at x+4.
func ending(d *Device) int64 { return d.m.Timing["modch_ck"] - 1 }

// drawnAccumulators tells f of every mapping that is tried for drawn layers on machines without refreshes, and of the share of its first
// channel, unless its stream is long.
func drawnAccumulators(t *testing.T, f func(t *rapid.T, d *Device, k *mapping, s share)) {
	ran := 0
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		m := unrefreshed(anyAccumulators(t))
		code := compile(t, m, rapid.IntRange(1, 3).Draw(t, "channels"), n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
		d := code.device
		_, tried := code.compared()
		for _, k := range tried {
			code.mapping = k
			s := code.perChannel()[0]
			if len(s) == 0 || d.scheme.work(s).commands() > 20000 {
				continue
			}
			ran++
			f(t, d, k, s)
		}
	})
	if ran < 10 {
		t.Errorf("%d streams", ran)
	}
}

// TestAccumulatorsHost: without refreshes every stream takes as long as the same work as
// instructions of the published simulator's host for all channels, but for the ending,
// and issues the same commands, but for its TMOD and PREA.
func TestAccumulatorsHost(t *testing.T) {
	drawnAccumulators(t, func(t *rapid.T, d *Device, k *mapping, s share) {
		host, r := hosted(t, d, instructions(d, d.stream(s))), d.time(s)
		if int64(host.Cycles) != int64(r.Cycles)-ending(d) {
			t.Fatalf("%v: %d cycles, the host takes %d", k, r.Cycles, host.Cycles)
		}
		issued := slices.Clone(r.Issued)
		issued[d.ops.mode[0]]--
		issued[d.ops.Close[0]]--
		for i, n := range issued {
			if host.Issued[i] != n*aimhost.MaxChannels {
				t.Fatalf("%v: %d %s of 32 channels, %d in one", k, host.Issued[i], d.ops.names[i], n)
			}
		}
	})
}

// product is a row of k inputs times a matrix for so many outputs, with no values.
func product(t fataler, k, outs int) net {
	b := graph.NewBuilder("test")
	x := b.Input("x", tensor.Float32, tensor.Shape{1, k})
	w := b.Const("w", tensor.Lazy(tensor.Float32, tensor.Shape{k, outs}, func() ([]float32, []int64) { panic("values") }))
	y, err := b.Op("y", "MatMul", op.Attrs{}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	b.Output("y", y)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return net{g: g, id: y}
}

// TestAccumulatorsForms: a product of whole rows of a bank takes as long as CENT's schedules
// on the published simulator: a segment of K is written once, and for every outputs
// there are, in blocks of as many as there are accumulators, WR_BIAS, MAC_ABK and RD_MAC.
func TestAccumulatorsForms(t *testing.T) {
	for _, c := range []struct{ sums, groups, segments int }{
		{1, 3, 1}, {1, 7, 2}, {1, 16, 4}, {2, 6, 1}, {2, 8, 3}, {32, 64, 2},
	} {
		m := unrefreshed(machineOf(t, "aim"))
		m.PIM.Sums = c.sums
		n := product(t, c.segments*m.PIM.Columns()*m.PIM.Lanes(), c.groups*m.PIM.Banks)
		code := compile(t, m, 1, n.g, n.g.Whole(n.id))
		cols := m.PIM.Columns()
		block := 158 + 2*cols + (c.sums-1)*(103+2*cols)
		want := int64(c.segments*(2*cols+c.groups/c.sums*block)) + ending(code.device)
		if code.cost.Stream != want {
			t.Errorf("%+v: %d cycles, %d wanted; %v", c, code.cost.Stream, want, code.mapping)
		}
	}
	// Sums that stay in the banks save the reading and setting of all but one segment:
	// RDMAC16 and WRMAC16, 3 and 2 cycles, and what TMOD need not wait after the last
	// MAC16, 1, and what WRGB need not after RDMAC16, 5 less 3.
	m := unrefreshed(machineOf(t, "aim"))
	n := product(t, 3*m.PIM.Columns()*m.PIM.Lanes(), 2*m.PIM.Banks)
	code := compile(t, m, 1, n.g, n.g.Whole(n.id))
	cols := m.PIM.Columns()
	read := int64(3*(2*cols+158+2*cols+103+2*cols)) + ending(code.device)
	if p := &code.parts[0]; !p.outputStationary || code.cost.Stream != read-2*(2*(3+2)+1+5-3) {
		t.Errorf("%d cycles, %d if sums are read; %v", code.cost.Stream, read, code.mapping)
	}
}

// TestAccumulatorsLPDDR5: the same where rows are opened in two steps and the data clock starts, by hand.
// From a read to that of the next block: 3 to WRMAC16, 1 to TMOD, 13 to PREA, 17 to ACT16-1, 23 to MAC16, 4 a
// column, and 1 to TMOD less than to the next MAC16; 13 to CASRDMAC16, 1 to RDMAC16. A further output adds a
// WRMAC16, 2, and a RDMAC16, 3, and 4, 17 and 23 for its row. The first block has no row to close, 17, and
// changes the mode first: WRGB in cycle 15, not 3. The last row is closed 3 and 13 after the last read.
func TestAccumulatorsLPDDR5(t *testing.T) {
	for _, c := range []struct{ sums, groups, segments int }{{1, 3, 1}, {1, 7, 2}, {2, 6, 1}, {2, 8, 3}, {32, 64, 2}} {
		m := unrefreshed(machineOf(t, "lpddr5-aim"))
		m.PIM.Sums = c.sums
		n := product(t, c.segments*m.PIM.Columns()*m.PIM.Lanes(), c.groups*m.PIM.Banks)
		code := compile(t, m, 1, n.g, n.g.Whole(n.id))
		cols := m.PIM.Columns()
		block := 71 + 4*cols + (c.sums-1)*(45+4*cols)
		want := int64(c.segments*(2*cols+c.groups/c.sums*block) + 15 - 3 - 17 + 3 + 13)
		if code.cost.Stream != want {
			t.Errorf("%+v: %d cycles, %d wanted; %v", c, code.cost.Stream, want, code.mapping)
		}
	}
}

// TestRowAhead: what a block that opens a row takes longer, and what it would take less if
// that stood before the change of mode, which no instruction says.
func TestRowAhead(t *testing.T) {
	d, err := New(unrefreshed(machineOf(t, "aim")), 1)
	if err != nil {
		t.Fatal(err)
	}
	ops := d.(*Device).ops
	do := func(o dram.Op) dram.Item { return dram.Do(dram.Command{Op: o}) }
	init, shut, open, comps, read := do(ops.Init[0]), do(ops.Close[0]), do(ops.Open[0]), dram.Loop(64, do(ops.Comp[0])), do(ops.Read)
	block := func(items ...dram.Item) int64 {
		time := func(n int) int64 {
			return int64(d.(*Device).channel.Time(dram.Stream{open, dram.Loop(n, items...)}).Cycles)
		}
		return time(11) - time(10)
	}
	stays, switches, ahead := block(init, comps, read), block(init, shut, open, comps, read), block(init, comps, shut, open, read)
	if switches-stays != 88 || switches-ahead != 28 || switches != 286 {
		t.Errorf("%d, %d to open a row, %d ahead", stays, switches, ahead)
	}
}

// TestAccumulatorsPanic performs streams that no mapping writes.
func TestAccumulatorsPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := conv(t, r, tensor.Shape{1, 8, 3, 4}, 20, 1, 1, 1, 1, []int64{0, 0, 0, 0}, true)
	code := compile(t, smallAccumulators(t, 2), 2, n.g, n.g.Whole(n.id))
	ops := code.device.ops
	at := func(o dram.Op, col, acc int64) dram.Item {
		return dram.Do(dram.Command{Op: o, Col: dram.Affine{Base: col}, Buf: dram.Affine{Base: col}, Acc: dram.Affine{Base: acc}})
	}
	open, shut, write := at(ops.Open[0], 0, 0), at(ops.Close[0], 0, 0), at(ops.Write[0], 0, 0)
	init, comp, read := at(ops.Init[0], 0, 1), at(ops.Comp[0], 0, 1), at(ops.Read, 0, 1)
	for _, row := range []struct {
		s    dram.Stream
		want string
	}{
		{dram.Stream{write, init, open, comp, read, shut}, ""},
		{dram.Stream{write, init, open, comp, shut, read}, ""},
		{dram.Stream{write, open, comp}, "COMP to a sum that has not been set"},
		{dram.Stream{write, init, open, at(ops.Comp[0], 0, 0)}, "COMP to a sum that has not been set"},
		{dram.Stream{write, init, open, at(ops.Comp[0], 0, 2)}, "accumulator 2 of 2"},
		{dram.Stream{write, init, open, at(ops.Comp[0], 1, 1)}, "COMP of column 1 of a buffer, which was not filled"},
		{dram.Stream{write, init, open, comp, init}, "a sum is set that has not been read"},
		{dram.Stream{write, init, open, comp, read, comp}, "COMP to a sum that has not been set"},
		{dram.Stream{write, init, comp}, "COMP in row 0, which is not open"},
		{dram.Stream{init, read}, "READRES of bank 0, which has computed nothing"},
		{dram.Stream{open, open}, "activation of row 0 in bank 0, where row 0 is open"},
	} {
		got := ""
		func() {
			defer func() {
				if r := recover(); r != nil {
					got = fmt.Sprint(r)
				}
			}()
			m := new(room)
			ch := code.performer(m, code.perChannel()[0], code.operands([]device.Evaluation{{In: n.in}}))
			ch.reads = newAllResults(&m.numbers, 1, code.layer.results(), false)
			ch.run(row.s, nil)
		}()
		if !strings.Contains(got, row.want) || row.want == "" && got != "" {
			t.Errorf("panic %q: %q wanted", got, row.want)
		}
	}
}

// TestAccumulatorFormat: operands and what is read out are rounded to bfloat16, sums in the
// banks are float32.
func TestAccumulatorFormat(t *testing.T) {
	for _, c := range []struct {
		x, w    []float32
		product float32
	}{
		{[]float32{1 + 1.0/256, 256, 1}, []float32{1, 1, -1}, 256}, // 255 if sums were rounded
		{[]float32{256, 1, 0}, []float32{1, 1, 1}, 256},
		{[]float32{256, 1, 1}, []float32{1, 1, 1}, 258},
		{[]float32{1, 0, 0}, []float32{1 + 1.0/512, 1, 1}, 1},
	} {
		n := build(t, "MatMul", nil, tensor.Floats32(tensor.Shape{1, 3}, c.x), tensor.Floats32(tensor.Shape{3, 1}, c.w))
		y := tensor.New(tensor.Float32, tensor.Shape{1, 1})
		if err := compile(t, machineOf(t, "aim"), 1, n.g, n.g.Whole(n.id)).Eval(n.in, y); err != nil {
			t.Fatal(err)
		}
		if got := y.Floats()[0]; got != c.product {
			t.Errorf("%v times %v: %v, %v wanted", c.x, c.w, got, c.product)
		}
	}
}

// TestRegisterChoice: no length of chunks, no number of pixels and groups of a fill and no
// sharing is foreseen to be much faster than what is chosen from the few that are tried.
func TestRegisterChoice(t *testing.T) {
	for _, sums := range []int{2, 32} {
		for _, name := range []string{"mobilenet-v2", "resnet-50"} {
			g, err := zoo.Build(name, 1)
			if err != nil {
				t.Fatal(err)
			}
			if g, err = simplify.Run(t.Context(), g); err != nil {
				t.Fatal(err)
			}
			m := machineOf(t, "aim")
			m.PIM.Sums = sums
			var chosen, full int64
			seen := map[string]bool{}
			for i := range g.Nodes {
				l, err := lower(g, g.Whole(graph.ID(i)))
				if err != nil {
					continue
				}
				if key := fmt.Sprint(l.pixels, l.outs, l.groupK, l.groupOuts); seen[key] || l.groupOuts == 1 {
					continue
				} else {
					seen[key] = true
				}
				d, err := New(m, 16)
				if err != nil {
					t.Fatal(err)
				}
				ours, any := bestEstimate(d.(*Device), l), bestOfAll(d.(*Device), l)
				if float64(ours) > 1.07*float64(any) { // a refresh more is 3 % of the shortest
					t.Errorf("%s, %d accumulators, %s: %d cycles, %d possible", name, sums, g.Nodes[i].Name, ours, any)
				}
				chosen, full = chosen+ours, full+any
			}
			t.Logf("%s, %d accumulators: %d cycles chosen, %d of all, %.4f", name, sums, chosen, full, float64(chosen)/float64(full))
			if float64(chosen) > 1.01*float64(full) {
				t.Errorf("%s, %d accumulators: %d cycles, %d possible", name, sums, chosen, full)
			}
		}
	}
}

func bestEstimate(d *Device, l *layer) int64 {
	plans, _ := d.scheme.candidates(l, d.newScratch())
	best := plans[0].cycles
	for i := range plans {
		best = min(best, plans[i].cycles)
	}
	return best
}

// bestOfAll is the least of all chunks, pixels (above 8 every eighth), packs and teams.
func bestOfAll(d *Device, l *layer) int64 {
	a := d.scheme.(*accumulators)
	best := int64(1) << 60
	shares := make([]share, d.channels)
	weigh := func(merge int, ps []part) {
		for _, teams := range d.counts(ps) {
			p := candidate{way: way{merge: merge, teams: teams, parts: ps}}
			if p.assign(shares); !slices.ContainsFunc(shares, func(s share) bool { return !staying(s) }) {
				best = min(best, estimateAll(shares, math.MaxInt64, a.estimate).cycles)
			}
		}
	}
	sparse := func(n int) bool { return n > 8 && n%8 != 0 }
	for _, merge := range l.merges(d.m.Banks) {
		for size := 1; size <= d.m.Columns(); size++ {
			base := a.parts(l.blocks(merge, d.m.Lanes()), size)
			if base[0].cols != size {
				continue
			}
			slots := d.m.Columns() / size
			for _, pattern := range []dataflow{{}, {inputStationary: true}, {inputStationary: true, outputStationary: true}} {
				if pattern.outputStationary && (len(base) > 1 || base[0].chunks < 2) {
					continue
				}
				pattern.accumulators = d.m.Sums
				for fold := 1; fold <= min(slots, l.pixels); fold++ {
					for pattern.rowGroups = 1; pattern.rowGroups <= min(slots/fold, base[0].groups); pattern.rowGroups++ {
						if sparse(fold) || sparse(pattern.rowGroups) {
							continue
						}
						ps := slices.Clone(base)
						for i := range ps {
							p := &ps[i]
							p.dataflow, p.fold, p.units = pattern, fold, ceilDiv(l.pixels, fold)
							p.tail = l.pixels - (p.units-1)*fold
						}
						weigh(merge, ps)
					}
				}
			}
		}
	}
	return best
}
