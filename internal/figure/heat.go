package figure

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"pimflow/internal/fault"
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
		by = identity(d.Rows, x, y)
	}
	q, err := d.quantity(d.Rows, z)
	if err != nil {
		return nil, err
	}
	digits := q.digits(d.Rows)
	xs, placeX := nominal(d.Rows, x)
	ys, placeY := nominal(d.Rows, y)
	labels, parts := split(d.Rows, by)
	if len(parts) > mostFacets {
		return nil, fault.Usagef("heat of %s over %s and %s: %d panels, one for each of %s: at most %d wanted: fix some by --where, or give others as --x and --y",
			z, x, y, len(parts), choices(d.Rows, by), mostFacets)
	}
	f := &Figure{Beside: true, Shades: &Shades{Label: q.label, Low: math.Inf(1), High: math.Inf(-1)}}
	for i, rows := range parts {
		p := Panel{X: xs, Y: ys}
		if len(parts) > 1 {
			p.Title = labels[i]
		}
		seen := map[[2]float64]*Record{}
		for k := range rows {
			r := &rows[k]
			v, err := r.number(z)
			if err != nil {
				return nil, err
			}
			at := [2]float64{placeX(r), placeY(r)}
			if seen[at] != nil {
				return nil, twice(seen[at], r)
			}
			seen[at] = r
			v *= q.scale
			f.Shades.Low, f.Shades.High = min(f.Shades.Low, v), max(f.Shades.High, v)
			p.Boxes = append(p.Boxes, Box{X0: at[0] - 0.5, X1: at[0] + 0.5, Y0: at[1] - 0.5, Y1: at[1] + 0.5, Style: shaded, Shade: v, Text: digits(v)})
		}
		f.Panels = append(f.Panels, p)
	}
	f.shade()
	return f, nil
}

// mostFacets is how many panels a page has room for, with their titles. Estimated.
const mostFacets = 24

// choices are the columns of which rows have several values, with how many.
func choices(rows []Record, columns []string) string {
	var list []string
	for _, c := range columns {
		if n := len(distinct(rows, []string{c})); n > 1 {
			list = append(list, fmt.Sprintf("%s (%d values)", c, n))
		}
	}
	return strings.Join(list, ", ")
}

// shade makes numbers shades: between the least and the most, by their logarithm where the range is wide.
func (f *Figure) shade() {
	scale := empty("")
	scale.including(f.Shades.Low, f.Shades.High)
	if scale.Log = scale.Low > 0 && scale.High/scale.Low > wide; scale.Log {
		f.Shades.Label += ", logarithmic"
	}
	for i := range f.Panels {
		for k := range f.Panels[i].Boxes {
			b := &f.Panels[i].Boxes[k]
			if b.Shade = scale.norm(b.Shade); math.IsNaN(b.Shade) {
				b.Shade = 0.5 // all are the same
			}
		}
	}
}
