package pim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// TestGeometry: each number of a channel that is the same where each bank has a MAC unit of
// its own moves its own figures only, one number changed at a time.
func TestGeometry(t *testing.T) {
	counts := []string{"acts", "comps", "moved", "output groups", "reads"}
	for _, c := range []struct {
		number string
		change func(g *geometry)
		moves  []string
	}{
		{"banks", func(g *geometry) { g.banks *= 2 }, []string{"acts", "energy of a close"}},
		{"opened", func(g *geometry) { g.opened /= 2 }, []string{"acts", "energy of an activation"}},
		{"outputs", func(g *geometry) { g.outputs /= 2 }, counts},
		{"results", func(g *geometry) { g.results /= 2 }, []string{"bound of moves", "moved"}},
		{"units", func(g *geometry) { g.units /= 2 }, []string{"acts", "bound of MACs", "energy of a COMP"}},
	} {
		for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
			n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, 32, 6, 6}, 20, 1, 1, 1, 1, []int64{0, 0, 0, 0}, false)
			d, changed := compile(t, machineOf(t, machine), 2, n.g, n.g.Whole(n.id)), compile(t, machineOf(t, machine), 2, n.g, n.g.Whole(n.id))
			c.change(&changed.device.geometry)
			before, after := figures(t, d), figures(t, changed)
			var moved []string
			for _, name := range slices.Sorted(maps.Keys(before)) {
				if before[name] != after[name] {
					moved = append(moved, name)
				}
			}
			want := c.moves
			switch {
			case machine == "artifact" && c.number == "banks":
				want = []string{"acts"} // rows are not closed
			case strings.HasSuffix(machine, "aim"): // one activation opens all
				want = slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "acts" && c.number != "outputs" })
			}
			if !slices.Equal(moved, want) {
				t.Errorf("%s, %s: %q move, %q wanted", machine, c.number, moved, want)
			}
		}
	}
}

// TestSharedUnits: where two banks share a MAC unit, streams compute what the operator means,
// and each product once, with half the outputs in a group.
func TestSharedUnits(t *testing.T) {
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		for _, outs := range []int{8, 20, 37} {
			m := machineOf(t, machine)
			m.PIM.Format = "fp32"
			n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, 40, 6, 6}, outs, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
			dev, err := New(m, 3)
			if err != nil {
				t.Fatal(err)
			}
			d := dev.(*Device)
			single := d.geometry
			d.outputs, d.results, d.units = 8, 8, 8
			c, err := d.Compile(n.g, n.g.Whole(n.id))
			if err != nil {
				t.Fatal(err)
			}
			code := c.(*Code).mapped()
			want, got := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape), tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			n.g.Eval(n.g.Whole(n.id), n.in, want)
			if err := code.Eval(n.in, got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want.Floats(), got.Floats()) {
				t.Errorf("%s, %d outputs: %v computes something else", machine, outs, code.mapping)
			}
			if _, err := code.Replay(); err != nil {
				t.Errorf("%s, %d outputs: %v: %v", machine, outs, code.mapping, err)
			}
			for i := range code.parts {
				if want := ceilDiv(outs, single.outputs/2); code.parts[i].groups != want {
					t.Errorf("%s, %d outputs: %d output groups, %d wanted", machine, outs, code.parts[i].groups, want)
				}
			}
		}
	}
}

// figures are those of a code's layer that depend on the geometry: the work of a plain way,
// bounds, and charges.
func figures(t *testing.T, c *mappedCode) map[string]float64 {
	d := c.device
	var err error
	if d.charges, err = d.newCharges(d.standard); err != nil {
		t.Fatal(err)
	}
	w := way{scheme: d.scheme, layer: c.layer, parts: plainParts(d, c.layer)}
	shares := make([]share, d.channels)
	w.assign(shares)
	work, groups := d.scheme.work(shares[0]), 0
	for _, p := range w.parts {
		groups += p.groups
	}
	bound := c.LowerBound()
	f := map[string]float64{
		"output groups": float64(groups), "acts": float64(work.acts), "comps": float64(work.comps), "reads": float64(work.reads), "moved": float64(work.moved),
		"bound of MACs": float64(bound.MAC), "bound of moves": float64(bound.Move),
		"energy of an activation": d.charges[d.ops.Open[0]].activate, "energy of a COMP": d.charges[d.ops.Comp[0]].column,
	}
	for _, o := range d.ops.Close {
		f["energy of a close"] = d.charges[o].precharge
	}
	return f
}

// plainParts cuts a layer in the first way that a device's scheme tries.
func plainParts(d *Device, l *layer) []part {
	switch c := d.scheme.(type) {
	case *fills:
		return c.parts(l, 1, kTilings[0])
	case *columns:
		ps := c.parts(l.blocks(1, d.lanes), 2)
		for i := range ps {
			ps[i].dataflow = dataflow{fillUnits: 1, unitBuffers: 1, bufferColumns: d.buffer, doubleBuffered: d.buffers > 1}
			ps[i].rowGroups = 1
		}
		return ps
	case *accumulators:
		ps := c.parts(l.blocks(1, d.lanes), 2)
		for i := range ps {
			(&filling{flow: &accumulatorDataflows[0], groups: 1, pixels: l.pixels}).fill(&ps[i], ps[i].cols, d.sums)
		}
		return ps
	}
	panic("a scheme without plain parts")
}
