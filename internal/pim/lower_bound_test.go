package pim

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// TestLowerBound: by hand, 3x3 over 5x5 positions of 32 channels with padding 1 reads 13 of 15
// taps a dimension; every second position of a 1x1 is every second input.
func TestLowerBound(t *testing.T) {
	for _, c := range []struct {
		k, stride, channels int
		want                LowerBound
	}{
		{3, 1, 1, LowerBound{MAC: 13 * 13 * 32 / 16 * 2, Move: (25*32/16 + 25) * 2}}, // one output group
		{3, 1, 16, LowerBound{MAC: 22 * 2, Move: 10}},                                // 338 COMPs, 150 cycles
		{1, 2, 1, LowerBound{MAC: 9 * 2 * 2, Move: (9*2 + 9) * 2}},
	} {
		p := int64(c.k / 2)
		n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, 32, 5, 5}, 16, 1, c.k, c.stride, 1, []int64{p, p, p, p}, false)
		if got := compile(t, machineOf(t, "newton"), c.channels, n.g, n.g.Whole(n.id)).LowerBound(); got != c.want {
			t.Errorf("kernel %d, stride %d, %d channels: %+v, %+v wanted", c.k, c.stride, c.channels, got, c.want)
		}
	}
}

// TestTaps: taps and what they read, counted one by one.
func TestTaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		kernel, dilation := draw("kernel", 1, 6), draw("dilation", 1, 4)
		a := &axis{pad: draw("pad", 0, 9), stride: draw("stride", 1, 5), extent: draw("extent", 1, 12), reach: (kernel - 1) * dilation}
		a.Lo = draw("lo", 0, 5)
		a.Hi = a.Lo + draw("positions", 1, 9)
		taps, seen := 0, map[int]bool{}
		for p := a.Lo; p < a.Hi; p++ {
			for k := range kernel {
				if i := p*a.stride - a.pad + k*dilation; i >= 0 && i < a.extent {
					taps, seen[i] = taps+1, true
				}
			}
		}
		if n, read := a.taps(kernel, dilation); n != taps || read != len(seen) {
			t.Fatalf("%d taps read %d positions, %d and %d wanted", n, read, taps, len(seen))
		}
	})
}

// TestLowerBoundHolds: no code is faster.
func TestLowerBoundHolds(t *testing.T) {
	for _, make := range anyLayers {
		rapid.Check(t, func(t *rapid.T) {
			n := make(t)
			code := compile(t, anyMachine(t), anyChannels(t), n.g, graph.Cut{Node: n.id, Box: anyBox(t, n.g.Nodes[n.id].Shape)})
			if floor := code.LowerBound(); floor.MAC < 0 || floor.Move < 1 || int64(floor.Cycles()) > code.Cost().Ticks {
				t.Fatalf("floor %+v, %d cycles", floor, code.Cost().Ticks)
			}
		})
	}
}
