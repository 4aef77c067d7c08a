package pim

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pimflow/internal/dram"
	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// held is the weights of a row of all banks, in the order of the banks, without
// what is 0 between groups of a convolution.
func (ch *channel) held(row int) (at []int, w []float32) {
	l := ch.load(row)
	for _, b := range l.banks {
		at, w = append(at, b.at), append(w, b.w...)
	}
	return append(at, l.width), w
}

// TestHeld: in equal layouts a row holds the same weights; Weights counts them; a
// stream names no row outside of those that are held.
func TestHeld(t *testing.T) {
	shared := 0
	rapid.Check(t, func(t *rapid.T) {
		n := anyConv(t)
		for j := range n.in[1].Floats() {
			n.in[1].Floats()[j] = float32(j + 1) // says which it is
		}
		m := anyMachine(t)
		m.PIM.Format = "fp32"
		nd := &n.g.Nodes[n.id]
		last := len(nd.Shape) - 1
		box := anyBox(t, nd.Shape)
		upper := box.With(last, tensor.Range{Lo: 0, Hi: rapid.IntRange(1, nd.Shape[last]).Draw(t, "upper")})
		channels := anyChannels(t)
		seen := make([]map[string]map[int]any, channels)
		for _, b := range []tensor.Box{box, upper} {
			code := compile(t, m, channels, n.g, graph.Cut{Node: n.id, Box: b})
			held := code.Held()
			for i, s := range code.perChannel() {
				h := held[i]
				if len(s) == 0 {
					if h.Layout != "" || h.Rows.Len() > 0 {
						t.Fatalf("an idle channel holds rows %v", h.Rows)
					}
					continue
				}
				if seen[i] == nil {
					seen[i] = map[string]map[int]any{}
				}
				if seen[i][h.Layout] == nil {
					seen[i][h.Layout] = map[int]any{}
				}
				rows := seen[i][h.Layout]
				ch, count := code.channel(s, code.operands(n.in)), 0
				for row := h.Rows.Lo; row < h.Rows.Hi; row++ {
					at, w := ch.held(row)
					x := [2]any{at, w}
					if before, ok := rows[row]; ok {
						shared++
						if d := cmp.Diff(before, any(x)); d != "" {
							t.Fatalf("row %d of one layout has two contents: %s", row, d)
						}
					}
					rows[row] = x
					times := 1
					if !code.device.ops.column {
						p := &code.parts[slices.IndexFunc(code.parts, func(p part) bool { return row >= p.row && row < p.row+p.rows() })]
						times = p.fold
					}
					count += len(w) * times
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
