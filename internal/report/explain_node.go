package report

import (
	"fmt"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/explain"
	"pimflow/internal/graph"
	"pimflow/internal/search"
)

// ExplainNode is a layer with all its alternatives.
type ExplainNode struct {
	ExplainLayer
	MACs    int64           `json:"macs"`
	Tiles   []ExplainTile   `json:"tiles"`
	Options []ExplainOption `json:"options"` // the placement among them, the fastest alone first
	Refused []string        `json:"refused"` // why there are no others
}

// ExplainTile is a tile in the plan.
type ExplainTile struct {
	Device string  `json:"device"`
	Box    string  `json:"box"`
	Start  float64 `json:"start_ns"`
	End    float64 `json:"end_ns"`
	Joined bool    `json:"joined"`     // launched with the PIM's tile before
	Longer float64 `json:"longer_ns"`  // than alone: the other device uses the bandwidth too
	Waited string  `json:"waited_for"` // until its start
}

// ExplainOption is a way to execute the layer.
type ExplainOption struct {
	Chosen bool   `json:"chosen"`
	Tiles  string `json:"tiles"`
	short  string
	NS     float64       `json:"ns"`              // alone
	Energy float64       `json:"energy_pj"`       // without standby
	With   float64       `json:"with_standby_pj"` // with that of the time alone
	Total  float64       `json:"plan_ns"`         // of the plan with it in the placement's place; 0: no place, or no room
	Why    string        `json:"why"`
	Parts  []ExplainPart `json:"parts"`
}

// ExplainPart is a tile of an option.
type ExplainPart struct {
	Device string        `json:"device"`
	Box    string        `json:"box"`
	NS     float64       `json:"ns"`
	Bound  string        `json:"bound"`
	Terms  []ExplainTerm `json:"terms"` // of NS, the largest first
	terms  []device.Term
}

// ExplainTerm is a part of a time.
type ExplainTerm struct {
	Name string  `json:"name"`
	NS   float64 `json:"ns"`
}

// SetLayer adds all there is to say of one layer.
func (x *Explain) SetLayer(g *graph.Graph, e *explain.Explainer, l *search.Layer) error {
	row, p, err := newExplainLayer(g, e, l)
	if err != nil {
		return err
	}
	n := &ExplainNode{ExplainLayer: *row, MACs: g.MACs(g.Whole(l.Node)), Refused: []string{}}
	for _, t := range e.Tiles(p) {
		n.Tiles = append(n.Tiles, ExplainTile{t.Device, t.Box.String(), t.Start.NS(), t.End.NS(), t.Joined, t.Longer.NS(), t.Waited})
	}
	options, refused, err := e.Options(p)
	if err != nil {
		return err
	}
	for i := range options {
		o := &options[i]
		out := ExplainOption{Chosen: o.Chosen, Tiles: tilesText(o.Tiles()), short: briefly(g, o.Tiles()), NS: o.Time.NS(), Energy: o.Energy, With: o.With, Total: o.Total.NS(), Why: o.Why}
		for k := range o.Parts {
			part := &o.Parts[k]
			row := ExplainPart{Device: part.Device, Box: part.Box.String(), NS: part.Cost.Time.NS(), Bound: part.Cost.Bound, Terms: []ExplainTerm{}, terms: part.Terms()}
			for _, t := range row.terms {
				row.Terms = append(row.Terms, ExplainTerm{t.Name, t.Time.NS()})
			}
			out.Parts = append(out.Parts, row)
		}
		n.Options = append(n.Options, out)
	}
	n.Refused = append(n.Refused, refused...)
	x.Layer = n
	return nil
}

// text writes a layer and at most most of its alternatives, all for 0.
func (n *ExplainNode) text(b *strings.Builder, most int) {
	fmt.Fprintf(b, "layer     %s, %s, %s, %d multiply-accumulates\n", printable(n.Name), n.Op, shape(n.Shape), n.MACs)
	fmt.Fprintf(b, "placed    %s: %s in the plan, %s alone\n", n.placement(), ns(n.NS), ns(n.Alone))
	if n.GPU != nil {
		fmt.Fprintf(b, "GPU       %s for all of it, between %s\n", ns(n.GPU.NS), n.doubt())
	}
	right := column{right: true}
	t := table{{}, right, right, {}, right, {}}
	b.WriteByte('\n')
	t.row("in the plan", "from ns", "to ns", "launch", "longer ns", "waited for")
	for _, tile := range n.Tiles {
		t.row(tile.Device+tile.Box, fmt.Sprintf("%.1f", tile.Start), fmt.Sprintf("%.1f", tile.End), launch(tile.Joined), fmt.Sprintf("%.1f", tile.Longer), tile.Waited)
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
		fmt.Fprintf(b, "\n%s: %s alone; %.0f pJ, %.0f with standby\n", o.short, ns(o.NS), o.Energy, o.With)
		for k := range o.Parts {
			part := &o.Parts[k]
			fmt.Fprintf(b, "  %s %s, bound by %s", part.Device, ns(part.NS), part.Bound)
			if len(part.terms) > 0 {
				fmt.Fprintf(b, ": %s", terms(part.terms, 4))
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
