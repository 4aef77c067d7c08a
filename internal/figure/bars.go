package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"pimflow/internal/report"
)

// ratios are the columns that are quotients of the GPU alone: 1 is drawn as a line, and means are geometric.
var ratios = []string{"speedup", "energy_ratio"}

// baseline is the policy whose plan is the GPU alone.
const baseline = "gpu"

// part is the share of the place of a category that its bars take.
const part = 0.84

// huge is the quotient of largest and smallest bar from which bars do not begin at 0. Estimated: a hundredth of an inch.
const huge = 1000

// meanName is the name of the bars of geometric means.
const meanName = "geometric mean"

// speedup is bars of a column, by default the speed-up, in a group for each network.
func speedup(d *Data, o *Options) (*Figure, error) {
	y := cmp.Or(o.Y, "speedup")
	places := networks(d.Rows)
	if o.X != "" {
		places = []string{o.X}
	}
	if err := d.some(append(append([]string{y}, places...), o.Group...)...); err != nil {
		return nil, err
	}
	rows := d.Rows
	if slices.Contains(ratios, y) && !slices.Contains(places, "policy") { // the GPU alone is the line at 1
		other := slices.DeleteFunc(slices.Clone(rows), func(r Record) bool { return r.Policy == baseline })
		if len(other) > 0 {
			rows = other
		}
	}
	by := o.Group
	if by == nil {
		by = varying(rows, places...)
	}
	q, err := d.quantity(rows, y)
	if err != nil {
		return nil, err
	}
	names, groups := split(rows, places)
	series := distinct(rows, by)
	p := Panel{X: Axis{Names: names}, Y: empty(q.label)}
	if o.X != "" {
		p.X.Label = measure(o.X, 0).label
	}
	if slices.Contains(ratios, y) {
		p.Rule = 1
		p.Y.including(1)
	}
	bars := make([]map[string]*Box, len(names))
	for i, g := range groups {
		bars[i] = map[string]*Box{}
		seen := map[string]*Record{}
		for k := range g {
			s := g[k].label(by)
			if seen[s] != nil {
				return nil, twice(seen[s], &g[k])
			}
			seen[s] = &g[k]
			b, err := q.box(&g[k])
			if err != nil {
				return nil, err
			}
			bars[i][s] = b
		}
	}
	if p.Rule == 1 && len(names) > 1 && o.X == "" {
		if m := means(bars, series); len(m) > 0 {
			p.X.Names, bars = append(p.X.Names, meanName), append(bars, m)
		}
	}
	p.bars(bars, series)
	f := &Figure{Panels: []Panel{p}}
	f.keys(series, boxKey)
	return f, nil
}

// keys sets the legend; none is needed for a single series.
func (f *Figure) keys(series []string, kind string) {
	if len(series) < 2 {
		return
	}
	for i, s := range series {
		f.Keys = append(f.Keys, Key{s, i, kind})
	}
}

// box is the bar of a row, at no place yet.
func (q *quantity) box(r *Record) (*Box, error) {
	v, err := r.number(q.column)
	if err != nil {
		return nil, err
	}
	s, err := r.span(q.column, q.scale)
	return &Box{Y1: v * q.scale, Span: s}, err
}

// means are the geometric means of each series that has a bar everywhere.
func means(bars []map[string]*Box, series []string) map[string]*Box {
	mean := func(s string, of func(*Box) float64) float64 {
		sum := 0.0
		for _, g := range bars {
			sum += math.Log(of(g[s]))
		}
		return math.Exp(sum / float64(len(bars)))
	}
	list := map[string]*Box{}
	for _, s := range series {
		if slices.ContainsFunc(bars, func(g map[string]*Box) bool { return g[s] == nil || !(g[s].Y1 > 0) }) {
			continue
		}
		list[s] = &Box{Y1: mean(s, func(b *Box) float64 { return b.Y1 })}
		if !slices.ContainsFunc(bars, func(g map[string]*Box) bool { return g[s].Span == nil || !(g[s].Span.Low > 0) }) {
			list[s].Span = &Span{mean(s, func(b *Box) float64 { return b.Span.Low }), mean(s, func(b *Box) float64 { return b.Span.High })}
		}
	}
	return list
}

// bars places the bars of each group beside each other, and ends the axes.
func (p *Panel) bars(groups []map[string]*Box, series []string) {
	wide := part / float64(len(series))
	p.X.categories(len(groups))
	least := math.Inf(1)
	for i, g := range groups {
		for k, s := range series {
			b := g[s]
			if b == nil {
				continue
			}
			b.Style = k
			b.X0 = float64(i) - part/2 + wide*float64(k)
			b.X1 = b.X0 + wide
			p.Y.including(b.Y1)
			least = min(least, b.Y1)
			if b.Span != nil {
				p.Y.including(b.Span.Low, b.Span.High)
				least = min(least, b.Span.Low)
			}
			p.Boxes = append(p.Boxes, *b)
		}
	}
	p.Y.settle(!(least > 0 && p.Y.High/least > huge))
	if p.Y.Log {
		for i := range p.Boxes {
			p.Boxes[i].Y0 = p.Y.Low
		}
	}
}

// whole is the style of an energy whose parts are not known.
const whole = 7

// energy is a bar for the GPU alone and for each series, in a group for each network, divided into classes of parts.
func energy(d *Data, o *Options) (*Figure, error) {
	y := cmp.Or(o.Y, "energy_ratio")
	if y != "energy_ratio" && y != "energy_pj" {
		return nil, fmt.Errorf("--y %.80s: the figure energy is of energy_ratio or energy_pj", y)
	}
	if err := d.some(append([]string{y}, o.Group...)...); err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(slices.Clone(d.Rows), func(r Record) bool { return r.Policy == baseline && r.Baseline == nil })
	if len(rows) == 0 {
		rows = d.Rows
	}
	q, err := d.quantity(d.Rows, y)
	if err != nil {
		return nil, err
	}
	places := networks(rows)
	by := o.Group
	if by == nil {
		by = varying(rows, places...)
	}
	names, groups := split(rows, places)
	p := Panel{Y: empty(q.label)}
	used := map[int]bool{}
	at := 0.0
	for i, g := range groups {
		from := len(p.X.Names)
		if err := p.stack(&q, d.alone(&g[0], y), "GPU alone", at, used); err != nil {
			return nil, err
		}
		labels, parts := split(g, by)
		for k := range parts {
			if len(parts[k]) > 1 {
				return nil, twice(&parts[k][0], &parts[k][1])
			}
			at++
			if err := p.stack(&q, &parts[k][0], cmp.Or(labels[k], g[0].Policy), at, used); err != nil {
				return nil, err
			}
		}
		at++
		p.X.Groups = append(p.X.Groups, Group{names[i], from, len(p.X.Names)})
	}
	p.X.categories(len(p.X.Names))
	if y == "energy_ratio" {
		p.Rule = 1
	}
	p.Y.settle(true)
	f := &Figure{Panels: []Panel{p}}
	for i, c := range report.EnergyClasses {
		if used[i] {
			f.Keys = append(f.Keys, Key{c.Name, i, boxKey})
		}
	}
	if used[whole] {
		f.Keys = append(f.Keys, Key{"all parts", whole, boxKey})
	}
	return f, nil
}

// alone is the GPU alone that a record is compared with, with the parts of its energy if they are known.
func (d *Data) alone(r *Record, y string) *Record {
	a := *r
	a.Policy, a.Ratio, a.Energy, a.Parts = baseline, 1, r.BaselineEnergy, r.Baseline
	for i := range d.Rows {
		o := &d.Rows[i]
		same := o.Model == r.Model && o.Batch == r.Batch && o.Machine == r.Machine && o.MachineHash == r.MachineHash
		if a.Parts == nil && same && o.Policy == baseline && o.Parts != nil {
			a.Parts = o.Parts
		}
	}
	a.lacks = func(c string) bool { return c != y } // its interval is that of the quotient
	return &a
}

// stack adds the bar of a record, divided into classes.
func (p *Panel) stack(q *quantity, r *Record, name string, at float64, used map[int]bool) error {
	p.X.Names = append(p.X.Names, name)
	b, err := q.box(r)
	if err != nil {
		return err
	}
	var sums []float64
	total := 0.0
	for _, c := range report.EnergyClasses {
		sum := 0.0
		for _, n := range c.Parts {
			sum += r.Parts[n.String()].Value
		}
		sums, total = append(sums, sum), total+sum
	}
	if !(total > 0) {
		sums, total = make([]float64, whole), 1
		sums = append(sums, 1)
	}
	low := 0.0
	for i, s := range sums {
		if s <= 0 {
			continue
		}
		used[i] = true
		high := low + s/total*b.Y1
		p.Boxes = append(p.Boxes, Box{X0: at - part/2, X1: at + part/2, Y0: low, Y1: high, Style: i})
		low = high
	}
	p.Y.including(b.Y1)
	if n := len(p.Boxes); b.Span != nil && n > 0 {
		p.Boxes[n-1].Span = b.Span
		p.Y.including(b.Span.Low, b.Span.High)
	}
	return nil
}
