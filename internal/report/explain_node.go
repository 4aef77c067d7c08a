package report

import (
	"fmt"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
)

// explanation writes a layer with at most most alternatives; 0 for all.
func explanation(b *strings.Builder, n *pimflow.Explanation, most int) {
	fmt.Fprintf(b, "layer     %s, %s, %s, %d multiply-accumulates\n", fault.Name(n.Name), n.Op, shape(n.Shape), n.MACs)
	fmt.Fprintf(b, "placed    %s: %s in the plan, %s alone\n", placement(&n.Reason), ns(n.NS), ns(n.Alone))
	if n.GPU != nil {
		fmt.Fprintf(b, "GPU       %s for all of it, between %s\n", ns(n.GPU.NS), doubt(&n.Reason))
	}
	right := column{right: true}
	t := table{{}, right, right, {}, right, {}}
	b.WriteByte('\n')
	t.row("in the plan", "from ns", "to ns", "launch", "longer ns", "waited for")
	for _, tile := range n.Tiles {
		t.row(tile.Device+tile.Box, fmt.Sprintf("%.1f", tile.Start), fmt.Sprintf("%.1f", tile.End), launch(tile.Joined), fmt.Sprintf("%.1f", tile.Longer), tile.For)
	}
	t.write(b)
	shown, left := 0, 0
	for i := range n.Options {
		o := &n.Options[i]
		if most > 0 && shown >= most && !o.Chosen {
			left++
			continue
		}
		shown++
		fmt.Fprintf(b, "\n%s: %s alone; %.0f pJ, %.0f with standby\n", briefly(n.Shape, o.Tiles), ns(o.NS), o.Energy, o.With)
		for k := range o.Parts {
			part := &o.Parts[k]
			fmt.Fprintf(b, "  %s %s, bound by %s", part.Device, ns(part.NS), part.Bound)
			if len(part.Terms) > 0 {
				fmt.Fprintf(b, ": %s", terms(part.Terms, 4))
			}
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "  %s\n", printable(o.Why))
	}
	if left > 0 {
		fmt.Fprintf(b, "\n%d more: --all\n", left)
	}
	for i, why := range n.Refused {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintln(b, printable(why))
	}
}
