package figure

import (
	"cmp"
	"slices"
	"strconv"

	"pimflow/internal/fault"
)

// lines is a line over a column for each series.
func lines(d *Data, o *Options) (*Figure, error) {
	x, y := o.X, cmp.Or(o.Y, "speedup")
	if x == "" {
		x = "pim_channels"
		if slices.Contains(keys(d.Rows), "memory.pim_channels") {
			x = "memory.pim_channels"
		}
	}
	if err := d.some(append([]string{x, y}, o.Group...)...); err != nil {
		return nil, err
	}
	by := o.Group
	if by == nil {
		by = identity(d.Rows, x)
	}
	q, err := d.quantity(d.Rows, y)
	if err != nil {
		return nil, err
	}
	p := Panel{Y: empty(q.label)}
	if slices.Contains(ratios, y) {
		p.Rule = 1
		p.Y.including(1)
	}
	at, err := p.across(d, x)
	if err != nil {
		return nil, err
	}
	series, parts := split(d.Rows, by)
	for i, rows := range parts {
		l := Line{Style: i, Shift: shift(i, len(parts))}
		seen := map[float64]*Record{}
		for k := range rows {
			r := &rows[k]
			b, err := q.box(r)
			if err != nil {
				return nil, err
			}
			v := at(r)
			if seen[v] != nil {
				return nil, twice(seen[v], r)
			}
			seen[v] = r
			l.Points = append(l.Points, Point{v, b.Y1, b.Span})
			p.Y.including(b.Y1)
			if b.Span != nil {
				p.Y.including(b.Span.Low, b.Span.High)
			}
		}
		slices.SortFunc(l.Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		p.Lines = append(p.Lines, l)
	}
	p.Y.settle(false)
	f := &Figure{Panels: []Panel{p}}
	f.keys(series, lineKey)
	return f, nil
}

// shift is how far one of several lines is moved aside, in points. Estimated: more than the width of an interval.
func shift(line, lines int) float64 {
	const apart, most = 2, 7 // more lines would be too far from their place
	if lines > most {
		return 0
	}
	return apart * (float64(line) - float64(lines-1)/2)
}

// doubling is the quotient of largest and smallest place from which places along x are logarithmic. Estimated: 1 to 16
// channels are.
const doubling = 12

// across sets the axis of a column along x, of numbers if all values are, and returns the place of a row on it.
func (p *Panel) across(d *Data, column string) (at func(r *Record) float64, err error) {
	var places []float64
	for i := range d.Rows {
		v, err := strconv.ParseFloat(d.Rows[i].text(column), 64)
		if err != nil {
			p.X, at = nominal(d.Rows, column)
			return at, nil
		}
		places = append(places, v)
	}
	q, err := d.quantity(d.Rows, column)
	if err != nil {
		return nil, err
	}
	for i := range places {
		places[i] *= q.scale
	}
	slices.Sort(places)
	places = slices.Compact(places)
	p.X = empty(q.label)
	p.X.including(places...)
	p.X.Log = p.X.Low > 0 && p.X.High/p.X.Low >= doubling
	if len(places) <= 12 {
		p.X.At = places
	}
	p.X.settle(false)
	return func(r *Record) float64 {
		v, _ := r.number(column) // all were numbers
		return v * q.scale
	}, nil
}

// nominal is the axis of a column's values as categories, and the place of a row on it.
func nominal(rows []Record, column string) (a Axis, at func(r *Record) float64) {
	by := []string{column}
	values, parts := split(rows, by)
	a = Axis{Label: measure(column, 0).label, Low: -0.5, High: float64(len(values)) - 0.5}
	place := map[string]float64{}
	for i, v := range values {
		place[v] = float64(i)
		a.Names = append(a.Names, cmp.Or(parts[i][0].text(column), "as it is"))
	}
	return a, func(r *Record) float64 { return place[r.label(by)] }
}

// The styles of the figure pareto without series: of the front, and of other points.
const (
	frontStyle = 0
	otherStyle = 7
)

// pareto is the points of two columns and their fronts.
func pareto(d *Data, o *Options) (*Figure, error) {
	by := o.By
	if by == nil {
		by = []Aim{{"total_ns", false}, {"energy_pj", false}}
	}
	if len(by) != 2 {
		return nil, fault.Usagef("--by has %d columns: two wanted, for x and y", len(by))
	}
	labels, parts, fronts, err := d.Front(by)
	if err != nil {
		return nil, err
	}
	if err := d.Check(o.Group...); err != nil {
		return nil, err
	}
	series := []string(nil)
	if o.Group != nil {
		series = distinct(d.Rows, o.Group)
	}
	f := &Figure{Beside: true}
	for i, rows := range parts {
		qx, err := d.quantity(rows, by[0].Column)
		if err != nil {
			return nil, err
		}
		qy, err := d.quantity(rows, by[1].Column)
		if err != nil {
			return nil, err
		}
		p := Panel{X: empty(qx.label), Y: empty(qy.label)}
		if len(parts) > 1 {
			p.Title = labels[i]
		}
		points := func(rows []Record) (list []Point) {
			for k := range rows {
				x, _ := rows[k].number(by[0].Column) // Front has read them
				y, _ := rows[k].number(by[1].Column)
				list = append(list, Point{X: x * qx.scale, Y: y * qy.scale})
				p.X.including(x * qx.scale)
				p.Y.including(y * qy.scale)
			}
			return list
		}
		front := Line{Style: frontStyle, Points: points(fronts[i]), Steps: true, Bare: o.Group != nil}
		slices.SortStableFunc(front.Points, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(b.Y, a.Y)) })
		if o.Group == nil {
			p.Lines = append(p.Lines, Line{Style: otherStyle, Points: points(rows), Apart: true, Hollow: true})
		} else {
			for k, s := range series {
				of := slices.DeleteFunc(slices.Clone(rows), func(r Record) bool { return r.label(o.Group) != s })
				p.Lines = append(p.Lines, Line{Style: k, Points: points(of), Apart: true})
			}
		}
		if by[0].More { // with less of x, y is that of the next point
			slices.Reverse(front.Points)
		}
		p.Lines = append(p.Lines, front)
		p.X.settle(false)
		p.Y.settle(false)
		f.Panels = append(f.Panels, p)
	}
	if o.Group == nil {
		f.Keys = []Key{{"Pareto front", frontStyle, lineKey}, {"other points", otherStyle, markKey}}
	} else {
		f.keys(series, markKey)
	}
	return f, nil
}
