package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
)

// layers is the sixth section: why this layer?
type layers struct {
	Rows   []layerRow
	Hidden int // rows that a button shows
	Left   int // layers without a row
	Moved  bool
}

// layerRow is a row of the table. The values to sort by are ns, pJ, or counts.
type layerRow struct {
	Index                     int
	Name, Class, Output       string
	MMAC, Where               template.HTML
	Alone, Plan, Change       string
	Energy, OnGPU, OnPIM, Why string
	Sort                      sorts
	Short                     bool // shown by the button alone
}

// sorts are what rows are sorted by.
type sorts struct{ MACs, Where, Alone, Plan, Change, Energy, OnGPU, OnPIM string }

// The table shows the longest of more than allShown layers, and has at most mostRows.
const (
	allShown = 60
	shown    = 40
	mostRows = 1000
)

// spanOf is the time from the first start of a layer's pieces to their last end.
func spanOf(l *pimflow.Layer) float64 {
	if len(l.Tiles) == 0 {
		return 0
	}
	from, to := l.Tiles[0].Piece.Start, 0.0
	for _, t := range l.Tiles {
		from, to = min(from, t.Piece.Start), max(to, t.Piece.End)
	}
	return to - from
}

func (p *pager) layers() (s layers) {
	order := make([]int, len(p.Report.Layers))
	weight := make([]float64, len(order))
	for i := range order {
		l := &p.Report.Layers[i]
		order[i], weight[i] = i, max(l.Use.Baseline, spanOf(l))
		s.Moved = s.Moved || l.Use.OnGPU != nil || l.Use.OnPIM != nil
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case weight[a] > weight[b]:
			return -1
		case weight[a] < weight[b]:
			return 1
		}
		return a - b
	})
	rank := make([]int, len(order))
	for k, i := range order {
		rank[i] = k
	}
	for i := range p.Report.Layers {
		if rank[i] >= mostRows {
			s.Left++
			continue
		}
		row := p.layerRow(i)
		if row.Short = len(order) > allShown && rank[i] >= shown; row.Short {
			s.Hidden++
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

func (p *pager) layerRow(i int) layerRow {
	l := &p.Report.Layers[i]
	span, energy := spanOf(l), 0.0
	for _, t := range l.Tiles {
		energy += t.Energy
	}
	row := layerRow{
		Index: i + 1, Name: fault.Name(l.Name), Class: strings.ReplaceAll(l.Use.Class, "x", times), Output: shape(l.Shape),
		MMAC: template.HTML(mega(float64(l.MACs))), Where: p.where(l),
		Alone: us(l.Use.Baseline), Plan: us(span), Change: saying(span - l.Use.Baseline), Energy: few(energy / 1e6),
		OnGPU: p.moved(l, "gpu", l.Use.OnGPU), OnPIM: p.moved(l, "pim", l.Use.OnPIM), Why: p.why(l),
	}
	if l.MACs == 0 {
		row.MMAC = ""
	}
	sort := func(x float64) string { return fmt.Sprintf("%.4g", x) }
	over := func(ns *float64) string {
		if ns == nil {
			return "1e30"
		}
		return sort(*ns - p.Total)
	}
	onPIM, all := 0.0, 0.0
	for _, t := range l.Tiles {
		size := width(t.Piece.From, t.Piece.To, t.Piece.Of, len(l.Tiles))
		if all += size; t.Device == "pim" {
			onPIM += size
		}
	}
	row.Sort = sorts{sort(float64(l.MACs)), sort(quotient(onPIM, all)), sort(l.Use.Baseline), sort(span), sort(span - l.Use.Baseline), sort(energy), over(l.Use.OnGPU), over(l.Use.OnPIM)}
	return row
}

// mega is a number of millions with a digit, or as many as show two figures.
func mega(x float64) string {
	if x < 1e6 {
		return few(x / 1e6)
	}
	return number(x/1e6, 1)
}

// shape is the sizes of a value without a first of one image.
func shape(s []int) string {
	if len(s) > 1 && s[0] == 1 {
		s = s[1:]
	}
	var b []string
	for _, n := range s {
		b = append(b, fmt.Sprint(n))
	}
	return strings.Join(b, times)
}

// moved is how much longer the plan takes with the layer whole on a device.
func (p *pager) moved(l *pimflow.Layer, dev string, ns *float64) string {
	switch {
	case l.Kind == dev && len(l.Tiles) == 1:
		return "here"
	case ns == nil:
		return "–"
	}
	return saying(*ns - p.Total)
}

// why is the reason why the layer is not whole on the other device, or on one: the better of them.
func (p *pager) why(l *pimflow.Layer) string {
	other := ""
	switch {
	case l.GPU == nil && l.PIM == nil:
		return ""
	case l.PIM == nil:
		if l.GPU.NS == 0 {
			return "A view: no work"
		}
		return "Only the GPU can execute it"
	case l.GPU == nil:
		return "Only the PIM can execute it"
	case len(l.Tiles) == 1 && l.Kind == "gpu":
		other = "pim"
	case len(l.Tiles) == 1 && l.Kind == "pim":
		other = "gpu"
	case l.Use.OnGPU != nil && (l.Use.OnPIM == nil || *l.Use.OnGPU <= *l.Use.OnPIM):
		other = "gpu"
	default:
		other = "pim"
	}
	name, whole, rival, then := "GPU", l.GPU, l.PIM, l.Use.OnGPU
	if other == "pim" {
		name, whole, rival, then = "PIM", l.PIM, l.GPU, l.Use.OnPIM
	}
	alone := spanOf(l)
	switch {
	case p.pinned(l) != "":
		return p.pinned(l)
	case then == nil && (l.Use.OnGPU != nil || l.Use.OnPIM != nil):
		return name + ": no place or no room in this plan"
	case whole.NS > rival.NS:
		return name + " is slower: " + fault.Name(whole.Bound)
	case len(l.Tiles) > 1 && whole.NS > alone:
		return "Both are faster than the " + name
	}
	return name + " is faster, but others would wait"
}

func (p *pager) pinned(l *pimflow.Layer) string {
	if l.Pinned == "" {
		return ""
	}
	return "Kept on the " + strings.ToUpper(fault.Name(l.Pinned))
}

// width is the share of a layer that a piece is; of one that is cut along several axes, one of so many.
func width(from, to, of, pieces int) float64 {
	if of > 0 && to > from {
		return float64(to-from) / float64(of)
	}
	return 1 / float64(max(1, pieces))
}

// where is a bar of the pieces of a layer, in the order of its axis.
func (p *pager) where(l *pimflow.Layer) template.HTML {
	const wide, high = 132.0, 12
	tiles := slices.Clone(l.Tiles)
	slices.SortStableFunc(tiles, func(a, b pimflow.Tile) int { return a.Piece.From - b.Piece.From })
	all := 0.0
	for _, t := range tiles {
		all += width(t.Piece.From, t.Piece.To, t.Piece.Of, len(tiles))
	}
	var c canvas
	label, at := []string{}, 0.0
	for _, t := range tiles {
		w := wide * width(t.Piece.From, t.Piece.To, t.Piece.Of, len(tiles)) / all
		if t.Piece.End > t.Piece.Start {
			c.put(`<rect class="%s3" x="%s" width="%s" height="%d"/>`, map[bool]string{true: "p", false: "g"}[t.Device == "pim"], f(at), f(max(0.5, w-1)), high)
		}
		part := ""
		if t.Piece.Of > 0 {
			part = fmt.Sprintf(" %s %d to %d of %d", t.Piece.Axis, t.Piece.From, t.Piece.To, t.Piece.Of)
		}
		label = append(label, strings.ToUpper(t.Device)+part)
		at += w
	}
	if len(label) > 4 {
		label = append(label[:3], fmt.Sprintf("%d more", len(tiles)-3))
	}
	return template.HTML(`<svg class="where" viewBox="0 0 132 12" role="img" aria-label="` + esc(strings.Join(label, ", ")) + `">` + c.String() + `</svg>`)
}
