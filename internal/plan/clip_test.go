package plan

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/graph"
)

// rows is a graph of values of n rows. A form has nodes that others have not.
func rows(t interface{ Fatal(...any) }, n, form int) *graph.Graph {
	text := fmt.Sprintf(`graph "rows"
%%0 "x" = input float32 %dx4
%%1 "w" = const float32 4x4 [1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1]
%%2 "a" = Gemm(%%0, %%1)
%%3 "b" = Relu(%%2)
%%4 "c" = Gemm(%%3, %%1)
`, n)
	switch form {
	case 0:
		text += "%5 \"d\" = Add(%4, %3)\n%6 \"e\" = Exp(%4)\n%7 \"f\" = Concat(%5, %6) {axis=1}\noutput \"f\" = %7\n"
	case 1: // another order, and a node more
		text += "%5 \"e\" = Exp(%4)\n%6 \"new\" = Neg(%3)\n%7 \"d\" = Add(%4, %6)\n%8 \"f\" = Concat(%7, %5) {axis=1}\noutput \"f\" = %8\n"
	case 2: // a node less, and one of another operator
		text += "%5 \"d\" = Sub(%4, %3)\n%6 \"f\" = Concat(%5, %4) {axis=1}\noutput \"f\" = %6\n"
	}
	g, err := graph.Parse(strings.NewReader(text), "rows")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestClip carries a plan over to values of each smaller number of rows: it is a plan there, and a tile is on the
// device of the tile that it is a part of.
func TestClip(t *testing.T) {
	const n = 9
	rapid.Check(t, func(t *rapid.T) {
		from := rows(t, n, 0)
		device := rapid.SampledFrom([]string{GPU, PIM})
		p := &Plan{Graph: from.Fingerprint(), PIM: Extended, Launch: Each}
		for i := range from.Nodes {
			if from.Nodes[i].Op == nil {
				continue
			}
			id := graph.ID(i)
			s, ok := Split(from, id, rapid.IntRange(0, 1).Draw(t, "dim"), rapid.IntRange(0, n-1).Draw(t, "at"), device.Draw(t, "first"), device.Draw(t, "second"))
			if !ok {
				s = Whole(from, id, device.Draw(t, "device"))
			}
			s.Exclusive = rapid.Bool().Draw(t, "exclusive")
			p.Segments = append(p.Segments, s)
		}
		if err := p.Check(from); err != nil {
			t.Fatal(err)
		}
		to := rows(t, rapid.IntRange(0, n).Draw(t, "rows"), rapid.IntRange(0, 2).Draw(t, "form"))
		c := p.Clip(from, to)
		if err := c.Check(to); err != nil {
			t.Fatal(err)
		}
		old := map[string][]Tile{}
		for _, s := range p.Tiles() {
			old[from.Nodes[s.Node].Name] = append(old[from.Nodes[s.Node].Name], s)
		}
		for _, s := range c.Tiles() {
			nd, found := &to.Nodes[s.Node], false
			for _, o := range old[nd.Name] {
				found = found || o.Device == s.Device && o.Box.Contains(s.Box) && from.Nodes[o.Node].Op == nd.Op
			}
			if known := len(old[nd.Name]) > 0 && from.Nodes[old[nd.Name][0].Node].Op == nd.Op; found != known || !known && s.Device != GPU {
				t.Fatalf("tile %s %v of %s: that of %v", s.Device, s.Box, nd.Name, old[nd.Name])
			}
		}
		if to.Fingerprint() == from.Fingerprint() && fmt.Sprint(c.Segments) != fmt.Sprint(p.Segments) {
			t.Fatalf("of the same graph:\n%v\n%v", c.Segments, p.Segments)
		}
	})
}
