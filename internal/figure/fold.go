package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// thinnest is the least width of a bar in points. Estimated: hatches are seen from there.
const thinnest = 1.6

// fold breaks a panel with more categories than a width has room for into several with the same y, each of whole groups.
func (p *Panel) fold(across vg.Length) []Panel {
	n := len(p.X.Names)
	slot := float64(leading()) + 0.7 // of a name that is upright
	for _, b := range p.Boxes {
		slot = max(slot, thinnest/(b.X1-b.X0))
	}
	per := max(1, int(float64(across-longest/2)/slot))
	if n <= per {
		return []Panel{*p}
	}
	fewest := len(p.cut(per))
	each := (n + fewest - 1) / fewest // panels of about the same lengths, and no more of them
	for len(p.cut(each)) > fewest {
		each++
	}
	var list []Panel
	from := 0
	for _, end := range p.cut(each) {
		list = append(list, p.piece(from, end))
		from = end
	}
	return list
}

// cut returns the ends of pieces of at most so many categories.
func (p *Panel) cut(most int) (list []int) {
	ends := p.ends(most)
	from := 0
	for i, end := range ends {
		if i+1 == len(ends) || ends[i+1]-from > most {
			list = append(list, end)
			from = end
		}
	}
	return list
}

// ends are where a panel may be broken: after each group or, without groups, each category. A group of more than most is
// broken, too.
func (p *Panel) ends(most int) (list []int) {
	groups := p.X.Groups
	if groups == nil {
		for i := range p.X.Names {
			groups = append(groups, Group{From: i, To: i + 1})
		}
	}
	for _, g := range groups {
		for at := g.From + most; at < g.To; at += most {
			list = append(list, at)
		}
		list = append(list, g.To)
	}
	return list
}

// piece is the panel of some categories, from one to before another.
func (p *Panel) piece(from, to int) Panel {
	out := *p
	out.X.Names, out.X.Groups, out.Boxes, out.Lines = p.X.Names[from:to], nil, nil, nil
	out.X.High = out.X.Low + float64(to-from)
	for _, g := range p.X.Groups {
		if first, last := max(g.From, from), min(g.To, to); first < last {
			out.X.Groups = append(out.X.Groups, Group{g.Name, first - from, last - from})
		}
	}
	inside := func(x float64) bool { return math.Round(x) >= float64(from) && math.Round(x) < float64(to) }
	for _, b := range p.Boxes {
		if inside((b.X0 + b.X1) / 2) {
			b.X0, b.X1 = b.X0-float64(from), b.X1-float64(from)
			out.Boxes = append(out.Boxes, b)
		}
	}
	for _, l := range p.Lines {
		var points []Point
		for _, q := range l.Points {
			if inside(q.X) {
				q.X -= float64(from)
				points = append(points, q)
			}
		}
		l.Points = points
		out.Lines = append(out.Lines, l)
	}
	return out
}
