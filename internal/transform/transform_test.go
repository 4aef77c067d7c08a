package transform_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/fake"
	"pimflow/internal/graph"
	"pimflow/internal/onnx"
	"pimflow/internal/plan"
	"pimflow/internal/run"
	"pimflow/internal/tensor"
	"pimflow/internal/transform"
)

// mixed has operators whose parts have attributes of their own, one that reads fewer inputs, Concat, and one that stays whole, Resize.
const mixed = `graph "mixed"
%0 "x" = input float32 2x4x9x7
%1 "w" = input float32 6x2x3x3
%2 "b" = input float32 6
%3 "conv" = Conv(%0, %1, %2) {kernel_shape=[3 3] strides=[2 1] pads=[1 0 2 1] dilations=[1 2] group=2}
%4 "v" = input float32 6x2x3x3
%5 "up" = ConvTranspose(%3, %4) {kernel_shape=[3 3] strides=[2 2] pads=[1 1 1 1] dilations=[1 1] group=2 output_padding=[1 0]}
%6 "pool" = AveragePool(%5) {kernel_shape=[3 3] strides=[2 2] pads=[1 1 1 1] dilations=[1 1] ceil_mode=1 count_include_pad=0}
%7 "both" = Concat(%6, %6) {axis=1}
%8 "large" = Resize(%7) {sizes=[2 8 10 8] mode="linear"}
%9 "turned" = Transpose(%8) {perm=[0 2 1 3]}
%10 "chances" = Softmax(%9) {axis=3}
%11 "m" = input float32 8x5
%12 "y" = MatMul(%10, %11)
output "y" = %12
output "pool" = %6
`

// graphs draws a graph.
func graphs(t *rapid.T) *graph.Graph {
	var g *graph.Graph
	if rapid.IntRange(0, 3).Draw(t, "mixed") == 0 {
		var err error
		if g, err = graph.Parse(strings.NewReader(mixed), "mixed"); err != nil {
			t.Fatal(err)
		}
	} else {
		seed := rapid.Uint64().Draw(t, "seed")
		g = fake.Wild(rand.New(rand.NewPCG(seed, 1)), 8, 1+int(seed%2), 4, 12)
	}
	n := 0
	for i := range g.Nodes {
		if c := g.Nodes[i].Const; c != nil {
			for k := range c.Floats() {
				n = (n*5 + 3) % 64
				c.Floats()[k] = float32(n%7 - 3)
			}
		}
	}
	return g
}

// cuts draws a plan: each node whole, or cut in one dimension or in two, one after the other.
func cuts(t *rapid.T, g *graph.Graph) *plan.Plan {
	p := &plan.Plan{}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil {
			continue
		}
		boxes := []tensor.Box{tensor.Full(nd.Shape)}
		for range rapid.IntRange(0, 3).Draw(t, "cuts") {
			k, dim := rapid.IntRange(0, len(boxes)-1).Draw(t, "box"), rapid.IntRange(0, len(nd.Shape)-1).Draw(t, "dim")
			b := boxes[k]
			if nd.Op.Need == nil || b[dim].Len() < 2 {
				continue
			}
			at := rapid.IntRange(b[dim].Lo+1, b[dim].Hi-1).Draw(t, "at")
			boxes[k] = b.With(dim, tensor.Range{Lo: b[dim].Lo, Hi: at})
			boxes = append(boxes, b.With(dim, tensor.Range{Lo: at, Hi: b[dim].Hi}))
		}
		var seg plan.Segment
		for k, b := range boxes {
			seg.Tiles = append(seg.Tiles, plan.Tile{Cut: graph.Cut{Node: nd.ID, Box: b}, Device: []string{plan.GPU, plan.PIM}[k%2]})
		}
		p.Segments = append(p.Segments, seg)
	}
	return p
}

// TestRun transforms random graphs by random plans: the values stay, each tile is one operation of its node's operator, and the
// file that is written reads back.
func TestRun(t *testing.T) {
	cut, uncut := 0, map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		g := graphs(t)
		p := cuts(t, g)
		r, err := transform.Run(g, p)
		if err != nil {
			t.Fatal(err)
		}
		same(t, g, r.Graph)
		seen := map[int]bool{}
		tiles := p.Tiles()
		for id, place := range r.Places {
			nd, want := &r.Graph.Nodes[id], tiles[place.Order]
			if seen[place.Order] || want.String() != place.String() || want.Device != place.Device || nd.Op != g.Nodes[want.Node].Op {
				t.Fatalf("%s (%s) is tile %d %v of %s, the plan has %v of %s", nd.Name, nd.Op.Name, place.Order, place.Cut, place.Device, want.Cut, want.Device)
			}
			seen[place.Order] = true
			if !slices.Contains(r.Uncut, place.Node) && !nd.Shape.Equal(place.Box.Shape()) {
				t.Fatalf("%s makes %v, its tile is %v", nd.Name, nd.Shape, place.Box)
			}
		}
		whole := 0
		for i, tile := range tiles {
			if slices.Contains(r.Uncut, tile.Node) {
				uncut[g.Nodes[tile.Node].Op.Name] = true
				if !seen[i] {
					whole++
				}
			}
		}
		if len(seen)+whole != len(tiles) {
			t.Fatalf("%d operations, %d tiles of nodes that stay whole: %d tiles in the plan", len(seen), whole, len(tiles))
		}
		if len(tiles) > len(p.Segments) && whole == 0 {
			cut++
		}
		var b bytes.Buffer
		if err := onnx.Write(&b, r.Graph); err != nil {
			t.Fatal(err)
		}
	})
	if cut == 0 || uncut["Concat"] || !uncut["Resize"] {
		t.Errorf("%d plans with cuts were written in full; uncut operators %v", cut, uncut)
	}
}

// same wants the same outputs of both graphs, to the bit.
func same(t *rapid.T, g, h *graph.Graph) {
	var in []*tensor.Tensor
	for _, id := range g.Inputs {
		x := tensor.New(g.Nodes[id].Type, g.Nodes[id].Shape)
		for i := range x.Floats() {
			x.Floats()[i] = float32(i%13-6) / 4
		}
		in = append(in, x)
	}
	want, err := run.Reference(context.Background(), g, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run.Reference(context.Background(), h, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		equal := slices.EqualFunc(want[i].Floats(), got[i].Floats(), func(x, y float32) bool {
			return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
		})
		if !equal || h.Outputs[i].Name != g.Outputs[i].Name {
			t.Fatalf("output %q: %v\n%v wanted of %q", h.Outputs[i].Name, got[i].Floats(), want[i].Floats(), g.Outputs[i].Name)
		}
	}
}
