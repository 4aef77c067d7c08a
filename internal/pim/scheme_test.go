package pim

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// plain is a scheme in a file of its own: a row has one output group and stays open while the
// pixels pass it, one at a time in buffer 0.
type plain struct{ packing }

func (c *plain) candidates(l *layer, m *scratch) (list []candidate, need int) {
	for _, merge := range l.merges(c.d.outputs) {
		ps := c.parts(l.blocks(merge, c.d.lanes), min(c.d.buffer, c.d.columns))
		for i := range ps {
			p := &ps[i]
			p.rowGroups, p.fold, p.units, p.tail = 1, 1, p.pixels, 1
		}
		w := way{scheme: c, layer: l, merge: merge, parts: ps}
		w.assign(m.shares[0])
		rows := 0
		for _, s := range m.shares[0] {
			rows = max(rows, c.rows(s).Len())
		}
		if rows > c.d.rows {
			need = rows
			continue
		}
		list = append(list, candidate{way: w})
	}
	return list, need
}

func (c *plain) work(s share) (w work) {
	for i := range s {
		sp := &s[i]
		k := sp.packing(&c.d.geometry)
		times := int64(sp.at[byMatrix].Len() * sp.at[byChunk].Len())
		pixels := times * int64(k.rows*sp.selected())
		w.visits += times * int64(k.rows)
		w.acts += times * int64((k.rows-1)*c.d.acts+k.acts)
		w.writes += pixels * int64(sp.cols)
		w.comps += pixels * int64(sp.cols)
		w.reads += pixels
	}
	w.moved = w.writes*int64(c.d.lanes) + w.reads*int64(c.d.results)
	return w
}

func (c *plain) stream(w writer, s share) (st dram.Stream) {
	row := 0
	for i := range s {
		sp := &s[i]
		k := sp.packing(&c.d.geometry)
		x, step := w.enter(sp, k, row)
		row += sp.rowCount(&c.d.geometry)
		visit := func(w writer, acts int) (st dram.Stream) {
			for _, o := range c.d.ops.Open[:acts] {
				st = append(st, w.command(o))
			}
			st = append(st, w.loop(sp.selected(), step.unit, func(w writer) dram.Stream {
				st := w.loop(sp.cols, address{source: sp.lanes, into: 1}, func(w writer) dram.Stream { return dram.Stream{w.command(c.d.ops.Write[0])} })
				st = append(st, w.loop(sp.cols, address{col: 1, buf: 1}, func(w writer) dram.Stream { return dram.Stream{w.command(c.d.ops.Comp[0])} })...)
				return append(st, w.command(c.d.ops.Read))
			})...)
			return append(st, w.command(c.d.ops.Close[0]))
		}
		st = append(st, x.loop(sp.at[byMatrix].Len(), step.matrix, func(w writer) dram.Stream {
			return w.loop(sp.at[byChunk].Len(), step.chunk, func(w writer) dram.Stream {
				st := w.loop(k.rows-1, step.set, func(w writer) dram.Stream { return visit(w, c.d.acts) })
				return append(st, visit(w.ahead(k.rows-1, step.set), k.acts)...)
			})
		})...)
	}
	return st
}

func (c *plain) shape(key []byte, s share) []byte {
	for i := range s {
		sp := &s[i]
		k := sp.packing(&c.d.geometry)
		for _, v := range []int{sp.at[byMatrix].Len(), sp.at[byChunk].Len(), k.rows, k.acts, sp.cols, sp.selected()} {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	return key
}

func (c *plain) breakdown(w work, r dram.Result) ([]cycleTerm, string) {
	return []cycleTerm{{"mac", float64(c.waits.comp * w.comps)}}, "write"
}

func (c *plain) layout(key []byte, _ *mapping, s share) []byte {
	return c.packing.layout(key, s, func(*span, rowPacking) []int { return nil })
}

func (c *plain) rowWeights(_ *mapping, s share, row int) rowWeights {
	x, _ := c.packing.rowWeights(s, row)
	x.period, x.copies = 1, 1
	return x
}

func (c *plain) describe(*part) (flow, where string) { return ", plain", "one to a row" }

// TestNewScheme: a scheme is added by a type and by a row of dialects. All else in the package
// works with it: values, replay, costs, weights and text.
func TestNewScheme(t *testing.T) {
	rows := dialects
	defer func() { dialects = rows }()
	dialects = slices.Clone(rows)
	i := slices.IndexFunc(dialects, func(d dialect) bool { return d.standard == "newton" })
	dialects[i].scheme = func(d *Device) scheme { return &plain{newPacking(d)} }
	for _, group := range []int{1, 4} {
		n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, 48, 5, 6}, 40, group, 3, 1, 1, []int64{1, 1, 1, 1}, false)
		code := compile(t, machineOf(t, "newton"), 3, n.g, n.g.Whole(n.id))
		want, got := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape), tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
		n.g.Eval(n.g.Whole(n.id), n.in, want)
		if err := code.Eval(n.in, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want.Floats(), got.Floats()) {
			t.Errorf("%v computes something else", code.mapping)
		}
		if r, err := code.Replay(); err != nil || r.Timed != r.Commands {
			t.Errorf("%v: %+v: %v", code.mapping, r, err)
		}
		weights := 0
		for channel, held := range code.WeightLayout() {
			weights += code.Weights(channel, held.Rows)
		}
		if want := 40 * 48 / group * 9; weights < want {
			t.Errorf("%v: %d weights in the banks, %d wanted", code.mapping, weights, want)
		}
		var text strings.Builder
		if err := code.Print(&text); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{", plain", "one to a row", "GWRITE0 buf="} {
			if !strings.Contains(text.String(), s) {
				t.Errorf("no %q in\n%s", s, text.String())
			}
		}
		if sum := code.Breakdown(); len(sum) == 0 {
			t.Error("no terms")
		}
	}
}
