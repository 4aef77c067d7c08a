package figure

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// heat is a shade for each pair of values of two columns, a panel for each of what else differs.
func heat(d *Data, o *Options) (*Figure, error) {
	z := cmp.Or(o.Z, "speedup")
	if err := d.some(z); err != nil {
		return nil, err
	}
	x, y := o.X, o.Y
	var free []string
	for _, k := range keys(d.Rows) {
		if len(distinct(d.Rows, []string{k})) > 1 && k != x && k != y {
			free = append(free, k)
		}
	}
	for _, axis := range []*string{&x, &y} {
		if *axis == "" && len(free) > 0 {
			*axis, free = free[0], free[1:]
		}
	}
	if x == "" || y == "" {
		return nil, fmt.Errorf("%s: fewer than two keys of the machine differ between rows: the columns --x and --y wanted", strings.Join(d.files, ", "))
	}
	if err := d.Check(append([]string{x, y}, o.Group...)...); err != nil {
		return nil, err
	}
	by := o.Group
	if by == nil {
		by = varying(d.Rows, x, y)
	}
	q, err := d.quantity(d.Rows, z)
	if err != nil {
		return nil, err
	}
	digits := q.digits(d.Rows)
	labels, parts := split(d.Rows, by)
	across, up := []string{x}, []string{y}
	f := &Figure{Beside: true, Shades: &Shades{Label: q.label, Low: math.Inf(1), High: math.Inf(-1)}}
	for i, rows := range parts {
		names, columns := split(d.Rows, across)
		p := Panel{X: categories(x, columns), Y: categories(y, second(split(d.Rows, up)))}
		if len(parts) > 1 {
			p.Title = labels[i]
		}
		others := distinct(d.Rows, up)
		seen := map[[2]int]*Record{}
		for k := range rows {
			v, err := rows[k].number(z)
			if err != nil {
				return nil, err
			}
			at := [2]int{index(names, rows[k].label(across)), index(others, rows[k].label(up))}
			if seen[at] != nil {
				return nil, twice(seen[at], &rows[k])
			}
			seen[at] = &rows[k]
			v *= q.scale
			f.Shades.Low, f.Shades.High = min(f.Shades.Low, v), max(f.Shades.High, v)
			cx, cy := float64(at[0]), float64(at[1])
			p.Boxes = append(p.Boxes, Box{X0: cx - 0.5, X1: cx + 0.5, Y0: cy - 0.5, Y1: cy + 0.5, Style: shaded, Shade: v, Text: digits(v)})
		}
		f.Panels = append(f.Panels, p)
	}
	for i := range f.Panels {
		for k := range f.Panels[i].Boxes {
			b := &f.Panels[i].Boxes[k]
			if b.Shade = (b.Shade - f.Shades.Low) / (f.Shades.High - f.Shades.Low); math.IsNaN(b.Shade) {
				b.Shade = 0.5 // all are the same
			}
		}
	}
	return f, nil
}

func second[A, B any](_ A, b B) B { return b }

func index(list []string, s string) int {
	for i, l := range list {
		if l == s {
			return i
		}
	}
	return -1
}

// categories is the axis of a column's values, those of parts of rows.
func categories(column string, parts [][]Record) Axis {
	a := Axis{Label: measure(column, 0).label, Low: -0.5, High: float64(len(parts)) - 0.5}
	for _, rows := range parts {
		a.Names = append(a.Names, cmp.Or(rows[0].text(column), "as it is"))
	}
	return a
}
