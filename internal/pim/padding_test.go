package pim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// wideConv draws a convolution of one group whose taps are whole columns of 4 lanes.
func wideConv(t *rapid.T) net {
	k, dil := rapid.IntRange(1, 5).Draw(t, "kernel"), rapid.IntRange(1, 3).Draw(t, "dilation")
	x := tensor.Shape{rapid.IntRange(1, 2).Draw(t, "images"), 4 * rapid.IntRange(1, 5).Draw(t, "columns of a tap")}
	for range 2 {
		x = append(x, rapid.IntRange(1, 9).Draw(t, "extent"))
	}
	var pads []int64
	for i := range 4 {
		least := max(0, (k-1)*dil+1-x[2+i%2]) // that the kernel fits
		pads = append(pads, int64(rapid.IntRange(least, least+3).Draw(t, "pad")))
	}
	return conv(t, anySeed(t), x, rapid.IntRange(1, 20).Draw(t, "outputs"), 1, k, rapid.IntRange(1, 3).Draw(t, "stride"), dil, pads, false)
}

// TestPaddingLeftOut: tap by tap, no column of padding is multiplied, if the kinds are not
// too many, and no other is left out, and the values are those of the operator.
func TestPaddingLeftOut(t *testing.T) {
	skipped := 0
	rapid.Check(t, func(t *rapid.T) {
		n := wideConv(t)
		cut := graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)}
		d := smallColumns(t, rapid.IntRange(1, 4).Draw(t, "buffers"))
		c, err := d.Compile(n.g, cut)
		if err != nil {
			t.Fatal(err)
		}
		code := c.(*Code).mapped()
		want := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
		n.g.Eval(cut, n.in, want)
		l, err := lower(n.g, cut)
		if err != nil {
			t.Fatal(err)
		}
		_, tried := code.compared()
		for _, m := range tried {
			m := m.at(l)
			code.mapping = m
			if !m.layer.byTap {
				continue
			}
			skipped++
			var comps int64
			for _, s := range code.perChannel() {
				comps += d.scheme.work(s).comps
			}
			inside := n.products(cut) / cut.Box[1].Len() / d.m.Lanes() // columns of one output
			if needed := inside * ceilDiv(cut.Box[1].Len(), d.m.Banks); comps < int64(needed) || comps > int64(needed) && len(m.layer.classes) <= maxClasses/2 {
				t.Fatalf("%v: %d COMPs, %d needed", m, comps, needed)
			}
			if _, err := code.Replay(); err != nil {
				t.Fatalf("%v: %v", m, err)
			}
			got := tensor.New(tensor.Float32, n.g.Nodes[n.id].Shape)
			if err := code.Eval(n.in, got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Floats(), want.Floats()) {
				t.Fatalf("%v: got %v, want %v", m, got.Floats(), want.Floats())
			}
		}
	})
	if skipped == 0 {
		t.Error("nothing left out")
	}
}

// TestKindsBounded: a kernel with more borders than are told apart has no more kinds, and
// what is left out is padding still.
func TestKindsBounded(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, 4, 13, 13}, 4, 1, 13, 1, 1, []int64{6, 6, 6, 6}, false)
	d := smallColumns(t, 2)
	c, err := d.Compile(n.g, n.g.Whole(n.id))
	if err != nil {
		t.Fatal(err)
	}
	code := c.(*Code).mapped()
	if k := len(code.layer.classes); k <= maxClasses/2 || k > maxClasses {
		t.Errorf("%d kinds", k)
	}
	if _, err := code.Replay(); err != nil {
		t.Error(err)
	}
}

// TestReplaySkips: a mapping that takes columns for padding that are not, or that numbers
// pixels wrongly, is found.
func TestReplaySkips(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 32, 5, 5}, 16, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	make := func() *mappedCode {
		code := compile(t, machineOf(t, "newton"), 1, n.g, n.g.Whole(n.id))
		if !code.layer.byTap || len(code.layer.classes) != 9 {
			t.Fatalf("%v: %d kinds", code.mapping, len(code.layer.classes))
		}
		return code
	}
	fails := func(name, want string, code *mappedCode) {
		t.Helper()
		var v *Violation
		if _, err := code.Replay(); !errors.As(err, &v) || !strings.Contains(v.Rule, want) {
			t.Errorf("%s: %v, %q wanted", name, err, want)
		}
	}
	for class := range 9 {
		code := make()
		q := &(*code.parts[0].classes)[class]
		q.need[len(q.need)-1].Hi--
		code.parts[0].counts = nil
		for i := range code.parts { // the sums of another need
			code.parts[i].countColumns()
		}
		fails("a column less", "column accesses are missing", code)
	}
	code := make()
	code.layer.classes[1].at[2].Lo++
	fails("kinds that overlap", "as another one", code)
	code = make()
	code.layer.classes[0].at[1] = tensor.Range{Lo: 5, Hi: 6}
	fails("a kind that is outside", "outside of", code)
}
