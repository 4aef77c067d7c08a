package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/plan"
)

// layerColumn is a column of the table of layers: one cell for the layer, in the row of its first
// tile, or one for each tile.
type layerColumn struct {
	name  string
	right bool
	layer func(l *pimflow.Layer) string
	tile  func(l *pimflow.Layer, t *pimflow.Tile) string
	shown func(r *pimflow.Report) bool // nil: always
	rank  int                          // of its column
}

var layerColumns = []layerColumn{
	{name: "layer", layer: func(l *pimflow.Layer) string { return fault.Name(l.Name) }},
	{name: "op", rank: 3, layer: func(l *pimflow.Layer) string { return l.Op }},
	{name: "shape", rank: 4, layer: func(l *pimflow.Layer) string { return shape(l.Shape) }},
	{name: "MACs", rank: 5, right: true, layer: func(l *pimflow.Layer) string { return strconv.FormatInt(l.MACs, 10) }},
	{name: "placement", tile: func(l *pimflow.Layer, t *pimflow.Tile) string {
		s := t.Device + t.Box
		if l.Kind != t.Device {
			s = l.Kind + " " + s
		}
		if l.Exclusive {
			s = "exclusive " + s
		}
		return s
	}},
	{name: "ns", right: true, tile: func(_ *pimflow.Layer, t *pimflow.Tile) string { return fmt.Sprintf("%.1f", t.NS) }},
	{name: "launch", tile: func(_ *pimflow.Layer, t *pimflow.Tile) string { return launch(t.Joined) }, shown: joined},
	{name: "GPU ns", rank: 1, right: true, layer: func(l *pimflow.Layer) string { return wholeNS(l.GPU) }},
	{name: "GPU ck", rank: 9, right: true, layer: func(l *pimflow.Layer) string { return wholeCK(l.GPU) }},
	{name: "PIM ns", rank: 1, right: true, layer: func(l *pimflow.Layer) string { return wholeNS(l.PIM) }},
	{name: "PIM ck", rank: 9, right: true, layer: func(l *pimflow.Layer) string { return wholeCK(l.PIM) }},
	{name: "lost ns", rank: 7, right: true, layer: func(l *pimflow.Layer) string {
		if l.Lost == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f", l.Lost.NS)
	}},
	{name: "lost", rank: 7, layer: func(l *pimflow.Layer) string {
		if l.Lost == nil {
			return "-"
		}
		return l.Lost.Kind
	}},
	{name: "if fast, slow", rank: 8, layer: flips, shown: func(r *pimflow.Report) bool { return len(r.Layers) > 0 && r.Layers[0].Fast != "" }},
	{name: "ns by", rank: 2, tile: func(_ *pimflow.Layer, t *pimflow.Tile) string { return sourceName(t.GPUSource) }, shown: profiled},
	{name: "GPU by", rank: 8, layer: func(l *pimflow.Layer) string { return sourceName(l.GPUSource) }, shown: profiled},
	{name: "own error", rank: 1, right: true, layer: ofError(func(e *pimflow.LayerError) string { return fmt.Sprintf("%.2g", e.OwnRel) }), shown: checked},
	{name: "error", rank: 1, right: true, layer: ofError(func(e *pimflow.LayerError) string { return fmt.Sprintf("%.2g", e.Rel) }), shown: checked},
	{name: "values", rank: 10, right: true, layer: ofError(func(e *pimflow.LayerError) string { return strconv.FormatInt(e.Compared, 10) }), shown: checked},
	{name: "not finite", rank: 10, right: true, layer: ofError(func(e *pimflow.LayerError) string { return strconv.FormatInt(e.NotFinite, 10) }), shown: checked},
	{name: "zero", rank: 10, right: true, layer: ofError(func(e *pimflow.LayerError) string { return strconv.FormatInt(e.Zero, 10) }), shown: checked},
}

func profiled(r *pimflow.Report) bool { return r.GPUProfile != nil } // without a profile all times are the model's

func joined(r *pimflow.Report) bool { n, tiles := launches(r); return n < tiles }

// launch names the launch of a tile.
func launch(joined bool) string {
	if joined {
		return "fused"
	}
	return "own"
}

// launches counts the PIM launches of a plan, and the tiles that they start.
func launches(r *pimflow.Report) (n, tiles int) {
	for i := range r.Layers {
		for _, t := range r.Layers[i].Tiles {
			if t.Device == plan.PIM {
				if tiles++; !t.Joined {
					n++
				}
			}
		}
	}
	return n, tiles
}

func checked(r *pimflow.Report) bool {
	return slices.ContainsFunc(r.Layers, func(l pimflow.Layer) bool { return l.Error != nil })
}

// ofError is a cell of what was checked: "-" of a layer that is not executed with the sizes of the inputs.
func ofError(cell func(*pimflow.LayerError) string) func(*pimflow.Layer) string {
	return func(l *pimflow.Layer) string {
		if l.Error == nil {
			return "-"
		}
		return cell(l.Error)
	}
}

// layerTable writes a row for each layer, and one for each further tile, in lines of at most so many characters.
func layerTable(b *strings.Builder, r *pimflow.Report, most int) {
	var columns []layerColumn
	var t table
	var names []string
	for _, c := range layerColumns {
		if c.shown == nil || c.shown(r) {
			columns, t, names = append(columns, c), append(t, column{right: c.right, rank: c.rank}), append(names, c.name)
		}
	}
	t.row(names...)
	for i := range r.Layers {
		l := &r.Layers[i]
		for k := range l.Tiles {
			var cells []string
			for _, c := range columns {
				switch {
				case c.tile != nil:
					cells = append(cells, c.tile(l, &l.Tiles[k]))
				case k == 0:
					cells = append(cells, c.layer(l))
				default:
					cells = append(cells, "")
				}
			}
			t.row(cells...)
		}
	}
	t.writeIn(b, most)
}

// flips names the layer's kinds for the fastest and the slowest GPU within its bounds; "" if both
// are the plan's.
func flips(l *pimflow.Layer) string {
	if l.Fast == l.Kind && l.Slow == l.Kind {
		return ""
	}
	other := func(kind string) string {
		if kind == l.Kind {
			return "-"
		}
		return kind
	}
	return other(l.Fast) + ", " + other(l.Slow)
}

// wholeNS and wholeCK return the cells of a cost, "-" for none.
func wholeNS(w *pimflow.Whole) string {
	if w == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", w.NS)
}

func wholeCK(w *pimflow.Whole) string {
	if w == nil {
		return "-"
	}
	return strconv.FormatInt(w.Ticks, 10)
}
