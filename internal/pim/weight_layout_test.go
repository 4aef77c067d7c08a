package pim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/device"
	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// content is what a row holds: the weights of all banks, where they begin in each,
// and how often, a width apart.
type content struct {
	At                   []int
	Weights              []float32
	Width, Times, Period int
}

func (ch *performer) content(row int) content {
	l := ch.contents.(*layerContents)
	x := l.scheme.rowWeights(l.mapping, l.share, row)
	c := content{Width: x.cols * x.lanes, Times: x.copies, Period: x.period}
	for _, pack := range ch.load(row).packs {
		for _, r := range pack {
			for b := range r.count {
				c.At, c.Weights = append(c.At, r.at), append(c.Weights, r.w.V[b*r.w.Step:][:r.n]...)
			}
		}
	}
	return c
}

// TestWeightLayout: in equal layouts a row holds the same weights; Weights counts them; a
// stream names no row outside of those that are held.
func TestWeightLayout(t *testing.T) {
	shared := 0
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		for j := range n.in[1].Floats() {
			n.in[1].Floats()[j] = float32(j + 1) // says which it is
		}
		m := anyMachine(t)
		inFormat(&m.PIM, "fp32")
		shape := n.g.Nodes[n.id].Shape
		last := len(shape) - 1
		box := anyBox(t, shape)
		upper := box.With(last, tensor.Range{Lo: 0, Hi: rapid.IntRange(1, shape[last]).Draw(t, "upper")})
		channels := anyChannels(t)
		seen := map[string]map[int]content{}
		for _, b := range []tensor.Box{box, upper, anyBox(t, shape)} {
			code := compile(t, m, channels, n.g, graph.Cut{Node: n.id, Box: b})
			held := code.WeightLayout()
			for i, s := range code.perChannel() {
				h := held[i]
				if len(s) == 0 {
					if h.Layout != "" || h.Rows.Len() > 0 {
						t.Fatalf("an idle channel holds rows %v", h.Rows)
					}
					continue
				}
				if seen[h.Layout] == nil {
					seen[h.Layout] = map[int]content{}
				}
				rows := seen[h.Layout]
				ch, count := code.performer(new(room), s, code.operands([]device.Evaluation{{In: n.in}})), 0
				for row := h.Rows.Lo; row < h.Rows.Hi; row++ {
					x := ch.content(row)
					if before, ok := rows[row]; ok {
						shared++
						if d := cmp.Diff(before, x); d != "" {
							t.Fatalf("row %d of one layout has two contents: %s", row, d)
						}
					}
					rows[row] = x
					for _, w := range x.Weights {
						if w != 0 { // between those of merged groups
							count += x.Times
						}
					}
				}
				if got := code.Weights(i, h.Rows); got != count {
					t.Fatalf("%d weights counted, %d there", got, count)
				}
				code.device.stream(s).Walk(func(c *dram.Command, index []int) bool {
					role := code.device.ops.roles[c.Op]
					if row := int(c.Row.At(index)); (role == openRole || role == compRole) && (row < 0 || row >= h.Rows.Len()) {
						t.Fatalf("row %d of %d is named", row, h.Rows.Len())
					}
					return true
				})
			}
		}
	})
	if shared == 0 {
		t.Error("no two codes had a layout in common")
	}
}
